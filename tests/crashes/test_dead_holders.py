"""The process that holds a refresh is killed; the grant is renewed all the same, without a person.

R2: before it sent anything. R3: after Xero rotated and before our commit, when the only copy of
the new set dies with it. Then the old token, sent again inside Xero's grace, brings another set.
"""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

from demo.processes import Child
from demo.stack import DRAIN_SECONDS, SERVICE
from tests.concurrency.conftest import StartReplica
from tests.crashes.assertions import expired, is_renewed, really_refreshes
from tests.crashes.conftest import Doom
from tests.world import World, until
from xero_service.failpoints import Place

ROTATED_TWICE = [2, 0, 0]  # the first token, the set that died with its holder, the one we have


def killed_at(place: Place, doom: Doom, grant_id: str) -> None:
    """Let a process claim the refresh, and kill it when it comes to a place."""
    with doom.stopped_at(place, "refresh", grant=grant_id) as holder:
        holder.kill()


async def test_a_holder_killed_before_it_sent_is_replaced_within_its_lease_and_a_second_r2(
    world: World, doom: Doom
) -> None:
    admin, member = await world.acme_admin(), await world.acme_member()
    grant_id = await expired(world, admin)

    killed_at(Place.REFRESH_CLAIMED, doom, grant_id)
    lease_until = (await world.grant(grant_id))["lease_until"]
    answers = await asyncio.gather(admin.refreshes(), member.refreshes())

    asked_again = (await world.grant(grant_id))["refresh_token_issued_at"]
    assert [answer["refreshedCount"] for answer in answers] == [1, 1]
    assert timedelta() < asked_again - lease_until < timedelta(seconds=1)
    assert world.presented() == [1, 0]
    await really_refreshes(world, admin, grant_id)


async def test_a_rotation_that_died_with_its_holder_is_made_good_by_the_next_reader_r3(
    world: World, doom: Doom
) -> None:
    admin = await world.acme_admin()
    grant_id = await expired(world, admin)

    killed_at(Place.REFRESH_ANSWERED, doom, grant_id)
    answer = await admin.refreshes()

    assert answer["refreshedCount"] == 1
    assert world.presented() == ROTATED_TWICE
    await really_refreshes(world, admin, grant_id)


async def test_a_rotation_that_died_with_its_holder_is_made_good_by_a_starting_process_r3(
    world: World, doom: Doom, replica: StartReplica, process_environment: dict[str, str]
) -> None:
    process_environment["UPKEEP_INTERVAL_SECONDS"] = "3600"  # it looks when it starts, and no more
    admin = await world.acme_admin()
    grant_id = await expired(world, admin)

    killed_at(Place.REFRESH_ANSWERED, doom, grant_id)
    await until(lambda: lease_is_over(world, grant_id))
    async with replica():
        await is_renewed(world, grant_id, generation=2)

    assert world.presented() == ROTATED_TWICE
    await really_refreshes(world, admin, grant_id)


async def test_a_rotation_that_died_with_its_holder_is_made_good_by_upkeep_r3(
    world: World, doom: Doom, process_environment: dict[str, str], tmp_path: Path
) -> None:
    admin = await world.acme_admin()
    grant_id = await expired(world, admin)

    with doom.stopped_at(Place.REFRESH_ANSWERED, "refresh", grant=grant_id) as holder:
        async with upkeep(process_environment, tmp_path):
            holder.kill()
            await is_renewed(world, grant_id, generation=2)

    assert world.presented() == ROTATED_TWICE
    await really_refreshes(world, admin, grant_id)


@asynccontextmanager
async def upkeep(environment: dict[str, str], directory: Path) -> AsyncIterator[Child]:
    """A worker of its own that looks again and again."""
    child = Child.start(
        "Upkeep",
        [SERVICE, "upkeep"],
        log=directory / "upkeep.log",
        env=os.environ | environment | {"UPKEEP_INTERVAL_SECONDS": "0.5"},
        cwd=directory,
    )
    try:
        yield child
    finally:
        await asyncio.to_thread(child.stop, grace=DRAIN_SECONDS)


async def lease_is_over(world: World, grant_id: str) -> bool:
    found = await world.database.fetchval(
        "SELECT lease_until < clock_timestamp() FROM integration_grants WHERE id::text = $1",
        grant_id,
    )
    return bool(found)
