"""An httpx transport that reads each response whole, within limits of time and size."""

import asyncio
import zlib
from typing import cast

import httpx

from xero_service.errors import XeroInvalidResponse
from xero_service.xero.http_transport import UnfollowedResponse

SMALL_RESPONSE = 64 * 1024  # bytes; token responses and key sets: anything longer is not one


class BoundedTransport(httpx.AsyncBaseTransport):
    """Reads every response whole, within limits of time and size, and decodes it.

    The time is the sum of the request's timeouts to connect, write and read; the size is the
    extension `at_most` in bytes, SMALL_RESPONSE where the request has none. Raises
    XeroInvalidResponse where the response is longer or cannot be decoded.
    """

    def __init__(self, inner: httpx.AsyncBaseTransport) -> None:
        self._inner = inner

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send the request and return the response with its whole body."""
        timeouts = request.extensions["timeout"]
        at_most = request.extensions.get("at_most", SMALL_RESPONSE)
        try:
            async with asyncio.timeout(timeouts["connect"] + timeouts["write"] + timeouts["read"]):
                response = await self._inner.handle_async_request(request)
                try:
                    return await _whole(response, at_most)
                finally:
                    await response.aclose()
        except TimeoutError as error:
            raise httpx.ReadTimeout("The response took too long to arrive.") from error


async def _whole(response: httpx.Response, at_most: int) -> httpx.Response:
    body = bytearray()
    async for part in cast("httpx.AsyncByteStream", response.stream):
        body += part
        if len(body) > at_most:
            raise _too_long()
    encoding = response.headers.pop("content-encoding", "")
    try:
        content = _decoded(body, encoding, at_most)
    except XeroInvalidResponse:
        if response.status_code not in {401, 403}:
            raise
        content = b""  # status and headers say enough
    return UnfollowedResponse(response.status_code, headers=response.headers, content=content)


def _decoded(body: bytearray, encoding: str, at_most: int) -> bytes:
    """Decode a body that came encoded unasked: it may be the only copy of a token set."""
    if not body or encoding.lower() in ("", "identity"):
        return bytes(body)
    decoder = zlib.decompressobj(wbits=zlib.MAX_WBITS | 32)  # gzip or deflate, as it begins
    try:
        decoded = decoder.decompress(body, at_most + 1)
    except zlib.error as error:
        raise XeroInvalidResponse("Xero's answer could not be decoded.") from error
    if len(decoded) > at_most:
        raise _too_long()
    return decoded


def _too_long() -> XeroInvalidResponse:
    return XeroInvalidResponse("The answer is far longer than it should be.")
