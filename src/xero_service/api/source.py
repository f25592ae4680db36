"""The client's address, for the audit log and the access log."""

from functools import lru_cache
from ipaddress import ip_address

from starlette.types import Scope


def source_of(scope: Scope) -> str | None:
    """Return the IP address of the client; None where a proxy named something else.

    Logs store it, so it must not be free text; a zone (RFC 4007), which may be any
    text, is removed.
    """
    client = scope.get("client")
    return _address(client[0]) if client else None


@lru_cache(maxsize=1000)
def _address(text: str) -> str | None:
    try:
        return str(ip_address(text.partition("%")[0]))
    except ValueError:
        return None
