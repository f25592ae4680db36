"""A consent from which nothing was chosen: it is offered again to the person who made it."""

from datetime import UTC, datetime
from typing import Any

import pytest

from tests.people import Person
from tests.service_api.callers import service
from tests.world import ACME, World
from xero_sandbox import samples
from xero_sandbox.samples import ACME_SERVICES, ACME_TRADING

SHARED = samples.ACCOUNTANT.xero_user_id


@pytest.fixture
async def admin(world: World) -> Person:
    return await world.acme_admin()


async def pending(person: Person) -> dict[str, Any] | None:
    found: dict[str, Any] | None = (await person.get("/bindings")).json()["pending"]
    return found


async def test_a_consent_without_a_choice_is_offered_until_one_is_made(admin: Person) -> None:
    """R37: closing the dialog, or the browser, loses nothing."""
    before = datetime.now(UTC)
    landing = await admin.consents(ACME_TRADING)

    offered = await pending(admin)
    assert offered is not None
    assert offered["grantId"] == landing.grant_id
    assert abs(datetime.fromisoformat(offered["authorisedAt"]) - before).total_seconds() < 300

    await admin.selects(landing.grant_id, ACME_TRADING)
    assert await pending(admin) is None


async def test_nobody_else_is_offered_it(world: World, admin: Person) -> None:
    """R37, S16: not a colleague, not a service, and not the same person in another org."""
    await admin.consents(ACME_TRADING)

    assert await pending(await world.acme_member()) is None
    assert await pending(await world.accountant(ACME)) is None
    billing = await service(world.application)
    async with billing.http:
        assert (await billing.request("GET", "/bindings")).json()["pending"] is None


async def test_a_consent_whose_organisations_are_all_bound_is_finished(admin: Person) -> None:
    """R37: it restored what was bound before, and there is nothing to choose."""
    await admin.connects(ACME_TRADING)

    await admin.consents()
    assert await pending(admin) is None

    landing = await admin.consents(ACME_SERVICES)
    offered = await pending(admin)
    assert offered is not None
    assert offered["grantId"] == landing.grant_id


async def test_a_newer_consent_of_the_same_xero_user_keeps_it_open(admin: Person) -> None:
    """R37: the earlier grant was superseded, and its id leads to the one that is offered."""
    await admin.consents(ACME_TRADING)
    landing = await admin.consents(ACME_SERVICES)

    offered = await pending(admin)
    assert offered is not None
    assert offered["grantId"] == landing.grant_id


async def test_a_consent_of_a_grant_that_ended_is_not_offered(world: World, admin: Person) -> None:
    """R37: there is nothing to choose from a dead grant; an earlier, live consent is offered."""
    first = await admin.consents(ACME_TRADING)
    second = await admin.consents(ACME_SERVICES, xero_user=SHARED)
    offered = await pending(admin)
    assert offered is not None
    assert offered["grantId"] == second.grant_id

    world.sandbox.kill_refresh_tokens(SHARED)
    await world.ages(second.grant_id, expires_in="-1 minute")
    assert (await admin.get("/tenants/list", params={"grantId": second.grant_id})).is_error

    offered = await pending(admin)
    assert offered is not None
    assert offered["grantId"] == first.grant_id
