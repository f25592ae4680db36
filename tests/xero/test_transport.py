"""Failures of the network are told apart by what they mean for a token that was sent."""

import gzip
import socket
import zlib
from collections.abc import Callable, Iterator

import pytest

from tests.xero.raw_http import Behaviour, dropping, listening, saying, silent, with_body
from xero_service.errors import XeroInvalidResponse, XeroNoResponse, XeroUnreachable
from xero_service.xero.bounded_transport import SMALL_RESPONSE
from xero_service.xero.http import LARGE_RESPONSE, HttpClient


@pytest.fixture
def closed_port() -> Iterator[int]:
    """A port that is taken and that nobody listens on."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield taken.getsockname()[1]


async def test_a_refused_connection_means_that_nothing_was_sent(
    transport: HttpClient, closed_port: int
) -> None:
    with pytest.raises(XeroUnreachable):
        await transport.send("POST", f"http://127.0.0.1:{closed_port}/", form={"a": "b"})


async def test_a_host_without_an_address_means_that_nothing_was_sent(
    transport: HttpClient,
) -> None:
    with pytest.raises(XeroUnreachable):
        await transport.send("POST", "http://nowhere.invalid/", form={"a": "b"})


@pytest.mark.parametrize(
    "behaviour",
    [
        dropping,
        saying(),
        saying(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf"),
        saying(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel"),
        saying(b"not HTTP at all\r\n\r\n"),
    ],
    ids=["dropped", "closed", "half a body", "half a chunk", "another protocol"],
)
async def test_a_lost_answer_means_that_xero_may_have_acted(
    transport: HttpClient, behaviour: Behaviour
) -> None:
    async with listening(behaviour) as wire:
        with pytest.raises(XeroNoResponse):
            await transport.send("POST", wire.url, form={"grant_type": "refresh_token"})

    assert len(wire.requests) == 1


async def test_silence_after_sending_means_that_xero_may_have_acted(transport: HttpClient) -> None:
    async with listening(silent) as wire:
        with pytest.raises(XeroNoResponse):
            await transport.send("POST", wire.url, form={"a": "b"}, read_within=0.05)

    assert len(wire.requests) == 1


async def test_the_timeout_bounds_reading_where_nothing_else_is_said() -> None:
    async with HttpClient(timeout=0.05) as hasty, listening(silent) as wire:
        with pytest.raises(XeroNoResponse):
            await hasty.send("GET", wire.url)


@pytest.mark.parametrize(
    ("size", "at_most"), [(SMALL_RESPONSE, SMALL_RESPONSE), (SMALL_RESPONSE + 1, LARGE_RESPONSE)]
)
async def test_an_answer_within_its_limit_is_read_whole(
    transport: HttpClient, size: int, at_most: int
) -> None:
    async with listening(with_body(b"x" * size)) as wire:
        answer = await transport.send("GET", wire.url, at_most=at_most)

    assert len(answer.body) == size


async def test_an_answer_beyond_64_kilobytes_is_not_read_on(transport: HttpClient) -> None:
    """S32."""
    async with listening(with_body(b"x" * (SMALL_RESPONSE + 1))) as wire:
        with pytest.raises(XeroInvalidResponse):
            await transport.send("GET", wire.url)


async def test_a_small_answer_that_unpacks_to_a_large_one_is_not_read_on(
    transport: HttpClient,
) -> None:
    """S32."""
    bomb = gzip.compress(b"x" * 50_000_000)

    async with listening(with_body(bomb, "Content-Encoding: gzip")) as wire:
        with pytest.raises(XeroInvalidResponse):
            await transport.send("GET", wire.url)


@pytest.mark.parametrize(
    ("encoding", "pack"),
    [("gzip", gzip.compress), ("deflate", zlib.compress), ("GZIP", gzip.compress)],
)
async def test_an_answer_that_comes_packed_though_nobody_asked_is_read(
    transport: HttpClient, encoding: str, pack: Callable[[bytes], bytes]
) -> None:
    """It may be the only copy of a rotated set."""
    async with listening(with_body(pack(b"set"), f"Content-Encoding: {encoding}")) as wire:
        answer = await transport.send("POST", wire.url, form={"a": "b"})

    assert answer.body == b"set"


async def test_an_answer_in_a_broken_encoding_is_unusable(transport: HttpClient) -> None:
    async with listening(with_body(b"not gzip", "Content-Encoding: gzip")) as wire:
        with pytest.raises(XeroInvalidResponse):
            await transport.send("GET", wire.url)


async def test_a_redirect_is_handed_back_and_not_followed(transport: HttpClient) -> None:
    """S35: a token must not travel to wherever an answer points."""
    moved = b"HTTP/1.1 307 Elsewhere\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n"

    async with listening(saying(moved)) as wire:
        answer = await transport.send("POST", wire.url, form={"a": "b"})

    assert (answer.status, len(wire.requests)) == (307, 1)


async def test_a_cookie_of_one_answer_does_not_go_out_with_the_next_request(
    transport: HttpClient,
) -> None:
    """S36: one client speaks for the users of every org."""
    async with listening(with_body(b"", "Set-Cookie: session=of-another-user; Path=/")) as wire:
        await transport.send("GET", wire.url)
        await transport.send("GET", wire.url)

    assert b"cookie" not in wire.requests[1].lower()


@pytest.mark.parametrize("status", ["204 No Content", "302 Found", "403 Forbidden", "500 Oops"])
async def test_a_document_comes_only_with_a_200(transport: HttpClient, status: str) -> None:
    answer = f"HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode()

    async with listening(saying(answer)) as wire:
        with pytest.raises(XeroInvalidResponse):
            await transport.get_json(wire.url)


async def test_a_document_that_is_no_json_is_nothing(transport: HttpClient) -> None:
    async with listening(with_body(b"<html>")) as wire:
        assert await transport.get_json(wire.url) is None


async def test_no_error_repeats_what_was_sent(transport: HttpClient) -> None:
    """S42."""
    async with listening(dropping) as wire:
        with pytest.raises(XeroNoResponse) as lost:
            await transport.send(
                "POST", f"{wire.url}/?code=canary", headers={"Authorization": "canary"}
            )

    assert "canary" not in f"{lost.value!r} {lost.value.detail} {lost.value.__cause__!r}"
