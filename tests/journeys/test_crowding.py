"""One org that connects many times at once keeps no other org from connecting."""

import asyncio

from tests.people import Person
from tests.world import World
from xero_sandbox.samples import ACME_TRADING
from xero_service.app import PREFIX

MANY, A_FEW = 25, 5


async def test_another_orgs_consent_gets_its_turn_between_the_many_of_one(world: World) -> None:
    crowd = await world.globex_admin()
    callbacks = [await spoilt(crowd) for _ in range(MANY)]
    admin = await world.acme_admin()
    callback = await admin.allows(ACME_TRADING)
    world.sandbox.latency(150)

    async with asyncio.TaskGroup() as tasks:
        many = [tasks.create_task(crowd.returns(each)) for each in callbacks]
        await asyncio.sleep(0)
        landing = await admin.lands(callback)
        came_before = sum(task.done() for task in many)

    assert landing.error is None
    assert came_before <= A_FEW  # a gap in the org's line comes after each of them


async def spoilt(person: Person) -> str:
    """A callback whose attempt is real and whose code is not."""
    state = (await person.starts()).split("state=")[1].split("&")[0]
    return f"{person.azp}{PREFIX}/callback?state={state}&code=junk"
