"""Outbound HTTP: bounded in time and size, with failures told apart by what they mean.

The HTTP library is used here and nowhere else, so that replacing it is a change of one file.
"""

import asyncio
import json
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import cache
from http.cookiejar import CookieJar, DefaultCookiePolicy
from types import TracebackType
from typing import Any, Self

import httpx

from xero_service.errors import XeroAnswerUnusable, XeroNotReached, XeroSilent

SMALL_ANSWER = 64 * 1024  # token answers and key sets; anything longer is not one
LARGE_ANSWER = 4 * 1024 * 1024  # connections: about 400 bytes each
CONNECTIONS_AT_MOST = 1000


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer, read whole; header names are lower case."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)


class Transport:
    """A pool of connections to the hosts that this service calls."""

    def __init__(self, *, timeout: float) -> None:
        """Bound connecting, sending and reading by `timeout` seconds each."""
        self._timeout = timeout
        self._client = httpx.AsyncClient(
            verify=authorities(),
            timeout=httpx.Timeout(timeout),
            limits=httpx.Limits(max_connections=CONNECTIONS_AT_MOST, max_keepalive_connections=50),
            follow_redirects=False,
            # One client speaks for every user: a cookie set for one must not go out for another.
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=())),
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close every connection."""
        await self._client.aclose()

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
        request = self._client.build_request(
            method,
            url,
            headers=dict(headers or {}),
            data=dict(form) if form is not None else None,
            params=dict(query) if query else None,
            content=content,
            timeout=httpx.Timeout(self._timeout, read=read),
        )
        try:
            async with asyncio.timeout(2 * self._timeout + read), self._answer(request) as response:
                body = bytearray()
                async for part in response.aiter_bytes():
                    body += part
                    if len(body) > at_most:
                        raise XeroAnswerUnusable("The answer is far longer than it should be.")
                return Answer(response.status_code, dict(response.headers.items()), bytes(body))
        except TimeoutError as error:
            raise XeroSilent("Xero's answer took too long to arrive.") from error

    @asynccontextmanager
    async def _answer(self, request: httpx.Request) -> AsyncIterator[httpx.Response]:
        """Send; turn what the library raises into what it means, without its message."""
        try:
            response = await self._client.send(request, stream=True)
            try:
                yield response
            finally:
                await response.aclose()
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
            raise XeroNotReached("Xero could not be reached.") from error
        except httpx.TransportError as error:
            raise XeroSilent("Xero did not answer in time.") from error
        except httpx.DecodingError as error:
            raise XeroAnswerUnusable("Xero's answer could not be decoded.") from error

    async def get_json(self, url: str) -> Any:
        """Fetch a small JSON document; raises ExternalAPIError where there is none."""
        answer = await self.send("GET", url, headers={"Accept": "application/json"})
        if answer.status != 200:
            raise XeroAnswerUnusable("The answer was not 200.")
        return parse_json(answer.body)


@cache
def authorities() -> ssl.SSLContext:
    """Whose certificates are believed: read once, because that takes as long as ten requests."""
    return httpx.create_ssl_context()


def parse_json(body: bytes) -> Any:
    """Parse a JSON body; None where it is empty, HTML, broken, or nested beyond all reason."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None
