"""The permissions of a binding: what its grant has, and what it lacks of the configured scopes."""

from typing import Any

from tests.people import Person
from tests.service_api.conftest import Connected
from tests.world import Application
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
