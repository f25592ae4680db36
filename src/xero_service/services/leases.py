"""Hold what only one process may hold at a time: the turn to exchange, and a grant's lease."""

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
    """Takes leases, waits for them within bounds, and gives them back."""

    database: Database
    ttl: timedelta

    @property
    def call_seconds(self) -> float:
        """How long a call to Xero may take in all, so that it ends inside the leases around it."""
        return self.ttl.total_seconds() / 3

    @asynccontextmanager
    async def exchange_lease(self, *, patience: float) -> AsyncIterator[datetime]:
        """Exclude every exchange of a code, and every revocation, on any replica.

        Yields the database's time when the turn began; at least two thirds of it are then left.
        Raises ServiceBusy after `patience` seconds of waiting.
        """
        holder, deadline = uuid4(), time.monotonic() + patience
        while True:
            asked_at = time.monotonic()
            async with self.database.transaction() as tx:
                began = await tx.leases.claim(EXCHANGE, holder=holder, ttl=self.ttl)
            if began is not None:
                break
            if time.monotonic() > deadline:
                raise ServiceBusy("Other connections are being made at this moment.")
            await asyncio.sleep(POLL_SECONDS)
        try:
            if time.monotonic() - asked_at > self.call_seconds:
                raise ServiceBusy("The database is slow.")
            yield began
        finally:
            await self._release(lambda tx: tx.leases.release(EXCHANGE, holder=holder))

    @asynccontextmanager
    async def grant_lease(self, grant_id: UUID, *, patience: float) -> AsyncIterator[Grant]:
        """Keep anybody from refreshing a grant; yields it as it stands once it is held.

        Raises ServiceBusy after `patience` seconds of waiting.
        """
        holder, deadline = uuid4(), time.monotonic() + patience
        while True:
            async with self.database.transaction() as tx:
                grant = await tx.grant_leases.acquire(grant_id, holder=holder, ttl=self.ttl)
            if grant is not None:
                break
            if time.monotonic() > deadline:
                raise ServiceBusy("The tokens of this grant are being renewed.")
            await asyncio.sleep(POLL_SECONDS)
        try:
            yield grant
        finally:
            await self._release(lambda tx: tx.grant_leases.release(grant_id, holder=holder))

    async def _release(self, release: Callable[[Transaction], Awaitable[None]]) -> None:
        """Spare the others the rest of the lease: where a connection broke, the next one works."""
        for _ in range(2):
            with contextlib.suppress(ServiceBusy):
                async with self.database.transaction() as tx:
                    await release(tx)
                return


@asynccontextmanager
async def fair_lock(line: asyncio.Lock, *, patience: float | None) -> AsyncIterator[None]:
    """Wait in this process's line for the turn; its next comes once others had time to look.

    Who polls for the turn would else find it taken again each time. Raises ServiceBusy after
    `patience` seconds, where there is a limit.
    """
    try:
        async with asyncio.timeout(patience):
            await line.acquire()
    except TimeoutError as error:
        raise ServiceBusy("Too many others wait in this line.") from error
    try:
        yield
    finally:
        asyncio.get_running_loop().call_later(3 * POLL_SECONDS, line.release)
