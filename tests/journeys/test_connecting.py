"""A person connects, chooses, refreshes and disconnects."""

from tests.world import World
from xero_sandbox.samples import ACME_SERVICES, ACME_TRADING


async def test_an_admin_connects_and_binds_two_organisations_with_one_grant(world: World) -> None:
    admin = await world.acme_admin()

    first = await admin.connects(ACME_TRADING)
    second = await admin.connects(ACME_SERVICES)

    bindings = await admin.bindings()
    assert set(bindings) == {ACME_TRADING, ACME_SERVICES}
    assert first["status"] == second["status"] == "active"
    assert bindings[ACME_TRADING]["grantId"] == bindings[ACME_SERVICES]["grantId"]
