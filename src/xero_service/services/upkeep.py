"""Upkeep: periodic work that is due without a caller; safe in any number of replicas."""

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeAlias, TypeVar
from uuid import UUID

from xero_service.domain import ClaimedNotice, RefreshPolicy
from xero_service.errors import IntegrationError
from xero_service.services.activity import ActivityService
from xero_service.services.database_watch import DatabaseWatch
from xero_service.services.disconnect.remote_cleanup import CleanupService
from xero_service.services.disconnect.service import DisconnectService
from xero_service.services.events.delivery import DeliveryService
from xero_service.services.events.notices import AT_ONCE as MAILS_AT_ONCE
from xero_service.services.events.notices import NoticeService
from xero_service.services.events.outbox import Outbox
from xero_service.services.reconcile.service import ReconcileService
from xero_service.services.tokens.service import TokenService
from xero_service.store.database import Database
from xero_service.telemetry import Metrics, logger

AT_ONCE = 32  # concurrent refreshes (R17)
CHECKS_AT_ONCE = 16
CLEANUPS_AT_ONCE = 8  # of these, revocations run one at a time
BATCH = 200
USED_WITHIN = timedelta(hours=1)  # such a grant is refreshed before its callers wait for it
AHEAD = timedelta(minutes=5)  # before the margin, in which callers refresh
HIDDEN_FOR = timedelta(seconds=60)  # then a claimed item can be claimed again
KEEP_ATTEMPTS_FOR = timedelta(hours=1)  # a late callback is then "expired", not "unknown"
CHECKED_EVERY = timedelta(hours=24)  # users disconnect in Xero without notice
CHECK_RETRIED_AFTER = timedelta(hours=1)  # a check that failed
DELIVERIES_EVERY = timedelta(seconds=1)
UNUSED_AFTER = timedelta(hours=24)

