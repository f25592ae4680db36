"""A problem as the bytes of an HTTP/1.1 response, for a refusal below the application."""

import os
from collections.abc import Iterable

from uvicorn.protocols.http.httptools_impl import STATUS_LINE

from xero_service.api import problems
from xero_service.api.middleware import BROWSER_HEADERS
from xero_service.errors import IntegrationError


def problem_response(
    error: IntegrationError, default_headers: Iterable[tuple[bytes, bytes]]
) -> bytes:
    """Return a whole response that closes its connection; it has a request id of its own."""
    request_id = os.urandom(16).hex()
    body = problems.problem_of(error, request_id).model_dump_json().encode()
    fields = [
        *default_headers,
        *BROWSER_HEADERS,
        (b"content-type", problems.MEDIA_TYPE.encode()),
        (b"content-length", b"%d" % len(body)),
        (b"cache-control", b"no-store"),
        (b"x-request-id", request_id.encode()),
        (b"connection", b"close"),
    ]
    if error.retry_after is not None:
        fields.append((b"retry-after", b"%d" % error.retry_after))
    head = STATUS_LINE[error.status] + b"".join(b"%b: %b\r\n" % field for field in fields)
    return head + b"\r\n" + body
