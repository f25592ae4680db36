"""A service that polls /events with a cursor misses nothing and sees nothing twice (R29)."""

import asyncio
import random
from typing import Any

import asyncpg
import pytest

from tests.events.conftest import add, page, session_of
from tests.service_api.callers import Service, problem, service
from tests.world import ACME, GLOBEX, World
from xero_sandbox.samples import ACME_TRADING
from xero_service.domain import EventCursor
from xero_service.errors import CursorGone

WRITERS = 50
ROUNDS = pytest.mark.parametrize("rounds", [10, pytest.param(200, marks=pytest.mark.soak)])


def names(answer: dict[str, Any]) -> list[str]:
    return [event["data"]["name"] for event in answer["events"]]


async def test_an_event_is_read_as_the_contract_says(world: World, reader: Service) -> None:
    """R28: the first event of a binding, with its ids and nothing of a person."""
    binding = await (await world.acme_admin()).connects(ACME_TRADING)

    (event,) = (await page(reader))["events"]

    assert event["id"].startswith("evt_")
    assert event["occurredAt"].endswith("Z")
    del event["id"], event["occurredAt"]
    assert event == {
        "kind": "binding.connected",
        "orgId": ACME,
        "bindingId": binding["id"],
        "tenantId": ACME_TRADING,
        "data": {},
    }


async def test_the_cursor_goes_on_where_the_last_answer_ended(
    world: World, reader: Service
) -> None:
    """R29: page by page, and also after an empty answer."""
    for number in range(5):
        await add(world.database, str(number))

    first = await page(reader, limit=2)
    rest = await page(reader, after=first["next"])
    empty = await page(reader, after=rest["next"])
    await add(world.database, "later")

    assert names(first) + names(rest) == ["0", "1", "2", "3", "4"]
    assert empty == {"events": [], "next": rest["next"]}
    assert names(await page(reader, after=empty["next"])) == ["later"]


async def test_an_org_reads_its_own_events_only(world: World, reader: Service) -> None:
    """S58: neither another org's events nor those for endpoints of all orgs."""
    other = await service(world.application, "events:read", org_id=GLOBEX)
    for name, org_id in (("ours", ACME), ("theirs", GLOBEX), ("operators'", None)):
        await add(world.database, name, org_id)

    assert names(await page(reader)) == ["ours"]
    assert names(await page(other)) == ["theirs"]


async def test_only_the_kinds_that_are_asked_for_are_read(world: World, reader: Service) -> None:
    """R29: exact kinds, and all that begin alike."""
    await world.database.execute(
        "INSERT INTO events (id, occurred_at, kind, org_id) SELECT gen_random_uuid(), now(), k, $1"
        " FROM unnest($2::text[]) k",
        ACME,
        ["binding.connected", "binding.renamed", "xero.invoice.update", "xero.contact.create"],
    )

    async def read(*wanted: str) -> list[str]:
        return [event["kind"] for event in (await page(reader, kind=wanted))["events"]]

    assert await read("binding.renamed") == ["binding.renamed"]
    assert await read("binding.*") == ["binding.connected", "binding.renamed"]
    assert await read("xero.invoice.*") == ["xero.invoice.update"]
    assert await read("xero.contact.create", "binding.renamed") == [
        "binding.renamed",
        "xero.contact.create",
    ]
    refused = await reader.request("GET", "/events", params={"kind": "binding.need_reauth"})
    assert problem(refused) == (422, "invalid_request")


async def test_a_waiting_poll_is_answered_by_the_event_and_holds_no_connection(
    world: World, reader: Service
) -> None:
    """R29: forty polls wait with a pool of ten, others are served, and each gets the event."""
    await add(world.database, "before")
    cursor = (await page(reader))["next"]
    polls = [asyncio.create_task(page(reader, after=cursor, wait=25)) for _ in range(40)]

    await asyncio.sleep(0)
    admin = await world.acme_admin()
    assert await admin.bindings() == {}
    idle = await world.database.fetchval(
        "SELECT count(*) FROM pg_stat_activity WHERE state = 'idle in transaction'"
        " AND clock_timestamp() - state_change > interval '2 seconds'"
    )
    await add(world.database, "now")

    async with asyncio.timeout(20):
        assert [names(answer) for answer in await asyncio.gather(*polls)] == [["now"]] * 40
    assert idle == 0


async def test_a_poll_that_waited_for_nothing_gets_its_cursor(
    world: World, reader: Service
) -> None:
    await add(world.database, "before")
    cursor = (await page(reader))["next"]

    assert await page(reader, after=cursor, wait=0.3) == {"events": [], "next": cursor}


