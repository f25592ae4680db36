"""What an operator suspends stays so until an operator resumes it, whichever org binds it (S56)."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest

from tests.people import Person
from tests.service_api.callers import Service, problem, service
from tests.world import ACME, GLOBEX, World, until
from xero_sandbox import samples
from xero_sandbox.samples import ACME_SERVICES, ACME_TRADING
from xero_service.domain import SYSTEM
from xero_service.errors import NotFound
from xero_service.store import schema

SHARED = samples.ACCOUNTANT.xero_user_id
ROUNDS = pytest.mark.parametrize("rounds", [15, pytest.param(50, marks=pytest.mark.soak)])
BINDS = (
    "INSERT INTO integration_tenant_bindings"
    " (id, clerk_org_id, external_tenant_id, external_tenant_name, active_grant_id)"
    " VALUES (gen_random_uuid(), $1, $2, 'Acme', $3)"
)


@pytest.fixture
async def billing(world: World) -> Service:
    return await service(world.application, org_id=None)


async def suspends(world: World, binding_id: str) -> None:
    await world.services.operators.suspend(SYSTEM, UUID(binding_id))


async def resumes(world: World, reference: str) -> None:
    await world.services.operators.resume(SYSTEM, UUID(reference))


async def is_suspended(billing: Service, person: Person, binding_id: str) -> bool:
    """Whether the org sees it so, and no service of the org can use it."""
    assert person.org_id is not None
    shown = {each["id"]: each["status"] for each in (await person.bindings()).values()}
    key = billing.naming(person.org_id)
    for answer in (await key.token(binding_id), await key.calls(binding_id)):
        if answer.status_code == 200:
            assert shown[binding_id] == "active"
            return False
        assert problem(answer) == (409, "binding_suspended")
    assert shown[binding_id] == "suspended"
    return True


@pytest.mark.parametrize("older", [False, True], ids=["", "suspended_before_the_migration"])
async def test_disconnecting_and_connecting_again_lifts_no_suspension(
    world: World, billing: Service, older: bool
) -> None:
    admin = await world.acme_admin()
    binding = await admin.connects(ACME_TRADING)
    await suspends(world, binding["id"])
    if older:
        url = world.application.settings.database_url.get_secret_value()
        await asyncio.to_thread(schema.downgrade, url, "0003")
        await asyncio.to_thread(schema.upgrade, url)

    ended = await admin.disconnects(binding["id"])
    assert ended["binding"]["status"] == "revoked"
    again = await admin.connects(ACME_TRADING)

    assert (again["id"], again["status"]) == (binding["id"], "suspended")
    assert await is_suspended(billing, admin, binding["id"])

    await resumes(world, binding["id"])
    assert not await is_suspended(billing, admin, binding["id"])
    await admin.disconnects(binding["id"])
    assert (await admin.connects(ACME_TRADING))["status"] == "active"


@pytest.mark.parametrize("older", [False, True], ids=["", "revoked_before_the_migration"])
@pytest.mark.parametrize("user", [SHARED, None], ids=["same_accountant", "another_xero_user"])
async def test_another_org_that_connects_it_finds_it_suspended_b3(
    world: World, billing: Service, user: str | None, older: bool
) -> None:
    """B3, S56: and the first org, once it has it back; each way round until it is resumed."""
    acme, globex = await world.acme_admin(), await world.globex_admin()
    first = await acme.connects(ACME_TRADING, xero_user=SHARED)
    await suspends(world, first["id"])
    await acme.disconnects(first["id"])
    if older:
        url = world.application.settings.database_url.get_secret_value()
        await asyncio.to_thread(schema.downgrade, url, "0004")
        await asyncio.to_thread(schema.upgrade, url)

    second = await globex.connects(ACME_TRADING, **({"xero_user": user} if user else {}))
    assert (second["id"] != first["id"], second["status"]) == (True, "suspended")
    assert await is_suspended(billing, globex, second["id"])

    await globex.disconnects(second["id"])
    third = await acme.connects(ACME_TRADING, xero_user=SHARED)
    assert third["status"] == "suspended"

    await resumes(world, first["id"])  # the row that it was suspended by is gone
    assert not await is_suspended(billing, acme, third["id"])
    await acme.disconnects(third["id"])
    assert (await globex.connects(ACME_TRADING))["status"] == "active"


async def consents_anew(world: World, admin: Person) -> None:
    """After the grant had died, so that its bindings need a person and get one."""
    grant_id = str((await world.grants())[0]["id"])
    await world.ages(grant_id, expires_in="-1 minute")
    world.sandbox.advance(61 * 24 * 3600)
    await admin.refreshes()
    await admin.consents()


async def consents_again(_: World, admin: Person) -> None:
    await admin.consents()


async def selects_again(_: World, admin: Person) -> None:
    landing = await admin.consents()
    await admin.selects(landing.grant_id, ACME_TRADING)


async def another_user_takes_over(_: World, admin: Person) -> None:
    landing = await admin.consents(ACME_TRADING, xero_user=SHARED)
    await admin.selects(landing.grant_id, ACME_TRADING)


async def access_is_lost_and_comes_back(world: World, _: Person) -> None:
    for role in (None, "standard"):
        world.sandbox.set_role(samples.ACME_BOOKKEEPER.xero_user_id, ACME_TRADING, role)
        await world.database.execute(
            "UPDATE integration_tenant_bindings SET last_checked_at = NULL"
        )
        await world.services.upkeep.round()


async def a_refresh_is_retried(world: World, _: Person) -> None:
    grant_id = (await world.grants())[0]["id"]
    await world.services.operators.retry(grant_id)


async def the_org_is_offboarded_and_comes_back(world: World, admin: Person) -> None:
    await world.services.operators.offboard(SYSTEM, ACME)
    await world.services.operators.offboard(SYSTEM, ACME)
    await admin.connects(ACME_SERVICES)
    await admin.connects(ACME_TRADING)


WAYS: tuple[Callable[[World, Person], Awaitable[None]], ...] = (
    consents_anew,
    consents_again,
    selects_again,
    another_user_takes_over,
    access_is_lost_and_comes_back,
    a_refresh_is_retried,
    the_org_is_offboarded_and_comes_back,
)


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
async def test_nothing_but_resuming_lifts_a_suspension_b3(
    world: World, billing: Service, way: Callable[[World, Person], Awaitable[None]]
) -> None:
    """B3, S56: the org's other binding goes on meanwhile."""
    admin = await world.acme_admin()
    await admin.connects(ACME_SERVICES)
    binding = await admin.connects(ACME_TRADING)
    await suspends(world, binding["id"])

    await way(world, admin)

    bindings = await admin.bindings()
    assert bindings[ACME_TRADING]["status"] == "suspended"
    assert bindings[ACME_SERVICES]["status"] == "active"
    await resumes(world, bindings[ACME_TRADING]["id"])
    assert not await is_suspended(billing, admin, bindings[ACME_TRADING]["id"])


