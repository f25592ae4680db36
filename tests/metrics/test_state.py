"""Gauges of state are read from the database, so that every replica reports the same."""

import asyncio
import math
from datetime import UTC, datetime, timedelta

import pytest

from tests.http.conftest import alone as alone
from tests.metrics.scrape import Samples, parsed, series, value
from tests.service_api.callers import service
from tests.world import Application, World
from xero_sandbox.samples import ACCOUNTANT, ACME_SERVICES, ACME_TRADING
from xero_service.services.operators import state_metrics
from xero_service.settings import Settings
from xero_service.store.state_summary import StateSummaries, StateSummary

OWED = "xero_service_remote_cleanups_owed"
LIMIT = "xero_service_xero_limit_remaining"
DAY = 86_400


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
    monkeypatch.setattr(state_metrics, "PAUSE_AFTER_READ", 0.0)


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
    read = StateSummaries.read

    async def counting(self: StateSummaries) -> StateSummary:
        nonlocal asked
        asked += 1
        return await read(self)

    monkeypatch.setattr(StateSummaries, "read", counting)
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

    async def hangs(self: StateSummaries) -> StateSummary:
        await asyncio.Event().wait()
        raise AssertionError

    monkeypatch.setattr(StateSummaries, "read", hangs)
    monkeypatch.setattr(state_metrics, "PATIENCE_SECONDS", 0.05)
    monkeypatch.setattr(state_metrics, "READ_SECONDS", 0.2)

    assert await owed(world.application) == 1


async def test_the_state_of_the_grants_is_told_by_every_replica_o3(
    world: World, always_anew: None
) -> None:
    admin = await world.acme_admin()
    trading = await admin.connects(ACME_TRADING)
    services = await admin.connects(ACME_SERVICES, xero_user=ACCOUNTANT.xero_user_id)
    await world.ages(trading["grantId"], days=55)
    await world.database.execute(
        "UPDATE integration_grants SET refresh_failures = 1 WHERE id::text = $1",
        services["grantId"],
    )
    await world.database.execute(
        "UPDATE integration_tenant_bindings SET status = 'needs_reauth' WHERE id::text = $1",
        services["id"],
    )

    found = await scraped(world.application)

    assert by_label(found, "xero_service_grants") == {
        "active": 2,
        "revoked": 0,
        "refresh_failed": 0,
    }
    assert by_label(found, "xero_service_bindings") == {
        "active": 1,
        "suspended": 0,
        "needs_reauth": 1,
        "revoked": 0,
    }
    assert value(found, "xero_service_grants_retrying") == 1
    oldest = value(found, "xero_service_refresh_token_oldest_age_seconds")
    assert 55 * DAY <= oldest < 55.1 * DAY


async def test_the_age_of_the_oldest_owed_disconnect_is_told_o3(
    world: World, always_anew: None
) -> None:
    await owes_a_disconnect(world)
    await world.database.execute(
        "UPDATE remote_cleanups SET created_at = now() - interval '2 hours'"
    )

    found = await scraped(world.application)

    oldest = value(found, "xero_service_remote_cleanups_oldest_age_seconds")
    assert 7200 <= oldest < 7500


async def test_keys_that_expire_soon_are_counted_and_those_that_ended_are_not_o3(
    world: World, always_anew: None
) -> None:
    now = datetime.now(UTC)
    for days in (None, 90, 13, 1):
        expires_at = now + timedelta(days=days) if days else None
        made = await service(world.application, expires_at=expires_at)
        await made.http.aclose()
    await world.database.execute(
        "INSERT INTO service_keys (id, name, secret_hash, scopes, expires_at, revoked_at) VALUES"
        " (gen_random_uuid(), 'over', 'a', '{}', now() - interval '1 day', NULL),"
        " (gen_random_uuid(), 'revoked', 'b', '{}', now() + interval '1 day', now())"
    )

    found = await scraped(world.application)

    assert value(found, "xero_service_service_keys") == 4
    assert value(found, "xero_service_service_keys_expiring") == 2


async def test_the_limits_are_those_of_the_tenant_with_the_fewest_calls_left_o3(
    world: World, always_anew: None
) -> None:
    assert all(
        math.isnan(each) for each in by_label(await scraped(world.application), LIMIT).values()
    )
    await world.database.execute(
        "INSERT INTO call_budgets (tenant_id, day_remaining, minute_remaining, learned_at) VALUES"
        " ('a', 4000, 50, now()), ('b', 120, 3, now() - interval '2 minutes'),"
        " ('c', 1, 1, now() - interval '2 days')"
    )

    assert by_label(await scraped(world.application), LIMIT) == {"day": 120, "minute": 50}


def by_label(samples: Samples, name: str) -> dict[str, float]:
    """The samples of a metric with one label, by its value."""
    return {found: value for ((_, found),), value in series(samples, name).items()}


async def test_a_long_read_is_rarely_repeated_o3(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a million grants it takes seconds: fifty times as long passes until the next."""
    monkeypatch.setattr(state_metrics, "FRESH_FOR_SECONDS", 0.0)
    monkeypatch.setattr(state_metrics, "PAUSE_AFTER_READ", 1e9)
    assert await owed(world.application) == 0
    await owes_a_disconnect(world)

    assert await owed(world.application) == 0