@pytest.mark.parametrize("ends", ["commits", "rolls back"])
async def test_a_slower_transactions_event_is_not_skipped(
    world: World, reader: Service, ends: str
) -> None:
    """R29: it has the smaller position and is committed later."""
    slow, quick = await session_of(world), await session_of(world)
    transaction = slow.transaction()
    await transaction.start()
    await add(slow, "slow")
    await add(quick, "quick")

    first = await page(reader)
    await (transaction.commit() if ends == "commits" else transaction.rollback())
    second = await page(reader, after=first["next"])

    assert names(first) == []
    assert names(second) == (["slow", "quick"] if ends == "commits" else ["quick"])


async def goes_back(world: World, *, to: int) -> None:
    """Set the database back as a backup is: without the newest events, with the older sequence."""
    await world.database.execute("DELETE FROM events WHERE position > $1", to)
    await world.database.execute("SELECT setval('events_position_seq', $1)", to)


async def test_a_cursor_from_what_a_restore_has_lost_is_refused(
    world: World, reader: Service
) -> None:
    """R29: the poller is told to read again; it does not wait in silence for what is written next.

    So is one that comes late, when other events have its position and more.
    """
    for number in range(3):
        await add(world.database, str(number))
    kept = (await page(reader, limit=2))["next"]
    lost = (await page(reader))["next"]
    await goes_back(world, to=2)

    for name in ("newer", "newest", "last"):
        for query in ({"after": lost}, {"after": lost, "wait": 20}, {"after": 2**63 - 1}):
            refused = await reader.request("GET", "/events", params=query)
            assert problem(refused) == (410, "cursor_gone"), name
        await add(world.database, name)
    assert "after=0" in refused.json()["detail"]
    assert names(await page(reader, after=kept)) == ["newer", "newest", "last"]
    assert names(await page(reader, after=0)) == ["0", "1", "newer", "newest", "last"]


async def test_a_poll_that_waits_while_the_database_goes_back_is_refused(
    world: World, reader: Service
) -> None:
    """R29: it does not skip the events that were written since."""
    for number in range(3):
        await add(world.database, str(number))
    cursor = (await page(reader))["next"]
    waiting = asyncio.Event()

    def is_stopping() -> bool:
        waiting.set()
        return False

    poll = asyncio.create_task(
        world.services.outbox.page(
            ACME, after=EventCursor.of(cursor), kinds=(), limit=50, wait=25, is_stopping=is_stopping
        )
    )
    await waiting.wait()
    await goes_back(world, to=2)
    for number in range(3):
        await add(world.database, f"newer {number}")

    async with asyncio.timeout(20):
        with pytest.raises(CursorGone):
            await poll


async def test_a_cursor_is_kept_though_every_event_is_past_its_retention(
    world: World, reader: Service
) -> None:
    """R29: retention is no restore."""
    await add(world.database, "old")
    cursor = (await page(reader))["next"]
    await world.database.execute("DELETE FROM events")

    assert await page(reader, after=cursor) == {"events": [], "next": cursor}


async def test_a_key_without_the_scope_or_a_session_cannot_read(world: World) -> None:
    """S14: `events:read` it is."""
    other = await service(world.application, "activity:read", "bindings:read")
    admin = await world.acme_admin()

    assert problem(await other.request("GET", "/events")) == (403, "scope_required")
    assert problem(await admin.get("/events")) == (401, "unauthorized")


async def writes(connection: asyncpg.Connection, name: str) -> None:
    """A transaction that is as slow as it happens to be, and sometimes rolled back."""
    transaction = connection.transaction()
    await transaction.start()
    await add(connection, name)
    await asyncio.sleep(random.choice([0, 0.001, 0.005, 0.02]))  # noqa: S311
    if random.random() < 0.5:  # noqa: S311
        await add(connection, f"{name} again")
    await (transaction.rollback() if random.random() < 0.1 else transaction.commit())  # noqa: S311


@ROUNDS
async def test_fifty_writers_in_any_order_and_nothing_missed_or_seen_twice(
    world: World, reader: Service, rounds: int
) -> None:
    """R29: a poller with small pages and one with large pages, both waiting."""
    writers = [await session_of(world) for _ in range(WRITERS)]
    seen: dict[int, list[str]] = {3: [], 200: []}
    cursors = dict.fromkeys(seen, 0)

    async def poll(limit: int) -> bool:
        answer = await page(reader, after=cursors[limit], limit=limit, wait=0.05)
        seen[limit] += names(answer)
        cursors[limit] = answer["next"]
        return bool(answer["events"])

    for round_ in range(rounds):
        writing = asyncio.gather(
            *(writes(writer, f"{round_}:{place}") for place, writer in enumerate(writers))
        )
        while not writing.done():
            await asyncio.gather(*map(poll, seen))
        await writing
    for limit in seen:
        while await poll(limit):
            pass

    rows = await world.database.fetch("SELECT data->>'name' AS name FROM events ORDER BY position")
    stored = [row["name"] for row in rows]
    assert len(stored) > rounds * WRITERS / 2
    assert seen == {3: stored, 200: stored}
