"""A caller of the proxy that speaks bytes: sends uneven parts, reads meanwhile, and may leave."""

import asyncio
import random
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Self
from urllib.parse import urlsplit

from xero_service.app import PREFIX


@dataclass
class Answer:
    """What came back as an answer; `is_whole` where its framing said that it ended."""

    status: int = 0
    body: bytes = b""
    is_whole: bool = False
    closes: bool = True


@dataclass(frozen=True)
class Target:
    """A binding as a service with a key reaches it."""

    binding_id: str
    secret: str = field(repr=False)

    def head(self, method: str, plan: str, *headers: str) -> bytes:
        path = f"{PREFIX}/bindings/{self.binding_id}/api/files.xro/1.0/Files?plan={plan}"
        told = [f"{method} {path} HTTP/1.1", "Host: here", f"Authorization: Bearer {self.secret}"]
        return "\r\n".join([*told, *headers, "", ""]).encode()


@dataclass
class RawCaller:
    """One connection to the service."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    @classmethod
    @asynccontextmanager
    async def connected(cls, address: str) -> AsyncIterator[Self]:
        parts = urlsplit(address)
        reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
        try:
            yield cls(reader, writer)
        finally:
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()

    async def get(self, target: Target, plan: str) -> Answer:
        with suppress(ConnectionError):
            self.writer.write(target.head("GET", plan))
        return await self.answer()

    async def upload(
        self,
        target: Target,
        plan: str,
        body: bytes,
        *,
        is_sized: bool,
        dice: random.Random,
        leaves_at: int | None = None,
    ) -> tuple[Answer, bool]:
        """Send a body in uneven parts; return the answer, and whether all of it was sent.

        `leaves_at`: the byte before which the caller hangs up; behind the last, it hangs up once
        the answer begins.
        """
        reading = asyncio.create_task(self.answer(only_head=leaves_at == len(body)))
        try:
            framing = f"Content-Length: {len(body)}" if is_sized else "Transfer-Encoding: chunked"
            self.writer.write(target.head("POST", plan, framing))
            ends = leaves_at is None or leaves_at == len(body)
            await self._send(body[:leaves_at], is_sized, dice, ends=ends)
            if not ends:
                self.writer.transport.abort()
        except ConnectionError:
            return await reading, False
        return await reading, leaves_at is None

    async def _send(self, body: bytes, is_sized: bool, dice: random.Random, *, ends: bool) -> None:
        at = 0
        while at < len(body):
            part = body[at : at + dice.choice((1, 900, 30_000, 65_536, 200_000))]
            self.writer.write(part if is_sized else b"%x\r\n%s\r\n" % (len(part), part))
            await self.writer.drain()
            at += len(part)
            if dice.random() < 0.05:
                await asyncio.sleep(dice.random() * 0.005)
        if ends and not is_sized:
            self.writer.write(b"0\r\n\r\n")
        await self.writer.drain()

    async def answer(self, *, only_head: bool = False) -> Answer:
        """Read one answer as far as it comes."""
        answer = Answer()
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            head = await self._head()
            answer.status = int(head.split(b" ", 2)[1])
            answer.closes = b"\r\nconnection: close\r\n" in head
            if only_head:
                self.writer.transport.abort()
                return answer
            if b"\r\ntransfer-encoding: chunked\r\n" in head:
                while size := int(await self.reader.readuntil(b"\r\n"), 16):
                    answer.body += await self.reader.readexactly(size)
                    await self.reader.readexactly(2)
                await self.reader.readexactly(2)
            elif length := re.search(rb"\r\ncontent-length: (\d+)\r\n", head):
                answer.body = await self.reader.readexactly(int(length[1]))
            answer.is_whole = True
        return answer

    async def _head(self) -> bytes:
        while True:
            head = (await self.reader.readuntil(b"\r\n\r\n")).lower()
            if not head.startswith(b"http/1.1 1"):
                return head
