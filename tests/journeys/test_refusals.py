"""`invalid_grant` while somebody else may hold a newer set: nobody ends the grant for it (R8)."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from tests.world import ACME, ACME_ADMIN, Application, World
from xero_sandbox.samples import ACME_TRADING
from xero_service.settings import Settings

GRACE_IS_OVER = 31 * 60
ONE_RENEWED = {"success": True, "hasActiveBindings": True, "refreshedCount": 1, "errors": []}


@pytest.fixture
async def another(settings: Settings) -> AsyncIterator[Application]:
    """A second replica on the same database."""
    async with Application.running(settings) as running:
        yield running


@pytest.fixture
async def binding(world: World) -> dict[str, str]:
    """A binding whose access token has expired."""
    admin = await world.acme_admin()
    found = await admin.connects(ACME_TRADING)
    await world.ages(found["grantId"], expires_in="-1 minute")
    return found


async def is_as_before(world: World, binding: dict[str, str], *, generation: int) -> None:
    grant = await world.grant(binding["grantId"])
    assert (grant["status"], grant["generation"]) == ("active", generation)
    bound = await world.database.fetchval("SELECT status FROM integration_tenant_bindings")
    assert bound == "active"
    assert [event["outcome"] for event in await world.audited("grant.refresh_failed")].count(
        "dead"
    ) == 0


async def the_lease_runs_out(world: World) -> None:
    await world.database.execute(
        "UPDATE integration_grants SET lease_until = now() - interval '1 second'"
    )


async def test_a_refusal_while_another_attempt_is_in_flight_ends_nothing_r8(
    world: World, another: Application, binding: dict[str, str]
) -> None:
    """Xero rotated for the first; its grace is over when the second presents the old token."""
    first = await world.acme_admin()
    second = await world.person(ACME_ADMIN, ACME, at=another)
    hold = world.hold("token.refresh", when="after")

    async with asyncio.TaskGroup() as tasks:
        waiting = tasks.create_task(first.refreshes())
        await hold.reached()
        await the_lease_runs_out(world)
        world.sandbox.advance(GRACE_IS_OVER)

        refused = await second.refreshes()

        await is_as_before(world, binding, generation=1)
        await hold.release()

    assert refused["errors"] == [{"bindingId": binding["id"], "error": "xero_unavailable"}]
    assert waiting.result() == ONE_RENEWED
    await is_as_before(world, binding, generation=2)
    assert (await second.refreshes())["errors"] == []
    await world.ages(binding["grantId"], expires_in="-1 minute")
    assert await second.refreshes() == ONE_RENEWED


async def test_a_refusal_after_a_recent_attempt_without_an_answer_ends_nothing_r8(
    world: World, binding: dict[str, str]
) -> None:
    """Whoever made that attempt may only be slow; they are given ninety seconds."""
    admin = await world.acme_admin()
    world.sandbox.fault("token.refresh", "drop", when="after")
    await admin.refreshes()
    await world.hurries()
    world.sandbox.advance(GRACE_IS_OVER)

    await admin.refreshes()

    await is_as_before(world, binding, generation=1)
    pause = await world.database.fetchval("SELECT next_refresh_at - now() FROM integration_grants")
    assert 0 < pause.total_seconds() <= 5


async def test_a_refusal_after_an_attempt_that_is_long_over_is_final_r9(
    world: World, binding: dict[str, str]
) -> None:
    admin = await world.acme_admin()
    world.sandbox.fault("token.refresh", "drop", when="after")
    await admin.refreshes()
    world.sandbox.advance(GRACE_IS_OVER)
    await world.hurries()
    await world.database.execute(
        "UPDATE integration_grants SET refresh_sent_at = refresh_sent_at - interval '95 s'"
    )

    report = await admin.refreshes()

    assert report["errors"] == [{"bindingId": binding["id"], "error": "reauthorization_required"}]
    assert (await world.grant(binding["grantId"]))["status"] == "refresh_failed"
    outcomes = [event["outcome"] for event in await world.audited("grant.refresh_failed")]
    assert outcomes.count("dead") == 1


async def test_a_refusal_of_a_generation_that_has_moved_on_gives_the_newer_set_r8(
    world: World, another: Application, binding: dict[str, str]
) -> None:
    """The first was held up on its way to Xero; the second refreshed long before it arrived."""
    first = await world.acme_admin()
    second = await world.person(ACME_ADMIN, ACME, at=another)
    hold = world.hold("token.refresh", when="before")

    async with asyncio.TaskGroup() as tasks:
        late = tasks.create_task(first.refreshes())
        await hold.reached()
        await the_lease_runs_out(world)
        assert await second.refreshes() == ONE_RENEWED
        world.sandbox.advance(GRACE_IS_OVER)
        await hold.release()

    assert late.result() == ONE_RENEWED  # what the second had renewed, for the first as well
    assert world.calls("token.refresh")[0]["outcome"].startswith("invalid_grant")
    await is_as_before(world, binding, generation=2)


async def test_a_refusal_of_a_set_that_a_newer_consent_replaced_gives_the_newer_one_r8(
    world: World, binding: dict[str, str]
) -> None:
    admin, other = await world.acme_admin(), await world.acme_admin()
    hold = world.hold("token.refresh", when="before")

    async with asyncio.TaskGroup() as tasks:
        late = tasks.create_task(admin.refreshes())
        await hold.reached()
        landing = await other.consents()
        await hold.release()

    assert late.result()["errors"] == []
    assert [str(grant["id"]) for grant in await world.grants()] == [landing.grant_id]
    assert (await admin.bindings())[ACME_TRADING]["status"] == "active"
