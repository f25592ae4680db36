"""The same Xero user consents again: one live grant, whichever org asks (design: rules 1 and 2)."""

from typing import Any
from uuid import UUID

import pytest

from tests.world import ACME, World
from xero_sandbox import samples
from xero_sandbox.samples import ACME_SERVICES, ACME_TRADING, GLOBEX

SHARED = samples.ACCOUNTANT.xero_user_id


@pytest.fixture(params=["supersedes", "supersedes_at_consent", "keeps"], autouse=True)
def what_a_new_consent_does_to_the_old_tokens(world: World, request: pytest.FixtureRequest) -> Any:
    """Nobody outside Xero knows for certain (facts §4.2)."""
    world.sandbox.switch(reconsent=request.param)
    return request.param


async def refreshes_work(world: World, *people: Any) -> None:
    """Let the one live grant's token expire: every org's next refresh succeeds."""
    (live,) = await world.grants()
    for person in people:
        await world.ages(str(live["id"]), expires_in="-1 minute")
        report = await person.refreshes()
        assert report["success"]
        assert report["refreshedCount"] == 1


async def test_from_the_same_org_there_is_one_live_grant_and_every_binding_works(
    world: World,
) -> None:
    """R19b."""
    admin = await world.acme_admin()
    first = await admin.connects(ACME_TRADING)
    old = await world.grant(first["grantId"])

    second = await admin.connects(ACME_SERVICES)

    superseded = await world.grant(first["grantId"])
    assert (superseded["status"], superseded["access_token_enc"]) == ("revoked", None)
    assert superseded["refresh_token_enc"] is None
    assert str(superseded["superseded_by"]) == second["grantId"]
    live = await world.grant(second["grantId"])
    assert live["generation"] > old["generation"]
    assert {b["grantId"] for b in (await admin.bindings()).values()} == {second["grantId"]}
    await refreshes_work(world, admin)
    assert world.presented()[0] == 0  # the first set's refresh token
    assert world.calls("revocation") == []
    assert len(await world.audited("grant.superseded")) == 1


async def test_from_another_org_both_orgs_bindings_work_and_neither_sees_the_other_r21(
    world: World,
) -> None:
    acme, globex = await world.acme_admin(), await world.globex_admin()
    in_acme = await acme.connects(ACME_TRADING, xero_user=SHARED)

    in_globex = await globex.connects(GLOBEX, xero_user=SHARED)

    assert (await acme.bindings())[ACME_TRADING]["grantId"] == in_globex["grantId"]
    assert (await acme.bindings())[ACME_TRADING]["connectedBy"]["userId"] == acme.id
    assert (await globex.bindings())[GLOBEX]["connectedBy"]["userId"] == globex.id
    assert set(await acme.tenants(in_acme["grantId"])) == {ACME_TRADING}
    assert set(await globex.tenants(in_globex["grantId"])) == {GLOBEX}
    for person, foreign in ((acme, GLOBEX), (globex, ACME_TRADING)):
        response = await person.post(
            "/tenants/select", {"grantId": in_globex["grantId"], "tenantId": foreign}
        )
        assert (response.status_code, response.json()["code"]) == (422, "tenant_not_accessible")
    await refreshes_work(world, acme, globex)
    assert world.presented()[0] == 0


async def test_a_binding_keeps_the_time_of_its_last_use(world: World) -> None:
    """The page said "Not used yet" after a reconnect (ux 14)."""
    admin = await world.acme_admin()
    binding = await admin.connects(ACME_TRADING)
    await world.services.tokens.get_client_for_tenant_binding(UUID(binding["id"]), ACME)
    used = (await admin.bindings())[ACME_TRADING]["lastUsedAt"]
    assert used is not None

    await admin.connects(ACME_SERVICES)

    assert (await admin.bindings())[ACME_TRADING]["lastUsedAt"] == used


async def test_an_ended_binding_stays_with_the_grant_that_it_ended_with(world: World) -> None:
    """A later consent from another org is nothing to an org that has left."""
    acme, globex = await world.acme_admin(), await world.globex_admin()
    ended = await acme.connects(ACME_TRADING, xero_user=SHARED)
    await acme.disconnects(ended["id"])

    await globex.connects(GLOBEX, xero_user=SHARED)

    bindings = await acme.bindings(status="revoked")
    assert bindings[ACME_TRADING]["grantId"] == ended["grantId"]


async def test_after_a_disconnect_an_owed_revocation_is_cancelled_r19(world: World) -> None:
    acme, globex = await world.acme_admin(), await world.globex_admin()
    binding = await acme.connects(ACME_TRADING, xero_user=SHARED)
    outage = world.sandbox.fault("revocation", "503", times=None)
    await acme.disconnects(binding["id"])

    await globex.connects(GLOBEX, xero_user=SHARED)

    world.sandbox.release(outage)
    await world.hurries()
    await world.services.upkeep.round()
    assert sorted(await world.cleanups()) == [
        ("delete_connection", "done"),
        ("revoke", "cancelled"),
    ]
    assert [call["outcome"] for call in world.calls("revocation")] == [None]  # the failed one
    await refreshes_work(world, globex)


async def test_reconnecting_cancels_the_owed_revocation_and_restores_the_binding_r19(
    world: World,
) -> None:
    admin = await world.acme_admin()
    binding = await admin.connects(ACME_TRADING)
    outage = world.sandbox.fault("revocation", "503", times=None)
    assert (await admin.disconnects(binding["id"]))["remoteCleanup"] == "pending"

    landing = await admin.consents()
    again = await admin.selects(landing.grant_id, ACME_TRADING)

    assert (again["id"], again["status"]) == (binding["id"], "active")
    world.sandbox.release(outage)
    await world.hurries()
    await world.services.upkeep.round()
    assert {outcome for _, outcome in await world.cleanups()} == {"cancelled"}
    await refreshes_work(world, admin)


async def test_a_dead_grants_bindings_are_active_again_once_a_consent_reaches_them(
    world: World,
) -> None:
    """R9, R25: with their ids."""
    admin = await world.acme_admin()
    binding = await admin.connects(ACME_TRADING)
    await world.database.execute("UPDATE integration_grants SET status = 'refresh_failed'")
    await world.database.execute("UPDATE integration_tenant_bindings SET status = 'needs_reauth'")

    landing = await admin.consents()

    restored = (await admin.bindings())[ACME_TRADING]
    assert (restored["id"], restored["status"]) == (binding["id"], "active")
    assert restored["grantId"] == landing.grant_id
    assert len(await world.audited("binding.restored")) == 1
    await refreshes_work(world, admin)


async def test_tenants_that_a_new_consent_does_not_reach_need_a_person(world: World) -> None:
    """R25."""
    admin = await world.acme_admin()
    trading = await admin.connects(ACME_TRADING)
    await admin.connects(ACME_SERVICES)
    world.sandbox.disconnect("xero-user-1", ACME_TRADING)

    await admin.consents()

    bindings = await admin.bindings()
    assert bindings[ACME_TRADING]["status"] == "needs_reauth"
    assert bindings[ACME_TRADING]["health"]["state"] == "needs_reauth"
    assert bindings[ACME_SERVICES]["status"] == "active"
    (lost,) = await world.audited("binding.access_lost")
    assert (str(lost["binding_id"]), lost["org_id"]) == (trading["id"], ACME)
