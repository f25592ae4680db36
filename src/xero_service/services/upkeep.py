"""Upkeep: what must happen even if nobody calls; safe in any number of replicas."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from xero_service.domain import RefreshPolicy
from xero_service.errors import IntegrationError
from xero_service.services.disconnect import DisconnectService
from xero_service.services.reconciling import ReconcileService
from xero_service.services.tokens import TokenService
from xero_service.store.database import Database
from xero_service.telemetry import Metrics, logger

AT_ONCE = 32  # refreshes and cleanups toward Xero at a time (R17)
BATCH = 200
HIDDEN_FOR = timedelta(seconds=60)  # what one replica picked, others leave alone
KEEP_ATTEMPTS_FOR = timedelta(hours=1)  # so that who comes late hears "expired", not "unknown"
CHECKED_EVERY = timedelta(hours=24)  # users disconnect in Xero, and nobody tells us
UNUSED_AFTER = timedelta(hours=24)

log = logger(__name__)


@dataclass(frozen=True, slots=True)
class UpkeepService:
    """Finishes what was cut short, keeps tokens young, and clears what is stale."""

    database: Database
    tokens: TokenService
    disconnects: DisconnectService
    reconcile: ReconcileService
    policy: RefreshPolicy
    metrics: Metrics

    async def run(self, interval: timedelta) -> None:
        """Do a round every `interval`, jittered, until cancelled; a failed round is logged."""
        while True:
            try:
                await self.round()
            except IntegrationError as error:
                log.warning("a round of upkeep was cut short", reason=error.code)
            except Exception:
                log.exception("a round of upkeep failed")
            await asyncio.sleep(interval.total_seconds() * random.uniform(0.8, 1.2))  # noqa: S311

    async def round(self) -> None:
        """Do everything that is due, once. Raises ServiceBusy where the database is away."""
        await self._settle_cleanups()
        await self._refresh_old_and_interrupted()
        async with self.database.transaction() as tx:
            unchecked = await tx.due.take_unchecked(since=CHECKED_EVERY, limit=BATCH)
            unread = await tx.due.unread(limit=BATCH)
        await self._each(dict.fromkeys([*unread, *unchecked]), self.reconcile.reconcile)
        async with self.database.transaction() as tx:
            unused = await tx.due.unbound(for_at_least=UNUSED_AFTER, limit=BATCH)
            await tx.attempts.delete_expired(since=KEEP_ATTEMPTS_FOR)
        await self._each(unused, self.disconnects.disconnect_unused)

    async def _settle_cleanups(self) -> None:
        async with self.database.transaction() as tx:
            due = await tx.cleanups.take_due(limit=BATCH, hidden_for=HIDDEN_FOR)
        await self._each(due, self.disconnects.settle)
        async with self.database.transaction() as tx:
            self.metrics.owed_cleanups.set(await tx.cleanups.count_owed())

    async def _refresh_old_and_interrupted(self) -> None:
        async with self.database.transaction() as tx:
            due = await tx.due.old_or_interrupted(
                max_age=self.policy.refresh_token_max_age, limit=BATCH
            )
        await self._each(due, self._refresh)

    async def _refresh(self, due: tuple[UUID, int]) -> None:
        grant_id, generation = due
        await self.tokens.refresh_grant_single_flight(grant_id, beyond=generation)

    async def _each(self, items: Iterable[Any], work: Callable[[Any], Awaitable[object]]) -> None:
        """Work on all items, a bounded number at a time; one that fails stops no other."""
        gate = asyncio.Semaphore(AT_ONCE)

        async def one(item: Any) -> None:
            async with gate:
                try:
                    await work(item)
                except IntegrationError as error:
                    log.warning("upkeep will try again", work=work.__name__, reason=error.code)
                except Exception:
                    log.exception("upkeep failed at one of many", work=work.__name__)

        await asyncio.gather(*(one(item) for item in items))
