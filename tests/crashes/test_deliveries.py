"""R28: a process dies while it delivers, whatever the endpoint answers; no event is lost for it."""

import asyncio

import pytest

from tests.crashes.conftest import Doom
from tests.events.receiver import HANG, Receiver, receiving
from tests.events.test_delivery import REFUSES, rested
from tests.world import World, until
from xero_sandbox.samples import ACME_TRADING
from xero_service.domain import SYSTEM
from xero_service.failpoints import Place

PLACES = [Place.DELIVERY_CLAIMED, Place.DELIVERY_ANSWERED, Place.DELIVERY_RECORDED]


async def changes(world: World) -> None:
    """Three events of one binding."""
    admin = await world.acme_admin()
    binding = await admin.connects(ACME_TRADING)
    await admin.disconnects(binding["id"])
    await admin.connects(ACME_TRADING)


async def arrives_in_order(world: World, receiver: Receiver) -> None:
    """The endpoint is mended, and has each event at least once, in the order of the changes."""
    receiver.behaves = lambda _: "204 No Content"
    await world.services.webhooks.enable(SYSTEM, receiver.endpoint_id)
    await world.database.execute("UPDATE webhook_deliveries SET claimed_until = now()")
    for _ in range(2):
        await rested(world)
        await world.services.deliveries.deliver_due()
    stored = await world.database.fetch("SELECT id, kind FROM events ORDER BY position")
    assert [row["kind"].removeprefix("binding.") for row in stored] == [
        "connected",
        "disconnected",
        "connected",
    ]
    heard = list(dict.fromkeys(each["id"] for each in receiver.events()))
    assert heard == [f"evt_{row['id'].hex}" for row in stored]
    left = "SELECT count(*) FROM webhook_deliveries WHERE state <> 'delivered'"
    assert await world.database.fetchval(left) == 0


@pytest.mark.parametrize("answer", [REFUSES, "410 Gone"])
@pytest.mark.parametrize("place", PLACES, ids=lambda place: place.name)
async def test_an_endpoint_that_fails_has_every_event_once_it_works(
    world: World, doom: Doom, place: Place, answer: str
) -> None:
    async with receiving(world) as receiver:
        receiver.behaves = lambda _: answer
        await changes(world)

        await asyncio.to_thread(doom.at, place, "deliver")

        await arrives_in_order(world, receiver)


async def test_an_event_that_was_being_sent_is_sent_again(world: World, doom: Doom) -> None:
    """Killed while the endpoint has the request and has not answered."""
    async with receiving(world) as receiver:
        receiver.behaves = lambda _: HANG
        await changes(world)

        with doom.under_way("deliver") as holder:

            async def is_sent() -> bool:
                return receiver.under_way == 1

            await until(is_sent)
            holder.kill()

        assert receiver.acknowledged == []
        await arrives_in_order(world, receiver)
        assert len(receiver.received) == 4
