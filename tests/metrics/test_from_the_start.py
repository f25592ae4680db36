"""E5: `increase()` sees a first event only where the series was there before, at 0."""

import asyncio
import time
from datetime import timedelta
from importlib import metadata

import pytest

from tests.metrics.scrape import Labels, Samples, parsed, series, value
from tests.outages.many_grants import crowd
from tests.world import Application, World, until
from xero_sandbox.samples import ACCOUNTANT, ACME_SERVICES, ACME_TRADING
from xero_service.services.upkeep import UpkeepService
from xero_service.telemetry.database_pools import POOLS
from xero_service.telemetry.xero_calls import AREAS, OUTCOMES

ALARMS = "xero_service_operator_alarms_total"
REFRESHES = "xero_service_refreshes_total"
UPKEEP = "xero_service_upkeep_items_total"
FINISHED = "xero_service_upkeep_step_finished_timestamp_seconds"
COUNTERS = (ALARMS, REFRESHES, UPKEEP)
CALLS = "xero_service_xero_calls_total"
ROUTES = {
    "/bindings/{bindingId}/token": ("200", "401", "404", "409", "500", "503"),
    "/bindings/{bindingId}/api/{path:anything}": ("200", "403", "429", "503", "504"),
}


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


async def test_every_series_of_every_metric_is_there_from_the_start_o11(
    application: Application,
) -> None:
    """But those of keys, which are known once they call."""
    fresh = await scraped(application)
    names = {name for name, _ in fresh}

    for area in AREAS:
        assert ("xero_service_xero_call_duration_seconds_count", labelled(area=area)) in fresh
        for outcome in OUTCOMES:
            assert fresh[CALLS, labelled(area=area, outcome=outcome)] == 0
    for limit in ("minute", "day", "concurrent", "appminute", "other"):
        assert fresh["xero_service_xero_rate_limited_total", labelled(limit=limit)] == 0
    for pool in POOLS:
        assert fresh["xero_service_database_pool_timeouts_total", labelled(pool=pool)] == 0
    for route, statuses in ROUTES.items():
        for status in statuses:
            series_of = labelled(method="POST", route=route, status=status)
            assert fresh["xero_service_http_requests_total", series_of] == 0
    assert {
        "xero_service_refresh_duration_seconds_count",
        "xero_service_event_loop_lag_seconds_count",
        "xero_service_build_info",
        "process_resident_memory_bytes",
        "process_cpu_seconds_total",
        "process_open_fds",
    } <= names


async def test_buckets_tell_a_token_read_from_a_slow_proxied_call_o3(
    application: Application,
) -> None:
    fresh = await scraped(application)

    buckets = {
        float(dict(labels)["le"])
        for name, labels in fresh
        if name == "xero_service_http_request_seconds_bucket"
    }
    assert min(buckets) == 0.001
    assert sorted(buckets)[-2] == 120


async def test_the_version_that_runs_is_told_o3(application: Application) -> None:
    ((labels, value),) = series(await scraped(application), "xero_service_build_info").items()

    assert value == 1
    assert dict(labels)["version"] == metadata.version("xero-service")


async def test_a_blocked_event_loop_is_seen_o3(world: World) -> None:
    """The process alone is stopped: a sample that was due then is as late as the stop was long."""
    lag = "xero_service_event_loop_lag_seconds_sum"
    before = value(await scraped(world.application), lag)
    time.sleep(1.0)  # noqa: ASYNC251 - what blocks the loop

    async def late() -> bool:
        return value(await scraped(world.application), lag) - before > 0.5

    await until(late)


async def counted_but_added_nothing(world: World, fresh: Samples, name: str) -> None:
    now = series(await scraped(world.application), name)
    assert sum(now.values()) > 0
    assert set(now) == set(series(fresh, name))
