"""Two things at once with the deliveries: nothing is lost, or sent to nobody's order (R28)."""

import asyncio
import random
from collections import defaultdict
from uuid import UUID, uuid4

import pytest
from standardwebhooks import WebhookVerificationError

from tests.events.receiver import Received, Receiver, receiving
from tests.events.test_delivery import deliver, rested, states, write
from tests.world import Application, World
from xero_service.domain import SYSTEM

ROUNDS = pytest.mark.parametrize("rounds", [3, pytest.param(50, marks=pytest.mark.soak)])
LANES, OF_EACH = 6, 4
EVENTS = LANES * OF_EACH


async def write_some(world: World) -> list[UUID]:
    """Write events of a few new bindings, in turns."""
    lanes = [uuid4() for _ in range(LANES)]
    await write(world, *lanes * OF_EACH)
    return lanes


def heard(receiver: Receiver) -> dict[str, list[int]]:
    """The numbers of each binding's events as they were acknowledged."""
    found = defaultdict(list)
    for event in receiver.events():
        found[event["bindingId"]].append(event["data"]["n"])
    return dict(found)


async def pause() -> None:
    await asyncio.sleep(random.uniform(0, 0.03))  # noqa: S311


@ROUNDS
async def test_two_replicas_that_claim_at_once_send_each_event_once(
    world: World, replica: Application, rounds: int
) -> None:
    """R28: at most eight at once, and each binding's one after another."""
    async with receiving(world) as receiver:
        for number in range(1, rounds + 1):
            await write_some(world)
            starts = [each.services.deliveries.start_due for each in (world.application, replica)]
            await asyncio.gather(*(start() for start in starts * 3))
            await asyncio.gather(deliver(world), replica.services.deliveries.deliver_due())
            while await states(world, receiver) != {"delivered": number * EVENTS}:
                await deliver(world)  # what the other replica had claimed
        assert len(receiver.received) == rounds * EVENTS
        assert receiver.most_at_once <= 8
        assert all(numbers == sorted(numbers) for numbers in heard(receiver).values())


@ROUNDS
async def test_a_secret_that_is_replaced_while_events_are_sent_refuses_none(
    world: World, rounds: int
) -> None:
    """R28: a receiver that knows the newest alone gets again what the old one had signed."""
    async with receiving(world) as receiver:

        def knows_the_newest(received: Received) -> str:
            try:
                receiver.verified(received)
            except WebhookVerificationError:
                receiver.verified(received, receiver.secrets[-2])
                return "401 Unauthorized\r\nContent-Length: 0\r\nConnection: close"
            return "204 No Content"

        receiver.behaves = knows_the_newest

        async def rotates() -> None:
            await pause()
            made = await world.services.webhooks.rotate(SYSTEM, receiver.endpoint_id)
            receiver.secrets.append(made.secret)

        for number in range(1, rounds + 1):
            await write_some(world)
            await asyncio.gather(deliver(world), rotates())
            while await states(world, receiver) != {"delivered": number * EVENTS}:
                await rested(world)
                await deliver(world)
        assert len(receiver.events()) == rounds * EVENTS
        assert all(numbers == sorted(numbers) for numbers in heard(receiver).values())


@ROUNDS
async def test_an_endpoint_that_is_disabled_while_it_is_sent_to_keeps_the_rest(
    world: World, rounds: int
) -> None:
    """R28: what is under way ends and counts; nothing more is sent until it is enabled."""
    async with receiving(world) as receiver:

        async def disables() -> None:
            await pause()
            await world.services.webhooks.disable(SYSTEM, receiver.endpoint_id)

        for number in range(1, rounds + 1):
            await write_some(world)
            await asyncio.gather(deliver(world), disables())
            sent = len(receiver.received)
            await deliver(world)
            assert len(receiver.received) == sent
            counted = (await states(world, receiver))["delivered"]
            assert counted == sent, "each that was sent is recorded"

            await world.services.webhooks.enable(SYSTEM, receiver.endpoint_id)
            await deliver(world)
            assert await states(world, receiver) == {"delivered": number * EVENTS}
        assert len(receiver.received) == rounds * EVENTS
        assert all(numbers == sorted(numbers) for numbers in heard(receiver).values())
