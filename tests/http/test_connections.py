"""Limits of one connection: sizes, times, `Upgrade`, and the number of connections."""

import asyncio
import json
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlsplit

import pytest
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from tests.service_api.callers import served
from xero_service.api.connection_limits import ConnectionLimits
from xero_service.api.http_protocol import BoundedHttp

LONG = 60.0
GET = b"GET /%b HTTP/1.1\r\nHost: x\r\n\r\n"


class Echo:
    """Responds with what it read of each request, and records how the request ended."""

    def __init__(self) -> None:
        self.seen: list[dict[str, Any]] = []
        self.cut = asyncio.Event()
        self.may_answer = asyncio.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        if scope["path"] == "/unread":
            answer: Response = JSONResponse({}, 401)
        elif scope["path"] == "/endless":
            answer = StreamingResponse(self.endless())
        else:
            if scope["path"] == "/waits":
                await self.may_answer.wait()
            try:
                body = await request.body()
            except ClientDisconnect:
                self.cut.set()
                return
            said = {
                "method": scope["method"],
                "path": scope["path"],
                "headers": sorted(name.decode() for name, _ in scope["headers"]),
                "body": body.decode("latin-1"),
            }
            self.seen.append(said)
            answer = JSONResponse(said)
        await answer(scope, receive, send)

    async def endless(self) -> AsyncIterator[bytes]:
        try:
            while True:
                yield b"x" * 65536
                await asyncio.sleep(0)
        finally:
            self.cut.set()


def within(**limits: float) -> type[BoundedHttp]:
    """The protocol with these limits; all others are too long for a test."""
    patient: dict[str, Any] = {
        "head_seconds": LONG,
        "pause_seconds": LONG,
        "drain_seconds": 5,
        **limits,
    }
    return type("Bounded", (BoundedHttp,), {"limits": ConnectionLimits(**patient)})


@pytest.fixture
def echo() -> Echo:
    return Echo()


@asynccontextmanager
async def connected(
    app: ASGIApp, **limits: float
) -> AsyncIterator[Callable[[], Awaitable[tuple[asyncio.StreamReader, asyncio.StreamWriter]]]]:
    """Serve with these limits; yield a function that opens a connection."""
    writers = []
    async with served(app, protocol=within(**limits)) as address:
        parts = urlsplit(address)

        async def connect() -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
            reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
            writers.append(writer)
            return reader, writer

        try:
            yield connect
        finally:
            for writer in writers:
                writer.close()


async def exchange(app: ASGIApp, *sent: bytes, **limits: float) -> list[tuple[int, Any]]:
    """Send these parts on one connection, read until it closes; return the responses."""
    async with connected(app, **limits) as connect:
        reader, writer = await connect()
        for part in sent:
            writer.write(part)
            await asyncio.sleep(0.05)  # a part may arrive by itself; nothing depends on it
        return answers(await until_closed(reader))


async def until_closed(reader: asyncio.StreamReader) -> bytes:
    read = bytearray()
    try:
        while part := await asyncio.wait_for(reader.read(65536), 20):
            read += part
    except ConnectionResetError:
        pass
    return bytes(read)


def answers(read: bytes) -> list[tuple[int, Any]]:
    return list(each_answer(read))


def each_answer(read: bytes) -> Iterator[tuple[int, Any]]:
    while read:
        head, _, rest = read.partition(b"\r\n\r\n")
        status = re.match(rb"HTTP/1\.1 (\d{3})", head)
        length = re.search(rb"(?im)^content-length: (\d+)", head)
        assert status, read
        assert length, read
        body, read = rest[: int(length[1])], rest[int(length[1]) :]
        yield int(status[1]), json.loads(body)


def refused(found: list[tuple[int, Any]], status: int, code: str) -> bool:
    (answer,) = found
    return (answer[0], answer[1]["status"], answer[1]["code"]) == (status, status, code)


HIDDEN = b"GET /hidden HTTP/1.1\r\nHost: x\r\n\r\n"


