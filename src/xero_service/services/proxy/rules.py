"""Filter the headers that pass the proxy, in either direction, and the statuses of answers."""

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
_SET_BY_PROXY = {
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
_DECODABLE = frozenset({"gzip", "x-gzip", "deflate"})
# A server that obeys these carries out another request than the one that was validated here.
_OVERRIDES = {
    "x-http-method",
    "x-http-method-override",
    "x-method-override",
    "x-original-url",
    "x-rewrite-url",
}
_DROPPED_FROM_REQUEST = _HOP_BY_HOP | _SET_BY_PROXY | _OVERRIDES
# The headers that an SDK, a browser or a download reads. Any other may act on the browser, the
# cache or the reverse proxy as if this service had sent it.
_RETURNED = frozenset(
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
# An answer without a body must have no Content-Length: the server would wait (RFC 9110 §8.6).
_NO_BODY = frozenset({204, 205, 304})
Headers = Iterable[tuple[str, str]]


def request_headers(headers: Headers) -> list[tuple[str, str]]:
    """Return the caller's headers for Xero, without hop-by-hop headers and those the proxy sets.

    Headers with an underscore are dropped, as some servers read it as a hyphen. Accept-Encoding is
    reduced to what `peek` decompresses: the proxy must understand a refusal of the token.
    """
    dropped = _add_named_by_connection(_DROPPED_FROM_REQUEST, headers)
    kept = [
        (name, value)
        for name, value in headers
        if name not in dropped and "_" not in name and not name.startswith("x-forwarded-")
    ]
    return [*kept, ("accept-encoding", _accepted_encodings(headers))]


def _accepted_encodings(headers: Headers) -> str:
    """Return the caller's Accept-Encoding (RFC 9110 §12.5.3), limited to `_DECODABLE`."""
    values = [value for name, value in headers if name == "accept-encoding"]
    offered = [part.strip() for value in values for part in value.split(",")]
    kept = [each for each in offered if each.partition(";")[0].strip().lower() in _DECODABLE]
    return ", ".join(kept) or "identity"


def response_headers(status: int, headers: Headers) -> list[tuple[str, str]]:
    """Return the headers of Xero's answer for the caller, those about limits included.

    `WWW-Authenticate` is dropped: it is about Xero's token, not about the caller's key. No cache
    may store an org's books. Raises XeroNoResponse for a status that is not final, such as 101:
    Xero may have carried out the call.
    """
    if not 200 <= status <= 599:
        raise XeroNoResponse("Xero answered with a status that no API call has.")
    hop_by_hop = _add_named_by_connection(_HOP_BY_HOP, headers)
    kept = [
        (name, value) for name, value in headers if _is_returned(name) and name not in hop_by_hop
    ]
    if status in _NO_BODY or any(name == "transfer-encoding" for name, _ in headers):
        kept = [header for header in kept if header[0] != "content-length"]
    return [*kept, ("cache-control", "no-store")]


def _is_returned(name: str) -> bool:
    """Whether the caller gets this header; Xero has several on limits (facts §7)."""
    if name in _RETURNED or name.startswith("x-rate-limit-"):
        return True
    return name.startswith("x-") and name.endswith("limit-remaining")


def _add_named_by_connection(always: set[str], headers: Headers) -> set[str]:
    values = [value for name, value in headers if name == "connection"]
    named = {part.strip().lower() for value in values for part in value.split(",")}
    return always | named if named else always
