"""Outbound HTTP by httpx: bounded in time and size, with failures told apart by what they mean."""

import json
import time
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from http.cookiejar import CookieJar, DefaultCookiePolicy
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlencode, urlsplit

import httpx

from xero_service.errors import (
    ExternalAPIError,
    XeroInvalidResponse,
    XeroNoResponse,
    XeroUnreachable,
)
from xero_service.telemetry.request_record import note_upstream
from xero_service.telemetry.xero_calls import AreaCalls
from xero_service.xero.bounded_transport import SMALL_RESPONSE, BoundedTransport
from xero_service.xero.http_transport import AiohttpTransport
from xero_service.xero.metered_transport import NOT_SENT, MeteredTransport

LARGE_RESPONSE = 4 * 1024 * 1024  # bytes; connections: about 400 bytes each
DEFAULT_HEADERS = {"accept-encoding": "identity", "user-agent": "xero-service"}


@dataclass(frozen=True, slots=True)
class HttpResponse:
    """An HTTP response, read whole; header names are lower case."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class StreamedResponse:
    """An HTTP response whose body may still be under way; header names are lower case."""

    status: int
    headers: tuple[tuple[str, str], ...] = field(repr=False)
    body: AsyncIterator[bytes] = field(repr=False)
    is_here: bool = False  # all of it


class HttpClient:
    """An httpx client with a connection pool of its own, for the hosts that this service calls.

    It repeats nothing, follows no redirect and keeps no cookie. `transport` is the bounded
    transport, for clients of other libraries that are to share the pool and its rules.
    """

    def __init__(self, *, timeout: float, calls: AreaCalls | None = None) -> None:
        """`timeout`: seconds to connect, and to read where nothing else is said.

        `calls`: the metrics of the area that this client is for.
        """

        def metered(transport: httpx.AsyncBaseTransport) -> httpx.AsyncBaseTransport:
            return MeteredTransport(transport, calls) if calls else transport

        self._timeout = timeout
        self._pool = AiohttpTransport()
        self.transport = metered(BoundedTransport(self._pool))
        self._bounded = _client(self.transport, self.timeouts())
        self._streaming = _client(metered(self._pool), self.timeouts())

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._pool.aclose()

    def timeouts(self, read: float | None = None) -> httpx.Timeout:
        """Return the timeouts of a request; `read`: seconds that the server may be silent."""
        return httpx.Timeout(self._timeout, read=read or self._timeout)

    async def send(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        query: Mapping[str, str] | None = None,
        content: bytes | None = None,
        form: Mapping[str, str] | None = None,
        at_most: int = SMALL_RESPONSE,
        read_within: float | None = None,
    ) -> HttpResponse:
        """Send a request and read the response whole.

        `read_within`: seconds of silence after which reading is given up, and, beside connecting
        and sending, of the whole; the client's timeout where None. Raises XeroUnreachable where
        the request cannot have arrived, XeroNoResponse where it may have and no whole response
        came, XeroInvalidResponse where the response is longer than `at_most` bytes.
        """
        with translated_errors():
            response = await self._bounded.request(
                method,
                f"{url}?{urlencode(query)}" if query else url,
                headers=_encoded((headers or {}).items()),
                content=content,
                data=form,
                timeout=self.timeouts(read_within),
                extensions={"at_most": at_most},
            )
        return read_response(response)

    def stream(
        self,
        method: str,
        url: str,
        *,
        headers: Sequence[tuple[str, str]],
        content: bytes | AsyncIterator[bytes],
        length: int | None,
        within: float,
    ) -> "RequestContext":
        """Send a request as it is; entering returns the response unread, its bytes untouched.

        `length`: of a streamed content, where it is known. `within`: seconds of silence that are
        borne. Raises as `send` does, and what `content` raises.
        """
        scheme, host, *_ = urlsplit(url)
        origin = f"{scheme}://{host}"
        is_sized = length is not None and not isinstance(content, bytes)
        request = httpx.Request(
            method,
            _parsed(origin),
            headers=_encoded([*headers, ("content-length", str(length))] if is_sized else headers),
            content=content or None,
            extensions={
                "timeout": self.timeouts(within).as_dict(),
                "target": url[len(origin) :].encode() or b"/",
            },
        )
        return RequestContext(self._streaming, request)

    async def get_json(self, url: str) -> Any:
        """Fetch a small JSON document; raises ExternalAPIError where there is none."""
        response = await self.send("GET", url, headers={"accept": "application/json"})
        if response.status != 200:
            raise XeroInvalidResponse("The answer was not 200.")
        return parse_json(response.body)


class RequestContext:
    """Async context manager of one streamed request. Translates httpx's exceptions into ours.

    Leaving the block closes the connection unless the response was read whole.
    """

    __slots__ = ("_client", "_request", "_response")

    def __init__(self, client: httpx.AsyncClient, request: httpx.Request) -> None:
        self._client, self._request = client, request
        self._response: httpx.Response | None = None

    async def __aenter__(self) -> StreamedResponse:
        """Send the request; return its response once nothing more is read of its content."""
        began, status = time.perf_counter(), None
        try:
            response = self._response = await self._client.send(self._request, stream=True)
            status = response.status_code
        except httpx.TransportError as error:
            raise _translated(error) from error
        finally:
            note_upstream(status, time.perf_counter() - began)
        return StreamedResponse(
            response.status_code,
            tuple(_plain(response.headers)),
            response.aiter_raw(),
            is_here=response.extensions["is_complete"],
        )

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._response is not None:
            await self._response.aclose()
        if isinstance(error, httpx.TransportError):
            raise _translated(error) from error


@contextmanager
def translated_errors() -> Iterator[None]:
    """Raise our exceptions in place of httpx's: XeroUnreachable, or XeroNoResponse."""
    try:
        yield
    except httpx.TransportError as error:
        raise _translated(error) from error


def _translated(error: httpx.TransportError) -> ExternalAPIError:
    if isinstance(error, NOT_SENT):
        return XeroUnreachable("Xero could not be reached.")
    if isinstance(error, httpx.WriteError):
        return XeroNoResponse("Xero took only a part of the request.")
    return XeroNoResponse("Xero did not answer in time.")


def read_response(response: httpx.Response) -> HttpResponse:
    """Return a response of httpx's that was read whole as one of ours."""
    return HttpResponse(response.status_code, dict(_plain(response.headers)), response.content)


def parse_json(body: bytes) -> Any:
    """Parse a JSON body; None where it is empty, HTML, broken, or nested beyond all reason."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def _client(transport: httpx.AsyncBaseTransport, timeout: httpx.Timeout) -> httpx.AsyncClient:
    # One client serves every user: a cookie set for one must not go out for another.
    no_cookies = CookieJar(DefaultCookiePolicy(allowed_domains=[]))
    return httpx.AsyncClient(
        transport=transport, timeout=timeout, cookies=no_cookies, headers=DEFAULT_HEADERS
    )


@cache
def _parsed(origin: str) -> httpx.URL:
    return httpx.URL(origin)


def _octets(text: str) -> bytes:
    try:
        return text.encode("latin-1")
    except UnicodeEncodeError:
        return text.encode()


def _encoded(headers: Iterable[tuple[str, str]]) -> list[tuple[bytes, bytes]]:
    """Return headers as bytes: Latin-1, as they came, or UTF-8 for what no caller can have sent."""
    return [(name.encode("latin-1"), _octets(value)) for name, value in headers]


def _plain(headers: httpx.Headers) -> Iterator[tuple[str, str]]:
    for name, value in headers.raw:
        yield name.decode("latin-1").lower(), value.decode("latin-1")
