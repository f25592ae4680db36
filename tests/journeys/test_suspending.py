"""What an operator suspends stays so until an operator resumes it, whatever the org does."""

import asyncio
from uuid import UUID

import asyncpg
import pytest

from tests.internal.callers import Service, problem, service
from tests.world import World, until
from xero_sandbox.samples import ACME_SERVICES, ACME_TRADING
from xero_service.domain import SYSTEM
from xero_service.errors import NotFound
from xero_service.store import schema


@pytest.fixture
async def billing(world: World) -> Service:
    return await service(world.application)


@pytest.mark.parametrize("older", [False, True], ids=["", "suspended_before_the_migration"])
async def test_disconnecting_and_connecting_again_lifts_no_suspension(
    world: World, billing: Service, older: bool
) -> None:
    admin = await world.acme_admin()
    binding = await admin.connects(ACME_TRADING)
    await world.services.operating.suspend(SYSTEM, UUID(binding["id"]))
    if older:
        url = world.application.settings.database_url.get_secret_value()
        await asyncio.to_thread(schema.downgrade, url, "0003")
        await asyncio.to_thread(schema.upgrade, url)

    ended = await admin.disconnects(binding["id"])
    assert ended["binding"]["status"] == "revoked"
    again = await admin.connects(ACME_TRADING)

    assert (again["id"], again["status"]) == (binding["id"], "suspended")
    assert problem(await billing.token(binding["id"])) == (409, "binding_suspended")
    assert problem(await billing.calls(binding["id"])) == (409, "binding_suspended")

    await world.services.operating.resume(SYSTEM, UUID(binding["id"]))
    assert (await billing.token(binding["id"])).status_code == 200
    await admin.disconnects(binding["id"])
    assert (await admin.connects(ACME_TRADING))["status"] == "active"


async def test_another_orgs_binding_of_the_same_organisation_is_not_suspended(
    world: World,
) -> None:
    admin = await world.acme_admin()
    binding = await admin.connects(ACME_TRADING)
    await admin.connects(ACME_SERVICES)
    await world.services.operating.suspend(SYSTEM, UUID(binding["id"]))
    await admin.disconnects(binding["id"])

    theirs = await (await world.globex_admin()).connects(ACME_TRADING)

    assert theirs["id"] != binding["id"]
    assert theirs["status"] == "active"


async def test_a_suspension_does_not_bring_back_what_ends_at_the_same_moment(
    world: World,
) -> None:
    admin = await world.acme_admin()
    binding = await admin.connects(ACME_TRADING)
    url = world.application.settings.database_url.get_secret_value()
    elsewhere = await asyncpg.connect(url)
    try:
        async with elsewhere.transaction():
            await elsewhere.execute("UPDATE integration_tenant_bindings SET status = 'revoked'")
            suspending = asyncio.create_task(
                world.services.operating.suspend(SYSTEM, UUID(binding["id"]))
            )
            await until(lambda: _somebody_waits(world))
    finally:
        await elsewhere.close()

    with pytest.raises(NotFound):
        await suspending
    assert set(await admin.bindings(status="revoked")) == {ACME_TRADING}


async def _somebody_waits(world: World) -> bool:
    found = await world.database.fetchval(
        "SELECT count(*) FROM pg_stat_activity"
        " WHERE datname = current_database() AND wait_event_type = 'Lock'"
    )
    return bool(found)