@pytest.mark.parametrize(
    "asking",
    [
        b"Connection: Upgrade\r\nUpgrade: h2c",
        b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk",
        b"connection: keep-alive, uPGRADE\r\nupgrade: websocket\r\nSec-WebSocket-Version: 13",
        b"Connection: keep-alive\r\nConnection: upgrade\r\nUpgrade: anything",
        b"Upgrade: h2c",
        b"Upgrade: h2c\r\nConnection: close",
        b"Upgrade: TLS/1.3, h2c\r\nConnection: ,upgrade ,",
    ],
)
@pytest.mark.parametrize("apart", [True, False], ids=["body later", "body at once"])
@pytest.mark.parametrize("chunked", [True, False], ids=["chunked", "sized"])
async def test_the_body_of_an_upgrade_is_a_body_and_no_request(
    echo: Echo, asking: bytes, apart: bool, chunked: bool
) -> None:
    """B2, S54: and what comes after it is not read: the connection closes."""
    framing = b"Transfer-Encoding: chunked" if chunked else b"Content-Length: %d" % len(HIDDEN)
    head = b"POST /it HTTP/1.1\r\nHost: x\r\n" + asking + b"\r\n" + framing + b"\r\n\r\n"
    body = b"%x\r\n%b\r\n0\r\n\r\n" % (len(HIDDEN), HIDDEN) if chunked else HIDDEN
    sent = [head, body, HIDDEN] if apart else [head + body + HIDDEN]

    found = await exchange(echo, *sent)

    assert [status for status, _ in found] == [200]
    assert [(seen["path"], seen["body"]) for seen in echo.seen] == [("/it", HIDDEN.decode())]


async def test_an_upgrade_without_a_body_is_an_ordinary_request(echo: Echo) -> None:
    """B2: as RFC 9110 §7.8 has it; its connection closes."""
    asking = b"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: eA==\r\n\r\n"

    found = await exchange(echo, b"GET /it HTTP/1.1\r\nHost: x\r\n" + asking, HIDDEN)

    assert [(status, said["path"]) for status, said in found] == [(200, "/it")]


@pytest.mark.parametrize(
    "request_line_and_fields",
    [
        b"CONNECT api.xero.com:443 HTTP/1.1\r\nHost: api.xero.com",
        b"CONNECT / HTTP/1.1\r\nHost: x",
        b"CONNECT x:1 HTTP/1.1\r\nHost: x\r\nContent-Length: 5",
        b"PRI * HTTP/2.0",
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked",
        b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nContent-Length: 5",
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6",
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 5",
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: -5",
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: +5",
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 0x5",
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999",
        b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip, chunked",
        b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked, chunked",
        b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: identity",
        b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: xchunked",
        b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding : chunked",
        b"POST / HTTP/1.1\r\nHost: x\r\n Transfer-Encoding: chunked",
        b"POST / HTTP/1.1\r\nHost: x\nContent-Length: 5",
        b"GET / HTTP/3.0\r\nHost: x",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    ],
)
async def test_a_request_whose_end_is_in_doubt_is_refused(
    echo: Echo, request_line_and_fields: bytes
) -> None:
    """B2, S54: nothing that follows is read as a request."""
    found = await exchange(echo, request_line_and_fields + b"\r\n\r\n" + HIDDEN)

    assert refused(found, 400, "malformed_request")
    assert echo.seen == []


@pytest.mark.parametrize(
    "chunks", [b"zz\r\n", b"5\r\nhello!\r\n0\r\n\r\n", b"fffffffffffffffff\r\n", b"-1\r\n"]
)
async def test_a_body_whose_end_is_in_doubt_is_refused(echo: Echo, chunks: bytes) -> None:
    """B2: its request is not served."""
    head = b"POST /it HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"

    found = await exchange(echo, head, chunks + HIDDEN)

    assert refused(found, 400, "malformed_request")
    assert echo.seen == []


