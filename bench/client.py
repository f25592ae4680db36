"""What one outbound call costs this service's HTTP client, beside httpx's own and bare aiohttp."""

import asyncio
import os
import statistics
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

import aiohttp
import httpx

from bench.figures import Bar, Figure, Picture
from bench.stage import IMPORTING_US
from demo import ports
from demo.environment import without_service_variables
from demo.processes import Child, temporary_directory
from demo.stack import LOOPBACK
from xero_service.xero.http import HttpClient

ROUNDS, CALLS = 15, 200
HEADERS = {"authorization": "Bearer " + "t" * 1200, "xero-tenant-id": "t" * 36}
BODY = b'{"Organisations": [' + b'{"Name": "Demo Company"}, ' * 40 + b"{}]}"
ANSWER = b"".join(
    (
        b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n",
        b"X-MinLimit-Remaining: 59\r\nX-DayLimit-Remaining: 4999\r\n",
        b"Content-Length: %d\r\n\r\n" % len(BODY),
        BODY,
    )
)

OURS, HTTPX, AIOHTTP = "ours", "httpx", "aiohttp"
Call = Callable[[], Awaitable[bytes]]

TITLE = "HTTP client"
HOW = f"""One caller in one process calls a server on loopback that is a process of its own and
always sends the same {len(BODY):,} bytes: by httpx with its own transport, by this service's client
(httpx over a transport on aiohttp) as the API proxy uses it, and by bare aiohttp. {ROUNDS} rounds
of {CALLS} calls each way, in turns; a figure is the median of the rounds' CPU time a call, of the
calling process alone."""


async def measure() -> tuple[tuple[Figure, ...], Picture]:
    """Return the CPU time of a call each way."""
    with temporary_directory("xero-bench-") as directory:
        port = ports.free()
        server = Child.start(
            "server",
            [sys.executable, "-m", "bench.client", str(port)],
            log=directory / "server.log",
            env={**without_service_variables(os.environ), **IMPORTING_US},
            cwd=directory,
        )
        try:
            server.wait_until_answering(f"http://{LOOPBACK}:{port}/")
            async with _clients(f"http://{LOOPBACK}:{port}/api.xro/2.0/Organisation") as calls:
                took = {name: statistics.median(each) for name, each in (await _cpu(calls)).items()}
        finally:
            server.stop()
    return (
        Figure(
            name="CPU time of a call by httpx's own transport, over this service's client",
            value=took[HTTPX] / took[OURS],
            unit="x",
            floor=f"{took[HTTPX]:.2f} ms over {took[OURS]:.2f} ms",
            wanted=("≥", 2),
        ),
        Figure(
            name="CPU time of a call by this service's client, over bare aiohttp",
            value=took[OURS] / took[AIOHTTP],
            unit="x",
            floor=f"{took[OURS]:.2f} ms over {took[AIOHTTP]:.2f} ms",
        ),
    ), Picture(
        title="CPU time of one call",
        unit="ms",
        bars=(
            Bar(label="httpx, its own transport", value=took[HTTPX], ours=False),
            Bar(label="httpx, the service's transport", value=took[OURS]),
            Bar(label="bare aiohttp", value=took[AIOHTTP], ours=False),
        ),
    )


@asynccontextmanager
async def _clients(url: str) -> AsyncIterator[dict[str, Call]]:
    """Yield a way to make the call by each client, its connection pool open."""
    async with (
        HttpClient(timeout=10) as ours,
        httpx.AsyncClient(trust_env=False) as plain,
        aiohttp.ClientSession() as session,
    ):

        async def by_ours() -> bytes:
            async with ours.stream(
                "GET", url, headers=[*HEADERS.items()], content=b"", length=None, within=60
            ) as answer:
                return b"".join([part async for part in answer.body])

        async def by_httpx() -> bytes:
            return (await plain.get(url, headers=HEADERS)).content

        async def by_aiohttp() -> bytes:
            async with session.get(url, headers=HEADERS) as answer:
                return await answer.read()

        yield {HTTPX: by_httpx, OURS: by_ours, AIOHTTP: by_aiohttp}


async def _cpu(calls: dict[str, Call]) -> dict[str, list[float]]:
    """Return the milliseconds of CPU time of a call, for each client and round."""
    took: dict[str, list[float]] = {name: [] for name in calls}
    for number in range(ROUNDS + 1):
        for name, call in calls.items():
            began = time.process_time()
            for _ in range(CALLS):
                assert await call() == BODY
            if number:  # the first round warms all
                took[name].append((time.process_time() - began) / CALLS * 1000)
    return took


async def _serve(port: int) -> None:
    """Send ANSWER to every request, whatever it asks for."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(asyncio.IncompleteReadError, ConnectionError):  # the caller closed
            while await reader.readuntil(b"\r\n\r\n"):
                writer.write(ANSWER)
                await writer.drain()

    server = await asyncio.start_server(serve, LOOPBACK, port)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(_serve(int(sys.argv[1])))
