"""A minimal HTTP/1.1 client, whose connections are opened before the measurement.

A full client library takes longer to send a request than the service takes to respond.
"""

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Self
from urllib.parse import urlsplit


@dataclass(frozen=True)
class Response:
    """A response, and the seconds until it was read."""

    status: int
    body: bytes = field(repr=False)
    seconds: float


class HttpConnection:
    """One connection, for one request at a time."""

    def __init__(
        self, host: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self._host, self._reader, self._writer = host, reader, writer

    @classmethod
    async def open(cls, url: str) -> Self:
        """Connect to the origin of `url`."""
        parts = urlsplit(url)
        reader, writer = await asyncio.open_connection("127.0.0.1", parts.port, limit=1 << 22)
        return cls(parts.netloc, reader, writer)

    async def request(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes = b""
    ) -> Response:
        """Send a request and return the response, which must have a Content-Length."""
        head = [f"{method} {path} HTTP/1.1", f"host: {self._host}", f"content-length: {len(body)}"]
        head += [f"{name}: {value}" for name, value in headers.items()]
        began = time.perf_counter()
        self._writer.write("\r\n".join([*head, "", ""]).encode() + body)
        said = (await self._reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
        length = int(said.partition("content-length:")[2].partition("\r\n")[0])
        answer = await self._reader.readexactly(length)
        return Response(int(said.split(" ", 2)[1]), answer, time.perf_counter() - began)

    async def close(self) -> None:
        """Close the connection."""
        self._writer.close()
        await self._writer.wait_closed()
