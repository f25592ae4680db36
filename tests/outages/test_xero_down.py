"""Xero is away for ten minutes while many grants are due (R12)."""

import time
from collections import Counter
from typing import Any

import pytest

from tests.clock import time_passes
from tests.outages.many_grants import crowd
from tests.service_api.callers import service
from tests.world import ACME, ACME_ADMIN, Application, World
from xero_sandbox.samples import ACME_SERVICES, ACME_TRADING
from xero_service.settings import Settings

ROUND_SECONDS = 15.0  # UPKEEP_INTERVAL_SECONDS as it is by default
TEN_MINUTES = int(600 / ROUND_SECONDS)
ONE_MINUTE = int(60 / ROUND_SECONDS)


async def rounds(world: World, count: int) -> None:
    """Do so many rounds of upkeep that begin a quarter of a minute apart by the database's clock.

    What a round takes is a part of that: a thousand grants keep it busy for a while.
    """
    taken = 0.0
    for _ in range(count):
        await time_passes(world.database, max(0.0, ROUND_SECONDS - taken))
        began = time.monotonic()
        await world.services.upkeep.round()
        taken = time.monotonic() - began


async def outage(world: World, grants: int) -> None:
    members = await crowd(world, grants, days=50)
    away = world.sandbox.fault("token", "503", times=None)

    await rounds(world, TEN_MINUTES)

    pauses = await world.database.fetch(
        "SELECT extract(epoch FROM next_refresh_at - updated_at)::float AS pause"
        " FROM integration_grants"
    )
    assert all(1 <= row["pause"] <= 60 for row in pauses)  # persisted, and never above a minute
    assert len({round(row["pause"], 1) for row in pauses}) > len(pauses) / 5  # and spread out
    calls = Counter(call["xeroUserId"] for call in world.calls("token.refresh"))
    assert len(calls) == grants
    # Six short pauses at first, then half a minute each on average; never one a round.
    assert max(calls.values()) < TEN_MINUTES * 0.9
    assert calls.total() < grants * TEN_MINUTES * 0.7
    assert not await world.grants("refresh_failed")

    world.sandbox.release(away)
    await rounds(world, ONE_MINUTE)

    renewed = await world.database.fetchval(
        "SELECT count(*) FROM integration_grants"
        " WHERE generation = 2 AND refresh_failures = 0 AND refresh_sent_at IS NULL"
    )
    assert renewed == len(members)
    assert sum(1 for use in world.sandbox.token_uses() if use["accepted"]) == grants


async def test_an_outage_of_ten_minutes_causes_a_trickle_and_ends_by_itself_r12(
    world: World,
) -> None:
    await outage(world, 10)


@pytest.mark.soak
async def test_an_outage_of_ten_minutes_with_a_thousand_grants_due_r12(world: World) -> None:
    await outage(world, 1000)


FAILURES = ("503", "429", "html403", "drop", "malformed_json", "invalid_client")


@pytest.mark.parametrize("first", ["503", "invalid_client"])
async def test_an_outage_is_on_record_twice_its_first_failure_and_its_end_c6(
    world: World, settings: Settings, first: str
) -> None:
    """C6: not once a failure, of whichever kind, and on whichever replica, before a restart or not.

    Nor does what else goes on trying meanwhile: owed disconnects, checks and proxied calls.
    """
    admin = await world.acme_admin()
    await admin.connects(ACME_TRADING)
    binding = await admin.connects(ACME_SERVICES)
    billing = await service(world.application)
    world.sandbox.fault("token.refresh", first, times=None)
    world.sandbox.fault("connections", "503", times=None)
    await fails_again(world, world.application, binding)
    await admin.disconnects(binding["id"])
    await billing.calls((await admin.bindings())[ACME_TRADING]["id"])
    before = await recorded(world)

    for another in FAILURES:
        world.sandbox.clear_faults()
        world.sandbox.fault("token.refresh", another, times=None)
        world.sandbox.fault("connections", "503", times=None)
        async with Application.running(settings) as replica:
            await fails_again(world, replica, binding)
        await billing.calls((await admin.bindings())[ACME_TRADING]["id"])

    assert await recorded(world) == before
    failures = int((await world.grant(binding["grantId"]))["refresh_failures"])
    assert failures > len(FAILURES)
    (failed,) = await world.audited("grant.refresh_failed")
    world.sandbox.clear_faults()
    await world.hurries()
    await world.services.upkeep.round()
    (end,) = await world.audited("grant.refreshed")
    assert f'"afterFailures": {failures}' in end["detail"]
    assert end["id"] > failed["id"]

    world.sandbox.fault("token.refresh", first, times=None)
    await fails_again(world, world.application, binding)
    assert len(await world.audited("grant.refresh_failed")) == 2, "the next outage is another"


async def fails_again(world: World, replica: Application, binding: dict[str, Any]) -> None:
    """Let everybody try to renew the tokens, one after the other."""
    await world.ages(binding["grantId"], expires_in="-1 minute", days=50)
    await world.hurries()
    await (await world.person(ACME_ADMIN, ACME, at=replica)).refreshes()
    await world.hurries()
    await replica.services.upkeep.round()


async def recorded(world: World) -> int:
    return int(await world.database.fetchval("SELECT count(*) FROM audit_events"))


async def test_readers_during_an_outage_add_nothing_to_the_trickle_r12(world: World) -> None:
    admin = await world.acme_admin()
    members = await crowd(world, 30)
    world.sandbox.fault("token", "503", times=None)

    for _ in range(4):
        report = await admin.refreshes()
        assert len(report["errors"]) == len(members)
        # However long this takes, the pause that was drawn is not over.
        await world.database.execute(
            "UPDATE integration_grants SET next_refresh_at = now() + interval '1 minute'"
        )

    assert len(world.calls("token.refresh")) == len(members)
