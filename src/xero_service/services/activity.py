"""Read and prune the audit log: pages of an org's activity, newest first."""

from collections.abc import AsyncGenerator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from xero_service.domain import OPERATOR_PREFIX
from xero_service.services.commit_order import complete_up_to
from xero_service.store.audit import Recorded
from xero_service.store.commit_order import Extent
from xero_service.store.database import Database
from xero_service.store.transaction import Transaction

PRUNE_BATCH = 2000  # about a megabyte; takes a fraction of the statement timeout


@dataclass(frozen=True, slots=True)
class Page:
    """A page of events; `next`: the cursor of the next page, None at the end."""

    events: tuple[Recorded, ...]
    next: int | None


@dataclass(frozen=True, slots=True)
class ActivityService:
    """Reads the audit log for orgs and operators, and deletes what is past its retention."""

    database: Database

    async def of_org(self, org_id: str, *, after: int | None, limit: int) -> Page:
        """Return a page of an org's events that are older than the cursor `after`.

        No event is added later within a page or below it: events newer than one that an open
        transaction may still add are left out (design: rule 12).
        """
        async with complete_up_to(self.database, _read_extent, below=after) as (tx, complete):
            found = await tx.audit.of_org(org_id, before=complete + 1, limit=limit + 1)
        events = tuple(map(_hide_operator, found[:limit]))
        return Page(events, events[-1].id if len(found) > limit else None)

    async def since(
        self, *, org_id: str | None, since: datetime | None, limit: int
    ) -> tuple[Recorded, ...]:
        """Return events of one org or of all, oldest first: for operators."""
        async with self.database.transaction() as tx:
            return await tx.audit.since(org_id=org_id, since=since, limit=limit)

    async def prune(self, retention: timedelta) -> AsyncGenerator[int, None]:
        """Delete events older than `retention`; yield the size of each batch."""
        async with self.database.background_transaction() as tx:
            cutoff = await tx.audit.retention_cutoff(retention)
        async for deleted in self.prune_before(cutoff):
            yield deleted

    async def prune_before(self, cutoff: datetime) -> AsyncGenerator[int, None]:
        """Delete events older than `cutoff` in batches; yield the size of each.

        Each batch is a transaction of its own, so an interruption undoes one batch at most.
        """
        while True:
            async with self.database.background_transaction() as tx:
                deleted = await tx.audit.delete_before(cutoff, at_most=PRUNE_BATCH)
            yield deleted
            if deleted < PRUNE_BATCH:
                return


async def _read_extent(tx: Transaction) -> Extent:
    return await tx.audit.extent()


def _hide_operator(event: Recorded) -> Recorded:
    """Return the event without the operator's name, which only `xero-service audit` shows."""
    if event.actor_kind == "system" and event.actor_id.startswith(OPERATOR_PREFIX):
        return replace(event, actor_id="an operator")
    return event