log = logger(__name__)
Item = TypeVar("Item")
Step: TypeAlias = Callable[[], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class UpkeepService:
    """Retries remote cleanups, refreshes and reconciles grants, and deletes what has expired."""

    database: Database
    database_watch: DatabaseWatch
    tokens: TokenService
    disconnects: DisconnectService
    cleanups: CleanupService
    reconcile: ReconcileService
    activity: ActivityService
    outbox: Outbox
    deliveries: DeliveryService
    notices: NoticeService
    policy: RefreshPolicy
    audit_retention: timedelta
    events_retention: timedelta
    required_scopes: tuple[str, ...]
    metrics: Metrics

    async def run(self, interval: timedelta) -> None:
        """Repeat every step until cancelled, with a jittered `interval` after each end.

        Each step has its own task, so that a slow one, such as a sweep while Xero hangs, delays no
        other and no step overlaps itself.
        """
        async with asyncio.TaskGroup() as loops:
            for step in self._steps():
                self.metrics.upkeep_finished.labels(_name(step))  # 0, so that a hung step shows
                loops.create_task(self._repeat(step, interval))
            self.metrics.upkeep_finished.labels(_name(self._start_deliveries))
            loops.create_task(self._repeat(self._start_deliveries, DELIVERIES_EVERY))

    async def round(self) -> None:
        """Run every step once; a step that fails stops no other.

        Raises the first error of a step, ServiceBusy if the database is away.
        """
        steps = (*self._steps(), self._deliver)
        outcomes = await asyncio.gather(*map(self._step, steps), return_exceptions=True)
        for failure in outcomes:
            if failure is not None:
                raise failure

    def _steps(self) -> tuple[Step, ...]:
        return (
            self._settle_cleanups,
            self._refresh,
            self._reconcile,
            self._disconnect_unused,
            self._forget_attempts,
            self._prune_audit,
            self._prune_events,
            self._warn,
            self._send_notices,
        )

    async def _repeat(self, step: Step, interval: timedelta) -> None:
        while True:
            with contextlib.suppress(Exception):  # the step has logged it
                await self._step(step)
            await asyncio.sleep(interval.total_seconds() * random.uniform(0.8, 1.2))  # noqa: S311

    async def _step(self, step: Step) -> None:
        name = _name(step)
        try:
            await step()
        except IntegrationError as error:
            log.warning("a step of upkeep was cut short", step=name, reason=error.code)
            raise
        except Exception:
            log.exception("a step of upkeep failed", step=name)
            raise
        self.metrics.upkeep_finished.labels(name).set_to_current_time()

    async def _settle_cleanups(self) -> None:
        async def claim() -> Sequence[UUID]:
            async with self.database.background_transaction() as tx:
                return await tx.cleanups.claim_due(limit=BATCH, hidden_for=HIDDEN_FOR)

        await self._process("cleanups", _claim_all(claim), self.cleanups.execute, CLEANUPS_AT_ONCE)

    async def refresh_due(self) -> None:
        """Refresh every grant that is due, as a round does; raises ServiceBusy."""
        await self._refresh()

    async def _refresh(self) -> None:
        """Refresh old grants, used ones that are soon due, and those with an open attempt.

        After the database went back every grant is due.
        """
        await self.database_watch.check()

        async def claim() -> Sequence[tuple[UUID, int]]:
            async with self.database.background_transaction() as tx:
                return await tx.upkeep_queue.claim_due_refreshes(
                    self.policy,
                    ahead=AHEAD,
                    used_within=USED_WITHIN,
                    limit=BATCH,
                    hidden_for=self.policy.lease,
                )

        async def refresh(due: tuple[UUID, int]) -> None:
            grant_id, generation = due
            await self.tokens.refresh_grant_single_flight(grant_id, newer_than=generation)

        await self._process("refresh", _claim_all(claim), refresh, AT_ONCE)

    async def _reconcile(self) -> None:
        async def claim() -> Sequence[UUID]:
            async with self.database.background_transaction() as tx:
                return await tx.upkeep_queue.claim_unchecked_grants(
                    since=CHECKED_EVERY, again_after=CHECK_RETRIED_AFTER, limit=BATCH
                )

        async with self.database.background_transaction() as tx:
            unread = await tx.upkeep_queue.unread_grants(limit=BATCH)
        await self._process(
            "reconcile", _single_batch(unread), self.reconcile.reconcile, CHECKS_AT_ONCE
        )
        await self._process(
            "reconcile", _claim_all(claim), self.reconcile.reconcile, CHECKS_AT_ONCE
        )

    async def _disconnect_unused(self) -> None:
        await self.database_watch.check()
        async with self.database.background_transaction() as tx:
            unused = await tx.upkeep_queue.unused_grants(for_at_least=UNUSED_AFTER, limit=BATCH)
        await self._process(
            "unused", _single_batch(unused), self.disconnects.disconnect_unused, CLEANUPS_AT_ONCE
        )

    async def _forget_attempts(self) -> None:
        async with self.database.background_transaction() as tx:
            await tx.attempts.delete_expired(since=KEEP_ATTEMPTS_FOR)

    async def _prune_audit(self) -> None:
        async for _ in self.activity.prune(self.audit_retention):
            pass

    async def _warn(self) -> None:
        """Report bindings that expire or lack permissions, and those that no longer do."""

        async def expiring() -> bool:
            async with self.database.background_transaction() as tx:
                return await tx.warnings.update_expiring(limit=BATCH)

        async def missing() -> bool:
            async with self.database.background_transaction() as tx:
                return await tx.warnings.update_missing(self.required_scopes, limit=BATCH)

        for update in (expiring, missing):
            while await update():
                pass

    async def _start_deliveries(self) -> None:
        """Start what is due; its sending goes on beside the next rounds."""
        await self.deliveries.start_due()

    async def _deliver(self) -> None:
        await self.deliveries.deliver_due()

    async def _prune_events(self) -> None:
        async for _ in self.outbox.prune(self.events_retention):
            pass

    async def _send_notices(self) -> None:
        async def claim_until_none_is_due() -> AsyncIterator[Sequence[ClaimedNotice]]:
            while batch := await self.notices.claim():
                yield batch

        if self.notices.is_enabled:
            await self.notices.add()
            await self._process(
                "notices", claim_until_none_is_due(), self.notices.send, MAILS_AT_ONCE
            )

    async def _process(
        self,
        step: str,
        batches: AsyncIterator[Sequence[Item]],
        work: Callable[[Item], Awaitable[object]],
        at_once: int,
    ) -> None:
        """Call `work` for all items, `at_once` at a time; an item that fails stops no other.

        The next batch is claimed while the last items of the previous one are in progress, so a
        sweep of ten thousand stays at full concurrency with one batch in memory.
        """
        failure: Exception | None = None
        slots = asyncio.Semaphore(at_once)
        async with asyncio.TaskGroup() as group:
            try:
                async for batch in batches:
                    for item in batch:
                        await slots.acquire()
                        task = group.create_task(self._process_item(step, item, work))
                        task.add_done_callback(lambda _: slots.release())
            except Exception as error:
                failure = error  # raised once the items in progress have ended
        if failure is not None:
            raise failure

    async def _process_item(
        self, step: str, item: Item, work: Callable[[Item], Awaitable[object]]
    ) -> None:
        outcome = "failed"
        try:
            await work(item)
            outcome = "done"
        except IntegrationError as error:
            log.warning("upkeep will try again", step=step, reason=error.code)
        except Exception:
            log.exception("upkeep failed at an item", step=step)
        self.metrics.upkeep_items.labels(step, outcome).inc()


def _name(step: Step) -> str:
    return step.__name__.strip("_")


async def _claim_all(
    claim: Callable[[], Awaitable[Sequence[Item]]],
) -> AsyncIterator[Sequence[Item]]:
    """Yield batches until one is not full; items that fail are left to the next round."""
    while True:
        batch = await claim()
        yield batch
        if len(batch) < BATCH:
            return


async def _single_batch(batch: Sequence[Item]) -> AsyncIterator[Sequence[Item]]:
    yield batch