async def test_requests_in_a_row_are_answered_in_a_row(echo: Echo) -> None:
    """B2: bodies included; at most a few wait at once, and what is refused after them waits."""
    posted = b"POST /b HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nhi"

    found = await exchange(echo, GET % b"a" + posted + GET % b"c" + b"?\r\n\r\n" + HIDDEN)

    assert [(status, said["path"], said["body"]) for status, said in found] == [
        (200, "/a", ""),
        (200, "/b", "hi"),
        (200, "/c", ""),
    ]


async def test_more_requests_in_a_row_than_anybody_sends_are_not_kept(echo: Echo) -> None:
    """B4: each would be held in memory; those kept are answered, then the connection closes."""
    found = await exchange(echo, b"".join(GET % b"%d" % n for n in range(2000)), pipelined=16)

    assert [said["path"] for _, said in found] == [f"/{n}" for n in range(17)]


def head_of(size: int) -> bytes:
    """A head of exactly so many bytes, as the limit counts them."""
    start, end = b"GET / HTTP/1.1\r\nHost: x\r\nX-Fill: ", b"\r\n\r\n"
    return start + b"y" * (size - len(start) - len(end)) + end


async def test_a_head_of_almost_64_kib_is_served(echo: Echo) -> None:
    """B4."""
    found = await exchange(echo, head_of(65_000), head_of(65_000), b"?\r\n\r\n")

    assert [status for status, _ in found][:2] == [200, 200]


@pytest.mark.parametrize(
    "head",
    [
        head_of(66_000),
        head_of(1_000_000),
        b"GET /" + b"y" * 66_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /?" + b"y" * 1_000_000,
        b"GET / HTTP/1.1\r\n" + b"".join(b"X-%d: 1\r\n" % n for n in range(300)) + b"\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\n" + b"X-Fill: yyyyyyyy\r\n" * 60_000,
        b"GET / HTTP/1.1\r\nHost: x\r\n" + b"x" * 70_000,
        b"\r\n" * 40_000,
    ],
    ids=["one value", "a huge one", "target", "query", "fields", "endless", "a name", "blank"],
)
async def test_a_larger_head_is_refused_before_it_is_whole(echo: Echo, head: bytes) -> None:
    """B4, S54."""
    found = await exchange(echo, head)

    assert refused(found, 431, "head_too_large")
    assert echo.seen == []


@pytest.mark.parametrize(
    "chunks",
    [
        b"5;" + b"x" * 100_000 + b"\r\nhello\r\n0\r\n\r\n",
        b"1;%b\r\nx\r\n" % (b"y" * 1000) * 1000 + b"0\r\n\r\n",
        b"5\r\nhello\r\n0\r\nX-Fill: " + b"y" * 100_000 + b"\r\n\r\n",
        b"5\r\nhello\r\n0\r\n" + b"X-Fill: yyyy\r\n" * 10_000 + b"\r\n",
        b"0" * 100_000 + b"5\r\nhello\r\n0\r\n\r\n",
    ],
    ids=["an extension", "many extensions", "a trailer", "many trailers", "a size"],
)
async def test_what_frames_a_body_is_bounded(echo: Echo, chunks: bytes) -> None:
    """B4, S54: nothing of a body, so no limit of bodies holds for it."""
    head = b"POST /it HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"

    ((status, said),) = await exchange(echo, head, chunks)

    assert status in {400, 431}
    assert said["code"] in {"malformed_request", "head_too_large"}
    assert echo.seen == []


async def test_small_chunks_are_a_body(echo: Echo) -> None:
    """B4: some senders write a character at a time."""
    head = (
        b"POST /it HTTP/1.1\r\nHost: x\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n"
    )

    await exchange(echo, head, b"1\r\nx\r\n" * 50_000 + b"0\r\n\r\n")

    assert echo.seen[0]["body"] == "x" * 50_000


async def test_a_trailer_is_no_header(echo: Echo) -> None:
    """B2: what a proxy in front checked is the head."""
    head = (
        b"POST /it HTTP/1.1\r\nHost: x\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n"
    )
    trailer = b"0\r\nAuthorization: Bearer x\r\nX-Org-Id: org_other\r\n\r\n"

    await exchange(echo, head + b"2\r\nhi\r\n" + trailer)

    assert echo.seen[0]["headers"] == ["connection", "host", "transfer-encoding"]


