"""What passes the proxy: which paths, and which headers in either direction."""

import re
from collections.abc import Iterable

from xero_service.errors import ForbiddenPath

API_ROOTS = (
    "api.xro/",
    "payroll.xro/",
    "files.xro/",
    "assets.xro/",
    "projects.xro/",
    "bankfeeds.xro/",
    "finance.xro/",
)
# Path characters as they are (RFC 3986 §3.3, without "@"), and encoded ones that cannot become
# structure: no dot, slash, backslash, percent sign or control character, and no byte that UTF-8
# has not (overlong forms of those).
_PATH = re.compile(
    r"(?:[A-Za-z0-9\-._~!$&'()*+,;=:/]"
    r"|%(?![01]|2[eEfF5]|5[cC]|7[fF]|[cC][01]|[fF][5-9a-fA-F])[0-9A-Fa-f]{2})+"
)
_QUERY = re.compile(r"[\x21-\x7e]*")

_HOP_BY_HOP = {
    "connection",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
}
_OURS_TO_SAY = {
    "authorization",
    "content-length",
    "cookie",
    "expect",
    "forwarded",
    "host",
    "via",
    "x-org-id",
    "x-real-ip",
    "xero-tenant-id",
    "xero-user-id",
}
# Servers that heed these ask something else than what was checked and counted here.
_ANOTHER_REQUEST = {
    "x-http-method",
    "x-http-method-override",
    "x-method-override",
    "x-original-url",
    "x-rewrite-url",
}
_NOT_PASSED_ON = _HOP_BY_HOP | _OURS_TO_SAY | _ANOTHER_REQUEST
_NOT_PASSED_BACK = _HOP_BY_HOP | {
    "alt-svc",
    "clear-site-data",
    "content-security-policy",
    "date",
    "nel",
    "report-to",
    "server",
    "set-cookie",
    "set-cookie2",
    "strict-transport-security",
    "www-authenticate",
}
Headers = Iterable[tuple[str, str]]


def checked_target(path: str, query: str) -> str:
    """Return a path and query below Xero's API roots as they came; raises ForbiddenPath.

    `path` is raw, not decoded: what is checked is what is sent.
    """
    plain = _PATH.fullmatch(path) and "//" not in path
    dotted = any(segment.partition(";")[0] in {".", ".."} for segment in path.split("/"))
    if not plain or dotted or not path.startswith(API_ROOTS) or not _QUERY.fullmatch(query):
        raise ForbiddenPath(f"Only paths below {', '.join(API_ROOTS)} are reached from here.")
    return f"{path}?{query}" if query else path


def onward(headers: Headers) -> list[tuple[str, str]]:
    """Return the caller's headers that Xero gets: neither hop by hop, nor ours to say.

    Nor any with an underscore, which some servers take for a hyphen.
    """
    dropped = _with_those_named_by_connection(_NOT_PASSED_ON, headers)
    return [
        (name, value)
        for name, value in headers
        if name not in dropped and "_" not in name and not name.startswith("x-forwarded-")
    ]


def back(headers: Headers) -> list[tuple[str, str]]:
    """Return Xero's headers that the caller gets: the limits above all, never a cookie.

    `WWW-Authenticate` stays here: it speaks of Xero's token, not of the caller's key. So do
    orders to browsers about the host that answers, which is another one.
    """
    dropped = _with_those_named_by_connection(_NOT_PASSED_BACK, headers)
    return [
        (name, value)
        for name, value in headers
        if name not in dropped and not name.startswith("access-control-")
    ]


def _with_those_named_by_connection(always: set[str], headers: Headers) -> set[str]:
    values = [value for name, value in headers if name == "connection"]
    named = {part.strip().lower() for value in values for part in value.split(",")}
    return always | named if named else always
