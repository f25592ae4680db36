"""The outbox: pages of an org's events in commit order, with a long poll, and retention.

Events are added in the transaction of the change (`store/events.py`; design: rule 12).
"""

import asyncio
import time
from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from xero_service.domain import EventCursor, StoredEvent
from xero_service.errors import CursorGone
from xero_service.services.commit_order import complete_up_to
from xero_service.store.commit_order import Extent
from xero_service.store.database import Database
from xero_service.store.transaction import Transaction

POLL_SECONDS = 0.25
READ_AGAIN = (
    "The event of this cursor is not there: the database was restored from a backup. Read again"
    " with `after=0`, skip the events whose ids you have processed, and compare what you know of"
    " bindings with `GET /bindings`."
)
PRUNE_BATCH = 2000


@dataclass(frozen=True, slots=True)
class EventPage:
    """Events, oldest first; `next`: the cursor after which reading continues."""

    events: tuple[StoredEvent, ...]
    next: EventCursor


@dataclass(slots=True)
class _Progress:
    """The position up to which the table is complete, read once for all requests that wait."""

    database: Database
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    position: int = 0
    read_at: float = float("-inf")

    async def complete(self) -> int:
        """Return the position, at most `POLL_SECONDS` old."""
        async with self.lock:
            if time.monotonic() - self.read_at >= POLL_SECONDS:
                async with self.database.transaction() as tx:
                    self.position = (await tx.events.extent()).complete
                self.read_at = time.monotonic()
            return self.position


class Outbox:
    """Reads events for orgs, and deletes those past their retention."""

    def __init__(self, database: Database) -> None:
        """Read from this database."""
        self._database = database
        self._progress = _Progress(database)

    async def page(
        self,
        org_id: str,
        *,
        after: EventCursor,
        kinds: Sequence[str],
        limit: int,
        wait: float,
        is_stopping: Callable[[], bool] = lambda: False,
    ) -> EventPage:
        """Return events after a cursor; wait up to `wait` seconds where there are none.

        No event is added later at or before `next` (design: rule 12). Nothing of the database is
        held during the wait, which ends early when `is_stopping` is true. Raises CursorGone for a
        cursor that this database has not given.
        """
        deadline = time.monotonic() + wait
        page = await self._read(org_id, after, kinds, limit)
        while not page.events and not is_stopping():
            remaining = deadline - time.monotonic()
            if remaining <= 0:
                break
            await asyncio.sleep(min(POLL_SECONDS, remaining))
            if await self._progress.complete() > page.next.position:
                page = await self._read(org_id, page.next, kinds, limit)
        return page

    async def _read(
        self, org_id: str, after: EventCursor, kinds: Sequence[str], limit: int
    ) -> EventPage:
        async with complete_up_to(self._database, _read_extent) as (tx, complete):
            cursors = await tx.events.cursors(after, up_to=complete)
            if not cursors.is_known:
                raise CursorGone(READ_AGAIN)
            events = await tx.events.of_org(
                org_id, after=after.position, up_to=complete, kinds=kinds, limit=limit
            )
        if len(events) == limit:
            return EventPage(events, events[-1].cursor)
        return EventPage(events, max(after, cursors.newest))

    async def prune(self, retention: timedelta) -> AsyncGenerator[int, None]:
        """Delete events older than `retention`, with their deliveries; yield each batch's size."""
        while True:
            async with self._database.background_transaction() as tx:
                deleted = await tx.events.prune(retention, at_most=PRUNE_BATCH)
            yield deleted
            if deleted < PRUNE_BATCH:
                return


async def _read_extent(tx: Transaction) -> Extent:
    return await tx.events.extent()
