"""The end of the broad scopes: a fleet moves to granular ones while it is read (facts §6)."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest

from tests.outages.many_grants import Member, crowd
from tests.people import Person
from tests.service_api.callers import Service, problem, service
from tests.world import World

BROAD = "openid profile email offline_access accounting.settings.read accounting.transactions"
INVOICES = "api.xro/2.0/Invoices"
VALID = timedelta(minutes=25)
READS = 50  # of each tenant: Xero allows sixty calls a minute


@pytest.mark.parametrize("fleet", [20, pytest.param(1000, marks=pytest.mark.soak)])
async def test_a_fleet_moves_to_granular_scopes_without_a_refused_read(
    world: World, fleet: int
) -> None:
    """R40: the old token serves until its user consented anew, and the day ends only the rest."""
    world.sandbox.switch(broadScopes=True, rateLimits=False)
    members = await crowd(world, fleet + 1, expires_in=VALID, scopes=BROAD.split())
    world.sandbox.switch(cheapTokens=False)  # the consents' tokens are verified
    moving, left = members[:-1], members[-1]
    admin, billing = await world.acme_admin(), await service(world.application)
    assert await lacking(admin) == fleet + 1

    async with billing.http:
        moved = asyncio.create_task(consent_anew(admin, moving))
        refused = []
        for _ in range(READS):
            refused += [each for each in await read(billing, moving) if each != 200]
            if moved.done():
                break
        await moved
        assert refused == []
        assert await lacking(admin) == 1

        world.sandbox.switch(broadScopesEnd=datetime.now(UTC).isoformat())

        assert set(await read(billing, moving)) == {200}
        answer = await billing.calls(str(left.binding_id), INVOICES)
        assert problem(answer) == (409, "permission_missing")
        assert "accounting.invoices" in answer.json()["detail"]


async def consent_anew(admin: Person, members: Sequence[Member]) -> None:
    for each in members:
        landing = await admin.consents(xero_user=each.xero_user_id, reconnect=str(each.binding_id))
        assert landing.query == {"action": "reconnected", "bindingId": str(each.binding_id)}


async def read(billing: Service, members: Sequence[Member]) -> list[int]:
    return [(await billing.calls(str(each.binding_id), INVOICES)).status_code for each in members]


async def lacking(admin: Person) -> int:
    """The number of bindings that wait for a consent to the configured scopes."""
    return sum(bool(each["permissions"]["missing"]) for each in (await admin.bindings()).values())
