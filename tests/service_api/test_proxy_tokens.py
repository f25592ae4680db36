"""Xero's refusals in the proxy: which lead to a refresh, and which to a reconciliation."""

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from tests.service_api.callers import Service, idle, problem
from tests.service_api.conftest import Connected
from tests.service_api.upstream import instead_of_xero
from tests.world import Application, until
from xero_sandbox.samples import ACME_BOOKKEEPER, ACME_SERVICES, ACME_TRADING

MORE_THAN_A_TOKENS_LIFE = 31 * 60


async def test_a_token_that_xero_calls_expired_is_renewed_and_the_call_repeated_once(
    billing: Service, connected: Connected
) -> None:
    connected.world.sandbox.advance(MORE_THAN_A_TOKENS_LIFE)

    response = await billing.calls(connected.id)

    assert response.status_code == 200
    assert [call["status"] for call in connected.world.calls("api")] == [401, 200]
    assert len(connected.world.calls("token.refresh")) == 1


async def test_the_body_is_sent_again_with_the_new_token(
    application: Application, billing: Service, connected: Connected
) -> None:
    connected.world.sandbox.advance(MORE_THAN_A_TOKENS_LIFE)
    contact = {"Contacts": [{"Name": "Café & Söhne"}]}

    response = await billing.calls(connected.id, "api.xro/2.0/Contacts", "POST", json=contact)

    assert response.status_code == 200, response.text
    assert response.json()["Contacts"][0]["Name"] == "Café & Söhne"
    assert [call["status"] for call in connected.world.calls("api")] == [401, 200]


async def test_a_missing_scope_is_no_reason_to_refresh(
    billing: Service, connected: Connected
) -> None:
    """Never a refresh loop: the token is valid, but lacks the permission (facts §1.10)."""
    for _ in range(3):
        response = await billing.calls(connected.id, "api.xro/2.0/Payments")

        assert response.status_code == 401
        assert response.json()["Detail"] == "AuthorizationUnsuccessful"
        assert "www-authenticate" not in response.headers

    assert connected.world.calls("token.refresh") == []
    assert len(connected.world.calls("api")) == 3


async def test_an_organisation_that_was_disconnected_in_xero_needs_a_person(
    application: Application, billing: Service, connected: Connected
) -> None:
    """A 403 starts a reconciliation of this grant only; other bindings stay unchanged."""
    other = await connected.admin.connects(ACME_SERVICES)
    connected.world.sandbox.disconnect(ACME_BOOKKEEPER.xero_user_id, ACME_TRADING)

    refused = await billing.calls(connected.id)

    assert refused.status_code == 403
    assert refused.json()["Detail"] == "AuthenticationUnsuccessful"
    await until(connected.needs_reauth)
    assert problem(await billing.calls(connected.id)) == (409, "reauthorization_required")
    assert problem(await billing.token(connected.id)) == (409, "reauthorization_required")
    assert (await billing.calls(other["id"])).status_code == 200
    assert (await connected.admin.bindings())[ACME_SERVICES]["status"] == "active"

    again = await connected.admin.connects(ACME_TRADING)
    assert again["id"] == connected.id
    assert (await billing.calls(connected.id)).status_code == 200


async def test_a_caller_that_repeats_a_refused_call_does_not_repeat_the_look(
    application: Application, billing: Service, connected: Connected
) -> None:
    looked = len(connected.world.calls("connections"))
    refusal = {"Detail": "AuthenticationUnsuccessful"}

    async def refuse(_: Request) -> Response:
        return JSONResponse(refusal, 403)

    async with instead_of_xero(application, refuse):
        for _ in range(3):
            assert (await billing.calls(connected.id)).status_code == 403
            await idle(application)

    assert len(connected.world.calls("connections")) == looked + 1
    assert await connected.status() == "active"


async def test_a_new_name_is_shown_after_the_next_look(
    application: Application, billing: Service, connected: Connected
) -> None:
    """R25."""
    connected.world.sandbox.rename_org(ACME_TRADING, "Acme Trading 2027 Ltd")
    await connected.world.database.execute(
        "UPDATE integration_tenant_bindings SET last_checked_at = now() - interval '2 days'"
    )

    await application.services.upkeep.round()

    listed = (await billing.request("GET", "/bindings")).json()["bindings"]
    assert [each["tenantName"] for each in listed] == ["Acme Trading 2027 Ltd"]
    assert listed[0]["id"] == connected.id
