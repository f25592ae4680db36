"""The configuration: read from the environment or `.env`, checked together, then frozen.

`.env.example` lists the variables. Checks that compare two variables sit on the later one, so that
`load` can name every fault at once; no message ever repeats a value.
"""

import os
import re
from collections.abc import Iterator, Mapping
from datetime import timedelta
from functools import cache
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar
from urllib.parse import SplitResult, urlsplit

import idna
from publicsuffixlist import PublicSuffixList
from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    SecretStr,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic_core import ErrorDetails
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from xero_service import libpq
from xero_service.domain import RefreshPolicy
from xero_service.errors import ConfigError

REQUIRED_SCOPES = frozenset({"openid", "offline_access"})
# A placeholder has such words and nothing else; a real secret may begin with one by chance.
_PLACEHOLDER_WORDS = frozenset(
    {"a", "app", "change", "changeme", "client", "example", "from", "here", "insert", "it", "key"}
    | {"me", "my", "paste", "placeholder", "put", "replace", "replaceme", "sample", "secret", "the"}
    | {"this", "todo", "value", "with", "xero", "your"}
)
_HEX_KEY = re.compile(r"[0-9a-fA-F]{64}")
_SAMPLE_KEYS = frozenset({"0123456789abcdef" * 4, "0123456789abcdef" * 2})
_FEWEST_DISTINCT_BYTES = 8


def parse_key(text: str) -> bytes:
    """Read an encryption key: 64 hex characters, or 32 characters taken as 32 bytes.

    Raises ValueError, without the value, for any other form and for keys that are plainly
    samples (a documented example, or hardly any distinct bytes).
    """
    key = bytes.fromhex(text) if _HEX_KEY.fullmatch(text) else text.encode()
    if len(key) != 32:
        raise ValueError("must be 64 hexadecimal characters, or 32 characters")
    if text.lower() in _SAMPLE_KEYS or len(set(key)) < _FEWEST_DISTINCT_BYTES:
        raise ValueError("is a sample, not a secret; make one with: openssl rand -hex 32")
    return key


def _split_list(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    return tuple(part.strip() for part in value.split(",") if part.strip())


def _split_scopes(value: Any) -> Any:
    return tuple(value.replace(",", " ").split()) if isinstance(value, str) else value


def _address(host: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(host)
    except ValueError:
        return None


def _is_loopback(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return True
    address = _address(host)
    return address is not None and address.is_loopback


def _split_url(value: str) -> SplitResult:
    """Take a URL apart; the library's own messages would repeat pieces of the value."""
    try:
        parts = urlsplit(value)
        _ = parts.port  # raises where it is not a number that a port can be
    except ValueError:
        raise ValueError("must be an absolute http(s) URL") from None
    return parts


def _http_url(value: str) -> str:
    parts = _split_url(value)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError("must be an absolute http(s) URL")
    if parts.username or parts.password or parts.fragment:
        raise ValueError("must carry neither credentials nor a fragment")
    if parts.scheme == "http" and not _is_loopback(parts.hostname):
        raise ValueError("must be https unless the host is this machine")
    return value


def _origin(value: str) -> str:
    parts = urlsplit(_http_url(value))
    if parts.path not in {"", "/"} or parts.query:
        raise ValueError("must be an origin, without path or query")
    return _as_a_browser_sends_it(parts)


def _as_a_browser_sends_it(parts: SplitResult) -> str:
    """Return the origin of an http(s) URL: lower case, punycode, no default port (RFC 6454 §6)."""
    host = parts.hostname or ""
    try:
        host = host if host.isascii() else idna.encode(host, uts46=True).decode()
    except idna.IDNAError:
        raise ValueError("must be an absolute http(s) URL") from None
    address = _address(host)
    host = f"[{address}]" if isinstance(address, IPv6Address) else host
    port = "" if parts.port in {None, _DEFAULT_PORTS[parts.scheme]} else f":{parts.port}"
    return f"{parts.scheme}://{host}{port}"


def _party(value: str) -> str:
    """Return an authorized party as `azp` names it: a page's origin, or an app's own scheme."""
    scheme, separator, rest = value.partition("://")
    value = f"{scheme.lower()}{separator}{rest}"
    if not _ORIGIN.fullmatch(value):
        raise ValueError("must be origins such as https://app.example.com, without a path")
    parts = _split_url(value)
    return _as_a_browser_sends_it(parts) if parts.scheme in _DEFAULT_PORTS else value


def _issuer(value: str) -> str:
    return _http_url(value).rstrip("/")


def _is_placeholder(text: str) -> bool:
    words = [word for word in re.split(r"[^a-z]+", text.lower()) if word]
    if not words:
        return len(set(text)) == 1
    return all(word in _PLACEHOLDER_WORDS or set(word) == {"x"} for word in words)


def _trusted_proxies(value: tuple[str, ...]) -> tuple[str, ...]:
    if value == ("*",):
        return value
    try:
        return tuple(
            str(ip_network(each, strict=False) if "/" in each else ip_address(each))
            for each in value
        )
    except ValueError:
        raise ValueError("must be addresses, networks such as 10.0.0.0/8, or * alone") from None


def _postgres_url(value: SecretStr) -> SecretStr:
    libpq.read(value.get_secret_value(), os.environ)
    return value


def _client_id(value: str) -> str:
    if any(character.isspace() for character in value):
        raise ValueError("contains white space, which Xero would refuse as invalid_client")
    return value


def _client_secret(value: SecretStr) -> SecretStr:
    text = _client_id(value.get_secret_value())
    if len(text) < 8 or _is_placeholder(text):
        raise ValueError("is a sample; copy the secret from the app's page at Xero")
    return value


Url = Annotated[str, AfterValidator(_http_url)]
Issuer = Annotated[str, AfterValidator(_issuer)]  # compared without a slash at its end
Origin = Annotated[str, AfterValidator(_origin)]
List = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_split_list)]
TrustedProxies = Annotated[List, AfterValidator(_trusted_proxies)]
Scopes = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_split_scopes)]
PostgresUrl = Annotated[SecretStr, AfterValidator(_postgres_url)]


