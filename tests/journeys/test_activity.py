"""Whoever reads the activity with a cursor misses nothing and sees nothing twice (R29)."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from itertools import count
from typing import Any

import asyncpg
import pytest

from tests.people import Person
from tests.service_api.callers import Service, service
from tests.world import ACME, World
from xero_sandbox.samples import ACME_TRADING

RUNS = pytest.mark.parametrize("runs", [15, pytest.param(50, marks=pytest.mark.soak)])
INSERT = (
    "INSERT INTO audit_events (org_id, actor_kind, actor_id, action, outcome)"
    " VALUES ($1, 'system', 'somebody', $2, 'ok')"
)


async def connected(world: World) -> asyncpg.Connection:
    """Another session of the database."""
    connection = await asyncpg.connect(world.application.settings.database_url.get_secret_value())
    world.stack.push_async_callback(connection.close)
    return connection


async def page(person: Person | Service, **query: Any) -> dict[str, Any]:
    answer = await person.request("GET", "/activity", params=query)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def listed(person: Person | Service, limit: int = 3) -> list[tuple[int, str]]:
    """Everything there is, newest first, by following the cursor."""
    found: list[tuple[int, str]] = []
    after: dict[str, int] = {}
    while True:
        got = await page(person, limit=limit, **after)
        found += [(event["id"], event["action"]) for event in got["events"]]
        if got["next"] is None:
            return found
        after = {"after": got["next"]}


class Poller:
    """Reads from the newest event down to the last one that it knows, as services do."""

    def __init__(self, person: Person | Service, limit: int = 3) -> None:
        self.person, self.limit = person, limit
        self.seen: list[tuple[int, str]] = []

    async def polls(self) -> None:
        newest = self.seen[-1][0] if self.seen else 0
        new: list[tuple[int, str]] = []
        after: dict[str, int] = {}
        while True:
            got = await page(self.person, limit=self.limit, **after)
            events = [(event["id"], event["action"]) for event in got["events"]]
            new += [event for event in events if event[0] > newest]
            if got["next"] is None or any(id_ <= newest for id_, _ in events):
                break
            after = {"after": got["next"]}
        self.seen += reversed(new)


@pytest.fixture
async def reader(world: World) -> Service:
    return await service(world.application, "activity:read")


@pytest.mark.parametrize("ends", ["commits", "rolls back"])
async def test_two_transactions_that_commit_in_reverse_order_c15(
    world: World, reader: Service, ends: str
) -> None:
    """C15, R29: the slower one's event does not appear below one that was listed before."""
    slow, quick = await connected(world), await connected(world)
    poller = Poller(reader)
    await poller.polls()
    before = list(poller.seen)
    transaction = slow.transaction()
    await transaction.start()
    await slow.execute(INSERT, ACME, "slow")
    await quick.execute(INSERT, ACME, "quick")

    await poller.polls()
    assert [action for _, action in poller.seen] == [action for _, action in before]
    await (transaction.commit() if ends == "commits" else transaction.rollback())
    await poller.polls()

    new = [action for _, action in poller.seen[len(before) :]]
    assert new == (["slow", "quick"] if ends == "commits" else ["quick"])
    assert poller.seen == (await listed(reader))[::-1]


async def test_a_cursor_that_was_handed_out_stays_good_c15(world: World, reader: Service) -> None:
    """C15: between two pages nothing slips in below the cursor, nor in front of it unseen."""
    slow, quick = await connected(world), await connected(world)
    for number in range(4):
        await quick.execute(INSERT, ACME, f"old {number}")
    transaction = slow.transaction()
    await transaction.start()
    await slow.execute(INSERT, ACME, "slow")
    await quick.execute(INSERT, ACME, "quick")

    first = await page(reader, limit=2)
    await transaction.commit()
    rest = await page(reader, limit=200, after=first["next"])

    shown = [event["action"] for event in first["events"] + rest["events"]]
    assert shown[:4] == ["old 3", "old 2", "old 1", "old 0"]
    newest = [event["action"] for event in (await page(reader))["events"]]
    assert newest == ["quick", "slow", *shown]


