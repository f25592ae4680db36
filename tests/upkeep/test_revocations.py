"""Revocations that Xero is slow over hold up no consent, and never outlast their turn."""

import asyncio

import pytest

from tests.outages.many_grants import crowd
from tests.world import World
from xero_sandbox.samples import ACME_TRADING


@pytest.fixture(autouse=True)
def short_turns(environment: dict[str, str]) -> None:
    environment["XERO_TIMEOUT_SECONDS"] = "0.6"
    environment["REFRESH_LEASE_SECONDS"] = "1.5"


async def test_a_revocation_that_hangs_gives_its_turn_back_before_it_ends(world: World) -> None:
    admin = await world.acme_admin()
    binding = await admin.connects(ACME_TRADING)
    world.hold("revocation", times=None)

    answer = await admin.disconnects(binding["id"])

    assert answer["remoteCleanup"] == "pending"
    turn = await world.database.fetchrow("SELECT * FROM leases")
    assert turn is not None
    assert turn["holder"] is None


async def test_a_consent_gets_its_turn_between_many_revocations_that_hang(world: World) -> None:
    members = await crowd(world, 6)
    world.sandbox.switch(cheapTokens=False)
    await world.database.execute("UPDATE integration_tenant_bindings SET status = 'revoked'")
    hold = world.hold("revocation", times=None)
    admin = await world.acme_admin()

    async with asyncio.TaskGroup() as tasks:
        for member in members:
            tasks.create_task(world.services.disconnects.disconnect_unused(member.grant_id))
        await hold.reached()
        landing = await admin.consents(ACME_TRADING)
        waited_for = len(world.calls("revocation"))

    assert landing.error is None
    assert waited_for < len(members)
