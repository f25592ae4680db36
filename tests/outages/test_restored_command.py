"""R30: `xero-service restored` saves what can be saved and lists what has to be checked."""

import asyncio
import json
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from typer.testing import CliRunner

from demo.postgres import Postgres
from tests.outages.many_grants import crowd
from tests.outages.restoring import backup_of
from tests.outages.test_database_restored import GRACE_IS_OVER, NOT_DUE, rotates_all, statuses
from tests.service_api.callers import service
from tests.world import ACME, World
from xero_sandbox.samples import ACME_TRADING
from xero_service.cli import app as commands
from xero_service.domain import SYSTEM


async def restored(*options: str) -> tuple[int, str, str]:
    done = await asyncio.to_thread(
        CliRunner().invoke, commands, ["restored", "--from", "1h", *options]
    )
    return done.exit_code, done.stdout, done.stderr


async def reported(*options: str) -> tuple[int, dict[str, Any]]:
    code, printed, _ = await restored("--json", *options)
    return code, json.loads(printed)


async def test_an_operator_saves_every_grant_within_the_grace_r30(
    world: World, postgres_server: Postgres
) -> None:
    await crowd(world, 6, expires_in=NOT_DUE)
    async with backup_of(world, postgres_server) as backup:
        await rotates_all(world)
        await backup.restore()

        code, report = await reported()

        assert code == 0
        assert (report["saved"], report["refused"], report["unreachable"]) == (6, 0, 0)
        assert report["reason"] == "database_restored"
        assert await statuses(world) == {("active", "active", False)}


async def test_what_xero_refuses_is_held_and_said_by_the_exit_code_r33(
    world: World, postgres_server: Postgres
) -> None:
    await crowd(world, 4, expires_in=NOT_DUE)
    async with backup_of(world, postgres_server) as backup:
        await rotates_all(world)
        world.sandbox.advance(GRACE_IS_OVER)
        await backup.restore()

        code, report = await reported()

        assert code == 1
        assert (report["saved"], report["refused"], report["unreachable"]) == (0, 4, 0)
        assert await statuses(world) == {("active", "active", True)}


async def test_what_xero_did_not_answer_is_left_to_upkeep_r30(world: World) -> None:
    await crowd(world, 3, expires_in=NOT_DUE)
    outage = world.sandbox.fault("token.refresh", "503", times=None)

    code, report = await reported()

    assert code == 1
    assert (report["saved"], report["refused"], report["unreachable"]) == (0, 0, 3)
    world.sandbox.release(outage)
    await world.hurries()
    code, report = await reported()
    assert code == 0
    assert report["saved"] == 3


async def test_repeating_it_renews_nothing_twice_r30(world: World) -> None:
    await crowd(world, 3, expires_in=NOT_DUE)
    await reported()
    calls = len(world.calls("token.refresh"))

    code, report = await reported()

    assert (code, report["saved"]) == (0, 3)
    assert len(world.calls("token.refresh")) == calls
    (event,) = await world.audited("database.restored")
    assert event["actor_id"].startswith("operator:")


async def test_keys_bindings_and_orgs_are_listed_as_far_as_the_record_reaches_r30(
    world: World, postgres_server: Postgres
) -> None:
    """What was taken away after the backup is alive again, and nobody can know it."""
    admin = await world.acme_admin()
    binding = await admin.connects(ACME_TRADING)
    kept = await service(world.application, name="kept")
    taken = await service(world.application, name="taken away")
    await world.services.operators.suspend(SYSTEM, UUID(binding["id"]))
    backed_up_at = datetime.now(UTC)
    async with backup_of(world, postgres_server) as backup:
        await world.services.keys.revoke(SYSTEM, taken.made.key.id)
        await world.services.operators.resume(SYSTEM, UUID(binding["id"]))
        await backup.restore()

        code, report = await reported()
        _, said, _ = await restored()

    assert code == 0
    assert [(each["action"], each["name"]) for each in report["keys"]] == [
        ("key.created", "kept"),
        ("key.created", "taken away"),
    ]
    assert ("binding.suspended", binding["id"]) in {
        (each["action"], each["bindingId"]) for each in report["bindings"]
    }
    assert "binding.resumed" not in {each["action"] for each in report["bindings"]}
    assert report["orgs"] == [ACME]
    assert {each["id"] for each in report["validKeys"]} == {
        str(each.made.key.id) for each in (kept, taken)
    }
    reaches_to = datetime.fromisoformat(report["recordReachesTo"])
    assert reaches_to <= backed_up_at + timedelta(seconds=1)
    assert "What happened after that is unknown" in said
    assert str(taken.made.key.id) in said
    assert "grants release-verdicts" in said


@pytest.mark.parametrize("given", ["yesterday", "2999-01-01"])
async def test_a_time_that_is_none_or_ahead_is_refused_and_nothing_done_r30(
    world: World, given: str
) -> None:
    done = await asyncio.to_thread(CliRunner().invoke, commands, ["restored", "--from", given])

    assert done.exit_code == 2
    assert await world.audited("database.restored") == []
