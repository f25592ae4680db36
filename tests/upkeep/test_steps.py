"""E7: the steps of upkeep do not wait for each other."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from functools import partial

import pytest

from tests.outages.many_grants import crowd
from tests.world import World, until
from xero_service.services import upkeep

OFTEN = timedelta(seconds=0.05)
VALID = timedelta(minutes=29)
UNCHECKED = (
    "UPDATE integration_tenant_bindings SET last_checked_at = NULL;"
    "UPDATE integration_grants SET check_claimed_at = NULL"
)


@pytest.fixture
def environment(environment: dict[str, str]) -> dict[str, str]:
    """A Xero that hangs is waited for longer than a test is."""
    return environment | {"XERO_TIMEOUT_SECONDS": "60", "REFRESH_LEASE_SECONDS": "120"}


@asynccontextmanager
async def running(world: World) -> AsyncIterator[asyncio.Task[None]]:
    """Upkeep as `serve` and `upkeep` run it."""
    worker = asyncio.create_task(world.services.upkeep.run(OFTEN))
    try:
        yield worker
    finally:
        worker.cancel()
        with suppress(asyncio.CancelledError):
            await worker


async def test_refreshes_go_on_while_a_reconcile_sweep_hangs(world: World) -> None:
    """E7: Xero answers /connections to nobody, and more grants than fit at once are checked."""
    members = await crowd(world, upkeep.CHECKS_AT_ONCE + 4, expires_in=VALID)
    await world.database.execute(UNCHECKED)
    hold = world.hold("connections", times=None)
    async with running(world):
        await hold.reached(upkeep.CHECKS_AT_ONCE)
        for renewed in (1, 2, 3):
            await world.database.execute(
                "UPDATE integration_grants SET picked_at = NULL,"
                " refresh_token_issued_at = now() - interval '46 days' WHERE id ="
                " (SELECT active_grant_id FROM integration_tenant_bindings WHERE id = $1)",
                members[0].binding_id,
            )
            await until(partial(rotated, world, renewed))
        await hold.release()


async def rotated(world: World, times: int) -> bool:
    newest = await world.database.fetchval("SELECT max(generation) FROM integration_grants")
    return bool(newest == times + 1)


async def test_a_sweep_that_hangs_is_not_begun_a_second_time(world: World) -> None:
    """E7: no step overlaps itself, however often its interval passes."""
    await crowd(world, 2, expires_in=VALID)
    await world.database.execute(UNCHECKED)
    hold = world.hold("connections", times=None)
    async with running(world):
        await hold.reached(2)
        await world.database.execute(UNCHECKED)
        for _ in range(3):
            before = time.time()
            await until(partial(finished, world, "refresh", after=before))
        assert len(world.calls("connections")) == 2
        await hold.release()


async def finished(world: World, step: str, *, after: float) -> bool:
    return bool(world.services.metrics.upkeep_finished.labels(step)._value.get() > after)


async def test_every_step_stops_when_upkeep_does(world: World) -> None:
    """E7: nothing of it goes on behind a process that leaves."""
    await crowd(world, 2, expires_in=VALID)
    await world.database.execute(UNCHECKED)
    hold = world.hold("connections", times=None)
    before = asyncio.all_tasks()
    async with running(world) as worker:
        await hold.reached(2)

    assert worker.cancelled()
    await hold.release()
    left = {task for task in asyncio.all_tasks() - before if not task.done()}
    assert not left


@pytest.mark.parametrize("step", ["cleanups", "refresh", "reconcile", "unused", "prune_audit"])
async def test_a_step_that_fails_is_repeated_and_stops_no_other(
    world: World, step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """E7."""
    names = {"cleanups": "_settle_cleanups", "unused": "_disconnect_unused"}
    failed: list[str] = []

    async def fails(_: object) -> None:
        failed.append(step)
        raise LookupError

    name = names.get(step, f"_{step}")
    fails.__name__ = name
    monkeypatch.setattr(upkeep.UpkeepService, name, fails)
    async with running(world):
        await until(lambda: twice(failed))
        await until(lambda: finished(world, "forget_attempts", after=0))


async def twice(failed: list[str]) -> bool:
    return len(failed) >= 2
