"""Many events, two processes that deliver, and receivers of every kind: none is lost (R28)."""

import asyncio
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, fields
from datetime import timedelta
from typing import Self
from uuid import UUID, uuid4

import asyncpg
import pytest

from tests.events.conftest import session_of
from tests.events.receiver import HANG, REDIRECT, RESET, Receiver, down, receiving
from tests.events.test_delivery import REFUSES
from tests.metrics.conftest import Start
from tests.metrics.conftest import process_environment as process_environment
from tests.metrics.conftest import start as start
from tests.world import ACME, World, until
from xero_service.domain import AT_ONCE_PER_ENDPOINT, RETRY_AFTER, SYSTEM, Event, EventKind

MANY = pytest.mark.parametrize("events", [80, pytest.param(10_000, marks=pytest.mark.soak)])
LANES = 20
TWO_DAYS = timedelta(days=2)
POLL_SECONDS = 0.2
SECONDS_AT_MOST = 3000  # of the long form on a machine with other work


@dataclass(frozen=True)
class Receivers:
    """One endpoint of each kind."""

    good: Receiver
    moody: Receiver
    refusing: Receiver
    hanging: Receiver
    redirecting: Receiver
    resetting: Receiver
    gone: Receiver
    away: Receiver

    @classmethod
    async def of(cls, world: World, stack: AsyncExitStack) -> Self:
        kinds = {each.name: down if each.name == "away" else receiving for each in fields(cls)}
        found = cls(
            **{name: await stack.enter_async_context(made(world)) for name, made in kinds.items()}
        )
        found.moody.behaves = lambda _: (
            REFUSES if len(found.moody.received) % 20 == 0 else "204 No Content"
        )
        found.refusing.behaves = lambda _: REFUSES
        found.hanging.behaves = lambda _: HANG
        found.redirecting.behaves = lambda _: REDIRECT
        found.resetting.behaves = lambda _: RESET
        found.gone.behaves = lambda _: "410 Gone"
        return found

    def __iter__(self) -> Iterator[Receiver]:
        return (getattr(self, each.name) for each in fields(self))

    @property
    def failing(self) -> tuple[Receiver, ...]:
        """Those that acknowledge nothing until they are mended."""
        return (self.refusing, self.hanging, self.redirecting, self.resetting, self.gone)


def renamed(binding: UUID, number: int) -> Event:
    return Event(EventKind.BINDING_RENAMED, ACME, binding, "tenant", {"n": number})


async def write(world: World, bindings: Sequence[UUID], numbers: range) -> None:
    """Write an event of each binding for each number, each number in a transaction of its own."""
    for number in numbers:
        async with world.services.database.transaction() as tx:
            await tx.events.add(*(renamed(each, number) for each in bindings))


async def rested(database: asyncpg.Connection, receiver: Receiver) -> timedelta:
    """Let the pauses of one endpoint be over; return how much of its own was left."""
    pause: timedelta = await database.fetchval(
        "SELECT coalesce(greatest(next_attempt_at - clock_timestamp(), '0'), '0')"
        " FROM webhook_endpoints WHERE id = $1",
        receiver.endpoint_id,
    )
    await database.execute(
        "UPDATE webhook_deliveries SET next_attempt_at = now()"
        " WHERE endpoint_id = $1 AND state = 'pending' AND next_attempt_at > now()",
        receiver.endpoint_id,
    )
    await database.execute(
        "UPDATE webhook_endpoints SET next_attempt_at = now()"
        " WHERE id = $1 AND next_attempt_at > now()",
        receiver.endpoint_id,
    )
    return pause


async def two_days_pass(database: asyncpg.Connection, away: Receiver) -> int:
    """End each pause of an endpoint that is down, until two days are over; return their number."""
    passed, pauses = timedelta(), 0
    while passed < TWO_DAYS:
        pause = await rested(database, away)
        passed, pauses = passed + pause, pauses + bool(pause)
        await asyncio.sleep(POLL_SECONDS)
    return pauses


async def all_delivered(world: World, *receivers: Receiver) -> bool:
    """Whether these have every event; those that failed are tried again now."""
    await asyncio.sleep(POLL_SECONDS)
    for each in receivers:
        await rested(world.database, each)
    missing = await world.database.fetchval(
        "SELECT count(*) FROM webhook_deliveries WHERE endpoint_id = ANY($1)"
        " AND state <> 'delivered'",
        [each.endpoint_id for each in receivers],
    )
    return not missing


async def attempts(world: World, receiver: Receiver) -> int:
    found: int = await world.database.fetchval(
        "SELECT sum(attempts) FROM webhook_deliveries WHERE endpoint_id = $1", receiver.endpoint_id
    )
    return found


async def under_way(receiver: Receiver) -> bool:
    return receiver.under_way > 0


def in_order(receiver: Receiver) -> bool:
    """Whether the first acknowledgements of each binding's events came in the order of writing."""
    heard: dict[str, list[int]] = defaultdict(list)
    seen = set()
    for event in receiver.events():
        if event["id"] not in seen:
            seen.add(event["id"])
            heard[event["bindingId"]].append(event["data"]["n"])
    return all(numbers == sorted(numbers) for numbers in heard.values())


@MANY
async def test_no_event_is_lost_whatever_receivers_and_processes_do(
    world: World, start: Start, events: int
) -> None:
    """R28: a process is killed; one endpoint is down for two days, and five fail or hang."""
    bindings, half, all_ = [uuid4() for _ in range(LANES)], events // LANES // 2, events // LANES
    async with AsyncExitStack() as stack:
        receivers = await Receivers.of(world, stack)
        days = asyncio.create_task(two_days_pass(await session_of(world), receivers.away))
        await stack.enter_async_context(start("upkeep"))
        async with start("upkeep") as dying:
            await write(world, bindings, range(half))
            await until(lambda: under_way(receivers.hanging))
            dying.child.kill()
        await world.database.execute("UPDATE webhook_deliveries SET claimed_until = now()")
        await stack.enter_async_context(start("upkeep"))
        await write(world, bindings, range(half, all_))

        await until(
            lambda: all_delivered(world, receivers.good, receivers.moody), within=SECONDS_AT_MOST
        )
        assert await days <= len(RETRY_AFTER)
        for each in (*receivers.failing, receivers.away):
            assert each.acknowledged == []
            assert await attempts(world, each) <= 2 * AT_ONCE_PER_ENDPOINT + len(RETRY_AFTER)

        for each in receivers.failing:
            each.behaves = lambda _: "204 No Content"
        receivers.hanging.gate.set()
        await receivers.away.starts()
        await world.services.webhooks.enable(SYSTEM, receivers.gone.endpoint_id)
        await until(lambda: all_delivered(world, *receivers), within=SECONDS_AT_MOST)

    ids = {each["id"] for each in receivers.good.events()}
    assert len(ids) == events
    for each in receivers:
        assert {event["id"] for event in each.events()} == ids
        assert in_order(each)
