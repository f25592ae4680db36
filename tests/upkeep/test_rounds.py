"""A round of upkeep: all that is due, in any number of replicas, whatever fails beside it."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from tests.outages.many_grants import crowd
from tests.world import Application, World
from xero_sandbox.samples import ACME_SERVICES, ACME_TRADING
from xero_service.domain import BindingStatus
from xero_service.errors import ServiceBusy
from xero_service.services import upkeep
from xero_service.settings import Settings

MARGIN = timedelta(minutes=Settings.model_fields["refresh_margin_minutes"].default)
INSIDE_THE_MARGIN = MARGIN - timedelta(minutes=1)
BEYOND_IT = MARGIN + upkeep.AHEAD + timedelta(minutes=1)


async def used(world: World, ago: str) -> None:
    await world.database.execute(
        "UPDATE integration_grants SET last_used_at = now() - $1::text::interval", ago
    )


async def renewed(world: World) -> int:
    count = await world.database.fetchval(
        "SELECT count(*) FROM integration_grants WHERE generation > 1"
    )
    assert isinstance(count, int)
    return count


async def test_a_grant_in_use_is_renewed_before_a_reader_would_have_to_wait(world: World) -> None:
    await crowd(world, 1, expires_in=INSIDE_THE_MARGIN)
    await used(world, "59 minutes")

    await world.services.upkeep.round()

    assert await renewed(world) == 1


@pytest.mark.parametrize(
    ("expires_in", "ago"),
    [(INSIDE_THE_MARGIN, "61 minutes"), (BEYOND_IT, "1 minute")],
    ids=["not_in_use", "not_yet_due"],
)
async def test_a_token_that_nobody_is_about_to_wait_for_is_left_alone(
    world: World, expires_in: timedelta, ago: str
) -> None:
    await crowd(world, 3, expires_in=expires_in)
    await used(world, ago)

    await world.services.upkeep.round()

    assert await renewed(world) == 0


async def test_grants_that_expire_together_are_renewed_spread_over_the_rounds(
    world: World,
) -> None:
    """Halfway between "too early" and "a reader waits" about half are picked, at random (R17)."""
    await crowd(world, 60, expires_in=MARGIN + upkeep.AHEAD / 2)
    await used(world, "1 minute")

    await world.services.upkeep.round()

    assert 10 < await renewed(world) < 50


async def test_one_round_works_off_more_than_one_batch(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upkeep, "BATCH", 4)
    await crowd(world, 11, days=46)

    await world.services.upkeep.round()

    assert await renewed(world) == 11


async def test_two_replicas_share_a_sweep_and_renew_each_grant_once(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upkeep, "BATCH", 4)
    await crowd(world, 40, days=46)

    async with Application.running(world.application.settings) as other:
        await asyncio.gather(world.services.upkeep.round(), other.services.upkeep.round())
        shares = [each.services.metrics.refreshes for each in (world.application, other)]

    assert await renewed(world) == 40
    assert [use for use in world.presented() if use] == [1] * 40
    assert all(share.labels("rotated")._value.get() > 0 for share in shares)


async def test_a_step_that_fails_stops_no_other(world: World) -> None:
    await crowd(world, 1, days=46)

    class Away:
        def __getattr__(self, _: str) -> object:
            raise ServiceBusy("Away.")

    broken = replace(world.services.upkeep, cleanups=Away(), reconcile=Away())  # type: ignore[arg-type]
    with pytest.raises(ServiceBusy):
        await broken.round()

    assert await renewed(world) == 1


async def test_a_round_tells_the_metrics_what_it_did(world: World) -> None:
    await crowd(world, 2, days=46)
    world.sandbox.fault("token.refresh", "500", times=1)

    await world.services.upkeep.round()

    told = world.services.metrics.render().decode()
    assert 'xero_service_upkeep_items_total{outcome="done",step="refresh"} 1.0' in told
    assert 'xero_service_upkeep_items_total{outcome="failed",step="refresh"} 1.0' in told
    assert 'xero_service_upkeep_step_finished_timestamp_seconds{step="refresh"}' in told


async def test_bindings_of_a_grant_that_came_back_to_life_work_again_after_a_round(
    world: World,
) -> None:
    """A holder that was paused past everything saves the set that proves the grant alive."""
    admin = await world.acme_admin()
    binding = await admin.connects(ACME_TRADING)
    await world.database.execute("UPDATE integration_grants SET status = 'refresh_failed'")
    async with world.services.database.transaction() as tx:
        await tx.bindings.change_status(
            (await world.grant(binding["grantId"]))["id"],
            old=BindingStatus.ACTIVE,
            new=BindingStatus.NEEDS_REAUTH,
        )
    await world.database.execute("UPDATE integration_grants SET status = 'active'")

    await world.services.upkeep.round()

    assert (await admin.bindings())[ACME_TRADING]["status"] == "active"


async def test_an_owed_deletion_is_done_once_the_whole_grant_was_revoked(world: World) -> None:
    admin = await world.acme_admin()
    first = await admin.connects(ACME_TRADING)
    second = await admin.connects(ACME_SERVICES)
    world.sandbox.fault("connections.delete", "503", times=None)
    world.sandbox.fault("revocation", "503", times=1)
    await admin.disconnects(first["id"])
    await admin.disconnects(second["id"])

    await world.hurries()
    await world.services.upkeep.round()
    await world.hurries()
    await world.services.upkeep.round()

    assert await world.cleanups() == [("delete_connection", "done"), ("revoke", "done")]
