"""The service's environment variables, for the sandbox or the real Xero and for either issuer."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from dotenv import set_key

from demo.processes import LaunchError

CALLBACK = "/api/integrations/xero/callback"
WEBHOOKS = "/api/integrations/xero/webhooks/xero"
OWN_PREFIXES = (
    "XERO_",
    "AUTH_",
    "AUDIT_",
    "ENCRYPTION_",
    "DATABASE_",
    "REFRESH_",
    "UPKEEP_",
    "DRAIN_",
    "LOG_",
    "METRICS_",
)
OWN_NAMES = frozenset({"FORWARDED_ALLOW_IPS", "FRONTEND_URL", "PUBLIC_URL", "SPA_DIR"})
# The scopes that the examples of docs/from-your-service.md need: they write contacts and invoices.
SCOPES_FOR_THE_EXAMPLES = (
    "openid profile email offline_access"
    " accounting.settings.read accounting.contacts accounting.invoices"
)


@dataclass(frozen=True, kw_only=True)
class XeroApp:
    """The app that is registered with the sandbox, with random credentials for this run."""

    client_id: str = field(default_factory=lambda: f"sandbox-{secrets.token_hex(8)}")
    client_secret: str = field(
        default_factory=lambda: f"sandbox-{secrets.token_urlsafe(24)}", repr=False
    )
    webhook_key: str = field(default_factory=lambda: secrets.token_urlsafe(64), repr=False)


def without_service_variables(ambient: Mapping[str, str]) -> dict[str, str]:
    """Return `ambient` without any of the service's own variables."""
    return {name: value for name, value in ambient.items() if not _is_own(name)}


def write_env_file(path: Path, environment: Mapping[str, str]) -> None:
    """Write the service's variables to an `.env` file, which the service's commands read."""
    path.touch(mode=0o600)
    for name, value in environment.items():
        if _is_own(name):
            set_key(path, name, value)


def _is_own(name: str) -> bool:
    return name in OWN_NAMES or name.startswith(OWN_PREFIXES)


def names_real_xero(ambient: Mapping[str, str]) -> bool:
    """Whether the variables name an app at the real Xero; raises LaunchError if one is missing."""
    given = {name: bool(ambient.get(name)) for name in ("XERO_CLIENT_ID", "XERO_CLIENT_SECRET")}
    if any(given.values()) and not all(given.values()):
        missing = next(name for name, there in given.items() if not there)
        raise LaunchError(f"{missing} is not set. The real Xero needs both, the sandbox neither.")
    return all(given.values())


def names_own_issuer(ambient: Mapping[str, str]) -> bool:
    """Whether people sign in at another issuer than the sandbox."""
    return bool(ambient.get("AUTH_ISSUER"))


def service_environment(
    ambient: Mapping[str, str],
    *,
    origin: str,
    sandbox: str,
    app: XeroApp,
    database_url: str,
    page: Path | None,
    frontend: str | None = None,
) -> dict[str, str]:
    """Return the service's environment for a stack at `origin`.

    `frontend` is the origin of the page if it is not the service's own.

    Variables of `ambient` take precedence over defaults, but not over the stack's own addresses.
    """
    variables = {
        "ENCRYPTION_KEY": secrets.token_hex(32),
        "LOG_FORMAT": "text",
        "DRAIN_NOTICE_SECONDS": "0",  # no load balancer to wait for
        **{name: value for name, value in ambient.items() if value},
        "DATABASE_URL": database_url,
        "PUBLIC_URL": origin,
        "FRONTEND_URL": frontend or origin,
        "XERO_REDIRECT_URI": origin + CALLBACK,
        "AUTH_AUTHORIZED_PARTIES": frontend or origin,
    }
    variables.pop("SPA_DIR", None)
    if page is not None:
        variables["SPA_DIR"] = str(page)
    if not names_real_xero(ambient):
        variables |= _sandbox_as_xero(sandbox, app)
    if not names_own_issuer(ambient):
        variables |= {
            "AUTH_ISSUER": f"{sandbox}/session",
            "AUTH_JWKS_URL": f"{sandbox}/session/.well-known/jwks.json",
        }
        variables.pop("AUTH_AUDIENCE", None)
    return variables


def _sandbox_as_xero(sandbox: str, app: XeroApp) -> dict[str, str]:
    return {
        "XERO_CLIENT_ID": app.client_id,
        "XERO_CLIENT_SECRET": app.client_secret,
        "XERO_WEBHOOK_KEY": app.webhook_key,
        "XERO_AUTHORIZE_URL": f"{sandbox}/login/identity/connect/authorize",
        "XERO_TOKEN_URL": f"{sandbox}/identity/connect/token",
        "XERO_REVOCATION_URL": f"{sandbox}/identity/connect/revocation",
        "XERO_ISSUER": f"{sandbox}/identity",
        "XERO_JWKS_URL": f"{sandbox}/identity/.well-known/openid-configuration/jwks",
        "XERO_API_URL": f"{sandbox}/api",
    }
