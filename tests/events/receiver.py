"""An internal service that receives webhooks on loopback, and misbehaves where it is told to."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from standardwebhooks import Webhook

from tests.world import World
from xero_service.domain import SYSTEM

REDIRECT = "302 Found\r\nLocation: /elsewhere"
# What it does with a request: a status line and a body, or one of these.
HANG, RESET = "hang", "reset"
Behaviour = Callable[["Received"], str]


@dataclass(frozen=True)
class Received:
    """One request."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def event(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.body)
        return found


def _bound() -> socket.socket:
    """A port that is taken and does not listen."""
    bound = socket.socket()
    bound.bind(("127.0.0.1", 0))
    return bound


@dataclass
class Receiver:
    """Answers every request as `behaves` says, 204 by default, and keeps what it received."""

    bound: socket.socket = field(default_factory=_bound)
    secrets: list[str] = field(default_factory=list)
    behaves: Behaviour = lambda _: "204 No Content"
    received: list[Received] = field(default_factory=list)
    acknowledged: list[Received] = field(default_factory=list)
    under_way: int = 0
    most_at_once: int = 0
    writers: list[asyncio.StreamWriter] = field(default_factory=list)
    gate: asyncio.Event = field(default_factory=asyncio.Event)
    server: asyncio.Server | None = None
    endpoint_id: Any = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.bound.getsockname()[1]}/events"

    async def starts(self) -> None:
        """Accept connections; until then its port refuses them, and belongs to no other program."""
        self.server = await asyncio.start_server(self.answer, sock=self.bound)

    def stops(self) -> None:
        """Close the port and every connection."""
        self.gate.set()
        (self.server or self.bound).close()
        for writer in self.writers:
            writer.close()

    def events(self) -> list[dict[str, Any]]:
        """The events that it acknowledged, in the order of its answers."""
        return [each.event for each in self.acknowledged]

    def verified(self, received: Received, secret: str | None = None) -> Any:
        return Webhook(secret or self.secrets[-1]).verify(received.body, received.headers)

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.writers.append(writer)
        try:
            while (received := await _read(reader)) is not None:
                self.received.append(received)
                self.under_way += 1
                self.most_at_once = max(self.most_at_once, self.under_way)
                try:
                    what = self.behaves(received)
                    if what == HANG:
                        await self.gate.wait()
                        what = "204 No Content"
                finally:
                    self.under_way -= 1
                if what == RESET:
                    writer.transport.abort()
                    return
                if what.startswith("2"):
                    self.verified(received)
                    self.acknowledged.append(received)
                status, _, body = what.partition("\n\n")
                length = "" if status.startswith("204") else f"Content-Length: {len(body)}\r\n"
                writer.write(f"HTTP/1.1 {status}\r\n{length}\r\n{body}".encode())
                await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()


async def _read(reader: asyncio.StreamReader) -> Received | None:
    try:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    except asyncio.IncompleteReadError:
        return None
    headers = {
        name.lower(): value
        for name, _, value in (each.partition(": ") for each in head[1:] if each)
    }
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    return Received(head[0].split()[1], headers, body)


@asynccontextmanager
async def receiving(
    world: World, *, org_id: str | None = None, kinds: tuple[str, ...] = ()
) -> AsyncIterator[Receiver]:
    """A receiver with an endpoint of its own; of all orgs, unless one is named."""
    async with down(world, org_id=org_id, kinds=kinds) as receiver:
        await receiver.starts()
        yield receiver


@asynccontextmanager
async def down(
    world: World, *, org_id: str | None = None, kinds: tuple[str, ...] = ()
) -> AsyncIterator[Receiver]:
    """The same, which refuses connections until it starts."""
    receiver = Receiver()
    made = await world.services.webhooks.create(
        SYSTEM, url=receiver.url, org_id=org_id, kinds=kinds
    )
    receiver.endpoint_id = made.endpoint.id
    receiver.secrets.append(made.secret)
    try:
        yield receiver
    finally:
        receiver.stops()
