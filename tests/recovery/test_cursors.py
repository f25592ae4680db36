"""R29: PostgreSQL goes back, and a poller's cursor of `GET /events` is of what was lost.

Nobody has to notice: the poller may be the first to use the database, or come when other events
have its position.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from tests.recovery.servers import ArchivedServer, ReplicatedPair, url_on
from tests.world import ACME
from xero_service.domain import Event, EventCursor, EventKind
from xero_service.errors import CursorGone, ServiceBusy
from xero_service.services.events.outbox import EventPage, Outbox
from xero_service.store.database import Database

# A recovered server gives positions anew after a gap of up to 32, which PostgreSQL logs ahead.
LOST = 40

START = EventCursor.of(0)


class Process:
    """A process that writes events and answers polls."""

    def __init__(self, url: str) -> None:
        self.database = Database(url, pool_size=3, prepared_statements=True)
        self.outbox = Outbox(self.database)

    async def adds(self, name: str, times: int = 1) -> None:
        for _ in range(times):
            async with self.database.transaction() as tx:
                await tx.events.add(Event(EventKind.BINDING_RENAMED, ACME, data={"name": name}))

    async def reads(self, after: EventCursor = START) -> EventPage:
        return await self.outbox.page(ACME, after=after, kinds=(), limit=200, wait=0)

    async def reconnects(self) -> None:
        """After an outage the first statements may find broken connections."""
        for _ in range(50):
            try:
                await self.reads()
            except ServiceBusy:
                await asyncio.sleep(0.1)
                continue
            return
        await self.reads()


@asynccontextmanager
async def process(url: str) -> AsyncIterator[Process]:
    running = Process(url)
    yield running
    await running.database.close()


def names(page: EventPage) -> list[str]:
    return [event.data["name"] for event in page.events]


async def polls_after_the_loss(process: Process, *, kept: EventCursor, lost: EventCursor) -> None:
    """A lost cursor is refused before and after others' events pass it; another one goes on."""
    with pytest.raises(CursorGone):
        await process.reads(lost)

    await process.adds("new", 2 * LOST)

    with pytest.raises(CursorGone):
        await process.reads(lost)
    assert names(await process.reads(kept)) == ["new"] * 2 * LOST
    assert names(await process.reads()) == ["kept"] + ["new"] * 2 * LOST


async def test_a_cursor_of_what_a_point_in_time_recovery_has_lost_stays_gone(
    archived: ArchivedServer,
) -> None:
    url = url_on(archived.server)
    async with process(url) as before:
        await before.adds("kept")
        kept = (await before.reads()).next
        await archived.back_up()
        moment = await archived.now()
        await before.adds("lost", LOST)
        lost = (await before.reads(kept)).next
    await archived.lose()
    await archived.restore(moment)

    async with process(url) as started:
        await polls_after_the_loss(started, kept=kept, lost=lost)


async def test_a_cursor_of_what_an_asynchronous_standby_lacked_stays_gone(
    pair: ReplicatedPair,
) -> None:
    await pair.replicate_asynchronously()
    async with process(pair.url) as running:
        await running.adds("kept")
        kept = (await running.reads()).next
        await pair.has_received()
        await pair.stop_receiving()
        await running.adds("lost", LOST)
        lost = (await running.reads(kept)).next
        await pair.fail_over()
        await running.reconnects()

        await polls_after_the_loss(running, kept=kept, lost=lost)


async def test_a_cursor_goes_on_after_a_failover_that_lost_nothing(pair: ReplicatedPair) -> None:
    await pair.replicate_synchronously()
    async with process(pair.url) as running:
        await running.adds("kept", LOST)
        cursor = (await running.reads()).next
        await pair.fail_over()
        await running.reconnects()

        assert (await running.reads(cursor)).next == cursor
        await running.adds("new")
        assert names(await running.reads(cursor)) == ["new"]
