"""R30, R33: a base backup and the archived WAL bring the database back to an earlier moment.

A row that is older than a lost rotation has a refresh token that Xero has replaced and accepts for
30 minutes after that rotation (facts §2.5).
"""

import asyncio
import json
from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from tests import commands
from tests.outages.many_grants import Member, crowd
from tests.recovery import servers
from tests.recovery.servers import ArchivedServer
from tests.replicas.load import record
from tests.service_api.callers import service
from tests.world import ACME, World
from xero_service.domain import SYSTEM

GRACE_SECONDS = 30 * 60
NOT_DUE = timedelta(minutes=25)
GRANTS = 6


@pytest.fixture
def direct_url(archived: ArchivedServer) -> str:
    return servers.url_on(archived.server)


async def rotates(world: World, members: Sequence[Member]) -> None:
    """Refresh each grant, as hours of use would."""
    for member in members:
        grant = await world.services.tokens.refresh_grant_single_flight(
            member.grant_id, newer_than=1
        )
        assert grant.generation == 2


async def restored(world: World, archived: ArchivedServer, *, minutes_later: int) -> list[Member]:
    """Restore to a moment before every grant was rotated, so long after the rotations."""
    members = list(await crowd(world, GRANTS, expires_in=NOT_DUE))
    await archived.back_up()
    moment = await archived.now()
    await rotates(world, members)
    await archived.lose()
    world.sandbox.advance(minutes_later * 60)
    await archived.restore(moment)
    assert await states(archived) == {("active", "active", 1): GRANTS}
    return members


async def states(archived: ArchivedServer) -> dict[tuple[str, str, int], int]:
    """How many grants have a status, a binding of a status, and a generation."""
    rows = await servers.rows(
        archived.server,
        "SELECT g.status, b.status AS bound, generation, count(*) FROM integration_grants g"
        " JOIN integration_tenant_bindings b ON active_grant_id = g.id GROUP BY 1, 2, 3",
    )
    return {(row["status"], row["bound"], row["generation"]): row["count"] for row in rows}


async def held(archived: ArchivedServer) -> str | None:
    """Why verdicts are held, if they are."""
    query = "SELECT reason FROM verdict_hold WHERE held_since IS NOT NULL"
    found: str | None = await servers.value(archived.server, query)
    return found


async def run(capsys: pytest.CaptureFixture[str], *command: str) -> str:
    """Run a command in a process's stead: it remembers nothing from before the restore."""
    ended = await asyncio.to_thread(commands.run, capsys, *command)
    assert ended.code == 0, ended.said
    return ended.said


async def test_a_database_restored_within_the_grace_loses_no_grant_r30(
    world: World, archived: ArchivedServer, capsys: pytest.CaptureFixture[str]
) -> None:
    """One round of upkeep renews them all, though none is old or in use, and alarms."""
    members = await restored(world, archived, minutes_later=29)

    said = await run(capsys, "upkeep", "--once")

    renewed = (await states(archived)).get(("active", "active", 2), 0)
    record("restore within the grace", grants_lost=GRANTS - renewed)
    assert renewed == GRANTS
    assert await held(archived) == "database_restored"
    assert "an operator must act" in said
    await every_grant_lives(world, archived, members)


async def test_a_database_restored_after_the_grace_ends_no_grant_until_released_r33(
    world: World, archived: ArchivedServer, capsys: pytest.CaptureFixture[str]
) -> None:
    await restored(world, archived, minutes_later=31)

    said = await run(capsys, "upkeep", "--once")
    while_held = await states(archived), await held(archived), await told(archived)
    await run(capsys, "grants", "release-verdicts")
    await run(capsys, "upkeep", "--once")

    assert while_held == ({("active", "active", 1): GRANTS}, "database_restored", 0)
    assert "an operator must act" in said
    assert await states(archived) == {("refresh_failed", "needs_reauth", 1): GRANTS}
    assert await told(archived) == GRANTS


async def test_the_command_saves_what_it_can_and_lists_what_is_on_record_r30(
    world: World, archived: ArchivedServer, capsys: pytest.CaptureFixture[str]
) -> None:
    """What was revoked or disconnected after the last record is back, and cannot be named."""
    members = list(await crowd(world, GRANTS, expires_in=NOT_DUE))
    disconnected, suspended = members[:2]
    await archived.back_up()
    since = await archived.now()
    reports = await service(world.application, name="reports")
    await world.services.operators.suspend(SYSTEM, suspended.binding_id)
    moment = await archived.now()
    await rotates(world, members)
    await world.services.keys.revoke(SYSTEM, reports.made.key.id)
    await world.services.disconnects.disconnect(disconnected.binding_id, ACME, SYSTEM)
    assert (await reports.token(str(members[2].binding_id))).status_code == 401
    await archived.lose()
    await archived.restore(moment)

    command = ("restored", "--from", since.isoformat(), "--json")
    ended = await asyncio.to_thread(commands.run, capsys, *command)
    report = json.loads(next(line for line in ended.said.splitlines() if line[0] == "{"))

    assert ended.code == 1, "a grant that was disconnected at Xero is refused, and waits"
    assert (report["saved"], report["refused"], report["unreachable"]) == (GRANTS - 1, 1, 0)
    assert report["reason"] == "database_restored"
    assert [(each["action"], each["name"]) for each in report["keys"]] == [
        ("key.created", "reports")
    ]
    assert [UUID(each["bindingId"]) for each in report["bindings"]] == [suspended.binding_id]
    assert [each["name"] for each in report["validKeys"]] == ["reports"]
    assert (await reports.token(str(members[2].binding_id))).status_code == 200
    assert await states(archived) == {
        ("active", "active", 1): 1,
        ("active", "active", 2): GRANTS - 2,
        ("active", "suspended", 2): 1,
    }


async def told(archived: ArchivedServer) -> Any:
    """How many events tell that a binding needs a person."""
    query = "SELECT count(*) FROM events WHERE kind = 'binding.needs_reauth'"
    return await servers.value(archived.server, query)


async def every_grant_lives(
    world: World, archived: ArchivedServer, members: Sequence[Member]
) -> None:
    """Xero accepts the refresh token that is stored for each, once every grace is over."""
    world.sandbox.advance(GRACE_SECONDS + 60)
    for member in members:
        renewed = await world.services.tokens.refresh_grant_single_flight(
            member.grant_id, newer_than=2
        )
        assert renewed.generation == 3
