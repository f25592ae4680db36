"""Warnings that only time or the configuration makes true, and their end (R28)."""

from uuid import UUID

import pytest

from tests.events.conftest import page
from tests.outages.many_grants import crowd
from tests.service_api.callers import Service
from tests.world import Application, World
from xero_sandbox.samples import ACME_SERVICES, ACME_TRADING
from xero_service.settings import Settings


async def facts(reader: Service) -> list[tuple[str, dict[str, object]]]:
    """The kinds and the data of all events but the first, which is `binding.connected`."""
    events = (await page(reader, limit=200))["events"]
    return [(event["kind"], event["data"]) for event in events][1:]


async def look(application: Application) -> None:
    """Upkeep's look, several times: one that changes nothing has no event."""
    for _ in range(3):
        await application.services.upkeep._warn()


async def test_an_old_refresh_token_is_reported_once_and_its_renewal_too(
    world: World, reader: Service
) -> None:
    """R28: older than 50 days, then renewed."""
    binding = await (await world.acme_admin()).connects(ACME_TRADING)
    await world.ages(binding["grantId"], days=49)
    await look(world.application)
    assert await facts(reader) == []

    await world.ages(binding["grantId"], days=51)
    await look(world.application)
    assert await facts(reader) == [("binding.expiring", {})]

    await world.services.tokens.refresh_grant_single_flight(UUID(binding["grantId"]))
    await look(world.application)
    assert (await facts(reader))[1:] == [("binding.recovered", {"after": "expiring"})]


async def test_a_renewal_that_fails_for_an_hour_is_reported_for_each_binding(
    world: World, reader: Service
) -> None:
    """R28: the failures lie an hour apart; a failure of long ago alone is no reason."""
    admin = await world.acme_admin()
    await admin.connects(ACME_TRADING)
    binding = await admin.connects(ACME_SERVICES)
    before = len(await facts(reader))
    world.sandbox.fault("token", "500", times=None)

    async def fails() -> None:
        await world.hurries()
        await world.database.execute("UPDATE integration_grants SET lease_until = NULL")
        await world.ages(binding["grantId"], expires_in="-1 minute")
        await admin.refreshes()

    await fails()
    await look(world.application)
    assert await facts(reader) == (await facts(reader))[:before]
    await world.database.execute(
        "UPDATE integration_grants SET refresh_failing_since = now() - interval '61 minutes'"
        " WHERE refresh_failing_since IS NOT NULL"
    )
    await fails()
    await look(world.application)
    assert (await facts(reader))[before:] == [("binding.expiring", {})] * 2

    world.sandbox.clear_faults()
    await fails()
    await look(world.application)
    recovered = ("binding.recovered", {"after": "expiring"})
    assert (await facts(reader))[before + 2 :] == [recovered] * 2


async def test_scopes_that_a_grant_lacks_are_reported_until_it_has_them(
    world: World, reader: Service, settings: Settings
) -> None:
    """R28: once per binding, also while replicas with other XERO_SCOPES run beside."""
    admin = await world.acme_admin()
    await admin.connects(ACME_TRADING)
    wanted = (*settings.xero_scopes, "accounting.contacts", "accounting.payments")
    changed = settings.model_copy(update={"xero_scopes": wanted})
    async with Application.running(changed) as newer:
        for replica in (newer, world.application, newer, world.application):
            await look(replica)
    missing = {"missing": ["accounting.contacts", "accounting.payments"]}
    assert await facts(reader) == [("binding.permissions_missing", missing)]

    await world.database.execute("UPDATE integration_grants SET scopes = $1", list(wanted))
    await look(world.application)
    assert (await facts(reader))[1:] == [("binding.recovered", {"after": "permissions_missing"})]


@pytest.mark.parametrize("status", ["needs_reauth", "suspended", "revoked"])
async def test_no_warning_about_a_binding_that_is_not_in_use(
    world: World, reader: Service, status: str
) -> None:
    """R28: it has an event of its own."""
    binding = await (await world.acme_admin()).connects(ACME_TRADING)
    await world.ages(binding["grantId"], days=51)
    await world.database.execute("UPDATE integration_tenant_bindings SET status = $1", status)

    await look(world.application)

    assert await facts(reader) == []


async def test_a_warning_waits_for_no_lock_of_a_grant(world: World) -> None:
    """A consent locks the grant, then its bindings; in the other order the two would deadlock."""
    await crowd(world, 1, days=51)

    async with world.database.transaction():
        await world.database.execute("SELECT FROM integration_grants FOR UPDATE")
        await world.application.services.upkeep._warn()

    found = await world.database.fetchrow(
        "SELECT expiring_since, missing_scopes FROM integration_tenant_bindings"
    )
    assert all(found)