@pytest.mark.parametrize("named", ["by_the_binding", "by_the_tenant"])
async def test_what_was_disconnected_is_resumed_all_the_same_b3(world: World, named: str) -> None:
    """B3: operators see it listed, and it stays disconnected."""
    admin = await world.acme_admin()
    binding = await admin.connects(ACME_TRADING)
    await suspends(world, binding["id"])
    await admin.disconnects(binding["id"])
    assert [str(each.id) for each in await world.services.operators.bindings(ACME)] == [
        binding["id"]
    ]

    await resumes(world, binding["id"] if named == "by_the_binding" else ACME_TRADING)

    assert await world.services.operators.bindings(None) == ()
    assert set(await admin.bindings(status="revoked")) == {ACME_TRADING}
    (event,) = await world.audited("binding.resumed")
    assert (event["org_id"], event["tenant_id"]) == (ACME, ACME_TRADING)
    theirs = await (await world.globex_admin()).connects(ACME_TRADING)
    assert theirs["status"] == "active"
    for reference in (binding["id"], theirs["id"], ACME_TRADING, str(uuid4())):
        with pytest.raises(NotFound):
            await resumes(world, reference)


async def test_a_tenant_that_no_row_is_left_of_is_resumed_by_its_id_b3(world: World) -> None:
    admin = await world.acme_admin()
    binding = await admin.connects(ACME_TRADING)
    await suspends(world, binding["id"])
    await admin.disconnects(binding["id"])
    await world.database.execute("DELETE FROM integration_tenant_bindings")

    again = await admin.connects(ACME_TRADING)
    assert again["status"] == "suspended"
    await admin.disconnects(again["id"])
    await world.database.execute("DELETE FROM integration_tenant_bindings")
    await resumes(world, ACME_TRADING)

    assert (await admin.connects(ACME_TRADING))["status"] == "active"


