"""A server that speaks bytes: what no well-behaved HTTP server would send, or would not send."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

Behaviour = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@dataclass
class Wire:
    """Where the server listens, and the heads of the requests that reached it."""

    url: str = ""
    requests: list[bytes] = field(default_factory=list)


@asynccontextmanager
async def listening(behaviour: Behaviour) -> AsyncIterator[Wire]:
    """Serve one request per connection, in the way of `behaviour`."""
    wire = Wire()
    finished: list[asyncio.Event] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        done = asyncio.Event()
        finished.append(done)
        with suppress(ConnectionError):
            wire.requests.append(await reader.readuntil(b"\r\n\r\n"))
            await behaviour(reader, writer)
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()
        done.set()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    wire.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with server:
        yield wire
    for done in finished:
        await done.wait()


def saying(*parts: bytes) -> Behaviour:
    """Send these bytes and close."""

    async def say(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for part in parts:
            writer.write(part)
        await writer.drain()

    return say


def with_body(body: bytes, *headers: str) -> Behaviour:
    """Answer 200 with a body."""
    head = ["HTTP/1.1 200 OK", f"Content-Length: {len(body)}", "Connection: close", *headers]
    return saying("\r\n".join([*head, "", ""]).encode(), body)


async def silent(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
    """Say nothing until the caller hangs up."""
    await reader.read()


async def dropping(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Cut the connection once the request has arrived."""
    writer.transport.abort()
