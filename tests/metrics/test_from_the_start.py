"""E5: `increase()` sees a first event only where the series was there before, at 0."""

import asyncio
from datetime import timedelta

import pytest

from tests.metrics.scrape import Labels, Samples, parsed, series
from tests.outages.many_grants import crowd
from tests.world import Application, World, until
from xero_sandbox.samples import ACCOUNTANT, ACME_SERVICES, ACME_TRADING
from xero_service.services.upkeep import UpkeepService

ALARMS = "xero_service_operator_alarms_total"
REFRESHES = "xero_service_refreshes_total"
UPKEEP = "xero_service_upkeep_items_total"
FINISHED = "xero_service_upkeep_step_finished_timestamp_seconds"
COUNTERS = (ALARMS, REFRESHES, UPKEEP)


async def scraped(application: Application) -> Samples:
    async with application.http() as http:
        return parsed((await http.get("/metrics")).text)


def labelled(**labels: str) -> Labels:
    return frozenset(labels.items())


async def test_a_fresh_process_has_every_known_label_value_at_zero_e5(
    application: Application,
) -> None:
    fresh = await scraped(application)

    assert {labelled(kind="invalid_client"), labelled(kind="ciphertext")} <= set(
        series(fresh, ALARMS)
    )
    assert {
        labelled(outcome=outcome)
        for outcome in ("rotated", "invalid_grant", "late", "xero_unavailable", "xero_rate_limited")
    } <= set(series(fresh, REFRESHES))
    assert {
        labelled(step=step, outcome=outcome)
        for step in ("cleanups", "refresh", "reconcile", "unused")
        for outcome in ("done", "failed")
    } <= set(series(fresh, UPKEEP))
    assert {value for name in COUNTERS for value in series(fresh, name).values()} == {0}


async def test_no_series_says_when_another_was_created_e5(application: Application) -> None:
    async with application.http() as http:
        await http.get("/healthz")

    assert [name for name, _ in await scraped(application) if name.endswith("_created")] == []


@pytest.mark.parametrize("fault", ["500", "429", "drop", "malformed_json", "invalid_client", None])
async def test_whatever_becomes_of_a_refresh_its_series_was_there_e5(
    world: World, fault: str | None
) -> None:
    await crowd(world, 1, days=46)
    if fault is not None:
        world.sandbox.fault("token.refresh", fault, times=1)
    fresh = await scraped(world.application)

    await world.services.upkeep.round()

    await counted_but_added_nothing(world, fresh, REFRESHES)


async def test_a_grant_that_does_not_open_adds_no_series_e5(world: World) -> None:
    await crowd(world, 1, days=46)
    await world.database.execute("UPDATE integration_grants SET refresh_token_enc = 'aa:bb:cc'")
    fresh = await scraped(world.application)

    await world.services.upkeep.round()

    await counted_but_added_nothing(world, fresh, REFRESHES)
    await counted_but_added_nothing(world, fresh, ALARMS)


async def test_a_whole_round_of_upkeep_adds_no_series_e5(world: World) -> None:
    """Every step has something to do: one thing that works, and one that does not."""
    admin = await world.acme_admin()
    trading = await admin.connects(ACME_TRADING)
    services = await admin.connects(ACME_SERVICES, xero_user=ACCOUNTANT.xero_user_id)
    world.sandbox.fault("connections.delete", "503", times=None)
    world.sandbox.fault("revocation", "503", times=None)
    await admin.disconnects(trading["id"])
    await world.ages(services["grantId"], days=46)
    await world.database.execute(
        "UPDATE integration_tenant_bindings SET last_checked_at = now() - interval '2 days'"
    )
    await crowd(world, 2, days=46)
    world.sandbox.fault("token.refresh", "500", times=1)
    await world.hurries()
    fresh = await scraped(world.application)

    await world.services.upkeep.round()

    await counted_but_added_nothing(world, fresh, UPKEEP)


async def test_a_step_of_upkeep_that_never_ends_is_seen_from_the_start_e5(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def _refresh(_: UpkeepService) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(UpkeepService, "_refresh", _refresh)
    loops = asyncio.create_task(world.services.upkeep.run(timedelta(seconds=60)))

    async def finished() -> dict[Labels, float]:
        return series(await scraped(world.application), FINISHED)

    async def another_has_ended() -> bool:
        return (await finished()).get(labelled(step="settle_cleanups"), 0) > 0

    await until(another_has_ended)
    loops.cancel()

    assert (await finished())[labelled(step="refresh")] == 0


async def counted_but_added_nothing(world: World, fresh: Samples, name: str) -> None:
    now = series(await scraped(world.application), name)
    assert sum(now.values()) > 0
    assert set(now) == set(series(fresh, name))
