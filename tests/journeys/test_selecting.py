"""Binding one tenant: what is created, moved, refused, and restored (design: rule 7)."""

import asyncio
from typing import Any
from unittest.mock import AsyncMock

import httpx
import pytest

from tests.people import Person
from tests.world import ACME, GLOBEX, World
from xero_sandbox import samples
from xero_sandbox.samples import ACME_SERVICES, ACME_TRADING, DEMO_COMPANY
from xero_service.errors import ServiceBusy
from xero_service.store.tenant_limits import TenantLimits

SHARED = samples.ACCOUNTANT.xero_user_id


async def select(person: Person, grant_id: str, tenant_id: str, **more: Any) -> httpx.Response:
    body = {"grantId": grant_id, "tenantId": tenant_id, **more}
    return await person.post("/tenants/select", body)


async def test_selecting_creates_a_binding_and_answers_with_it(world: World) -> None:
    admin = await world.acme_admin()
    landing = await admin.consents(ACME_TRADING)

    response = await select(admin, landing.grant_id, ACME_TRADING)

    assert response.status_code == 201
    binding = response.json()
    assert binding == (await admin.bindings())[ACME_TRADING]
    assert binding["status"] == "active"
    assert binding["tenantName"] == "Acme Trading Ltd"
    assert binding["grantId"] == landing.grant_id
    assert binding["health"]["state"] == "healthy"
    assert binding["connectedBy"] == {
        "userId": admin.id,
        "xeroName": samples.ACME_BOOKKEEPER.name,
        "xeroEmail": samples.ACME_BOOKKEEPER.email,
    }


async def test_a_selection_whose_answer_cannot_be_read_is_undone(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    admin = await world.acme_admin()
    landing = await admin.consents(ACME_TRADING)
    with monkeypatch.context() as patch:
        patch.setattr(TenantLimits, "of", AsyncMock(side_effect=ServiceBusy))

        response = await select(admin, landing.grant_id, ACME_TRADING)

    assert response.status_code == 503
    assert await admin.bindings() == {}


async def test_selecting_again_moves_the_binding_to_the_new_grant(world: World) -> None:
    admin = await world.acme_admin()
    first = await admin.connects(ACME_TRADING)
    landing = await admin.consents(ACME_TRADING, xero_user=SHARED)

    response = await select(admin, landing.grant_id, ACME_TRADING)

    assert response.status_code == 200
    assert response.json()["id"] == first["id"]
    assert response.json()["grantId"] == landing.grant_id != first["grantId"]
    assert response.json()["connectedBy"]["xeroName"] == samples.ACCOUNTANT.name


async def test_a_tenant_held_by_another_org_is_refused_and_nothing_is_disclosed(
    world: World,
) -> None:
    globex, acme = await world.globex_admin(), await world.acme_admin()
    theirs = await globex.connects(ACME_TRADING, xero_user=SHARED)
    landing = await acme.consents(ACME_TRADING)

    response = await select(acme, landing.grant_id, ACME_TRADING)

    assert response.status_code == 409
    body = response.json()
    body.pop("requestId")
    assert body == {
        "type": "urn:xero-service:problem:tenant_bound_elsewhere",
        "title": "This Xero organisation is already connected elsewhere",
        "status": 409,
        "detail": "This Xero organisation is connected elsewhere. Disconnect it there first.",
        "code": "tenant_bound_elsewhere",
    }
    assert (await globex.bindings())[ACME_TRADING] == theirs


async def test_a_tenant_that_another_org_gave_up_is_bound_anew(world: World) -> None:
    globex, acme = await world.globex_admin(), await world.acme_admin()
    theirs = await globex.connects(ACME_TRADING, xero_user=SHARED)
    await globex.disconnects(theirs["id"])
    landing = await acme.consents(ACME_TRADING)

    response = await select(acme, landing.grant_id, ACME_TRADING)

    assert response.status_code == 201
    assert response.json()["id"] != theirs["id"]
    assert await globex.bindings(status="revoked") == {}


async def test_an_org_that_comes_back_gets_its_own_binding_back(world: World) -> None:
    admin = await world.acme_admin()
    trading = await admin.connects(ACME_TRADING)
    await admin.connects(ACME_SERVICES)
    await admin.disconnects(trading["id"])
    landing = await admin.consents(ACME_TRADING)

    response = await select(admin, landing.grant_id, ACME_TRADING)

    assert response.status_code == 200
    assert (response.json()["id"], response.json()["status"]) == (trading["id"], "active")


async def test_a_tenant_that_the_consent_does_not_reach_is_refused(world: World) -> None:
    admin = await world.acme_admin()
    landing = await admin.consents(ACME_TRADING)

    responses = [
        await select(admin, landing.grant_id, ACME_SERVICES),
        await select(admin, landing.grant_id, "no-such-tenant"),
    ]

    assert [r.status_code for r in responses] == [422, 422]
    assert {r.json()["code"] for r in responses} == {"tenant_not_accessible"}
    assert await admin.bindings() == {}


async def test_a_tenant_that_was_disconnected_in_xero_meanwhile_is_refused(world: World) -> None:
    admin = await world.acme_admin()
    landing = await admin.consents(ACME_TRADING)
    world.sandbox.disconnect("xero-user-1", ACME_TRADING)

    response = await select(admin, landing.grant_id, ACME_TRADING)

    assert (response.status_code, response.json()["code"]) == (422, "tenant_not_accessible")


@pytest.mark.parametrize("extra", [{"orgId": GLOBEX}, {"status": "active"}, {"owner": "me"}])
async def test_a_field_that_was_not_documented_is_refused_and_not_echoed_s18_s43(
    world: World, extra: dict[str, str]
) -> None:
    admin = await world.acme_admin()
    landing = await admin.consents(ACME_TRADING)

    response = await select(admin, landing.grant_id, ACME_TRADING, **extra, canary="c4n4ry")

    assert response.status_code == 422
    assert response.json()["code"] == "invalid_request"
    for submitted in ("c4n4ry", "canary", *extra, *extra.values()):
        assert submitted not in response.text.replace('"status":422', "")
    assert await admin.bindings() == {}


async def test_an_expired_access_token_is_renewed_for_the_choice(world: World) -> None:
    admin = await world.acme_admin()
    landing = await admin.consents(ACME_TRADING)
    world.sandbox.advance(31 * 60)

    response = await select(admin, landing.grant_id, ACME_TRADING)

    assert response.status_code == 201
    assert len(world.calls("token.refresh")) == 1


async def test_a_choice_survives_a_consent_of_the_same_xero_user_in_between_r21(
    world: World,
) -> None:
    acme, globex = await world.acme_admin(), await world.globex_admin()
    landing = await acme.consents(ACME_TRADING, xero_user=SHARED)
    hold = world.hold("connections.list", when="after")

    async with asyncio.TaskGroup() as tasks:
        choice = tasks.create_task(select(acme, landing.grant_id, ACME_TRADING))
        await hold.reached()
        newer = await globex.consents(samples.GLOBEX, xero_user=SHARED)
        await hold.release()

    response = choice.result()
    assert response.status_code == 201, response.text
    assert response.json()["grantId"] == newer.grant_id


async def test_an_admin_of_two_orgs_binds_for_the_one_that_is_active(world: World) -> None:
    in_acme, in_globex = await world.accountant(ACME), await world.accountant(GLOBEX)

    await in_acme.connects(DEMO_COMPANY, xero_user=SHARED)

    assert set(await in_acme.bindings()) == {DEMO_COMPANY}
    assert await in_globex.bindings() == {}