_DEFAULT_PORTS: Mapping[str, int] = {"http": 80, "https": 443}
_QUOTES = "\"'`\u2018\u2019\u201c\u201d"
# A session token names the page's origin exactly; an app's own scheme may stand there, too.
_ORIGIN = re.compile(r"[a-z][a-z0-9+.-]*://[^\s/*?#]+")


class DatabaseSettings(BaseSettings):
    """What it takes to reach the database: all that `xero-service migrate` needs."""

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
        """Drop white space at both ends (a secret made with `echo`); nothing else is no value."""
        if not isinstance(values, dict):
            return values
        trimmed = {
            name: value.strip() if isinstance(value, str) else value
            for name, value in values.items()
        }
        return {name: value for name, value in trimmed.items() if value != ""}

    @field_validator("*", mode="before")
    @classmethod
    def _no_quotes(cls, value: Any) -> Any:
        """Refuse the quotes that `docker run --env-file` takes as a part of the value."""
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
    encryption_key_previous: Annotated[
        tuple[SecretStr, ...], NoDecode, BeforeValidator(_split_list)
    ] = ()

    xero_client_id: Annotated[str, AfterValidator(_client_id)]
    xero_client_secret: Annotated[SecretStr, AfterValidator(_client_secret)]
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

    auth_issuer: Issuer
    auth_jwks_url: Url
    auth_audience: str | None = None
    auth_authorized_parties: List

    frontend_url: Origin
    public_url: Origin
    spa_dir: Path | None = None
    forwarded_allow_ips: TrustedProxies = ()

    metrics_port: int | None = Field(default=None, ge=1, le=65535)
    metrics_host: str = "127.0.0.1"

    refresh_margin_minutes: float = Field(default=10, ge=1, le=25)
    refresh_token_max_age_days: float = Field(default=45, ge=1, le=59)
    refresh_lease_seconds: float = Field(default=30, gt=0, le=600)
    upkeep_interval_seconds: float = Field(default=15, gt=0, le=3600)
    audit_retention_days: int = Field(default=400, ge=365, le=36500)
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
    def _somebody_may_sign_in(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if not value:
            raise ValueError("must name at least one origin")
        return tuple(_party(each) for each in value)

    @field_validator("public_url")
    @classmethod
    def _flow_cookie_survives(cls, value: str, info: ValidationInfo) -> str:
        frontend = info.data.get("frontend_url")
        if frontend and _site(urlsplit(frontend)) != _site(urlsplit(value)):
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

    @field_validator("refresh_lease_seconds")
    @classmethod
    def _lease_outlives_a_call_to_xero(cls, value: float, info: ValidationInfo) -> float:
        timeout = info.data.get("xero_timeout_seconds")
        if timeout is not None and value < 2 * timeout:
            raise ValueError("must be at least twice XERO_TIMEOUT_SECONDS")
        return value

    def encryption_keys(self) -> tuple[bytes, ...]:
        """Return the key to write with, then those that can still be read."""
        keys = (self.encryption_key, *self.encryption_key_previous)
        return tuple(parse_key(key.get_secret_value()) for key in keys)

    @property
    def audit_retention(self) -> timedelta:
        """How long audit events are kept."""
        return timedelta(days=self.audit_retention_days)

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


def _site(url: SplitResult) -> tuple[str, str]:
    """Return the schemeful site of a URL: scheme and registrable domain (RFC 6265bis §5.2)."""
    host = url.hostname or ""
    if _is_loopback(host) or _address(host):
        return url.scheme, host
    return url.scheme, _public_suffixes().privatesuffix(host) or host


@cache
def _public_suffixes() -> PublicSuffixList:
    return PublicSuffixList()


S = TypeVar("S", bound=DatabaseSettings)


def load() -> Settings:
    """Read the configuration; raise ConfigError that names every fault and no value."""
    return _load(Settings)


def load_database() -> DatabaseSettings:
    """Read what the database needs; raise ConfigError like `load`."""
    return _load(DatabaseSettings)


def _load(kind: type[S]) -> S:
    try:
        return kind()
    except ValidationError as error:
        faults = {fault for found in error.errors() for fault in _faults(found)}
    raise ConfigError("The configuration is not usable:\n" + "\n".join(sorted(faults)))


def _faults(found: ErrorDetails) -> Iterator[str]:
    """Yield a line for each fault of a variable: a value may have several."""
    name = str(found["loc"][0]).upper()
    said = "is missing" if found["type"] == "missing" else found["msg"]
    for fault in said.removeprefix("Value error, ").splitlines():
        yield f"  {name} {fault}"
