"""The process of the slow callers: `python -m bench.slow_clients KIND PORT`."""

import asyncio
import contextlib
import random
import sys
from collections.abc import Awaitable, Callable
from itertools import repeat

CALLERS = 200
HEAD = b"POST /api/integrations/xero/disconnect HTTP/1.1\r\nhost: x\r\n"


async def _send(writer: asyncio.StreamWriter, first: bytes, then: bytes, every: float) -> None:
    writer.write(first)
    for part in repeat(then):
        await asyncio.sleep(every)
        writer.write(part)
        await writer.drain()


KINDS: dict[str, Callable[[asyncio.StreamWriter], Awaitable[None]]] = {
    "nothing": lambda writer: _send(writer, b"", b"", 1),
    "half a head": lambda writer: _send(writer, HEAD, b"", 1),
    "endless heads": lambda writer: _send(writer, HEAD, b"x-fill: y\r\n" * 1489, 0.1),
    "slow bodies": lambda writer: _send(
        writer, HEAD + b"content-length: 60000\r\n\r\n", b" " * 100, 1
    ),
}


async def call_slowly(kind: str, port: int) -> None:
    """Hold one connection after another in the way of this kind."""
    while True:
        await asyncio.sleep(random.uniform(0, 2))  # noqa: S311 - spreads the callers
        with contextlib.suppress(OSError):
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            with contextlib.closing(writer):
                await KINDS[kind](writer)


async def _all(kind: str, port: int) -> None:
    await asyncio.gather(*(call_slowly(kind, port) for _ in range(CALLERS)))


if __name__ == "__main__":
    asyncio.run(_all(sys.argv[1], int(sys.argv[2])))
