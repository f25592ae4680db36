"""Taking turns: each tenant's calls wait in one line per process, and only its head asks again.

Five calls at once and sixty a minute are shared by all replicas through the database. Without
the line a burst would ask it hundreds of times a second, and who comes last could go first.
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

from xero_service.errors import RateBudgetExhausted, ServiceBusy
from xero_service.single_flight import BackgroundWork
from xero_service.store.rate_limits import CallBudgets, Learned

PATIENCE_SECONDS = 2.0  # how long a call waits for its turn
SLOT_FOR = timedelta(seconds=120)  # a crashed caller's slot is free again after this
FIRST_PAUSE, LONGEST_PAUSE = 0.02, 0.2
RETRY_SECONDS = 0.5  # between two attempts to release a slot while the database is away


@dataclass(eq=False)
class _Line:
    """Who waits for a tenant in this process."""

    head: asyncio.Lock = field(default_factory=asyncio.Lock)
    moved: asyncio.Event = field(default_factory=asyncio.Event)
    opens_at: float = 0.0  # not before this, by the monotonic clock
    problem: str = "concurrent"  # which of Xero's limits is in the way


@dataclass(frozen=True, slots=True)
class Turns:
    """Hands out the right to call Xero for a tenant."""

    budgets: CallBudgets
    background: BackgroundWork
    lines: WeakValueDictionary[str, _Line] = field(default_factory=WeakValueDictionary)

    async def take(self, tenant_id: str, call: UUID) -> None:
        """Take a turn for `call`, waiting two seconds at most.

        Raises RateBudgetExhausted, with the seconds after which it helps to come back, or
        ServiceBusy.
        """
        line = self.lines.setdefault(tenant_id, _Line())
        deadline = time.monotonic() + PATIENCE_SECONDS
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                await line.head.acquire()
        except TimeoutError as error:
            raise _exhausted(line) from error
        try:
            await self._take_at_the_head(line, tenant_id, call, deadline)
        except RateBudgetExhausted:
            raise
        except BaseException:  # the answer may not have been heard: perhaps there is a slot
            _ = self.background.start(self._try_to_give_back(tenant_id, call, Learned()))
            raise
        finally:
            line.head.release()

    async def _take_at_the_head(
        self, line: _Line, tenant_id: str, call: UUID, deadline: float
    ) -> None:
        pause = FIRST_PAUSE
        while True:
            line.moved.clear()
            refused = await self.budgets.take(tenant_id, call, slot_for=SLOT_FOR)
            if refused is None:
                return
            wait = refused.wait.total_seconds()
            line.opens_at, line.problem = time.monotonic() + wait, refused.problem
            again_in = max(wait, pause * random.uniform(0.7, 1.3))  # noqa: S311
            if time.monotonic() + again_in > deadline:
                raise _exhausted(line)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(again_in):
                    await line.moved.wait()
            pause = min(pause * 1.6, LONGEST_PAUSE)

    def give_back(self, tenant_id: str, call: UUID, learned: Learned) -> None:
        """Release the slot and report what Xero said, in the background."""
        _ = self.background.start(self._give_back(tenant_id, call, learned))

    async def _give_back(self, tenant_id: str, call: UUID, learned: Learned) -> None:
        """Retry while the database is away, until both the slot and the cool-down have expired.

        No slot is taken while the database is away, so there are no more such tasks than calls
        that were in flight.
        """
        began, left = time.monotonic(), learned
        lasts = max(SLOT_FOR, learned.cool_down or SLOT_FOR)
        while not await self._try_to_give_back(tenant_id, call, left):
            await asyncio.sleep(RETRY_SECONDS)
            passed = timedelta(seconds=time.monotonic() - began)
            if passed >= lasts:
                return
            left = learned.after(passed)

    async def _try_to_give_back(self, tenant_id: str, call: UUID, learned: Learned) -> bool:
        try:
            await self.budgets.give_back(tenant_id, call, learned)
        except ServiceBusy:
            return False
        if line := self.lines.get(tenant_id):
            line.moved.set()
        return True


def _exhausted(line: _Line) -> RateBudgetExhausted:
    return RateBudgetExhausted(
        "This organisation's share of Xero's rate limits is used up for now.",
        retry_after=max(1, ceil(line.opens_at - time.monotonic())),
        problem=line.problem,
    )
