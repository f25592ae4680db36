"""Many events, two replicas, and receivers of every kind: none is lost (R28)."""

import asyncio
from collections import defaultdict
from uuid import UUID, uuid4

import pytest

from tests.events.receiver import REDIRECT, RESET, Receiver, receiving
from tests.events.test_delivery import REFUSES, deliver, rested
from tests.world import ACME, Application, World
from xero_service.domain import SYSTEM, Event, EventKind

MANY = pytest.mark.parametrize("events", [200, pytest.param(10_000, marks=pytest.mark.soak)])
LANES = 50


def renamed(binding: UUID, number: int) -> Event:
    return Event(EventKind.BINDING_RENAMED, ACME, binding, "tenant", {"n": number})


async def both(world: World, replica: Application) -> None:
    await asyncio.gather(deliver(world), replica.services.deliveries.deliver_due())


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
async def test_no_event_is_lost_whatever_receivers_do(
    world: World, replica: Application, events: int
) -> None:
    """R28: a good one, one that fails every fifth time, three that fail, one that is gone."""
    bindings = [uuid4() for _ in range(LANES)]
    async with (
        receiving(world) as good,
        receiving(world) as moody,
        receiving(world) as refusing,
        receiving(world) as redirecting,
        receiving(world) as resetting,
        receiving(world) as gone,
    ):
        everyone = (good, moody, refusing, redirecting, resetting, gone)
        moody.behaves = lambda _: REFUSES if len(moody.received) % 5 == 0 else "204 No Content"
        refusing.behaves = lambda _: REFUSES
        redirecting.behaves = lambda _: REDIRECT
        resetting.behaves = lambda _: RESET
        gone.behaves = lambda _: "410 Gone"
        for number in range(events // LANES):
            async with world.services.database.transaction() as tx:
                await tx.events.add(*(renamed(each, number) for each in bindings))
        for _ in range(6):
            await both(world, replica)
            await rested(world)
        assert len(good.events()) == events

        for each in (refusing, redirecting, resetting, gone):
            each.behaves = lambda _: "204 No Content"
        await world.services.webhooks.enable(SYSTEM, gone.endpoint_id)

        async def pending() -> int:
            found: int = await world.database.fetchval(
                "SELECT count(*) FROM webhook_deliveries WHERE state = 'pending'"
            )
            return found

        while await pending():
            await rested(world)
            await both(world, replica)

        ids = {each["id"] for each in good.events()}
        assert len(ids) == events
        for each in everyone:
            assert {event["id"] for event in each.events()} == ids
            assert in_order(each)
