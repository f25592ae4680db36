"""B1, S53: a connection to Xero that is out of step with its request or answer is used no more.

Each test makes a call of org A that ends in an odd way, and then a call of org B.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress

import pytest

from tests.service_api.callers import now
from tests.streams.raw_upstream import Plan, RawUpstream, Received
from tests.world import until
from xero_service.errors import InvalidRequest, XeroNoResponse
from xero_service.services.proxy.bodies import MAX_BUFFERED_BODY
from xero_service.xero import http_transport
from xero_service.xero.http import HttpClient, RequestContext

SIZE = 4 * 1024 * 1024
PART = 100_003
FRAMINGS = pytest.mark.parametrize("length", [SIZE, None], ids=["sized", "chunked"])


async def upload(size: int = SIZE) -> AsyncIterator[bytes]:
    """A body in uneven parts, each byte told by its place."""
    for at in range(0, size, PART):
        yield content(at, min(at + PART, size))
        await asyncio.sleep(0)


def content(begin: int, end: int) -> bytes:
    pattern = bytes(range(65, 91))
    return (pattern * ((end - begin) // len(pattern) + 2))[begin % 26 :][: end - begin]


def asked(
    transport: HttpClient,
    upstream: RawUpstream,
    plan: str,
    body: bytes | AsyncIterator[bytes] = b"",
    *,
    method: str = "POST",
    length: int | None = None,
) -> RequestContext:
    return transport.stream(
        method,
        f"{upstream.url}/files.xro?plan={plan}",
        headers=[("authorization", f"Bearer of-{plan}")],
        content=body,
        length=length,
        within=5,
    )


async def called(*arguments: object, **options: object) -> tuple[int, bytes]:
    async with asyncio.timeout(20), asked(*arguments, **options) as answer:  # type: ignore[arg-type]
        return answer.status, b"".join([part async for part in answer.body])


async def next_call(transport: HttpClient, upstream: RawUpstream) -> Received:
    """Make org B's call, which must get its own answer and be read as a request of its own."""
    upstream.plans["b"] = Plan(body=b"to B")
    assert await called(transport, upstream, "b", method="GET") == (200, b"to B")
    (request,) = upstream.of("b")
    assert not any(b"of-b" in each.body for each in upstream.requests)
    return request


def arrived(request: Received) -> bytes:
    """The body as far as it arrived, which is always a beginning of what was sent."""
    body = bytes(request.body)
    assert body == content(0, len(body))
    return body


@FRAMINGS
@pytest.mark.parametrize("is_chunked", [False, True], ids=["", "chunked answer"])
async def test_an_upload_is_sent_whole_though_its_answer_came_early_b1(
    transport: HttpClient, upstream: RawUpstream, length: int | None, is_chunked: bool
) -> None:
    upstream.plans["a"] = Plan(after=10, rest_after=20, is_chunked=is_chunked, pause=0.001)

    assert await called(transport, upstream, "a", upload(), length=length) == (200, b"{}")

    (request,) = upstream.of("a")
    await until(lambda: now(request.is_whole))
    assert len(arrived(request)) == SIZE
    assert (await next_call(transport, upstream)).connection != request.connection


async def test_a_body_of_bytes_is_sent_whole_though_its_answer_came_early_b1(
    transport: HttpClient, upstream: RawUpstream
) -> None:
    upstream.plans["a"] = Plan(after=10, rest_after=20, pause=0.001)

    assert await called(transport, upstream, "a", content(0, MAX_BUFFERED_BODY)) == (200, b"{}")

    (request,) = upstream.of("a")
    await until(lambda: now(request.is_whole))
    assert len(arrived(request)) == MAX_BUFFERED_BODY
    await next_call(transport, upstream)


