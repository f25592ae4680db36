"""The slots of a connection pool: callers wait for one in their order, and waits are counted."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from xero_service.errors import ServiceBusy
from xero_service.store.db_errors import translate_db_errors
from xero_service.telemetry.database_pools import PoolUse
from xero_service.timeouts import POOL_WAIT_SECONDS

ALL_IN_USE = "All database connections are in use."
OnWait = Callable[[float, bool], None]


def _ignore_wait(seconds: float, in_vain: bool) -> None:
    """Count nothing."""


class Slots:
    """At most `size` blocks at a time; `on_wait` gets the seconds of each wait that was needed."""

    def __init__(self, size: int, on_wait: OnWait = _ignore_wait) -> None:
        self._free = asyncio.Semaphore(size)
        self._size, self._on_wait = size, on_wait
        self._in_use = self._waiting = 0

    @property
    def has_free(self) -> bool:
        """Whether `acquire` would not have to wait now."""
        return not self._free.locked()

    @property
    def use(self) -> PoolUse:
        """The size, and how many slots are in use and are waited for now."""
        return PoolUse(self._size, self._in_use, self._waiting)

    @asynccontextmanager
    async def acquire(self, *, busy: str = ALL_IN_USE) -> AsyncIterator[None]:
        """Hold a slot for a block.

        Raises ServiceBusy with the detail `busy` where no slot is free within POOL_WAIT_SECONDS,
        and where the block fails because the database is away.
        """
        if self._free.locked():
            await self._wait(POOL_WAIT_SECONDS, busy)
        else:  # without a timer, which costs more than the acquisition itself
            await self._free.acquire()
        self._in_use += 1
        try:
            with translate_db_errors():
                yield
        finally:
            self._in_use -= 1
            self._free.release()

    @asynccontextmanager
    async def acquire_patiently(self) -> AsyncIterator[None]:
        """Hold a slot for a block of background work, whose wait has no limit."""
        if self._free.locked():
            await self._wait(None, ALL_IN_USE)
        else:
            await self._free.acquire()
        self._in_use += 1
        try:
            yield
        finally:
            self._in_use -= 1
            self._free.release()

    async def _wait(self, at_most: float | None, busy: str) -> None:
        began = time.monotonic()
        self._waiting += 1
        in_vain = True
        try:
            async with asyncio.timeout(at_most):
                await self._free.acquire()
            in_vain = False
        except TimeoutError as error:
            raise ServiceBusy(busy, retry_after=1) from error
        finally:
            self._waiting -= 1
            self._on_wait(time.monotonic() - began, in_vain)
