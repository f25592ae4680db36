"""A host in Xero's place that speaks bytes: it answers when a test says so and records every byte.

It keeps its connections, as a server does that answers before it has read a request: a byte of
another call that follows a half-sent request is recorded as a part of that request's body.
"""

import asyncio
import re
import socket
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, Self

RECEIVE_BUFFER = 64 * 1024  # small, so that an upload is long under way
_PLAN = re.compile(rb"[?&]plan=(\w+)")


@dataclass(frozen=True, kw_only=True)
class Plan:
    """How one request is answered; `after` and `rest_after`: bytes of its body, None for all."""

    after: int | None = None  # read before the answer begins
    rest_after: int | None = None  # read before the answer ends
    status: int = 200
    body: bytes = b"{}"
    is_chunked: bool = False
    interim: bytes = b""  # sent at once, before the answer
    extra: bytes = b""  # sent behind the answer
    declared: int | None = None  # the answer's Content-Length, where it is not the body's
    holds: bool = False  # never comes to the answer's end
    breaks_off: bool = False  # closes half-way through the answer's body
    closes: bool = False  # once it has answered, whatever is still unread
    pause: float = 0.0  # between two reads


@dataclass
class Received:
    """A request as far as it arrived; `is_whole` once its own framing said that it ended."""

    connection: int
    head: bytes
    plan: Plan
    body: bytearray = field(default_factory=bytearray)
    is_whole: bool = False
    is_answered: bool = False
    progress: asyncio.Event = field(default_factory=asyncio.Event)

    async def has(self, size: int | None) -> None:
        """Return once so much of the body is here, or its end."""
        while not self.is_whole and (size is None or len(self.body) < size):
            self.progress.clear()
            await self.progress.wait()

    def read(self, part: bytes) -> None:
        self.body += part
        self.progress.set()

    def ended(self) -> None:
        self.is_whole = True
        self.progress.set()


@dataclass
class RawUpstream:
    """Where it listens, how it answers by the `plan=` of a query, and what reached it."""

    url: str = ""
    plans: dict[str, Plan] = field(default_factory=dict)
    requests: list[Received] = field(default_factory=list)
    _connections: int = 0

    @classmethod
    @asynccontextmanager
    async def listening(cls) -> AsyncIterator[Self]:
        upstream, serving = cls(), set[asyncio.Task[None]]()

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.current_task()
            assert task is not None
            serving.add(task)
            task.add_done_callback(serving.discard)
            with suppress(asyncio.CancelledError):
                await upstream._serve(reader, writer)

        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER)
        listener.bind(("127.0.0.1", 0))
        upstream.url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        server = await asyncio.start_server(serve, sock=listener, limit=RECEIVE_BUFFER)
        try:
            yield upstream
        finally:
            server.close()
            for task in list(serving):
                task.cancel()
            await asyncio.gather(*serving, return_exceptions=True)

    def of(self, plan: str) -> list[Received]:
        """Return the requests that named a plan."""
        return [each for each in self.requests if _named(each.head) == plan]

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._connections += 1
        connection = self._connections
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                request = Received(connection, head, self.plans.get(_named(head), Plan()))
                self.requests.append(request)
                if not await self._exchange(request, reader, writer):
                    return
        except (asyncio.IncompleteReadError, ConnectionError):
            return
        finally:
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()

    async def _exchange(
        self, request: Received, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> bool:
        """Read and answer a request; return whether the connection stays open."""
        reading = asyncio.create_task(_read(request, reader))
        try:
            await _answer(request, writer, reading)
            request.is_answered = not request.plan.breaks_off
            if request.plan.closes or request.plan.breaks_off:
                return False
            await reading
        finally:
            reading.cancel()
            with suppress(asyncio.CancelledError, asyncio.IncompleteReadError, ConnectionError):
                await reading
        return True


def _named(head: bytes) -> str:
    found = _PLAN.search(head.partition(b"\r\n")[0])
    return found[1].decode() if found else ""


async def _read(request: Received, reader: asyncio.StreamReader) -> None:
    head = request.head.lower()
    if b"\r\ntransfer-encoding: chunked\r\n" in head:
        while size := int((await reader.readline()).split(b";")[0], 16):
            await _read_sized(request, reader, size)
            await reader.readexactly(2)
        await reader.readexactly(2)
    elif length := re.search(rb"\r\ncontent-length: (\d+)\r\n", head):
        await _read_sized(request, reader, int(length[1]))
    request.ended()


async def _read_sized(request: Received, reader: asyncio.StreamReader, size: int) -> None:
    while size:
        part = await reader.read(min(size, RECEIVE_BUFFER))
        if not part:
            raise asyncio.IncompleteReadError(b"", size)
        request.read(part)
        size -= len(part)
        if request.plan.pause:
            await asyncio.sleep(request.plan.pause)


async def _answer(
    request: Received, writer: asyncio.StreamWriter, reading: "asyncio.Task[None]"
) -> None:
    plan = request.plan
    length = len(plan.body) if plan.declared is None else plan.declared
    sized = f"Content-Length: {length}"
    framing = "Transfer-Encoding: chunked" if plan.is_chunked else sized
    head = f"HTTP/1.1 {plan.status} Told\r\nContent-Type: application/json\r\n{framing}\r\n\r\n"
    writer.write(plan.interim)
    await _either(request.has(plan.after), reading)
    writer.write(head.encode())
    await writer.drain()
    await _either(request.has(plan.rest_after), reading)
    if plan.holds:
        await asyncio.Event().wait()
    if plan.breaks_off:
        half = plan.body[: len(plan.body) // 2]
        writer.write(b"%x\r\n%s" % (len(plan.body), half) if plan.is_chunked else half)
        await writer.drain()
        return
    chunk = b"%x\r\n%s\r\n" % (len(plan.body), plan.body) if plan.body else b""
    writer.write((chunk + b"0\r\n\r\n" if plan.is_chunked else plan.body) + plan.extra)
    await writer.drain()


async def _either(progress: Coroutine[Any, Any, None], reading: "asyncio.Task[None]") -> None:
    """Wait for progress; raise what ended the reading where there will be none."""
    waiting = asyncio.create_task(progress)
    try:
        await asyncio.wait({waiting, reading}, return_when=asyncio.FIRST_COMPLETED)
        if reading.done() and not waiting.done():
            reading.result()
            await waiting
    finally:
        waiting.cancel()
