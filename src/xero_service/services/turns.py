"""Taking turns: each tenant's calls wait in one line per process, and only its head asks again.

Five calls at once and sixty a minute are shared by all replicas through the database. Without
the line a burst would ask it hundreds of times a second, and who comes last could go first.
"""

import asyncio
import contextlib
import random
import time
from dataclasses import dataclass, field, replace
from datetime import timedelta
from math import ceil
from uuid import UUID
from weakref import WeakValueDictionary

from xero_service.errors import RateBudgetExhausted, ServiceBusy
from xero_service.singleflight import BackgroundWork
from xero_service.store.call_budgets import CallBudgets, Learned

PATIENCE_SECONDS = 2.0  # how long a call waits for its turn
SLOT_FOR = timedelta(seconds=120)  # a crashed caller's slot is free again after this
FIRST_PAUSE, LONGEST_PAUSE = 0.02, 0.2
REPAY_EVERY = 0.5  # seconds, while the database is away
OWED_AT_MOST = 1000  # slots that are given back late; beyond these they pass by themselves


@dataclass(eq=False)
class _Line:
    """Who waits for a tenant in this process."""

    head: asyncio.Lock = field(default_factory=asyncio.Lock)
    moved: asyncio.Event = field(default_factory=asyncio.Event)
    opens_at: float = 0.0  # not before this, by the monotonic clock


@dataclass(frozen=True, slots=True)
class Turns:
    """Hands out the right to call Xero for a tenant."""

    budgets: CallBudgets
    background: BackgroundWork
    lines: WeakValueDictionary[str, _Line] = field(default_factory=WeakValueDictionary)
    owed: dict[UUID, tuple[str, Learned]] = field(default_factory=dict)

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
        except BaseException:  # the answer was not heard: nobody knows whether there is a slot
            self.give_back(tenant_id, call, Learned())
            raise
        finally:
            line.head.release()

    async def _take_at_the_head(
        self, line: _Line, tenant_id: str, call: UUID, deadline: float
    ) -> None:
        pause = FIRST_PAUSE
        while True:
            line.moved.clear()
            wait = await self.budgets.take(tenant_id, call, slot_for=SLOT_FOR)
            if wait is None:
                return
            line.opens_at = time.monotonic() + wait.total_seconds()
            again_in = max(wait.total_seconds(), pause * random.uniform(0.7, 1.3))  # noqa: S311
            if time.monotonic() + again_in > deadline:
                raise _exhausted(line)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(again_in):
                    await line.moved.wait()
            pause = min(pause * 1.6, LONGEST_PAUSE)

    def has_line(self, tenant_id: str) -> bool:
        """Whether somebody in this process is waiting for a turn."""
        return tenant_id in self.lines

    def give_back(self, tenant_id: str, call: UUID, learned: Learned) -> None:
        """Free the slot and keep what Xero said, without keeping the caller.

        Where the database is away, as soon as it is there again.
        """
        _ = self.background.start(self._give_back(tenant_id, call, learned))

    async def _give_back(self, tenant_id: str, call: UUID, learned: Learned) -> None:
        try:
            await self.budgets.give_back(tenant_id, call, learned)
        except ServiceBusy:
            self._owe(tenant_id, call, learned)
        if line := self.lines.get(tenant_id):
            line.moved.set()

    def _owe(self, tenant_id: str, call: UUID, learned: Learned) -> None:
        if len(self.owed) >= OWED_AT_MOST:
            return
        is_being_repaid = bool(self.owed)
        # What is left of the limits others will have heard anew by then.
        self.owed[call] = tenant_id, replace(learned, day_remaining=None, minute_remaining=None)
        if not is_being_repaid:
            _ = self.background.start(self._repay())

    async def _repay(self) -> None:
        while self.owed:
            call, (tenant_id, learned) = next(iter(self.owed.items()))
            try:
                await self.budgets.give_back(tenant_id, call, learned)
            except ServiceBusy:
                await asyncio.sleep(REPAY_EVERY)
            else:
                del self.owed[call]


def _exhausted(line: _Line) -> RateBudgetExhausted:
    return RateBudgetExhausted(
        "This organisation's share of Xero's rate limits is used up for now.",
        retry_after=max(1, ceil(line.opens_at - time.monotonic())),
    )
