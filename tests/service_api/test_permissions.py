"""The permissions of a binding: what its grant has, and what it lacks of the configured scopes."""

from typing import Any

import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from tests.people import Person
from tests.service_api.callers import Service, problem, service
from tests.service_api.conftest import Connected
from tests.service_api.upstream import instead_of_xero
from tests.world import Application
from xero_service.services.proxy.permissions import missing_scope
from xero_service.settings import Settings

PAYMENTS = "accounting.payments.read"


async def seen(person: Person, **query: str) -> dict[str, Any]:
    """The permissions of the person's only binding."""
    (binding,) = (await person.bindings(**query)).values()
    found: dict[str, Any] = binding["permissions"]
    return found


async def test_a_new_consent_has_what_the_service_asks_for(
    connected: Connected, settings: Settings
) -> None:
    """R39: nothing is missing."""
    permissions = await seen(connected.admin)

    assert set(permissions["granted"]) == set(settings.xero_scopes)
    assert permissions["missing"] == []


async def test_a_scope_that_is_asked_for_later_is_missing_until_the_next_consent(
    connected: Connected, settings: Settings
) -> None:
    """R39: the binding stays active, and names what a person may grant."""
    later = settings.model_copy(update={"xero_scopes": (*settings.xero_scopes, PAYMENTS)})
    async with Application.running(later) as replica:
        admin = await connected.world.person(connected.admin.id, connected.admin.org_id, at=replica)
        (binding,) = (await admin.bindings()).values()
        assert binding["status"] == "active"
        assert binding["permissions"]["missing"] == [PAYMENTS]
        assert PAYMENTS not in binding["permissions"]["granted"]

        landing = await admin.consents(reconnect=connected.id)

        assert landing.query == {"action": "reconnected", "bindingId": connected.id}
        permissions = await seen(admin)
        assert permissions["missing"] == []
        assert PAYMENTS in permissions["granted"]


async def test_a_broad_scope_is_not_the_granular_ones_that_it_was_split_into(
    connected: Connected,
) -> None:
    """R39: it serves until Xero ends it, and then only a new consent helps."""
    await connected.world.database.execute(
        "UPDATE integration_grants SET scopes = array_replace(scopes,"
        " 'accounting.invoices', 'accounting.transactions')"
    )

    assert (await seen(connected.admin))["missing"] == ["accounting.invoices"]


async def test_scopes_that_xero_did_not_state_are_not_missing(connected: Connected) -> None:
    """R39: nothing is known, so no consent is asked for."""
    await connected.world.database.execute("UPDATE integration_grants SET scopes = '{}'")

    assert await seen(connected.admin) == {"granted": [], "missing": []}


async def test_an_ended_binding_has_no_permissions(connected: Connected) -> None:
    """R39: it may use nothing, whatever another binding's grant has."""
    await connected.admin.disconnects(connected.id)

    assert await seen(connected.admin, status="revoked") == {"granted": [], "missing": []}


async def test_a_call_that_lacks_a_scope_names_it_until_a_person_grants_it(
    connected: Connected, settings: Settings
) -> None:
    """R40: the sandbox refuses payments; reads that were granted go on working."""
    later = settings.model_copy(update={"xero_scopes": (*settings.xero_scopes, PAYMENTS)})
    async with Application.running(later) as replica:
        admin = await connected.world.person(connected.admin.id, connected.admin.org_id, at=replica)
        billing = await service(replica)
        async with billing.http:
            refused = await billing.calls(connected.id, "api.xro/2.0/Payments")
            assert problem(refused) == (409, "permission_missing")
            assert PAYMENTS in refused.json()["detail"]
            assert (await billing.calls(connected.id)).status_code == 200

            await admin.consents(reconnect=connected.id)

            answer = await billing.calls(connected.id, "api.xro/2.0/Payments")
            assert answer.status_code == 200
    assert connected.world.calls("token.refresh") == []


async def test_a_scope_that_nobody_asks_for_is_xeros_own_refusal(
    connected: Connected, billing: Service
) -> None:
    """R40: a new consent would not grant it either."""
    answer = await billing.calls(connected.id, "api.xro/2.0/Payments")

    assert answer.status_code == 401
    assert answer.json()["Detail"] == "AuthorizationUnsuccessful"


async def test_a_refusal_although_the_scope_is_granted_passes_unchanged(
    application: Application, connected: Connected, billing: Service
) -> None:
    """R40: a role that is too low, or an app without the plan (facts §14)."""

    async def refuse(_: Request) -> Response:
        return JSONResponse({"Detail": "AuthorizationUnsuccessful"}, 401)

    async with instead_of_xero(application, refuse):
        answer = await billing.calls(connected.id, "api.xro/2.0/Invoices")

    assert (answer.status_code, answer.json()) == (401, {"Detail": "AuthorizationUnsuccessful"})


READ, WRITE = "accounting.invoices.read", "accounting.invoices"
JOURNALS, ATTACHMENTS = "accounting.journals.read", "accounting.attachments"
BALANCE = "accounting.reports.balancesheet.read"


@pytest.mark.parametrize(
    ("method", "path", "granted", "required", "missing"),
    [
        ("GET", "api.xro/2.0/Invoices", ["openid"], [READ], READ),
        ("GET", "api.xro/2.0/invoices/1/History", ["openid"], [WRITE], WRITE),
        ("POST", "api.xro/2.0/Invoices", [READ], [READ], None),
        ("POST", "api.xro/2.0/Invoices", [READ], [WRITE], WRITE),
        ("GET", "api.xro/2.0/Invoices", [WRITE], [READ], None),
        ("GET", "api.xro/2.0/Items", ["accounting.settings.read"], [READ], None),
        ("GET", "api.xro/2.0/Invoices", ["accounting.transactions.read"], [READ], READ),
        ("GET", "api.xro/2.0/Invoices", [], [READ], None),
        ("GET", "api.xro/2.0/Journals", ["openid"], [JOURNALS], JOURNALS),
        ("GET", "api.xro/2.0/Reports/BalanceSheet", ["openid"], [BALANCE], BALANCE),
        ("GET", "api.xro/2.0/Reports", ["openid"], ["accounting.reports.read"], None),
        ("GET", "api.xro/2.0/Invoices/1/Attachments", [READ], [ATTACHMENTS], ATTACHMENTS),
        ("GET", "files.xro/1.0/Files", ["openid"], ["files.read"], "files.read"),
        ("GET", "payroll.xro/2.0/Employees", ["openid"], ["payroll.employees"], None),
        ("GET", "api.xro/", ["openid"], [READ], None),
        ("GET", "api.xro/2.0/SomethingNew", ["openid"], [READ], None),
    ],
)
def test_the_scope_of_a_call_is_named_where_the_facts_name_it(
    method: str, path: str, granted: list[str], required: list[str], missing: str | None
) -> None:
    """R40, facts §6."""
    assert missing_scope(method, path, granted, required) == missing
