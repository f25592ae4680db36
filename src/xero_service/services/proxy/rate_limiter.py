"""Rate limiter per tenant: five concurrent calls and sixty a minute, shared by all replicas.

The counts are in the database. Callers of one process wait in a queue per tenant, and only the
first of them polls: otherwise a burst would poll hundreds of times a second and out of order.
"""

import asyncio
import contextlib
import random
import time
from dataclasses import dataclass, field
from datetime import timedelta
from math import ceil
from typing import Final
from uuid import UUID
from weakref import WeakValueDictionary

from xero_service.background import BackgroundWork
from xero_service.errors import RateBudgetExhausted, ServiceBusy
from xero_service.store.rate_limits import RateLimits, ReportedLimits

ACQUIRE_TIMEOUT_SECONDS: Final = 2.0  # for a slot; then 429
SLOT_TTL: Final = timedelta(seconds=120)  # the slot of a crashed replica is free after this
LONGEST_CALL_SECONDS: Final = SLOT_TTL.total_seconds() - 10  # so that a slot outlives its call
FIRST_POLL_SECONDS, LONGEST_POLL_SECONDS = 0.02, 0.2
RETRY_SECONDS = 0.5  # between two attempts to release a slot while the database is away


@dataclass(eq=False)
class _Queue:
    """The callers that wait for a slot of one tenant in this process; the lock's holder polls."""

    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    slot_released: asyncio.Event = field(default_factory=asyncio.Event)
    retry_at: float = 0.0  # no slot is expected before this, by the monotonic clock
    problem: str = "concurrent"  # the limit of Xero's that is used up


@dataclass(frozen=True, slots=True)
class TenantRateLimiter:
    """Acquires and releases slots: each is the right to one call of a tenant."""

    limits: RateLimits
    background: BackgroundWork
    queues: WeakValueDictionary[str, _Queue] = field(default_factory=WeakValueDictionary)

    async def acquire(self, tenant_id: str, call_id: UUID) -> None:
        """Acquire a slot for the call, waiting two seconds at most.

        Raises RateBudgetExhausted, with the seconds after which a retry helps, or ServiceBusy.
        """
        queue = self.queues.setdefault(tenant_id, _Queue())
        deadline = time.monotonic() + ACQUIRE_TIMEOUT_SECONDS
        try:
            async with asyncio.timeout(ACQUIRE_TIMEOUT_SECONDS):
                await queue.lock.acquire()
        except TimeoutError as error:
            raise _budget_exhausted(queue) from error
        try:
            await self._acquire_when_first(queue, tenant_id, call_id, deadline)
        except RateBudgetExhausted:
            raise
        except BaseException:  # the slot may be committed although its answer was lost
            _ = self.background.start(self._try_to_release(tenant_id, call_id, ReportedLimits()))
            raise
        finally:
            queue.lock.release()

    async def _acquire_when_first(
        self, queue: _Queue, tenant_id: str, call_id: UUID, deadline: float
    ) -> None:
        pause = FIRST_POLL_SECONDS
        while True:
            queue.slot_released.clear()
            denied = await self.limits.acquire(tenant_id, call_id, slot_ttl=SLOT_TTL)
            if denied is None:
                return
            wait = denied.wait.total_seconds()
            queue.retry_at, queue.problem = time.monotonic() + wait, denied.problem
            poll_in = max(wait, pause * random.uniform(0.7, 1.3))  # noqa: S311
            if time.monotonic() + poll_in > deadline:
                raise _budget_exhausted(queue)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(poll_in):
                    await queue.slot_released.wait()
            pause = min(pause * 1.6, LONGEST_POLL_SECONDS)

    def release(self, tenant_id: str, call_id: UUID, reported: ReportedLimits) -> None:
        """Release the slot and save the limits that Xero reported, in the background."""
        _ = self.background.start(self._release_in_background(tenant_id, call_id, reported))

    async def _release_in_background(
        self, tenant_id: str, call_id: UUID, reported: ReportedLimits
    ) -> None:
        """Retry while the database is away, until both the slot and the cool-down have expired.

        No slot is acquired while the database is away, so the number of these tasks is bounded by
        the calls that were in flight.
        """
        began, remaining = time.monotonic(), reported
        expires_after = max(SLOT_TTL, reported.cool_down or SLOT_TTL)
        while not await self._try_to_release(tenant_id, call_id, remaining):
            await asyncio.sleep(RETRY_SECONDS)
            passed = timedelta(seconds=time.monotonic() - began)
            if passed >= expires_after:
                return
            remaining = reported.after(passed)

    async def _try_to_release(
        self, tenant_id: str, call_id: UUID, reported: ReportedLimits
    ) -> bool:
        try:
            await self.limits.release(tenant_id, call_id, reported)
        except ServiceBusy:
            return False
        if queue := self.queues.get(tenant_id):
            queue.slot_released.set()
        return True


def _budget_exhausted(queue: _Queue) -> RateBudgetExhausted:
    return RateBudgetExhausted(
        "This organisation's share of Xero's rate limits is used up for now.",
        retry_after=max(1, ceil(queue.retry_at - time.monotonic())),
        problem=queue.problem,
    )
