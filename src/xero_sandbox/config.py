"""The configuration of a sandbox: its address and the one app that is registered with it."""

from dataclasses import dataclass, field
from typing import Literal

DEFAULT_BASE_URL = "http://localhost:9000"
DEFAULT_CLIENT_ID = "sandbox-client"
DEFAULT_CLIENT_SECRET = "sandbox-secret"
DEFAULT_REDIRECT_URI = "http://localhost:8000/api/integrations/xero/callback"


@dataclass(frozen=True, kw_only=True)
class SandboxConfig:
    """The sandbox's address, and the app's settings as in Xero's developer portal.

    `allowed_scopes=None` allows every scope that Xero has. An app of type `pkce` has no secret and
    must send a code challenge (facts §3).
    """

    base_url: str = DEFAULT_BASE_URL
    app_name: str = "Sample app"
    app_type: Literal["web", "pkce"] = "web"
    client_id: str = DEFAULT_CLIENT_ID
    client_secret: str = field(default=DEFAULT_CLIENT_SECRET, repr=False)
    redirect_uris: tuple[str, ...] = (DEFAULT_REDIRECT_URI,)
    allowed_scopes: frozenset[str] | None = None

    @property
    def identity_issuer(self) -> str:
        """The `iss` of Xero's tokens."""
        return f"{self.base_url}/identity"

    @property
    def session_issuer(self) -> str:
        """The `iss` of session tokens."""
        return f"{self.base_url}/session"
