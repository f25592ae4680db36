"""An httpx transport that sends requests by aiohttp and keeps each call apart from all others.

aiohttp makes a call with a third of the CPU time of httpx's own transport (ADR 0013), and tells
how far a request body was sent, which rule 10 needs. aiohttp is known here and in
`connection_pool` alone.
"""

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Mapping
from contextlib import suppress
from typing import cast

import aiohttp
import httpx
from aiohttp import http_writer
from yarl import URL

from xero_service.certificates import trusted_certificates
from xero_service.errors import InvalidRequest
from xero_service.xero.connection_pool import (
    ConnectionPool,
    PooledResponse,
    proxy_for,
)

REFUSED_SECONDS = 5.0  # an upload that the server refused may stand still for so long
READ_BUFFER = 64 * 1024  # bytes held of a response whose reader is slow
_LINE_END = re.compile(r"[\r\n\x00]")


class AiohttpTransport(httpx.AsyncBaseTransport):
    """Sends each request once, over a connection that nothing of an earlier request reaches.

    Raises httpx's exceptions: ConnectError, ConnectTimeout and ProxyError where no byte of the
    request was sent, any other TransportError where the server may have acted. What the request's
    own body raises passes through. The response extension `is_complete` says that all of the
    body is here.
    """

    def __init__(self) -> None:
        self._session: aiohttp.ClientSession | None = None

    async def aclose(self) -> None:
        """Close all connections."""
        if self._session is not None:
            await self._session.close()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send the request; return the response, its body unread, once the request is sent.

        A response may begin before its request is sent. It is returned afterwards, because a
        caller, or a proxy before it, may send no more once the response has begun (nginx does).
        """
        body = _RequestBody(request)
        upload = aiohttp.UploadTracker() if body.content else None
        response: PooledResponse | None = None
        try:
            response = await self._send(request, body, upload)
            if upload is not None:
                await _wait_for_upload(upload, response, body)
        except BaseException as error:
            await _close(response, upload)
            if body.failure is not None and isinstance(error, httpx.TransportError):
                # The connection failed because the body did.
                raise body.failure from error
            raise
        return UnfollowedResponse(
            response.status,
            headers=list(response.raw_headers),
            stream=_ResponseStream(response, upload),
            extensions={"is_complete": response.content.is_eof()},
        )

    def _send(
        self, request: httpx.Request, body: "_RequestBody", upload: aiohttp.UploadTracker | None
    ) -> Awaitable[PooledResponse]:
        session = self._session = self._session or _new_session()
        url, timeouts = request.url, request.extensions["timeout"]
        # httpx normalises what it parses; the extension holds the target's own bytes.
        target = request.extensions.get("target", url.raw_path)
        sending = session.request(
            request.method,
            URL(f"{url.scheme}://{url.netloc.decode()}{target.decode()}", encoded=True),
            headers=[
                (name.decode(), value.decode("latin-1"))
                for name, value in request.headers.raw
                if name.lower() != b"transfer-encoding"  # aiohttp sets it
            ],
            data=body.content or None,
            upload_tracker=upload,
            proxy=proxy_for(url.scheme, url.host),
            ssl=trusted_certificates() if url.scheme == "https" else True,
            allow_redirects=False,
            timeout=aiohttp.ClientTimeout(
                total=None,
                connect=timeouts["pool"],
                sock_connect=timeouts["connect"],
                sock_read=timeouts["read"],
            ),
        )
        return cast("Awaitable[PooledResponse]", sending)


class UnfollowedResponse(httpx.Response):
    """A response whose redirect no client follows."""

    @property
    def has_redirect_location(self) -> bool:
        """Return False, so that the address is not even parsed."""
        return False


class _RequestBody:
    """The body of a request: counts what is sent, and keeps why it ended early."""

    def __init__(self, request: httpx.Request) -> None:
        self.failure: Exception | None = None
        self.content: bytes | AsyncIterator[bytes]
        try:
            self.content = request.content
        except httpx.RequestNotRead:
            declared = request.headers.get("content-length")
            stream = cast("httpx.AsyncByteStream", request.stream)
            self.content = self._counted(stream, None if declared is None else int(declared))

    async def _counted(
        self, stream: httpx.AsyncByteStream, declared: int | None
    ) -> AsyncIterator[bytes]:
        """Pass the parts on; raises InvalidRequest where they are not as long as declared."""
        sent = 0
        try:
            async for part in stream:
                sent += len(part)
                if declared is not None and sent > declared:
                    raise InvalidRequest("The body is longer than its Content-Length.")
                yield part
            if declared is not None and sent < declared:
                raise InvalidRequest("The body ended before its Content-Length.")
        except Exception as failure:
            self.failure = failure
            raise


class _ResponseStream(httpx.AsyncByteStream):
    """The body of a response as it arrives."""

    def __init__(self, response: PooledResponse, upload: aiohttp.UploadTracker | None) -> None:
        self._response, self._upload = response, upload

    async def __aiter__(self) -> AsyncIterator[bytes]:
        try:
            async for part in self._response.content.iter_any():
                yield part
        except aiohttp.ClientError as error:
            raise _translated(error) from error

    async def aclose(self) -> None:
        await _close(self._response, self._upload)


async def _wait_for_upload(
    upload: aiohttp.UploadTracker, response: PooledResponse, body: _RequestBody
) -> None:
    """Wait until the request is sent whole; raise where it is not, unless it was refused.

    Xero may act on half a request and answer 200. A refusal (400 and above) holds whatever becomes
    of the rest of the body, which is given up once it stands still.
    """
    done, is_refused, last = upload.upload_complete, response.status >= 400, -1
    while not done.done():
        if is_refused and upload.bytes_written == last and response.content.is_eof():
            response.stop_upload()
        last = upload.bytes_written
        await asyncio.wait({done}, timeout=REFUSED_SECONDS if is_refused else None)
    if body.failure is not None:
        raise body.failure
    if done.exception() is not None and not is_refused:
        raise httpx.WriteError("The server took only a part of the request.")


async def _close(response: PooledResponse | None, upload: aiohttp.UploadTracker | None) -> None:
    """Close the connection unless it is in step, in which case it is already in the pool."""
    if response is None:
        return
    if upload is not None and not upload.upload_complete.done():
        response.abort()  # bytes that wait to be sent would keep it open
    response.close()
    with suppress(aiohttp.ClientError, OSError):
        await response.wait_for_close()


async def _send_once(
    request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType
) -> aiohttp.ClientResponse:
    """Translate what aiohttp raises, so that aiohttp does not repeat the request.

    It repeats a PUT whose pooled connection broke, and at Xero that may be a second invoice.
    """
    try:
        return await handler(request)
    except aiohttp.ClientError as error:
        raise _translated(error) from error


def _translated(error: aiohttp.ClientError) -> httpx.TransportError:
    """Return httpx's exception for aiohttp's, without its text, which may hold a URL."""
    if isinstance(error, aiohttp.ConnectionTimeoutError):
        return httpx.ConnectTimeout("No connection was made in time.")
    if isinstance(error, aiohttp.ClientConnectorError):
        return httpx.ConnectError("No connection could be made.")
    if isinstance(error, aiohttp.ClientHttpProxyError):
        return httpx.ProxyError("The proxy made no connection.")
    if isinstance(error, TimeoutError):
        return httpx.ReadTimeout("The server was silent for too long.")
    return httpx.ReadError("The connection broke before a whole response came.")


def _new_session() -> aiohttp.ClientSession:
    # Its own would encode the bytes of a caller's header as UTF-8 once more; it has no setting.
    http_writer._serialize_headers = _request_head
    return aiohttp.ClientSession(
        connector=ConnectionPool(),
        response_class=PooledResponse,
        middlewares=(_send_once,),
        # One session serves every user: a cookie set for one must not go out for another.
        cookie_jar=aiohttp.DummyCookieJar(),
        # The request's headers are all there are.
        skip_auto_headers=("Accept", "Accept-Encoding", "Content-Type", "User-Agent"),
        auto_decompress=False,
        read_bufsize=READ_BUFFER,
    )


def _request_head(status_line: str, headers: Mapping[str, str]) -> bytes:
    """Return the head of a request, each header value as the bytes that httpx was given."""
    lines = [status_line, *(f"{name}: {value}" for name, value in headers.items()), "", ""]
    if any(_LINE_END.search(line) for line in lines):
        raise ValueError("A header must not hold a line break.")
    return "\r\n".join(lines).encode("latin-1")