async def test_another_organisation_of_the_same_org_is_not_suspended(world: World) -> None:
    admin = await world.acme_admin()
    binding = await admin.connects(ACME_TRADING)
    await suspends(world, binding["id"])

    assert (await admin.connects(ACME_SERVICES))["status"] == "active"


@ROUNDS
async def test_suspending_while_it_is_selected_leaves_it_suspended_b3(
    world: World, rounds: int
) -> None:
    """B3: in any order of the two; and resuming at that moment leaves it usable."""
    acme, globex = await world.acme_admin(), await world.globex_admin()
    landing = await acme.consents(ACME_TRADING, xero_user=SHARED)
    await globex.consents(xero_user=SHARED)  # the same grant leads both orgs to the tenant
    for number in range(rounds):
        admin = acme if number % 2 else globex
        await world.database.execute("UPDATE integration_tenant_bindings SET status = 'revoked'")
        binding = await admin.selects(landing.grant_id, ACME_TRADING)
        assert binding["status"] == "active"

        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(later(suspends(world, binding["id"])))
            tasks.create_task(later(admin.selects(landing.grant_id, ACME_TRADING)))
        assert (await admin.bindings())[ACME_TRADING]["status"] == "suspended"

        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(later(resumes(world, ACME_TRADING)))
            tasks.create_task(later(admin.selects(landing.grant_id, ACME_TRADING)))
        assert (await admin.bindings())[ACME_TRADING]["status"] == "active"


async def later(deed: Awaitable[object]) -> None:
    await asyncio.sleep(random.uniform(0, 0.02))  # noqa: S311
    await deed


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
            suspending = asyncio.create_task(suspends(world, binding["id"]))
            await until(lambda: _somebody_waits(world))
    finally:
        await elsewhere.close()

    with pytest.raises(NotFound):
        await suspending
    assert set(await admin.bindings(status="revoked")) == {ACME_TRADING}


@pytest.mark.parametrize("first", ["resumed", "bound"])
async def test_a_tenant_that_is_bound_while_it_is_resumed_is_usable_b3(
    world: World, first: str
) -> None:
    """B3: each waits for the other, whichever came first."""
    admin = await world.acme_admin()
    binding = await admin.connects(ACME_TRADING)
    await suspends(world, binding["id"])
    await admin.disconnects(binding["id"])
    globex = await world.globex_admin()
    landing = await globex.consents(ACME_TRADING)
    url = world.application.settings.database_url.get_secret_value()
    elsewhere = await asyncpg.connect(url)
    other: asyncio.Task[Any]
    try:
        async with elsewhere.transaction():
            if first == "bound":
                await elsewhere.execute("DELETE FROM integration_tenant_bindings")
                await elsewhere.execute(BINDS, GLOBEX, ACME_TRADING, UUID(landing.grant_id))
                other = asyncio.create_task(resumes(world, ACME_TRADING))
            else:
                await elsewhere.execute("DELETE FROM suspended_tenants")
                other = asyncio.create_task(globex.selects(landing.grant_id, ACME_TRADING))
            await until(lambda: _somebody_waits(world))
        await other
    finally:
        await elsewhere.close()

    status = await world.database.fetchval("SELECT status FROM integration_tenant_bindings")
    assert status == "active"


async def _somebody_waits(world: World) -> bool:
    found = await world.database.fetchval(
        "SELECT count(*) FROM pg_stat_activity"
        " WHERE datname = current_database() AND wait_event_type = 'Lock'"
    )
    return bool(found)
