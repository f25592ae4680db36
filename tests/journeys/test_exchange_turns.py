"""Two callbacks of one Xero user, one of which sleeps past its turn to exchange (R19b)."""

import asyncio
from typing import Literal

import pytest

from tests.world import World
from xero_sandbox import samples
from xero_sandbox.samples import ACME_TRADING, GLOBEX

SHARED = samples.ACCOUNTANT.xero_user_id


async def the_turn_runs_out(world: World) -> None:
    await world.database.execute("UPDATE leases SET lease_until = now() - interval '1 second'")


async def two_consents_that_cross(
    world: World, *, first_is_held: Literal["before", "after"]
) -> tuple[str, str]:
    """Hold the first at Xero until the second has come and gone; return where both landed."""
    acme, globex = await world.acme_admin(), await world.globex_admin()
    callback = await acme.allows(ACME_TRADING, xero_user=SHARED)
    other = await globex.allows(GLOBEX, xero_user=SHARED)
    hold = world.hold("token.code", when=first_is_held)

    async with asyncio.TaskGroup() as tasks:
        slept = tasks.create_task(acme.lands(callback))
        await hold.reached()
        await the_turn_runs_out(world)
        world.sandbox.advance(31)
        prompt = await globex.lands(other)
        world.sandbox.advance(31)
        await hold.release()

    await acme.selects(slept.result().grant_id, ACME_TRADING)
    await globex.selects(prompt.grant_id, GLOBEX)
    return slept.result().grant_id, prompt.grant_id


async def both_orgs_go_on(world: World) -> None:
    acme, globex = await world.acme_admin(), await world.globex_admin()
    (live,) = await world.grants()
    for person, tenant in ((acme, ACME_TRADING), (globex, GLOBEX)):
        await world.ages(str(live["id"]), expires_in="-1 minute")
        report = await person.refreshes()
        assert report["refreshedCount"] == 1
        binding = (await person.bindings())[tenant]
        assert (binding["status"], binding["grantId"]) == ("active", str(live["id"]))


@pytest.mark.parametrize("reconsent", ["supersedes", "keeps"])
async def test_a_turn_that_ran_out_after_xero_issued_leaves_the_later_set_alone_r19b(
    world: World, reconsent: str
) -> None:
    """The set that came late is the older one, and the consent behind it counts all the same."""
    world.sandbox.switch(reconsent=reconsent)

    slept, prompt = await two_consents_that_cross(world, first_is_held="after")

    assert slept == prompt
    await both_orgs_go_on(world)


@pytest.mark.parametrize("reconsent", ["supersedes", "keeps"])
async def test_a_turn_that_ran_out_before_xero_issued_brings_the_newest_set_r19b(
    world: World, reconsent: str
) -> None:
    """What was sent first arrived last: Xero's own order counts, not that of our turns."""
    world.sandbox.switch(reconsent=reconsent)

    await two_consents_that_cross(world, first_is_held="before")

    await both_orgs_go_on(world)


async def test_a_process_that_died_in_its_turn_holds_up_the_next_for_one_lease_r19b(
    world: World,
) -> None:
    admin = await world.acme_admin()
    callback = await admin.allows(ACME_TRADING)
    await world.database.execute(
        "INSERT INTO leases VALUES ('xero_exchange', gen_random_uuid(), now() + interval '1 s')"
    )

    landing = await admin.lands(callback)

    assert (await admin.selects(landing.grant_id, ACME_TRADING))["status"] == "active"
