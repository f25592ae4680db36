"""Disconnecting: here at once, at Xero as soon as Xero answers (design: rule 8)."""

from datetime import datetime, timedelta
from itertools import pairwise
from unittest.mock import AsyncMock
from uuid import uuid4

import pytest

from tests.world import World
from xero_sandbox import samples
from xero_sandbox.samples import ACME_SERVICES, ACME_TRADING, GLOBEX
from xero_service.errors import ServiceBusy
from xero_service.store.tenant_limits import TenantLimits

SHORTEST_PAUSE = timedelta(seconds=1)  # between two attempts of a cleanup
SHARED = samples.ACCOUNTANT.xero_user_id


def connection_id(world: World, tenant_id: str) -> str:
    found = world.sandbox.state()["connections"]
    return next(str(each["id"]) for each in found if each["tenantId"] == tenant_id)


def connected(world: World) -> set[str]:
    found = world.sandbox.state()["connections"]
    return {each["tenantId"] for each in found if not each["deleted"]}


async def test_one_of_two_is_deleted_by_its_connection_id_and_the_other_goes_on(
    world: World,
) -> None:
    admin = await world.acme_admin()
    trading = await admin.connects(ACME_TRADING)
    services = await admin.connects(ACME_SERVICES)

    answer = await admin.disconnects(trading["id"])

    assert answer["binding"]["status"] == "revoked"
    assert answer["binding"]["health"]["state"] == "disconnected"
    assert (answer["grantRevoked"], answer["remoteCleanup"]) == (False, "done")
    (deletion,) = world.calls("connections.delete")
    assert deletion["path"].endswith(f"/connections/{connection_id(world, ACME_TRADING)}")
    assert connected(world) == {ACME_SERVICES}
    assert world.calls("revocation") == []
    assert set(await admin.bindings()) == {ACME_SERVICES}
    await world.ages(services["grantId"], expires_in="-1 minute")
    assert (await admin.refreshes())["refreshedCount"] == 1


async def test_the_last_one_revokes_with_the_newest_token_and_erases_what_is_stored(
    world: World,
) -> None:
    admin = await world.acme_admin()
    binding = await admin.connects(ACME_TRADING)
    await world.ages(binding["grantId"])
    await admin.refreshes()

    answer = await admin.disconnects(binding["id"])

    assert (answer["grantRevoked"], answer["remoteCleanup"]) == (True, "done")
    (revocation,) = world.calls("revocation")
    assert revocation["outcome"] == "revoked"
    assert revocation["fingerprint"] == world.sandbox.token_uses()[-1]["fingerprint"]
    grant = await world.grant(binding["grantId"])
    assert grant["status"] == "revoked"
    assert grant["access_token_enc"] is grant["refresh_token_enc"] is None
    assert connected(world) == set()
    assert await admin.bindings() == {}
    assert set(await admin.bindings(status="revoked")) == {ACME_TRADING}


