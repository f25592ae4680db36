"""A backup and the archived WAL bring the database back to a moment before rotations.

Each row that is older than the lost rotation has a refresh token that Xero has replaced and
accepts for 30 minutes after that rotation (facts §2.5).
"""

import asyncio
from collections.abc import Iterator, Sequence

import pytest

from tests import commands
from tests.outages.many_grants import Member, crowd
from tests.recovery import servers
from tests.recovery.servers import ArchivedServer
from tests.world import World

GRACE_SECONDS = 30 * 60


@pytest.fixture
def archived() -> Iterator[ArchivedServer]:
    with servers.archived() as archived:
        yield archived


@pytest.fixture
def direct_url(archived: ArchivedServer) -> str:
    return servers.url_on(archived.server)


async def used_and_due(world: World, count: int) -> Sequence[Member]:
    """Connect grants that services use and whose access tokens have expired."""
    members = await crowd(world, count)
    await world.database.execute("UPDATE integration_grants SET last_used_at = now()")
    return members


async def rotates(world: World, members: Sequence[Member]) -> None:
    for member in members:
        await world.services.tokens.refresh_grant_single_flight(member.grant_id)


async def generations(archived: ArchivedServer) -> list[int]:
    query = "SELECT array_agg(generation ORDER BY id) FROM integration_grants"
    found: list[int] = await servers.value(archived.server, query)
    return found


async def test_a_database_restored_within_the_grace_loses_no_grant(
    world: World, archived: ArchivedServer, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without a person: upkeep does what it does each round."""
    members = await used_and_due(world, 6)
    await archived.back_up()
    moment = await archived.now()
    await rotates(world, members)

    await archived.lose()
    await archived.restore(moment)
    restored = await generations(archived)
    ended = await asyncio.to_thread(commands.run, capsys, "upkeep", "--once")

    assert ended.code == 0, ended.said
    assert restored == [1] * len(members)
    assert await generations(archived) == [2] * len(members)
    await every_grant_lives(world, archived, members)


async def every_grant_lives(
    world: World, archived: ArchivedServer, members: Sequence[Member]
) -> None:
    """Xero accepts the refresh token that is stored for each, once every grace is over."""
    world.sandbox.advance(GRACE_SECONDS + 60)
    await servers.value(archived.server, "UPDATE integration_grants SET expires_at = now()")
    await rotates(world, members)
    lost = "SELECT count(*) FROM integration_grants WHERE status <> 'active'"
    assert await servers.value(archived.server, lost) == 0
