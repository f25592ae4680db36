"""R7: a holder is stopped past its lease, others go on without it, and then it wakes.

Whatever it does then, the set that we have stored at the end is one that Xero takes, and it is
never replaced by an older one.
"""

import asyncio

import pytest

from tests.crashes.assertions import (
    expired,
    has_the_live_set,
    is_renewed,
    really_refreshes,
    stored_fingerprint,
)
from tests.crashes.conftest import Doom
from tests.world import World, until
from xero_service.failpoints import Place


async def test_a_holder_stopped_before_it_sends_undoes_nothing_when_it_wakes_r7(
    world: World, doom: Doom
) -> None:
    admin = await world.acme_admin()
    grant_id = await expired(world, admin)

    with doom.stopped_at(Place.REFRESH_CLAIMED, "refresh", grant=grant_id) as holder:
        assert (await admin.refreshes())["refreshedCount"] == 1
        ours = await stored_fingerprint(world, grant_id)
        holder.goes_on()

    assert await stored_fingerprint(world, grant_id) == ours
    assert (await world.grant(grant_id))["generation"] == 2
    assert world.presented() == [1, 0]
    await really_refreshes(world, admin, grant_id)


@pytest.mark.parametrize("replay", ["new_set", pytest.param("same_set", marks=pytest.mark.soak)])
async def test_a_holder_stopped_before_it_reads_the_answer_undoes_nothing_when_it_wakes_r7(
    world: World, doom: Doom, replay: str
) -> None:
    world.sandbox.switch(graceReplay=replay)
    admin = await world.acme_admin()
    grant_id = await expired(world, admin)
    hold = world.hold("token.refresh", when="after")

    with doom.under_way("refresh", grant=grant_id) as holder:
        await hold.reached()
        holder.stop()
        await hold.release()
        assert (await admin.refreshes())["refreshedCount"] == 1
        await world.ages(grant_id, expires_in="-1 minute")
        assert (await admin.refreshes())["refreshedCount"] == 1
        ours = await stored_fingerprint(world, grant_id)
        holder.goes_on()

    assert await stored_fingerprint(world, grant_id) == ours
    assert (await world.grant(grant_id))["generation"] == 3
    await really_refreshes(world, admin, grant_id)


async def test_a_holder_that_wakes_with_the_only_valid_set_saves_it_r7(
    world: World, doom: Doom
) -> None:
    """Others tried meanwhile and failed, and Xero's grace for the old token is over."""
    admin = await world.acme_admin()
    grant_id = await expired(world, admin)
    hold = world.hold("token.refresh", when="after")

    with doom.under_way("refresh", grant=grant_id) as holder:
        await hold.reached()
        holder.stop()
        await hold.release()
        world.sandbox.fault("token.refresh", "503", times=None)
        assert (await admin.refreshes())["refreshedCount"] == 0
        world.sandbox.advance(31 * 60)
        holder.goes_on()

    world.sandbox.clear_faults()
    assert (await world.grant(grant_id))["generation"] == 2
    assert await has_the_live_set(world, grant_id)
    await really_refreshes(world, admin, grant_id)


async def test_a_holder_that_wakes_while_another_asks_saves_the_set_that_came_first_r7(
    world: World, doom: Doom
) -> None:
    """Another holds the lease by then; its own answer, from the same token, comes second."""
    admin = await world.acme_admin()
    grant_id = await expired(world, admin)
    hold = world.hold("token.refresh", when="after")

    with doom.under_way("refresh", grant=grant_id) as holder:
        await hold.reached()
        holder.stop()
        await hold.release()
        second = world.hold("token.refresh", when="after")
        refresh = asyncio.create_task(admin.refreshes())
        await second.reached()
        holder.goes_on()
        await is_renewed(world, grant_id, generation=2)
        first_set = await stored_fingerprint(world, grant_id)
        await second.release()
        assert (await refresh)["refreshedCount"] == 1

    async def settled() -> bool:
        return len(world.services.tokens.refresher.background) == 0

    await until(settled)
    assert await stored_fingerprint(world, grant_id) == first_set
    assert (await world.grant(grant_id))["generation"] == 2
    await really_refreshes(world, admin, grant_id)
