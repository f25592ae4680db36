"""SMTP_URL and the addresses of notices. No ValueError repeats a value."""

import re
from dataclasses import dataclass, field
from email.utils import getaddresses
from typing import Annotated
from urllib.parse import parse_qsl, unquote, urlsplit

from pydantic import AfterValidator, SecretStr

from xero_service.settings.values import List, is_loopback

_PORTS = {"smtp": 587, "smtps": 465}
_ADDRESS = re.compile(r"[^\s@<>()\[\]\\,;:\"\x00-\x1f\x7f]+@[\w-]+(\.[\w-]+)*")
_LONGEST_ADDRESS = 254  # RFC 5321 §4.5.3.1


@dataclass(frozen=True, slots=True)
class SmtpServer:
    """The mail server. `is_tls`: from the first byte (smtps), else by STARTTLS.

    `requires_tls`: nothing is sent over an unencrypted connection, and the certificate is verified.
    """

    host: str
    port: int
    is_tls: bool
    requires_tls: bool
    username: str | None = field(repr=False)
    password: str | None = field(repr=False)


def parse_smtp_url(text: str) -> SmtpServer:
    """Return the server of an `smtp://` or `smtps://` URL; raises ValueError.

    TLS is required, unless the host is this machine or `?tls=optional` says otherwise. Credentials
    never leave this machine without TLS.
    """
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        raise ValueError("must be smtp://user:password@host:port, or smtps://…") from None
    if parts.scheme not in _PORTS or not parts.hostname:
        raise ValueError("must be smtp://user:password@host:port, or smtps://…")
    options = dict(parse_qsl(parts.query, keep_blank_values=True))
    tls = options.pop("tls", "optional" if is_loopback(parts.hostname) else "required")
    if tls not in {"required", "optional"} or options or parts.fragment or parts.path.strip("/"):
        raise ValueError("takes no path, and of parameters tls=required or tls=optional alone")
    if (parts.username is None) is not (parts.password is None):
        raise ValueError("must carry both a user name and a password, or neither")
    if tls == "optional" and parts.username is not None and not is_loopback(parts.hostname):
        raise ValueError("must not send a password without TLS: remove tls=optional")
    return SmtpServer(
        host=parts.hostname,
        port=port or _PORTS[parts.scheme],
        is_tls=parts.scheme == "smtps",
        requires_tls=tls == "required",
        username=None if parts.username is None else unquote(parts.username),
        password=None if parts.password is None else unquote(parts.password),
    )


def is_address(text: str) -> bool:
    """Whether a text is one e-mail address, safe in a header and in an SMTP command."""
    return len(text) <= _LONGEST_ADDRESS and _ADDRESS.fullmatch(text) is not None


def _smtp_url(value: SecretStr) -> SecretStr:
    parse_smtp_url(value.get_secret_value())
    return value


def _sender(value: str) -> str:
    found = getaddresses([value])
    if len(found) != 1 or not is_address(found[0][1]) or not found[0][0].isprintable():
        raise ValueError("must be an address, as notices@example.com or Name <notices@example.com>")
    return value


def _addresses(value: tuple[str, ...]) -> tuple[str, ...]:
    if not all(map(is_address, value)):
        raise ValueError("must be addresses such as team@example.com, comma-separated")
    return value


SmtpUrl = Annotated[SecretStr, AfterValidator(_smtp_url)]
Sender = Annotated[str, AfterValidator(_sender)]
Addresses = Annotated[List, AfterValidator(_addresses)]