async def test_a_disconnect_whose_answer_cannot_be_read_is_undone(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    admin = await world.acme_admin()
    binding = await admin.connects(ACME_TRADING)
    with monkeypatch.context() as patch:
        patch.setattr(TenantLimits, "of", AsyncMock(side_effect=ServiceBusy))

        response = await admin.post("/disconnect", {"tenantBindingId": binding["id"]})

    assert response.status_code == 503
    assert set(await admin.bindings()) == {ACME_TRADING}
    assert connected(world) == {ACME_TRADING}


@pytest.mark.parametrize("others", [0, 1], ids=["the_last", "one_of_two"])
async def test_repeating_a_disconnect_is_harmless(world: World, others: int) -> None:
    admin = await world.acme_admin()
    binding = await admin.connects(ACME_TRADING)
    for _ in range(others):
        await admin.connects(ACME_SERVICES)
    first = await admin.disconnects(binding["id"])
    calls = len(world.calls("*"))

    again = await admin.disconnects(binding["id"])

    assert again == first
    assert len(world.calls("*")) == calls
    assert len(await world.audited("binding.disconnected")) == 1


@pytest.mark.parametrize("fault", ["503", "drop", "429", "invalid_client"])
async def test_while_xero_is_away_the_last_one_ends_here_and_upkeep_finishes_it_r22(
    world: World, fault: str
) -> None:
    admin = await world.acme_admin()
    binding = await admin.connects(ACME_TRADING)
    outage = world.sandbox.fault("revocation", fault, times=None)

    answer = await admin.disconnects(binding["id"])

    assert answer["binding"]["status"] == "revoked"
    assert (answer["grantRevoked"], answer["remoteCleanup"]) == (True, "pending")
    grant = await world.grant(binding["grantId"])
    assert grant["status"] == "revoked"
    assert grant["refresh_token_enc"] is not None  # it is what the revocation needs
    world.sandbox.release(outage)
    await world.hurries()
    await world.services.upkeep.round()
    assert (await world.grant(binding["grantId"]))["refresh_token_enc"] is None
    assert (await admin.disconnects(binding["id"]))["remoteCleanup"] == "done"
    assert connected(world) == set()


async def test_while_xero_is_away_one_of_two_ends_here_and_upkeep_finishes_it_r22(
    world: World,
) -> None:
    admin = await world.acme_admin()
    trading = await admin.connects(ACME_TRADING)
    await admin.connects(ACME_SERVICES)
    outage = world.sandbox.fault("connections.delete", "503", times=None)
    assert (await admin.disconnects(trading["id"]))["remoteCleanup"] == "pending"
    assert set(await admin.bindings()) == {ACME_SERVICES}
    world.sandbox.release(outage)
    await world.hurries()

    await world.services.upkeep.round()

    assert connected(world) == {ACME_SERVICES}
    assert await world.cleanups() == [("delete_connection", "done")]


async def test_upkeep_does_not_hurry_while_xero_is_away(world: World) -> None:
    """R22."""
    admin = await world.acme_admin()
    binding = await admin.connects(ACME_TRADING)
    world.sandbox.fault("revocation", "503", times=None)
    await admin.disconnects(binding["id"])

    for _ in range(3):
        await world.services.upkeep.round()

    # On a slow machine the shortest pause may be over before the last round.
    asked_at = [datetime.fromisoformat(call["at"]) for call in world.calls("revocation")]
    assert all(later - earlier >= SHORTEST_PAUSE for earlier, later in pairwise(asked_at))


@pytest.mark.parametrize("others", [0, 1], ids=["the_last", "one_of_two"])
async def test_a_dead_grant_leaves_nothing_to_tell_xero_with(world: World, others: int) -> None:
    admin = await world.acme_admin()
    binding = await admin.connects(ACME_TRADING)
    for _ in range(others):
        binding = await admin.connects(ACME_SERVICES)
    await world.ages(binding["grantId"], expires_in="-1 minute")
    world.sandbox.advance(61 * 24 * 3600)
    await admin.refreshes()

    answer = await admin.disconnects(binding["id"])

    assert answer["remoteCleanup"] == "impossible"
    assert answer["grantRevoked"] is (others == 0)
    grant = await world.grant(binding["grantId"])
    assert (grant["refresh_token_enc"] is None) is (others == 0)
    assert world.calls("revocation") == world.calls("connections.delete") == []


async def test_a_connection_that_is_gone_at_xero_counts_as_deleted(world: World) -> None:
    admin = await world.acme_admin()
    trading = await admin.connects(ACME_TRADING)
    await admin.connects(ACME_SERVICES)
    world.sandbox.disconnect("xero-user-1", ACME_TRADING)

    answer = await admin.disconnects(trading["id"])

    assert answer["remoteCleanup"] == "done"


@pytest.mark.parametrize("status", [403, 404])
async def test_xeros_two_ways_to_say_unknown_both_count_as_deleted(
    world: World, status: int
) -> None:
    admin = await world.acme_admin()
    world.sandbox.switch(deleteUnknown=status)
    trading = await admin.connects(ACME_TRADING)
    await admin.connects(ACME_SERVICES)
    world.sandbox.disconnect("xero-user-1", ACME_TRADING)

    assert (await admin.disconnects(trading["id"]))["remoteCleanup"] == "done"


async def test_an_orgs_last_binding_on_a_shared_grant_takes_nothing_from_the_other_org(
    world: World,
) -> None:
    acme, globex = await world.acme_admin(), await world.globex_admin()
    in_acme = await acme.connects(ACME_TRADING, xero_user=SHARED)
    in_globex = await globex.connects(GLOBEX, xero_user=SHARED)

    answer = await acme.disconnects(in_acme["id"])

    assert (answer["grantRevoked"], answer["remoteCleanup"]) == (False, "done")
    assert world.calls("revocation") == []
    assert connected(world) == {GLOBEX}
    await world.ages(in_globex["grantId"], expires_in="-1 minute")
    assert (await globex.refreshes())["refreshedCount"] == 1
    assert (await globex.disconnects(in_globex["id"]))["grantRevoked"] is True


async def test_another_orgs_binding_is_as_unknown_as_any_id_s16(world: World) -> None:
    acme, globex = await world.acme_admin(), await world.globex_admin()
    binding = await acme.connects(ACME_TRADING)

    foreign = await globex.post("/disconnect", {"tenantBindingId": binding["id"]})
    unknown = await globex.post("/disconnect", {"tenantBindingId": str(uuid4())})

    assert foreign.status_code == unknown.status_code == 404
    assert {**foreign.json(), "requestId": ""} == {**unknown.json(), "requestId": ""}
    assert (await acme.bindings())[ACME_TRADING]["status"] == "active"


async def test_a_grant_that_nobody_uses_is_disconnected_after_a_day(world: World) -> None:
    admin = await world.acme_admin()
    unused = await admin.consents(ACME_TRADING)
    await world.services.upkeep.round()
    assert world.calls("revocation") == []
    await world.database.execute(
        "UPDATE integration_grants SET updated_at = now() - interval '25 hours'"
    )

    await world.services.upkeep.round()

    grant = await world.grant(unused.grant_id)
    assert (grant["status"], grant["refresh_token_enc"]) == ("revoked", None)
    assert connected(world) == set()
