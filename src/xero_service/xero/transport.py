"""Outbound HTTP: bounded in time and size, with failures told apart by what they mean.

The HTTP library is used here, in `asking` and in `pool`, so that replacing it touches nothing else.
It is imported beside the start or with the first request, because a process would be ready a tenth
of a second later for it.
"""

import asyncio
import json
import re
import zlib
from collections.abc import AsyncIterator, Awaitable, Mapping, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, cast
from urllib.parse import urlencode, urlsplit

from xero_service.errors import XeroAnswerUnusable, XeroSilent
from xero_service.xero.asking import Asked, Content
from xero_service.xero.egress import authorities, proxy_for

if TYPE_CHECKING:
    import aiohttp

    from xero_service.xero.pool import Response

SMALL_ANSWER = 64 * 1024  # token answers and key sets; anything longer is not one
LARGE_ANSWER = 4 * 1024 * 1024  # connections: about 400 bytes each
CONNECTIONS_AT_MOST = 1000
UNUSED_SECONDS = 5.0  # how long a connection is kept for the next request
_ENDS_A_LINE = re.compile(r"[\r\n\x00]")
PIECE = 64 * 1024  # bytes that are held of an answer whose reader is slow


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer, read whole; header names are lower case."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)


class Transport:
    """A pool of connections to the hosts that this service calls."""

    def __init__(self, *, timeout: float) -> None:
        """Bound connecting, and reading where nothing else is said, by `timeout` seconds each."""
        self._timeout = timeout
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._session is not None:
            await self._session.close()

    async def send(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        form: Mapping[str, str] | None = None,
        query: Mapping[str, str] | None = None,
        content: bytes | None = None,
        at_most: int = SMALL_ANSWER,
        read_within: float | None = None,
    ) -> Answer:
        """Send a request and read the answer whole.

        `read_within`: seconds of silence after which reading is given up, and, beside connecting
        and sending, of the whole; the transport's timeout where None. Raises XeroNotReached where
        the request cannot have arrived, XeroSilent where it may have and no whole answer came,
        XeroAnswerUnusable where the answer is longer than `at_most` bytes.
        """
        read = read_within or self._timeout
        told = {"accept-encoding": "identity", "user-agent": "xero-service", **(headers or {})}
        if form is not None:
            told["content-type"] = "application/x-www-form-urlencoded"
            content = urlencode(form).encode()
        address = f"{url}?{urlencode(query)}" if query else url
        try:
            async with (
                asyncio.timeout(2 * self._timeout + read),
                self._asked(
                    method, address, list(told.items()), Content(content or b""), read
                ) as answer,
            ):
                body = bytearray()
                async for part in answer.body:
                    body += part
                    if len(body) > at_most:
                        raise _too_long()
                found = dict(answer.headers)
                try:
                    unpacked = _unpacked(body, found.get("content-encoding", ""), at_most)
                except XeroAnswerUnusable:
                    if answer.status not in {401, 403}:
                        raise
                    unpacked = b""  # status and headers say enough
                return Answer(answer.status, found, unpacked)
        except TimeoutError as error:
            raise XeroSilent("Xero's answer took too long to arrive.") from error

    def stream(
        self,
        method: str,
        url: str,
        *,
        headers: Sequence[tuple[str, str]],
        content: bytes | AsyncIterator[bytes],
        length: int | None,
        within: float,
    ) -> Asked:
        """Send a request as it is; entering returns the answer unread, its bytes untouched.

        `length`: of a streamed content, where it is known. `within`: seconds of silence that are
        borne. Raises as `send` does, and what `content` raises.
        """
        body = Content(content, length)
        is_sized = length is not None and not isinstance(content, bytes)
        sized = [("content-length", str(length))] if is_sized else []
        return self._asked(method, url, [*headers, *sized], body, within)

    def _asked(
        self,
        method: str,
        url: str,
        headers: Sequence[tuple[str, str]],
        body: Content,
        within: float,
    ) -> Asked:
        import aiohttp
        from yarl import URL

        session = self._session = self._session or _opened()
        scheme, host, *_ = urlsplit(url)
        upload = aiohttp.UploadTracker() if body.parts else None
        asking = session.request(
            method,
            URL(url, encoded=True),
            headers=headers,
            data=body.parts or None,
            upload_tracker=upload,
            proxy=proxy_for(scheme, host),
            ssl=authorities() if scheme == "https" else True,
            allow_redirects=False,
            timeout=aiohttp.ClientTimeout(
                total=None, connect=self._timeout, sock_connect=self._timeout, sock_read=within
            ),
        )
        return Asked(cast("Awaitable[Response]", asking), body, upload)

    async def get_json(self, url: str) -> Any:
        """Fetch a small JSON document; raises ExternalAPIError where there is none."""
        answer = await self.send("GET", url, headers={"accept": "application/json"})
        if answer.status != 200:
            raise XeroAnswerUnusable("The answer was not 200.")
        return parse_json(answer.body)


def warm_up() -> None:
    """Load what calls and their answers need: two tenths of a second, best in a thread."""
    import aiohttp  # noqa: F401
    import jwt  # noqa: F401

    authorities()


def _opened() -> "aiohttp.ClientSession":
    import aiohttp
    from aiohttp import http_writer

    from xero_service.xero.pool import Pool, Response

    # Its own would encode the bytes of a caller's header as UTF-8 once more; it has no setting.
    http_writer._serialize_headers = _head
    session = aiohttp.ClientSession(
        connector=Pool(limit=CONNECTIONS_AT_MOST, keepalive_timeout=UNUSED_SECONDS),
        response_class=Response,
        # One client speaks for every user: a cookie set for one must not go out for another.
        cookie_jar=aiohttp.DummyCookieJar(),
        # Its own name and the encodings that it would take are not the caller's.
        skip_auto_headers=("Accept", "Accept-Encoding", "Content-Type", "User-Agent"),
        auto_decompress=False,
        read_bufsize=PIECE,
    )
    # It would repeat a PUT whose connection broke, and at Xero that may be a second invoice.
    session._retry_connection = False
    return session


def _head(status_line: str, headers: Mapping[str, str]) -> bytes:
    """Return the head of a request, its headers as the bytes that `raw_headers` would show.

    A text beyond Latin-1 does not come from a caller; it is sent as UTF-8.
    """
    lines = [status_line, *(f"{name}: {value}" for name, value in headers.items()), "", ""]
    if any(_ENDS_A_LINE.search(line) for line in lines):
        raise ValueError("A header must not hold a line break.")
    try:
        return "\r\n".join(lines).encode("latin-1")
    except UnicodeEncodeError:
        return "\r\n".join(lines).encode()


def _unpacked(body: bytearray, encoding: str, at_most: int) -> bytes:
    """Unpack what came packed though nobody asked for it: it may be the only copy of a set."""
    if not body or encoding.lower() in ("", "identity"):
        return bytes(body)
    unpacking = zlib.decompressobj(wbits=zlib.MAX_WBITS | 32)  # gzip or deflate, as it begins
    try:
        unpacked = unpacking.decompress(body, at_most + 1)
    except zlib.error as error:
        raise XeroAnswerUnusable("Xero's answer could not be decoded.") from error
    if len(unpacked) > at_most:
        raise _too_long()
    return unpacked


def _too_long() -> XeroAnswerUnusable:
    return XeroAnswerUnusable("The answer is far longer than it should be.")


def parse_json(body: bytes) -> Any:
    """Parse a JSON body; None where it is empty, HTML, broken, or nested beyond all reason."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None
