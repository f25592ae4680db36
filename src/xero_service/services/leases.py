"""Leases that one process holds at a time: the exchange lease, and the lease of a grant."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from xero_service.domain import Grant
from xero_service.errors import ServiceBusy
from xero_service.store.database import Database
from xero_service.store.transaction import Transaction

EXCHANGE = "xero_exchange"
POLL_SECONDS = 0.1


@dataclass(frozen=True, slots=True)
class LeaseManager:
    """Claims leases, with a bounded wait, and releases them."""

    database: Database
    ttl: timedelta

    @property
    def call_seconds(self) -> float:
        """The longest total time of a call to Xero, so that it ends within the leases around it."""
        return self.ttl.total_seconds() / 3

    @asynccontextmanager
    async def exchange_lease(self, *, max_wait: float) -> AsyncIterator[datetime]:
        """Exclude other exchanges of a code, and revocations, on every replica.

        Yields the database's time of the claim; at least two thirds of the lease are then left.
        Raises ServiceBusy after `max_wait` seconds of waiting.
        """
        holder, deadline = uuid4(), time.monotonic() + max_wait
        while True:
            claim_began = time.monotonic()
            async with self.database.transaction() as tx:
                began = await tx.leases.claim(EXCHANGE, holder=holder, ttl=self.ttl)
            if began is not None:
                break
            if time.monotonic() > deadline:
                raise ServiceBusy("Other connections are being made at this moment.")
            await asyncio.sleep(POLL_SECONDS)
        try:
            if time.monotonic() - claim_began > self.call_seconds:
                raise ServiceBusy("The database is slow.")
            yield began
        finally:
            await self._release(lambda tx: tx.leases.release(EXCHANGE, holder=holder))

    @asynccontextmanager
    async def grant_lease(self, grant_id: UUID, *, max_wait: float) -> AsyncIterator[Grant]:
        """Exclude refreshes of a grant; yields the grant as read once the lease is held.

        Raises ServiceBusy after `max_wait` seconds of waiting.
        """
        holder, deadline = uuid4(), time.monotonic() + max_wait
        while True:
            async with self.database.transaction() as tx:
                grant = await tx.grant_refreshes.acquire_lease(
                    grant_id, holder=holder, ttl=self.ttl
                )
            if grant is not None:
                break
            if time.monotonic() > deadline:
                raise ServiceBusy("The tokens of this grant are being refreshed.")
            await asyncio.sleep(POLL_SECONDS)
        try:
            yield grant
        finally:
            await self._release(
                lambda tx: tx.grant_refreshes.release_lease(grant_id, holder=holder)
            )

    async def _release(self, release: Callable[[Transaction], Awaitable[None]]) -> None:
        """Release a lease; retried once after a broken connection, else the lease expires."""
        for _ in range(2):
            with contextlib.suppress(ServiceBusy):
                async with self.database.transaction() as tx:
                    await release(tx)
                return


@asynccontextmanager
async def fair_lock(lock: asyncio.Lock, *, max_wait: float | None) -> AsyncIterator[None]:
    """Hold a process-local lock around a lease, and release it after a delay.

    The delay lets other replicas claim the lease before the next local waiter polls. Raises
    ServiceBusy after `max_wait` seconds; None waits without a limit.
    """
    try:
        async with asyncio.timeout(max_wait):
            await lock.acquire()
    except TimeoutError as error:
        raise ServiceBusy("Too many requests wait for this lease.") from error
    try:
        yield
    finally:
        asyncio.get_running_loop().call_later(3 * POLL_SECONDS, lock.release)
