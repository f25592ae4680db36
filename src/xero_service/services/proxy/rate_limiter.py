"""Taking turns: each tenant's calls wait in one queue per process, and only its lock asks again.

Five calls at once and sixty a minute are shared by all replicas through the database. Without
the queue a burst would ask it hundreds of times a second, and who comes last could go first.
"""

import asyncio
import contextlib
import random
import time
from dataclasses import dataclass, field
from datetime import timedelta
from math import ceil
from uuid import UUID
from weakref import WeakValueDictionary

from xero_service.background import BackgroundWork
from xero_service.errors import RateBudgetExhausted, ServiceBusy
from xero_service.store.rate_limits import RateLimits, ReportedLimits
from xero_service.timeouts import ACQUIRE_TIMEOUT_SECONDS, SLOT_TTL

FIRST_POLL_SECONDS, LONGEST_POLL_SECONDS = 0.02, 0.2
RETRY_SECONDS = 0.5  # between two attempts to release a slot while the database is away


@dataclass(eq=False)
class _Queue:
    """Who waits for a tenant in this process."""

    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    slot_released: asyncio.Event = field(default_factory=asyncio.Event)
    retry_at: float = 0.0  # not before this, by the monotonic clock
    problem: str = "concurrent"  # which of Xero's limits is in the way


@dataclass(frozen=True, slots=True)
class TenantRateLimiter:
    """Hands out the right to call Xero for a tenant."""

    limits: RateLimits
    background: BackgroundWork
    queues: WeakValueDictionary[str, _Queue] = field(default_factory=WeakValueDictionary)

    async def acquire(self, tenant_id: str, call: UUID) -> None:
        """Take a turn for `call`, waiting two seconds at most.

        Raises RateBudgetExhausted, with the seconds after which it helps to come back, or
        ServiceBusy.
        """
        queue = self.queues.setdefault(tenant_id, _Queue())
        deadline = time.monotonic() + ACQUIRE_TIMEOUT_SECONDS
        try:
            async with asyncio.timeout(ACQUIRE_TIMEOUT_SECONDS):
                await queue.lock.acquire()
        except TimeoutError as error:
            raise _exhausted(queue) from error
        try:
            await self._acquire_when_first(queue, tenant_id, call, deadline)
        except RateBudgetExhausted:
            raise
        except BaseException:  # the answer may not have been heard: perhaps there is a slot
            _ = self.background.start(self._try_to_release(tenant_id, call, ReportedLimits()))
            raise
        finally:
            queue.lock.release()

    async def _acquire_when_first(
        self, queue: _Queue, tenant_id: str, call: UUID, deadline: float
    ) -> None:
        pause = FIRST_POLL_SECONDS
        while True:
            queue.slot_released.clear()
            refused = await self.limits.acquire(tenant_id, call, slot_ttl=SLOT_TTL)
            if refused is None:
                return
            wait = refused.wait.total_seconds()
            queue.retry_at, queue.problem = time.monotonic() + wait, refused.problem
            again_in = max(wait, pause * random.uniform(0.7, 1.3))  # noqa: S311
            if time.monotonic() + again_in > deadline:
                raise _exhausted(queue)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(again_in):
                    await queue.slot_released.wait()
            pause = min(pause * 1.6, LONGEST_POLL_SECONDS)

    def release(self, tenant_id: str, call: UUID, reported: ReportedLimits) -> None:
        """Release the slot and report what Xero said, in the background."""
        _ = self.background.start(self._release_in_background(tenant_id, call, reported))

    async def _release_in_background(
        self, tenant_id: str, call: UUID, reported: ReportedLimits
    ) -> None:
        """Retry while the database is away, until both the slot and the cool-down have expired.

        No slot is taken while the database is away, so there are no more such tasks than calls
        that were in flight.
        """
        began, left = time.monotonic(), reported
        lasts = max(SLOT_TTL, reported.cool_down or SLOT_TTL)
        while not await self._try_to_release(tenant_id, call, left):
            await asyncio.sleep(RETRY_SECONDS)
            passed = timedelta(seconds=time.monotonic() - began)
            if passed >= lasts:
                return
            left = reported.after(passed)

    async def _try_to_release(self, tenant_id: str, call: UUID, reported: ReportedLimits) -> bool:
        try:
            await self.limits.release(tenant_id, call, reported)
        except ServiceBusy:
            return False
        if queue := self.queues.get(tenant_id):
            queue.slot_released.set()
        return True


def _exhausted(queue: _Queue) -> RateBudgetExhausted:
    return RateBudgetExhausted(
        "This organisation's share of Xero's rate limits is used up for now.",
        retry_after=max(1, ceil(queue.retry_at - time.monotonic())),
        problem=queue.problem,
    )