async def test_whoever_acts_sees_it_at_once_whatever_else_is_written_c15(world: World) -> None:
    """C15: and other work of the database, however long, holds nothing back."""
    admin = await world.acme_admin()
    elsewhere, busy = await connected(world), await connected(world)
    async with elsewhere.transaction():
        await elsewhere.execute("CREATE TABLE of_others (id int)")
        await elsewhere.execute("SELECT pg_advisory_xact_lock_shared(7), pg_current_xact_id()")
        writing = asyncio.create_task(_writes_on(busy))
        try:
            binding = await admin.connects(ACME_TRADING)
            (newest, *_) = (await page(admin))["events"]
        finally:
            writing.cancel()
            await asyncio.wait([writing])

    assert (newest["action"], newest["bindingId"]) == ("binding.selected", binding["id"])


async def _writes_on(connection: asyncpg.Connection) -> None:
    """Events of others, one after the other: some transaction is nearly always open."""
    for number in count():
        async with connection.transaction():
            await connection.execute(INSERT, "org_other", str(number))
            await asyncio.sleep(0.005)


async def test_ten_thousand_events_in_a_transaction_take_one_lock_c15(
    world: World, reader: Service
) -> None:
    """C15: the server's table of locks is small."""
    writer = await connected(world)
    async with writer.transaction():
        for rows in ([(ACME, "one")], [(ACME, "many")] * 10_000):
            await writer.executemany(INSERT, rows)
        held = await world.database.fetchval(
            "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = $1",
            writer.get_server_pid(),
        )
    assert held == 1
    assert len((await page(reader, limit=200))["events"]) == 200


async def writes(connection: asyncpg.Connection, name: str) -> None:
    """A transaction as slow as it happens to be; some of what it adds is taken back."""

    async def pauses() -> None:
        await asyncio.sleep(random.choice([0, 0, 0.001, 0.004, 0.01]))  # noqa: S311

    for number in range(3):
        transaction = connection.transaction()
        await transaction.start()
        await pauses()
        for part in range(random.randint(1, 3)):  # noqa: S311
            inner = connection.transaction()
            await inner.start()
            await connection.execute(INSERT, ACME, f"{name} {number} {part}")
            await pauses()
            await (inner.rollback() if random.random() < 0.2 else inner.commit())  # noqa: S311
        await pauses()
        await (transaction.rollback() if random.random() < 0.2 else transaction.commit())  # noqa: S311


async def until_done(tasks: list[asyncio.Task[None]], again: Callable[[], Awaitable[None]]) -> None:
    while not all(task.done() for task in tasks):
        await again()
    await asyncio.gather(*tasks)
    await again()


@RUNS
async def test_writers_in_any_order_and_readers_with_cursors_again_and_again_c15(
    world: World, reader: Service, runs: int
) -> None:
    """C15, R29: pollers see each event once, in one order; pages extend what was shown before."""
    writers = [await connected(world) for _ in range(4)]
    poller, other = Poller(reader, limit=1), Poller(await world.acme_admin(), limit=50)
    shown: list[list[tuple[int, str]]] = [[]]

    async def reads() -> None:
        everything = (await listed(reader, limit=40))[::-1]
        assert everything[: len(shown[0])] == shown[0], "nothing appears among what was shown"
        shown[0] = everything

    for run in range(runs):
        tasks = [
            asyncio.create_task(writes(writer, f"{run} {place}"))
            for place, writer in enumerate(writers)
        ]
        await asyncio.gather(
            until_done(tasks, poller.polls),
            until_done(tasks, other.polls),
            until_done(tasks, reads) if run % 10 == 0 else asyncio.sleep(0),
        )

    await reads()
    rows = await world.database.fetch(
        "SELECT id, action FROM audit_events WHERE org_id = $1 ORDER BY id", ACME
    )
    stored = [(row["id"], row["action"]) for row in rows]
    assert len(stored) > runs
    assert poller.seen == other.seen == shown[0] == stored
