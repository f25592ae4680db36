"""POST /bindings/{bindingId}/token: a token that works, or what to do about it."""

import asyncio
from datetime import UTC, datetime, timedelta
from uuid import UUID

import httpx
import pytest

from tests.service_api.callers import JSON, ORGANISATION, Service, client_of, problem, service
from tests.service_api.conftest import Connected
from tests.world import GLOBEX, Application, World, until
from xero_sandbox.samples import ACCOUNTANT, ACME_SERVICES, ACME_TRADING
from xero_sandbox.samples import GLOBEX as GLOBEX_TENANT
from xero_service.domain import SYSTEM

UNKNOWN = "7d0f3c1e-93c5-4a39-8f2b-0c4a6a3d5a10"


async def test_a_fresh_token_opens_the_organisation(
    application: Application, billing: Service, connected: Connected
) -> None:
    response = await billing.token(connected.id)

    assert response.status_code == 200
    assert response.headers["cache-control"] == "no-store"
    issued = response.json()
    assert issued["tenantId"] == ACME_TRADING
    assert issued["bindingId"] == connected.id
    assert issued["tokenType"] == "Bearer"
    left = datetime.fromisoformat(issued["expiresAt"]) - datetime.now(UTC)
    assert timedelta(minutes=29) < left <= timedelta(minutes=30)
    assert connected.world.calls("token.refresh") == []
    async with httpx.AsyncClient(trust_env=False) as client:
        headers = {**JSON, "xero-tenant-id": ACME_TRADING}
        headers["Authorization"] = f"Bearer {issued['accessToken']}"
        api = application.settings.xero_api_url
        assert (await client.get(f"{api}/{ORGANISATION}", headers=headers)).status_code == 200


@pytest.mark.parametrize("seconds", [0, 1, 1.0, 1500, 1500.0])
async def test_any_validity_up_to_25_minutes_can_be_asked_for(
    billing: Service, connected: Connected, seconds: float
) -> None:
    await connected.ages("24 minutes")

    response = await billing.token(connected.id, minValiditySeconds=seconds)

    left = datetime.fromisoformat(response.json()["expiresAt"]) - datetime.now(UTC)
    assert left >= timedelta(seconds=seconds)
    assert len(connected.world.calls("token.refresh")) == (1 if seconds == 1500 else 0)


@pytest.mark.parametrize("wish", [-1, 1501, "many", "60", True, 2.5])
async def test_another_validity_is_refused(
    billing: Service, connected: Connected, wish: object
) -> None:
    response = await billing.token(connected.id, minValiditySeconds=wish)

    assert problem(response) == (422, "invalid_request")


async def test_an_unknown_field_is_refused(billing: Service, connected: Connected) -> None:
    response = await billing.token(connected.id, orgId=GLOBEX)

    assert problem(response) == (422, "invalid_request")


async def test_an_expired_token_is_refreshed_first(billing: Service, connected: Connected) -> None:
    await connected.ages("-1 minutes")

    response = await billing.token(connected.id)

    left = datetime.fromisoformat(response.json()["expiresAt"]) - datetime.now(UTC)
    assert left > timedelta(minutes=29)
    assert len(connected.world.calls("token.refresh")) == 1


async def test_a_token_that_still_works_is_served_while_xero_is_down(
    billing: Service, connected: Connected
) -> None:
    before = (await billing.token(connected.id)).json()["accessToken"]
    await connected.ages("5 minutes")
    connected.world.sandbox.fault("token.refresh", "503", times=None)

    response = await billing.token(connected.id)

    assert response.status_code == 200
    assert response.json()["accessToken"] == before


async def test_an_expired_token_while_xero_is_down_is_a_matter_of_time(
    billing: Service, connected: Connected
) -> None:
    await connected.ages("-1 minutes")
    connected.world.sandbox.fault("token.refresh", "503", times=None)

    response = await billing.token(connected.id)

    assert problem(response) == (503, "xero_unavailable")
    assert int(response.headers["retry-after"]) >= 1


async def test_a_dead_grant_needs_a_person(billing: Service, connected: Connected) -> None:
    await connected.world.database.execute(
        "UPDATE integration_grants SET status = 'refresh_failed'"
    )

    response = await billing.token(connected.id)

    assert problem(response) == (409, "reauthorization_required")


async def test_a_suspended_binding_is_told_so(billing: Service, connected: Connected) -> None:
    await connected.world.services.operators.suspend(SYSTEM, UUID(connected.id))

    response = await billing.token(connected.id)

    assert problem(response) == (409, "binding_suspended")


async def test_revoked_foreign_and_unknown_bindings_are_one_and_the_same(
    application: Application, billing: Service, connected: Connected, world: World
) -> None:
    """S16: nobody learns that an id exists in another org."""
    globex = await world.globex_admin()
    foreign = await globex.connects(GLOBEX_TENANT, xero_user="xero-user-2")
    await connected.admin.disconnects(connected.id)

    bodies = []
    for binding_id in (UNKNOWN, str(foreign["id"]), connected.id):
        response = await billing.token(binding_id)
        assert problem(response) == (404, "not_found")
        bodies.append({**response.json(), "requestId": ""})

    assert bodies[0] == bodies[1] == bodies[2]


async def test_a_key_of_one_org_gets_no_token_of_a_shared_grant(
    application: Application, world: World
) -> None:
    """Rule 9: such a token would open the other org's tenant too; the proxy still works."""
    acme = await world.accountant("org_acme")
    globex = await world.accountant(GLOBEX)
    ours = await acme.connects(ACME_TRADING, xero_user=ACCOUNTANT.xero_user_id)
    await globex.connects(GLOBEX_TENANT, xero_user=ACCOUNTANT.xero_user_id)
    of_acme = await service(application)
    of_all = (await service(application, org_id=None)).naming("org_acme")

    refused = await of_acme.token(ours["id"])
    issued = await of_all.token(ours["id"])
    called = await of_acme.calls(ours["id"])

    assert problem(refused) == (409, "grant_shared")
    assert issued.status_code == 200
    assert called.json()["Organisations"][0]["OrganisationID"] == ACME_TRADING


async def test_a_disconnect_on_one_replica_holds_on_the_other_at_once(
    application: Application, replica: Application, billing: Service, connected: Connected
) -> None:
    """S51."""
    elsewhere = Service(billing.made, client_of(replica))
    assert (await elsewhere.token(connected.id)).status_code == 200

    await connected.admin.disconnects(connected.id)

    assert problem(await elsewhere.token(connected.id)) == (404, "not_found")
    assert problem(await elsewhere.calls(connected.id)) == (404, "not_found")


async def test_a_disconnect_during_the_wait_for_a_refresh_holds_for_those_who_wait(
    billing: Service, connected: Connected
) -> None:
    """S51: what was decided before the wait does not count after it; the grant lives on."""
    other = await connected.admin.connects(ACME_SERVICES)
    await connected.world.ages(other["grantId"], expires_in="-1 minutes")
    hold = connected.world.hold("token.refresh")
    waiting = asyncio.create_task(billing.token(connected.id))
    await hold.reached()

    ending = asyncio.create_task(connected.admin.disconnects(connected.id))
    await until(connected.is_revoked)
    await hold.release()

    response = await waiting
    await ending
    assert problem(response) == (404, "not_found")
