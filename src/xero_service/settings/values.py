"""Parses and checks single values. Each error is a ValueError that does not repeat the value."""

import os
import re
from collections.abc import Mapping
from functools import cache
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Annotated, Any
from urllib.parse import SplitResult, urlsplit

import idna
from publicsuffixlist import PublicSuffixList
from pydantic import AfterValidator, BeforeValidator, SecretStr
from pydantic_settings import NoDecode

from xero_service import libpq

# A value of these words alone is a placeholder; a real secret may begin with one of them.
_PLACEHOLDER_WORDS = frozenset(
    {"a", "app", "change", "changeme", "client", "example", "from", "here", "insert", "it", "key"}
    | {"me", "my", "paste", "placeholder", "put", "replace", "replaceme", "sample", "secret", "the"}
    | {"this", "todo", "value", "with", "xero", "your"}
)
_HEX_KEY = re.compile(r"[0-9a-fA-F]{64}")
_SAMPLE_KEYS = frozenset({"0123456789abcdef" * 4, "0123456789abcdef" * 2})
_FEWEST_DISTINCT_BYTES = 8
_DEFAULT_PORTS: Mapping[str, int] = {"http": 80, "https": 443}
# The `azp` of a session token: the exact origin of a page, or the scheme of a native app.
_ORIGIN = re.compile(r"[a-z][a-z0-9+.-]*://[^\s/*?#]+")


def parse_key(text: str) -> bytes:
    """Return an encryption key from 64 hex characters, or from 32 characters as 32 bytes.

    Raises ValueError, without the value, for any other form and for samples (a documented example,
    or fewer than eight distinct bytes).
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


def is_loopback(host: str) -> bool:
    """Whether a host is this machine, by its name or address."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    address = _address(host)
    return address is not None and address.is_loopback


def _split_url(value: str) -> SplitResult:
    """Split a URL; replaces the library's errors, which repeat parts of the value."""
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
    if parts.scheme == "http" and not is_loopback(parts.hostname):
        raise ValueError("must be https unless the host is this machine")
    return value


def _origin(value: str) -> str:
    parts = urlsplit(_http_url(value))
    if parts.path not in {"", "/"} or parts.query:
        raise ValueError("must be an origin, without path or query")
    return _browser_origin(parts)


def _browser_origin(parts: SplitResult) -> str:
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


def party(value: str) -> str:
    """Return an authorized party as `azp` names it: a page's origin, or an app's own scheme."""
    scheme, separator, rest = value.partition("://")
    value = f"{scheme.lower()}{separator}{rest}"
    if not _ORIGIN.fullmatch(value):
        raise ValueError("must be origins such as https://app.example.com, without a path")
    parts = _split_url(value)
    return _browser_origin(parts) if parts.scheme in _DEFAULT_PORTS else value


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


def _without_spaces(value: str) -> str:
    if any(character.isspace() for character in value):
        raise ValueError("contains white space, which Xero would refuse as invalid_client")
    return value


def _client_secret(value: SecretStr) -> SecretStr:
    text = _without_spaces(value.get_secret_value())
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
ClientId = Annotated[str, AfterValidator(_without_spaces)]
ClientSecret = Annotated[SecretStr, AfterValidator(_client_secret)]
Secrets = Annotated[tuple[SecretStr, ...], NoDecode, BeforeValidator(_split_list)]


def site(url: SplitResult) -> tuple[str, str]:
    """Return the schemeful site of a URL: scheme and registrable domain (RFC 6265bis §5.2)."""
    host = url.hostname or ""
    if is_loopback(host) or _address(host):
        return url.scheme, host
    return url.scheme, _public_suffixes().privatesuffix(host) or host


@cache
def _public_suffixes() -> PublicSuffixList:
    return PublicSuffixList()
