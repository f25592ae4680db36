"""The activity of an org: what the audit log says, newest first."""

import asyncio
import time
from collections.abc import AsyncGenerator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from xero_service.domain import OPERATOR_PREFIX
from xero_service.store.audit import Recorded
from xero_service.store.database import Database

PRUNE_BATCH = 2000  # a megabyte of rows, a fraction of the time that a statement may take
WAIT_FOR_WRITERS_SECONDS = 1.0
LOOK_AGAIN_SECONDS = 0.02


@dataclass(frozen=True, slots=True)
class Page:
    """Some events, and the cursor of those after them; None at the end."""

    events: tuple[Recorded, ...]
    next: int | None


@dataclass(frozen=True, slots=True)
class ActivityService:
    """Reads the audit log for those it speaks of, and for operators."""

    database: Database

    async def of_org(self, org_id: str, *, after: int | None, limit: int) -> Page:
        """Return a page of an org's events that are older than the cursor `after`.

        Nothing appears later among the events of a page, nor below it: one that a slower
        transaction is about to add holds back those that are newer (design: rule 12).
        """
        complete = await self._complete(below=after)
        async with self.database.transaction() as tx:
            found = await tx.audit.of_org(org_id, before=complete + 1, limit=limit + 1)
        events = tuple(map(_for_its_org, found[:limit]))
        return Page(events, events[-1].id if len(found) > limit else None)

    async def _complete(self, *, below: int | None) -> int:
        """Return the id, below `below`, up to which nothing is added any more.

        Waits a moment for transactions that are open, so that whoever has just acted sees that.
        """
        give_up = time.monotonic() + WAIT_FOR_WRITERS_SECONDS
        async with self.database.transaction() as tx:
            extent = await tx.audit.extent()
        wanted = extent.newest if below is None else min(extent.newest, below - 1)
        while (after := extent.written_after) is not None and after < wanted:
            if time.monotonic() > give_up:
                return after
            await asyncio.sleep(LOOK_AGAIN_SECONDS)
            async with self.database.transaction() as tx:
                extent = await tx.audit.extent()
        return wanted

    async def since(
        self, *, org_id: str | None, since: datetime | None, limit: int
    ) -> tuple[Recorded, ...]:
        """Return events of one org or of all, oldest first: for operators."""
        async with self.database.transaction() as tx:
            return await tx.audit.since(org_id=org_id, since=since, limit=limit)

    async def prune(self, retention: timedelta) -> AsyncGenerator[int, None]:
        """Delete events older than `retention`, as `prune_before` does."""
        async with self.database.background_transaction() as tx:
            cutoff = await tx.audit.retention_cutoff(retention)
        async for deleted in self.prune_before(cutoff):
            yield deleted

    async def prune_before(self, cutoff: datetime) -> AsyncGenerator[int, None]:
        """Delete events older than `cutoff` in batches; yield the size of each.

        Each batch is a transaction: what it deleted stays deleted, whatever interrupts the next.
        """
        while True:
            async with self.database.background_transaction() as tx:
                deleted = await tx.audit.delete_before(cutoff, at_most=PRUNE_BATCH)
            yield deleted
            if deleted < PRUNE_BATCH:
                return


def _for_its_org(event: Recorded) -> Recorded:
    """Leave out which operator it was: that is for operators (`xero-service audit`)."""
    if event.actor_kind == "system" and event.actor_id.startswith(OPERATOR_PREFIX):
        return replace(event, actor_id="an operator")
    return event
