"""What passes the proxy: which headers in either direction, and which statuses."""

from collections.abc import Iterable

from xero_service.errors import XeroNoResponse

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
    "accept-encoding",
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
_READ = frozenset({"gzip", "x-gzip", "deflate"})
# Servers that heed these ask something else than what was checked and counted here.
_ANOTHER_REQUEST = {
    "x-http-method",
    "x-http-method-override",
    "x-method-override",
    "x-original-url",
    "x-rewrite-url",
}
_NOT_PASSED_ON = _HOP_BY_HOP | _OURS_TO_SAY | _ANOTHER_REQUEST
# What an SDK, a browser or a download reads of an API's answer. Any other header may act on the
# browser, the cache or the proxy in front of us as if this service had sent it.
_PASSED_BACK = frozenset(
    {
        "accept-ranges",
        "allow",
        "content-disposition",
        "content-encoding",
        "content-language",
        "content-length",
        "content-range",
        "content-type",
        "deprecation",
        "etag",
        "last-modified",
        "location",
        "retry-after",
        "sunset",
        "xero-correlation-id",
    }
)
# An answer that has no body must not announce one: the server would wait for it (RFC 9110 §8.6).
_NO_BODY = frozenset({204, 205, 304})
Headers = Iterable[tuple[str, str]]


def request_headers(headers: Headers) -> list[tuple[str, str]]:
    """Return the caller's headers that Xero gets: neither hop by hop, nor ours to say.

    Nor any with an underscore, which some servers take for a hyphen. Of encodings Xero is offered
    those that we can read: a refusal of the token must be understood here.
    """
    dropped = _with_those_named_by_connection(_NOT_PASSED_ON, headers)
    passed = [
        (name, value)
        for name, value in headers
        if name not in dropped and "_" not in name and not name.startswith("x-forwarded-")
    ]
    return [*passed, ("accept-encoding", _readable(headers))]


def _readable(headers: Headers) -> str:
    """Return the caller's accepted encodings (RFC 9110 §12.5.3) without those we cannot read."""
    values = [value for name, value in headers if name == "accept-encoding"]
    offered = [part.strip() for value in values for part in value.split(",")]
    kept = [each for each in offered if each.partition(";")[0].strip().lower() in _READ]
    return ", ".join(kept) or "identity"


def response_headers(status: int, headers: Headers) -> list[tuple[str, str]]:
    """Return the headers of Xero's answer that the caller gets, those about limits among them.

    `WWW-Authenticate` is not one: it is about Xero's token, not about the caller's key. What the
    answer says of an org's books is for no cache. Raises XeroNoResponse for a status that is not
    final, such as 101: the call may have been made.
    """
    if not 200 <= status <= 599:
        raise XeroNoResponse("Xero answered with a status that no API call has.")
    hop_by_hop = _with_those_named_by_connection(_HOP_BY_HOP, headers)
    kept = [
        (name, value) for name, value in headers if _is_passed_back(name) and name not in hop_by_hop
    ]
    if status in _NO_BODY or any(name == "transfer-encoding" for name, _ in headers):
        kept = [header for header in kept if header[0] != "content-length"]
    return [*kept, ("cache-control", "no-store")]


def _is_passed_back(name: str) -> bool:
    """`X-Rate-Limit-Problem` and `X-MinLimit-Remaining` have relatives (facts §7)."""
    if name in _PASSED_BACK or name.startswith("x-rate-limit-"):
        return True
    return name.startswith("x-") and name.endswith("limit-remaining")


def _with_those_named_by_connection(always: set[str], headers: Headers) -> set[str]:
    values = [value for name, value in headers if name == "connection"]
    named = {part.strip().lower() for value in values for part in value.split(",")}
    return always | named if named else always