@pytest.mark.parametrize(
    ("sent", "found"),
    [
        (b"", []),
        (b"\r\n", [408]),
        (b"GET / HTT", [408]),
        (b"GET / HTTP/1.1\r\nHost: x\r\nX-Fill: ", [408]),
        (GET % b"a", [200]),
        (GET % b"a" + b"GET /b HTTP/1.1\r\n", [200, 408]),
    ],
)
async def test_a_head_that_does_not_arrive_ends_its_connection(
    echo: Echo, sent: bytes, found: list[int]
) -> None:
    """B4, S54: a connection that sends nothing, too; an idle one has longer, here one second."""

    class Impatient(BoundedHttp):
        limits = ConnectionLimits(head_seconds=0.3, pause_seconds=LONG, drain_seconds=0.1)

        def __init__(self, *arguments: Any, **options: Any) -> None:
            super().__init__(*arguments, **options)
            self.timeout_keep_alive = 1

    async with served(echo, protocol=Impatient) as address:
        reader, writer = await asyncio.open_connection("127.0.0.1", urlsplit(address).port)
        writer.write(sent)
        read = await until_closed(reader)
        writer.close()

    assert [status for status, _ in answers(read)] == found


async def test_a_head_that_drips_has_no_longer(echo: Echo) -> None:
    """B4: what counts is when it began."""
    async with connected(echo, head_seconds=0.5) as connect:
        reader, writer = await connect()
        reading = asyncio.create_task(until_closed(reader))
        for byte in b"GET / HTTP/1.1\r\n" + b"X-Fill: y\r\n" * 1000:
            writer.write(bytes([byte]))
            await asyncio.sleep(0.02)
            if reading.done():
                break

        assert refused(answers(await reading), 408, "request_timeout")


POSTED = b"POST /it HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n"


async def test_a_body_that_pauses_too_long_is_refused(echo: Echo) -> None:
    """B4, S54: the application receives a disconnect."""
    found = await exchange(echo, POSTED + b"x" * 1000, pause_seconds=0.3)

    assert refused(found, 408, "request_timeout")
    assert echo.cut.is_set()


async def test_a_body_that_drips_is_refused(echo: Echo) -> None:
    """B4, S54: each byte extends the deadline by its own time only."""
    async with connected(echo, pause_seconds=0.5, bytes_per_second=100_000) as connect:
        reader, writer = await connect()
        reading = asyncio.create_task(until_closed(reader))
        writer.write(POSTED)
        for _ in range(1000):
            writer.write(b"x")
            await asyncio.sleep(0.02)
            if reading.done():
                break

        assert refused(answers(await reading), 408, "request_timeout")


async def test_a_large_body_on_a_slow_line_arrives(echo: Echo) -> None:
    """B4: it may take longer than any pause, as long as it goes on."""
    async with connected(echo, pause_seconds=1, bytes_per_second=10_000) as connect:
        reader, writer = await connect()
        writer.write(POSTED.replace(b"Host: x", b"Host: x\r\nConnection: close"))
        for _ in range(20):
            writer.write(b"x" * 5000)
            await asyncio.sleep(0.1)
        ((status, said),) = answers(await until_closed(reader))

    assert (status, len(said["body"])) == (200, 100_000)


async def test_a_pause_of_the_service_is_not_its_callers(echo: Echo) -> None:
    """B4: while nobody here reads the body, and before it is asked for by 100 Continue."""
    expecting = POSTED.replace(b"Host: x", b"Host: x\r\nConnection: close\r\nExpect: 100-continue")
    async with connected(echo, pause_seconds=0.3) as connect:
        full, full_writer = await connect()
        full_writer.write(POSTED.replace(b"/it", b"/waits").replace(b"100000", b"1000000"))
        full_writer.write(b"x" * 600_000)
        asked, asked_writer = await connect()
        asked_writer.write(expecting.replace(b"/it", b"/waits"))
        await asyncio.sleep(1)
        echo.may_answer.set()
        assert await asyncio.wait_for(asked.readuntil(b"\r\n\r\n"), 20) == (
            b"HTTP/1.1 100 Continue\r\n\r\n"
        )
        full_writer.write(b"x" * 400_000)
        asked_writer.write(b"x" * 100_000)
        (asked_answer,) = answers(await until_closed(asked))
        head = await asyncio.wait_for(full.readuntil(b"\r\n\r\n"), 20)

    assert asked_answer[0] == 200
    assert head.startswith(b"HTTP/1.1 200 ")


