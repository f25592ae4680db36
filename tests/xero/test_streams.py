"""Calls that are passed on: as they are, once, by the way that the environment names."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from tests.xero.raw_http import Behaviour, Wire, dropping, listening, saying, silent, with_body
from xero_service.errors import InvalidRequest, XeroNoResponse, XeroUnreachable
from xero_service.xero.http import HttpClient, RequestContext

HEADERS = [("authorization", "Bearer token"), ("x-one", "1"), ("x-one", "2")]


def passed_on(
    transport: HttpClient,
    url: str,
    method: str = "GET",
    content: bytes | AsyncIterator[bytes] = b"",
    length: int | None = None,
    within: float = 5,
) -> RequestContext:
    """Call; enter for the answer."""
    return transport.stream(
        method, url, headers=HEADERS, content=content, length=length, within=within
    )


async def called(
    transport: HttpClient,
    url: str,
    method: str = "GET",
    content: bytes | AsyncIterator[bytes] = b"",
    *,
    length: int | None = None,
    within: float = 5,
) -> tuple[int, bytes]:
    """Call; return the answer's status and body."""
    async with passed_on(transport, url, method, content, length, within) as answer:
        return answer.status, b"".join([piece async for piece in answer.body])


def once_then(behaviour: Behaviour) -> Behaviour:
    """Answer a first request, keep the connection, and behave when a second one comes on it."""

    async def both(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
        await reader.readuntil(b"\r\n\r\n")
        await behaviour(reader, writer)

    return both


def said(wire: Wire) -> list[bytes]:
    """The lines of the only request's head."""
    (head,) = wire.requests
    return head.rstrip().split(b"\r\n")


async def test_nothing_is_added_to_what_the_caller_said(transport: HttpClient) -> None:
    async with listening(with_body(b"ok")) as wire:
        assert await called(transport, f"{wire.url}/a%2Fb;c=1?q=%20+") == (200, b"ok")

    first, *headers = said(wire)
    assert first == b"GET /a%2Fb;c=1?q=%20+ HTTP/1.1"
    sent = sorted(header for header in headers if not header.lower().startswith(b"host:"))
    assert sent == [b"authorization: Bearer token", b"x-one: 1", b"x-one: 2"]


async def test_the_target_is_sent_byte_for_byte(transport: HttpClient) -> None:
    """httpx alone would encode the quotes and the brackets, and resolve the dots."""
    async with listening(with_body(b"ok")) as wire:
        await called(transport, f"""{wire.url}/a/../b?q="<'>"&%7e=x""")

    assert said(wire)[0] == b"""GET /a/../b?q="<'>"&%7e=x HTTP/1.1"""


@pytest.mark.parametrize("method", ["GET", "PUT", "POST", "DELETE"])
async def test_a_call_whose_connection_broke_is_not_made_again(
    transport: HttpClient, method: str
) -> None:
    """At Xero a second PUT is a second invoice."""
    async with listening(once_then(dropping)) as wire:
        await called(transport, wire.url)
        with pytest.raises(XeroNoResponse):
            await called(transport, wire.url, method)

    assert len(wire.requests) == 1, "it came again on another connection"


async def test_a_host_that_refuses_was_not_reached(transport: HttpClient) -> None:
    with pytest.raises(XeroUnreachable):
        await called(transport, "http://127.0.0.1:1/")


async def test_silence_means_that_xero_may_have_acted(transport: HttpClient) -> None:
    async with listening(silent) as wire:
        with pytest.raises(XeroNoResponse):
            await called(transport, wire.url, within=0.05)


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nshort",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
        b"HTTP/1.1 two hundred\r\n\r\n",
        b"nonsense\r\n\r\n",
        b"",
    ],
    ids=["a body cut short", "chunks cut short", "no status", "no HTTP", "nothing"],
)
async def test_an_answer_that_is_not_whole_is_none(transport: HttpClient, answer: bytes) -> None:
    async with listening(saying(answer)) as wire:
        with pytest.raises(XeroNoResponse):
            await called(transport, wire.url)


async def test_a_body_that_fails_tells_why_and_never_ends_whole(transport: HttpClient) -> None:
    received = b""

    async def listen(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        nonlocal received
        received = await reader.read()

    async def body() -> AsyncIterator[bytes]:
        yield b"first"
        raise InvalidRequest("enough")

    async with listening(listen) as wire:
        with pytest.raises(InvalidRequest, match="enough"):
            await called(transport, wire.url, "POST", body())

    assert b"0\r\n\r\n" not in received


async def test_an_answer_is_here_once_its_last_byte_is(transport: HttpClient) -> None:
    rest = asyncio.Event()

    async def in_two_parts(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nha")
        await rest.wait()
        writer.write(b"lf")

    whole = saying(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nwhole")
    async with listening(whole) as wire, passed_on(transport, wire.url) as answer:
        assert answer.is_here
    async with listening(in_two_parts) as wire, passed_on(transport, wire.url) as answer:
        assert not answer.is_here
        rest.set()
        assert b"".join([piece async for piece in answer.body]) == b"half"


@pytest.mark.parametrize("address", ["http://127.0.0.1:1/", "http://[broken", "//:x", ""])
async def test_a_redirect_is_handed_back_and_not_followed(
    transport: HttpClient, address: str
) -> None:
    """S35: a token must not travel to wherever an answer points; its address is not parsed."""
    moved = f"HTTP/1.1 307 Elsewhere\r\nLocation: {address}\r\nContent-Length: 0\r\n\r\n".encode()

    async with listening(saying(moved)) as wire:
        assert await called(transport, wire.url, "POST") == (307, b"")


async def test_a_cookie_of_one_answer_does_not_go_out_with_the_next_call(
    transport: HttpClient,
) -> None:
    """S36: one client speaks for the users of every org."""
    async with listening(with_body(b"", "Set-Cookie: a=b; Path=/")) as wire:
        await called(transport, wire.url)
        await called(transport, wire.url)

    assert len(wire.requests) == 2
    assert not any(b"cookie" in head.lower() for head in wire.requests)


async def test_the_bytes_of_a_packed_answer_are_untouched(transport: HttpClient) -> None:
    async with listening(with_body(b"packed", "Content-Encoding: gzip")) as wire:
        assert await called(transport, wire.url) == (200, b"packed")


async def test_the_environments_proxy_is_used(
    transport: HttpClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with listening(with_body(b"by the proxy")) as wire:
        monkeypatch.setenv("http_proxy", wire.url)
        monkeypatch.setenv("no_proxy", "localhost")
        assert await called(transport, "http://xero.test/a") == (200, b"by the proxy")

    assert said(wire)[0] == b"GET http://xero.test/a HTTP/1.1"