@FRAMINGS
@pytest.mark.parametrize("status", [200, 400])
async def test_an_answer_is_handed_out_once_nothing_is_read_of_the_body_b1(
    transport: HttpClient, upstream: RawUpstream, length: int | None, status: int
) -> None:
    """One reader: who hears of a caller that leaves would take parts of the body otherwise."""
    upstream.plans["a"] = Plan(after=10, status=status)
    ended = False

    async def noting() -> AsyncIterator[bytes]:
        nonlocal ended
        async for part in upload():
            yield part
        ended = True

    async with asked(transport, upstream, "a", noting(), length=length) as answer:
        assert ended
        assert b"".join([part async for part in answer.body]) == b"{}"

    (request,) = upstream.of("a")
    assert len(arrived(request)) == SIZE
    assert request.is_whole
    await next_call(transport, upstream)


@FRAMINGS
@pytest.mark.parametrize("after", [10, None], ids=["early answer", "no answer"])
async def test_a_caller_that_leaves_mid_upload_leaves_no_request_that_looks_whole_b1(
    transport: HttpClient, upstream: RawUpstream, length: int | None, after: int | None
) -> None:
    upstream.plans["a"] = Plan(after=after)

    class Left(Exception):
        pass

    async def leaving() -> AsyncIterator[bytes]:
        yield content(0, SIZE // 2)
        await until(lambda: now(any(each.body for each in upstream.requests)))
        raise Left

    with pytest.raises(Left):
        await called(transport, upstream, "a", leaving(), length=length)

    (request,) = upstream.of("a")
    assert not request.is_whole
    assert (await next_call(transport, upstream)).connection != request.connection
    assert not request.is_whole
    assert len(arrived(request)) <= SIZE // 2


@pytest.mark.parametrize("size", [SIZE - 1, SIZE + 1, 0], ids=["short", "long", "empty"])
@pytest.mark.parametrize("after", [10, None], ids=["early answer", "no answer"])
async def test_a_body_of_another_length_than_declared_is_an_error_b1(
    transport: HttpClient, upstream: RawUpstream, size: int, after: int | None
) -> None:
    upstream.plans["a"] = Plan(after=after)

    with pytest.raises(InvalidRequest):
        await called(transport, upstream, "a", upload(size), length=SIZE)

    await next_call(transport, upstream)
    for request in upstream.of("a"):
        assert len(arrived(request)) <= SIZE
        assert (await next_connection(upstream)) != request.connection


async def next_connection(upstream: RawUpstream) -> int:
    (request,) = upstream.of("b")
    return request.connection


@FRAMINGS
async def test_a_refusal_passes_whole_though_xero_closes_on_the_upload_b1(
    transport: HttpClient, upstream: RawUpstream, length: int | None
) -> None:
    """413, say: what is sent then meets a closed connection."""
    upstream.plans["a"] = Plan(after=10, rest_after=10, status=413, closes=True)

    try:
        answer = await called(transport, upstream, "a", upload(), length=length)
    except XeroNoResponse:  # the reset overtook the answer
        pass
    else:
        assert answer == (413, b"{}")

    await next_call(transport, upstream)


async def test_a_refusal_is_held_up_no_longer_than_xero_reads_the_upload_b1(
    transport: HttpClient, upstream: RawUpstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The upload is more than the sockets' buffers hold, so it stands still."""
    monkeypatch.setattr(http_transport, "REFUSED_SECONDS", 0.05)
    upstream.plans["a"] = Plan(after=10, rest_after=10, status=413, pause=3600)

    assert await called(transport, upstream, "a", upload(4 * SIZE), length=4 * SIZE) == (
        413,
        b"{}",
    )

    (request,) = upstream.of("a")
    assert (await next_call(transport, upstream)).connection != request.connection
    assert not request.is_whole


@FRAMINGS
async def test_success_is_not_believed_where_xero_closes_on_the_upload_b1(
    transport: HttpClient, upstream: RawUpstream, length: int | None
) -> None:
    upstream.plans["a"] = Plan(after=10, rest_after=10, closes=True)

    with pytest.raises(XeroNoResponse):
        await called(transport, upstream, "a", upload(), length=length)

    await next_call(transport, upstream)


STALE = b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nstale!"


@pytest.mark.parametrize(
    ("method", "status", "body"),
    [("GET", 200, b"{}"), ("GET", 204, b""), ("GET", 304, b""), ("HEAD", 200, b"")],
)
@pytest.mark.parametrize("extra", [STALE, b"x", b"\r\n\r\n" + STALE], ids=["answer", "x", "lines"])
async def test_what_xero_sends_beyond_its_answer_is_no_answer_b1(
    transport: HttpClient,
    upstream: RawUpstream,
    method: str,
    status: int,
    body: bytes,
    extra: bytes,
) -> None:
    """Bytes for which nobody asked, in the same packet: the next call must not read them."""
    upstream.plans["a"] = Plan(status=status, body=body, extra=extra)

    with suppress(XeroNoResponse):  # what is not HTTP spoils what came with it
        assert await called(transport, upstream, "a", method=method) == (status, body)

    (request,) = upstream.of("a")
    assert (await next_call(transport, upstream)).connection != request.connection


@pytest.mark.parametrize("extra", [STALE, b"x"], ids=["answer", "x"])
@pytest.mark.parametrize("seen", [True, False], ids=["read", "still in the socket"])
async def test_what_xero_sends_on_an_idle_connection_is_no_answer_b1(
    transport: HttpClient, upstream: RawUpstream, extra: bytes, seen: bool
) -> None:
    release, sent = asyncio.Event(), asyncio.Event()

    async def behind(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
        await release.wait()
        writer.write(extra)
        sent.set()
        await reader.read()
        writer.close()

    server = await asyncio.start_server(behind, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    first_url, upstream.url = upstream.url, f"http://127.0.0.1:{port}"
    async with server:
        assert await called(transport, upstream, "a", method="GET") == (200, b"{}")
        release.set()
        await sent.wait()
        if seen:
            await asyncio.sleep(0.05)
        # The same pool goes on to a host that answers properly: by another connection.
        server.close()
        rest = await asyncio.start_server(upstream._serve, "127.0.0.1", port)
        async with rest:
            await next_call(transport, upstream)
    upstream.url = first_url


async def test_an_answer_that_is_not_read_whole_ends_its_connection_b1(
    transport: HttpClient, upstream: RawUpstream
) -> None:
    upstream.plans["a"] = Plan(body=b"x" * SIZE)

    async with asked(transport, upstream, "a", method="GET") as answer:
        async for _ in answer.body:
            break

    (request,) = upstream.of("a")
    assert (await next_call(transport, upstream)).connection != request.connection


@FRAMINGS
@pytest.mark.parametrize("after", [10, None], ids=["early answer", "no answer"])
async def test_a_cancelled_call_ends_its_connection_b1(
    transport: HttpClient, upstream: RawUpstream, length: int | None, after: int | None
) -> None:
    upstream.plans["a"] = Plan(after=after, pause=0.01)
    call = asyncio.create_task(called(transport, upstream, "a", upload(), length=length))
    await until(lambda: now(any(len(each.body) > 20 for each in upstream.requests)))

    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call

    (request,) = upstream.of("a")
    assert (await next_call(transport, upstream)).connection != request.connection
    assert not request.is_whole
    arrived(request)


async def test_a_connection_that_xero_would_switch_to_another_protocol_is_closed_b1(
    transport: HttpClient, upstream: RawUpstream
) -> None:
    upstream.plans["a"] = Plan(status=101, body=b"")

    await called(transport, upstream, "a", method="GET")

    (request,) = upstream.of("a")
    assert (await next_call(transport, upstream)).connection != request.connection


async def test_interim_answers_are_not_the_answer_b1(
    transport: HttpClient, upstream: RawUpstream
) -> None:
    early = b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n"
    upstream.plans["a"] = Plan(interim=early)

    assert await called(transport, upstream, "a", upload(), length=SIZE) == (200, b"{}")

    (request,) = upstream.of("a")
    assert len(arrived(request)) == SIZE
    assert (await next_call(transport, upstream)).connection == request.connection


@FRAMINGS
async def test_a_connection_in_step_is_used_again_b1(
    transport: HttpClient, upstream: RawUpstream, length: int | None
) -> None:
    assert await called(transport, upstream, "a", upload(), length=length) == (200, b"{}")

    (request,) = upstream.of("a")
    assert request.is_whole
    assert (await next_call(transport, upstream)).connection == request.connection
