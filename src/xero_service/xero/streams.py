"""Calls that are passed on: sent as they are, answered in pieces as they arrive.

By aiohttp, which does this with a sixth of the work that httpx needs (docs/decisions/0013). It is
used here and nowhere else, and imported when the first call comes, because a process would be
ready a tenth of a second later for it.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import cache
from types import TracebackType
from typing import TYPE_CHECKING, Self
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

from xero_service.errors import XeroNotReached, XeroSilent
from xero_service.xero.transport import CONNECTIONS_AT_MOST, authorities

if TYPE_CHECKING:
    import aiohttp

UNUSED_SECONDS = 5.0  # how long a connection is kept for the next call
PIECE = 64 * 1024  # bytes that are held of an answer whose caller is slow


@dataclass(frozen=True, slots=True)
class StreamedAnswer:
    """An HTTP answer whose body is still under way; header names are lower case."""

    status: int
    headers: tuple[tuple[str, str], ...] = field(repr=False)
    body: AsyncIterator[bytes] = field(repr=False)


class Streams:
    """A pool of connections to Xero's API host."""

    def __init__(self, *, timeout: float) -> None:
        """Bound connecting by `timeout` seconds."""
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

    @asynccontextmanager
    async def call(
        self,
        method: str,
        url: str,
        *,
        headers: Sequence[tuple[str, str]],
        content: bytes | AsyncIterator[bytes],
        length: int | None,
        within: float,
    ) -> AsyncIterator[StreamedAnswer]:
        """Send a request as it is and yield the answer unread, its bytes untouched.

        `length`: of a streamed content, where it is known. `within`: seconds of silence that are
        borne. Raises XeroNotReached where the request cannot have arrived, XeroSilent where it
        may have and no whole answer came, and what `content` raises.
        """
        import aiohttp
        from yarl import URL

        session = self._session = self._session or _opened()
        body = _Body(content)
        sized = [("content-length", str(length))] if body.parts and length is not None else []
        try:
            async with session.request(
                method,
                URL(url, encoded=True),
                headers=[*headers, *sized],
                data=body.parts or content or None,
                proxy=_egress(*urlsplit(url)[:2]),
                allow_redirects=False,
                timeout=aiohttp.ClientTimeout(
                    total=None, connect=self._timeout, sock_connect=self._timeout, sock_read=within
                ),
            ) as answer:
                yield StreamedAnswer(answer.status, _plain(answer.raw_headers), _pieces(answer))
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
            raise XeroNotReached("Xero could not be reached.") from error
        except aiohttp.ClientError as error:
            if body.failure is not None:
                raise body.failure from error
            raise XeroSilent("Xero did not answer in time.") from error


class _Body:
    """What is sent, and why it ended early: the library tells of a connection that broke."""

    def __init__(self, content: bytes | AsyncIterator[bytes]) -> None:
        self.failure: Exception | None = None
        self.parts = None if isinstance(content, bytes) else self._noted(content)

    async def _noted(self, content: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        try:
            async for part in content:
                yield part
        except Exception as failure:
            self.failure = failure
            raise


def _opened() -> "aiohttp.ClientSession":
    import aiohttp

    session = aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(
            limit=CONNECTIONS_AT_MOST, keepalive_timeout=UNUSED_SECONDS, ssl=authorities()
        ),
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


@cache
def _egress(scheme: str, host: str) -> str | None:
    """Return the proxy by which the environment wants a host to be called.

    The library would look for it, and in a file for passwords, with every call.
    """
    return None if proxy_bypass(host) else getproxies().get(scheme)


def _plain(headers: Sequence[tuple[bytes, bytes]]) -> tuple[tuple[str, str], ...]:
    return tuple(
        (name.decode("latin-1").lower(), value.decode("latin-1")) for name, value in headers
    )


async def _pieces(answer: "aiohttp.ClientResponse") -> AsyncIterator[bytes]:
    async for piece in answer.content.iter_any():
        yield piece