async def test_what_was_answered_before_its_body_came_ends_soon(echo: Echo) -> None:
    """B4: nobody reads it, so it may not go on for ever; a short rest does no harm."""
    unread = POSTED.replace(b"/it", b"/unread")

    endless = await exchange(echo, unread, b"x" * 1000, drain_seconds=0.3)
    short = await exchange(echo, unread + b"x" * 100_000 + GET % b"next" + b"?\r\n\r\n")

    assert [status for status, _ in endless] == [401]
    assert [status for status, _ in short][:2] == [401, 200]


async def test_an_answer_that_nobody_reads_is_cut(echo: Echo) -> None:
    """B4: its connection, and whatever it is read from, are free again."""
    async with connected(echo, pause_seconds=0.3) as connect:
        _, writer = await connect()
        writer.write(GET % b"endless")

        await asyncio.wait_for(echo.cut.wait(), 20)


@pytest.mark.parametrize(
    "sent",
    [b"", b"GET /half HTTP/1.1\r\n", GET % b"idle", POSTED, POSTED.replace(b"/it", b"/unread")],
    ids=["nothing", "half a head", "an idle one", "half a body", "an answered body"],
)
async def test_who_waits_makes_room_for_who_asks(echo: Echo, sent: bytes) -> None:
    """B4, S54: the one that has waited longest first, so that /healthz is always answered."""
    async with connected(echo, connections=4) as connect:
        waiting = [await connect() for _ in range(4)]
        for reader, writer in waiting:
            writer.write(sent)
            if b"idle" in sent or b"unread" in sent:
                await asyncio.wait_for(reader.readuntil(b"}"), 20)
        for _ in range(3):
            reader, writer = await connect()
            writer.write((GET % b"healthz").replace(b"Host: x", b"Host: x\r\nConnection: close"))
            ((status, _),) = answers(await until_closed(reader))
            assert status == 200

        await until_closed(waiting[0][0])


async def test_where_all_are_at_work_a_newcomer_is_told_to_come_again(echo: Echo) -> None:
    """B4: and those at work are not disturbed."""
    async with connected(echo, connections=3) as connect:
        working = [await connect() for _ in range(3)]
        for _, writer in working:
            writer.write((GET % b"waits").replace(b"Host: x", b"Host: x\r\nConnection: close"))
        await asyncio.sleep(0.3)
        newcomer, _ = await connect()
        told = await until_closed(newcomer)
        echo.may_answer.set()
        served_all = [answers(await until_closed(reader)) for reader, _ in working]

    assert refused(answers(told), 503, "service_busy")
    assert b"\r\nretry-after: 1\r\n" in told
    assert [[status for status, _ in found] for found in served_all] == [[200]] * 3


async def test_a_refusal_has_what_every_answer_has(echo: Echo) -> None:
    """B4, S46: a problem with a request id that nobody stores, on a connection that closes."""
    async with connected(echo) as connect:
        reader, writer = await connect()
        writer.write(b"?\r\n\r\n")
        told = await until_closed(reader)

    head, _, body = told.partition(b"\r\n\r\n")
    fields = dict(line.split(": ", 1) for line in head.decode().split("\r\n")[1:])
    assert fields["x-request-id"] == json.loads(body)["requestId"] != ""
    assert fields["content-type"] == "application/problem+json"
    assert fields["cache-control"] == "no-store"
    assert fields["connection"] == "close"
    assert fields["x-content-type-options"] == "nosniff"
    assert "frame-ancestors 'none'" in fields["content-security-policy"]
