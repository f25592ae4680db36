"""Gauges of state are read from the database, so that every replica reports the same."""

import asyncio
import math

import pytest

from tests.http.conftest import alone as alone
from tests.metrics.scrape import Samples, parsed, series
from tests.world import Application, World
from xero_sandbox.samples import ACME_TRADING
from xero_service.services.operators import state_metrics
from xero_service.settings import Settings
from xero_service.store.remote_cleanups import RemoteCleanups

OWED = "xero_service_remote_cleanups_owed"


async def scraped(application: Application) -> Samples:
    async with application.http() as http:
        answer = await http.get("/metrics")
    assert answer.status_code == 200
    return parsed(answer.text)


async def owed(application: Application) -> float:
    (value,) = series(await scraped(application), OWED).values()
    return value


@pytest.fixture
def always_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(state_metrics, "FRESH_FOR_SECONDS", 0.0)


async def owes_a_disconnect(world: World) -> None:
    admin = await world.acme_admin()
    binding = await admin.connects(ACME_TRADING)
    world.sandbox.fault("revocation", "503", times=None)
    world.sandbox.fault("connections.delete", "503", times=None)
    await admin.disconnects(binding["id"])


async def test_every_replica_says_what_is_owed_also_where_none_does_upkeep_c2(
    world: World, always_anew: None
) -> None:
    async with Application.running(world.application.settings) as other:
        assert (await owed(world.application), await owed(other)) == (0, 0)

        await owes_a_disconnect(world)

        assert (await owed(world.application), await owed(other)) == (1, 1)


async def test_the_database_is_asked_once_however_many_scrape_c2(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = 0
    count = RemoteCleanups.count_pending

    async def counting(self: RemoteCleanups) -> int:
        nonlocal asked
        asked += 1
        return await count(self)

    monkeypatch.setattr(RemoteCleanups, "count_pending", counting)
    monkeypatch.setattr(state_metrics, "FRESH_FOR_SECONDS", 300.0)

    await asyncio.gather(*(owed(world.application) for _ in range(10)))

    assert asked == 1


async def test_a_scrape_works_while_the_database_is_away_and_does_not_say_zero_c2(
    alone: Settings,
) -> None:
    async with Application.running(alone) as application:
        assert math.isnan(await owed(application))


async def test_what_cannot_be_read_keeps_its_last_value_c2(
    world: World, always_anew: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    await owes_a_disconnect(world)
    assert await owed(world.application) == 1

    async def hangs(self: RemoteCleanups) -> int:
        await asyncio.Event().wait()
        return 0

    monkeypatch.setattr(RemoteCleanups, "count_pending", hangs)
    monkeypatch.setattr(state_metrics, "PATIENCE_SECONDS", 0.05)

    assert await owed(world.application) == 1
