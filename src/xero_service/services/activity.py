"""The activity of an org: what the audit log says, newest first."""

from dataclasses import dataclass, replace
from datetime import datetime

from xero_service.domain import OPERATOR_PREFIX
from xero_service.store.audit import Recorded
from xero_service.store.database import Database


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
        """Return a page of an org's events that are older than the cursor `after`."""
        async with self.database.transaction() as tx:
            found = await tx.audit.of_org(org_id, before=after, limit=limit + 1)
        events = tuple(map(_for_its_org, found[:limit]))
        return Page(events, events[-1].id if len(found) > limit else None)

    async def since(
        self, *, org_id: str | None, since: datetime | None, limit: int
    ) -> tuple[Recorded, ...]:
        """Return events of one org or of all, oldest first: for operators."""
        async with self.database.transaction() as tx:
            return await tx.audit.since(org_id=org_id, since=since, limit=limit)

    async def delete_before(self, cutoff: datetime) -> int:
        """Delete events older than the retention allows; return how many."""
        async with self.database.transaction() as tx:
            return await tx.audit.delete_before(cutoff)


def _for_its_org(event: Recorded) -> Recorded:
    """Leave out which operator it was: that is for operators (`xero-service audit`)."""
    if event.actor_kind == "system" and event.actor_id.startswith(OPERATOR_PREFIX):
        return replace(event, actor_id="an operator")
    return event
