"""Defines, reads and checks the configuration variables.

A check that compares two variables belongs to the later one, so that `load` reports every fault at
once. No message repeats a value.
"""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any, Literal, TypeVar
from urllib.parse import urlsplit

from pydantic import (
    Field,
    SecretStr,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic_core import ErrorDetails
from pydantic_settings import BaseSettings, SettingsConfigDict

from xero_service.domain import RefreshPolicy
from xero_service.errors import ConfigError
from xero_service.settings.smtp import Addresses, Sender, SmtpServer, SmtpUrl, parse_smtp_url
from xero_service.settings.values import (
    ClientId,
    ClientSecret,
    Issuer,
    List,
    Origin,
    PostgresUrl,
    Scopes,
    Secrets,
    TrustedProxies,
    Url,
    parse_key,
    party,
    site,
)

REQUIRED_SCOPES = frozenset({"openid", "offline_access"})
_QUOTES = "\"'`\u2018\u2019\u201c\u201d"


class DatabaseSettings(BaseSettings):
    """The variables of the database and the log: all that `xero-service migrate` needs."""

    model_config = SettingsConfigDict(
        env_file=".env", env_ignore_empty=True, extra="ignore", frozen=True
    )

    database_url: PostgresUrl
    database_pool_size: int = Field(default=10, ge=1, le=500)
    database_prepared_statements: bool = True
    database_service_role: str | None = None
    log_format: Literal["json", "text"] = "json"
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"

    @model_validator(mode="before")
    @classmethod
    def _trimmed(cls, values: Any) -> Any:
        """Strip white space (as of a secret made with `echo`); an empty value counts as unset."""
        if not isinstance(values, dict):
            return values
        trimmed = {
            name: value.strip() if isinstance(value, str) else value
            for name, value in values.items()
        }
        return {name: value for name, value in trimmed.items() if value != ""}

    @field_validator("*", mode="before")
    @classmethod
    def _is_utf8(cls, value: Any) -> Any:
        """Reject other bytes: they come as surrogates, which cannot be sent or stored."""
        if isinstance(value, str) and any("\ud800" <= character <= "\udfff" for character in value):
            raise ValueError("is not text in UTF-8")
        return value

    @field_validator("*", mode="before")
    @classmethod
    def _no_quotes(cls, value: Any) -> Any:
        """Reject quotes, which `docker run --env-file` passes as part of the value."""
        if isinstance(value, str) and len(value) > 1 and {value[0], value[-1]} <= set(_QUOTES):
            raise ValueError("is in quotes: remove them")
        return value

    @field_validator("log_level", mode="before")
    @classmethod
    def _any_case(cls, value: Any) -> Any:
        return value.upper() if isinstance(value, str) else value


class Settings(DatabaseSettings):
    """The whole configuration of a running service."""

    encryption_key: SecretStr
    encryption_key_previous: Secrets = ()

    xero_client_id: ClientId
    xero_client_secret: ClientSecret
    xero_redirect_uri: Url
    xero_scopes: Scopes = (
        "openid",
        "profile",
        "email",
        "offline_access",
        "accounting.settings.read",
        "accounting.contacts.read",
        "accounting.invoices.read",
    )
    xero_authorize_url: Url = "https://login.xero.com/identity/connect/authorize"
    xero_token_url: Url = "https://identity.xero.com/connect/token"
    xero_revocation_url: Url = "https://identity.xero.com/connect/revocation"
    xero_issuer: Issuer = "https://identity.xero.com"
    xero_jwks_url: Url = "https://identity.xero.com/.well-known/openid-configuration/jwks"
    xero_api_url: Url = "https://api.xero.com"
    xero_timeout_seconds: float = Field(default=10, gt=0, le=120)
    xero_webhook_key: SecretStr | None = None
    xero_webhook_key_previous: SecretStr | None = None

    auth_issuer: Issuer
    auth_jwks_url: Url
    auth_audience: str | None = None
    auth_authorized_parties: List

    frontend_url: Origin
    public_url: Origin
    spa_dir: Path | None = None
    forwarded_allow_ips: TrustedProxies = ()

    smtp_url: SmtpUrl | None = None
    notices_from: Sender | None = Field(default=None, validate_default=True)
    notices_to: Addresses = Field(default=(), repr=False)

    metrics_port: int | None = Field(default=None, ge=1, le=65535)
    metrics_host: str = "127.0.0.1"

    refresh_margin_minutes: float = Field(default=10, ge=1, le=25)
    refresh_token_max_age_days: float = Field(default=45, ge=1, le=59)
    refresh_lease_seconds: float = Field(default=30, gt=0, le=600)
    upkeep_interval_seconds: float = Field(default=15, gt=0, le=3600)
    audit_retention_days: int = Field(default=400, ge=365, le=36500)
    events_retention_days: int = Field(default=30, ge=1, le=3650)
    drain_notice_seconds: float = Field(default=5, ge=0, le=300)

    @field_validator("encryption_key")
    @classmethod
    def _key_is_usable(cls, value: SecretStr) -> SecretStr:
        parse_key(value.get_secret_value())
        return value

    @field_validator("encryption_key_previous")
    @classmethod
    def _keys_differ(
        cls, value: tuple[SecretStr, ...], info: ValidationInfo
    ) -> tuple[SecretStr, ...]:
        keys = [parse_key(key.get_secret_value()) for key in value]
        if "encryption_key" in info.data:
            keys.append(parse_key(info.data["encryption_key"].get_secret_value()))
        if len(set(keys)) != len(keys):
            raise ValueError("contains a key twice, or the current one")
        return value

    @field_validator("xero_scopes")
    @classmethod
    def _scopes_keep_a_grant_alive(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if missing := REQUIRED_SCOPES - set(value):
            raise ValueError(f"must contain {' and '.join(sorted(missing))}")
        return value

    @field_validator("auth_authorized_parties")
    @classmethod
    def _has_authorized_party(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if not value:
            raise ValueError("must name at least one origin")
        return tuple(party(each) for each in value)

    @field_validator("public_url")
    @classmethod
    def _flow_cookie_survives(cls, value: str, info: ValidationInfo) -> str:
        frontend = info.data.get("frontend_url")
        if frontend and site(urlsplit(frontend)) != site(urlsplit(value)):
            raise ValueError(
                "must be same-site with FRONTEND_URL, or browsers drop the flow cookie"
            )
        return value

    @field_validator("spa_dir")
    @classmethod
    def _spa_is_built(cls, value: Path | None) -> Path | None:
        if value is not None and not (value / "index.html").is_file():
            raise ValueError("must be a directory with an index.html")
        return value

    @field_validator("notices_from")
    @classmethod
    def _mail_has_a_sender(cls, value: str | None, info: ValidationInfo) -> str | None:
        if value is None and info.data.get("smtp_url") is not None:
            raise ValueError("is missing, and SMTP_URL is set: from which address is mail sent?")
        return value

    @field_validator("refresh_lease_seconds")
    @classmethod
    def _lease_outlives_a_call_to_xero(cls, value: float, info: ValidationInfo) -> float:
        timeout = info.data.get("xero_timeout_seconds")
        if timeout is not None and value < 2 * timeout:
            raise ValueError("must be at least twice XERO_TIMEOUT_SECONDS")
        return value

    def encryption_keys(self) -> tuple[bytes, ...]:
        """Return the current key, which encrypts, then the previous ones, which only decrypt."""
        keys = (self.encryption_key, *self.encryption_key_previous)
        return tuple(parse_key(key.get_secret_value()) for key in keys)

    def webhook_keys(self) -> tuple[bytes, ...]:
        """Return the keys that sign Xero's webhooks; none where the current one is not set."""
        if self.xero_webhook_key is None:
            return ()
        keys = (self.xero_webhook_key, self.xero_webhook_key_previous)
        return tuple(key.get_secret_value().encode() for key in keys if key is not None)

    def smtp_server(self) -> SmtpServer | None:
        """Return the server of SMTP_URL; None: no mail is sent."""
        return None if self.smtp_url is None else parse_smtp_url(self.smtp_url.get_secret_value())

    @property
    def audit_retention(self) -> timedelta:
        """How long audit events are kept."""
        return timedelta(days=self.audit_retention_days)

    @property
    def events_retention(self) -> timedelta:
        """How long events for other systems are kept."""
        return timedelta(days=self.events_retention_days)

    def refresh_policy(self) -> RefreshPolicy:
        """Return the refresh rules in the domain's terms."""
        return RefreshPolicy(
            margin=timedelta(minutes=self.refresh_margin_minutes),
            refresh_token_max_age=timedelta(days=self.refresh_token_max_age_days),
            lease=timedelta(seconds=self.refresh_lease_seconds),
        )

    @property
    def served_over_https(self) -> bool:
        """Whether browsers reach this service over TLS."""
        return self.public_url.startswith("https://")


S = TypeVar("S", bound=DatabaseSettings)


def load() -> Settings:
    """Return the configuration; raises ConfigError, which names every fault and no value."""
    return _load(Settings)


def load_database() -> DatabaseSettings:
    """Return the database settings; raises ConfigError like `load`."""
    return _load(DatabaseSettings)


def _load(kind: type[S]) -> S:
    try:
        return kind()
    except (UnicodeDecodeError, PermissionError) as error:
        raise ConfigError("The file .env must be text in UTF-8 that this user may read.") from error
    except ValidationError as error:
        faults = {fault for found in error.errors() for fault in _faults(found)}
    raise ConfigError("The configuration is not usable:\n" + "\n".join(sorted(faults)))


def _faults(found: ErrorDetails) -> Iterator[str]:
    """Yield a line for each fault of a variable: a value may have several."""
    name = str(found["loc"][0]).upper()
    message = "is missing" if found["type"] == "missing" else found["msg"]
    for fault in message.removeprefix("Value error, ").splitlines():
        yield f"  {name} {fault}"
