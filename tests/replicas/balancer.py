"""A load balancer of the plainest kind, as a transport: round robin over replicas that are ready.

It keeps connections open between requests, and sends a request to another replica only where it
could not connect, because then nothing was sent. Any other failure is the caller's to see.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Self

import httpx

LOOKS_EVERY = 0.2  # seconds


class Balancer(httpx.AsyncBaseTransport):
    """Knows replicas by their address, and which of them said ready at the last look."""

    def __init__(self) -> None:
        self._inner = httpx.AsyncHTTPTransport()
        self._ready: dict[str, bool] = {}
        self._turn = 0

    @classmethod
    @asynccontextmanager
    async def running(cls) -> AsyncIterator[Self]:
        balancer = cls()
        watching = asyncio.create_task(balancer._watch())
        try:
            yield balancer
        finally:
            watching.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await watching
            await balancer.aclose()

    def add(self, address: str) -> None:
        """Add a replica that is ready."""
        self._ready[address] = True

    def remove(self, address: str) -> None:
        del self._ready[address]

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self._turn += 1
        ready = [address for address, is_ready in self._ready.items() if is_ready]
        turn = self._turn % max(1, len(ready))
        refused: httpx.ConnectError | None = None
        for address in ready[turn:] + ready[:turn]:
            place = httpx.URL(address)
            request.url = request.url.copy_with(host=place.host, port=place.port)
            try:
                return await self._inner.handle_async_request(request)
            except httpx.ConnectError as error:
                refused = error
        raise refused or httpx.ConnectError("No replica is ready.")

    async def aclose(self) -> None:
        await self._inner.aclose()

    async def _watch(self) -> None:
        async with httpx.AsyncClient(trust_env=False, timeout=2) as client:
            while True:
                await asyncio.gather(*(self._look(client, each) for each in list(self._ready)))
                await asyncio.sleep(LOOKS_EVERY)

    async def _look(self, client: httpx.AsyncClient, address: str) -> None:
        try:
            is_ready = (await client.get(f"{address}/readyz")).is_success
        except httpx.TransportError:
            is_ready = False
        if address in self._ready:
            self._ready[address] = is_ready
