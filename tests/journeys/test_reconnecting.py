"""A consent that is meant for one binding: it ends in the binding reconnected, or still named."""

from typing import Any
from uuid import uuid4

import pytest

from tests.people import Person
from tests.world import World
from xero_sandbox import samples
from xero_sandbox.samples import ACME_SERVICES, ACME_TRADING, DEMO_COMPANY

USER = samples.ACME_BOOKKEEPER.xero_user_id
SHARED = samples.ACCOUNTANT.xero_user_id


@pytest.fixture
async def admin(world: World) -> Person:
    return await world.acme_admin()


async def lost(world: World, admin: Person) -> dict[str, Any]:
    """A binding whose tenant its user has disconnected in Xero."""
    binding = await admin.connects(ACME_TRADING)
    world.sandbox.disconnect(USER, ACME_TRADING)
    await admin.refreshes(check=True)
    found = (await admin.bindings())[ACME_TRADING]
    assert found["status"] == "needs_reauth"
    return binding


async def test_a_consent_that_reaches_the_tenant_reconnects_the_binding(
    world: World, admin: Person
) -> None:
    """R36: no choice is left to make, also where another Xero user consents."""
    binding = await lost(world, admin)

    landing = await admin.consents(ACME_TRADING, reconnect=binding["id"])

    assert landing.query == {"action": "reconnected", "bindingId": binding["id"]}
    again = (await admin.bindings())[ACME_TRADING]
    assert (again["id"], again["status"]) == (binding["id"], "active")
    assert again["grantId"] != binding["grantId"]
    assert (await admin.get("/bindings")).json()["pending"] is None


async def test_another_xero_user_takes_the_binding_over(world: World, admin: Person) -> None:
    """R36: the first user may have left; the binding must rest on a grant that works."""
    binding = await admin.connects(DEMO_COMPANY)
    world.sandbox.disconnect(USER, DEMO_COMPANY)
    await admin.refreshes(check=True)

    landing = await admin.consents(DEMO_COMPANY, xero_user=SHARED, reconnect=binding["id"])

    assert landing.query == {"action": "reconnected", "bindingId": binding["id"]}
    again = (await admin.bindings())[DEMO_COMPANY]
    assert (again["status"], again["id"]) == ("active", binding["id"])
    assert again["grantId"] != binding["grantId"]
    (started,) = [e for e in await world.audited("connect.started") if e["binding_id"]]
    assert str(started["binding_id"]) == binding["id"]


async def test_a_consent_that_misses_the_tenant_names_what_is_still_broken(
    world: World, admin: Person
) -> None:
    """R36: the page says which organisation still needs a person."""
    binding = await lost(world, admin)

    landing = await admin.consents(ACME_SERVICES, reconnect=binding["id"])

    assert landing.query == {
        "action": "select_tenant",
        "grantId": landing.grant_id,
        "unreached": binding["id"],
    }
    assert (await admin.bindings())[ACME_TRADING]["status"] == "needs_reauth"


async def test_a_repeated_callback_lands_on_the_same_result(world: World, admin: Person) -> None:
    """R36: reload, back, and a browser that sends the callback twice."""
    reached = await lost(world, admin)
    callback = await admin.allows(ACME_TRADING, reconnect=reached["id"])
    missed = await admin.allows(ACME_SERVICES, xero_user=SHARED, reconnect=reached["id"])

    for each in (callback, missed):
        first = await admin.lands(each)
        assert (await admin.lands(each)).query == first.query


async def test_a_binding_that_ended_meanwhile_stays_ended(world: World, admin: Person) -> None:
    """R36: a disconnect by a colleague is not undone by a consent that was under way."""
    binding = await admin.connects(ACME_TRADING)
    landing = await admin.consents(ACME_SERVICES)
    await admin.selects(landing.grant_id, ACME_SERVICES)
    callback = await admin.allows(reconnect=binding["id"])
    world.sandbox.fault("connections.delete", "503", times=None)
    ended = await admin.disconnects(binding["id"])
    assert ended["remoteCleanup"] == "pending"

    landing = await admin.lands(callback)

    assert landing.query["unreached"] == binding["id"]
    assert await world.revoked()


async def test_where_xero_does_not_answer_the_choice_is_offered(
    world: World, admin: Person
) -> None:
    """R36: nothing is known about the binding, so nothing is said about it."""
    binding = await admin.connects(ACME_TRADING)
    callback = await admin.allows(reconnect=binding["id"])
    world.sandbox.fault("connections", "503", times=None)

    landing = await admin.lands(callback)

    assert landing.query == {"action": "select_tenant", "grantId": landing.grant_id}


async def test_only_a_binding_of_the_org_can_be_reconnected(world: World, admin: Person) -> None:
    """S64: an unknown, a foreign and an ended binding are one answer."""
    globex = await world.globex_admin()
    foreign = await globex.connects(DEMO_COMPANY, xero_user=SHARED)
    ended = await admin.connects(ACME_TRADING)
    await admin.disconnects(ended["id"])
    attempts = await world.database.fetchval("SELECT count(*) FROM verification_tokens")

    for binding_id in (str(uuid4()), foreign["id"], ended["id"]):
        refused = await admin.get("/start", params={"reconnect": binding_id})
        assert (refused.status_code, refused.json()["code"]) == (404, "not_found")
    malformed = await admin.get("/start", params={"reconnect": "first"})

    assert malformed.status_code == 422
    assert attempts == await world.database.fetchval("SELECT count(*) FROM verification_tokens")
