"""Disconnecting while something else is under way: who wins, and with which tokens (R19)."""

import asyncio

from tests.world import World, until
from xero_sandbox import samples
from xero_sandbox.samples import ACME_SERVICES, ACME_TRADING

SHARED = samples.ACCOUNTANT.xero_user_id


async def test_a_disconnect_during_a_refresh_wins_and_the_fresh_token_is_revoked_r19(
    world: World,
) -> None:
    admin, member = await world.acme_admin(), await world.acme_member()
    binding = await admin.connects(ACME_TRADING)
    await world.ages(binding["grantId"], expires_in="-1 minute")
    hold = world.hold("token.refresh", when="after")

    async with asyncio.TaskGroup() as tasks:
        refresh = tasks.create_task(member.refreshes())
        await hold.reached()
        disconnect = tasks.create_task(admin.disconnects(binding["id"]))
        await until(world.revoked)
        await hold.release()

    assert refresh.result()["refreshedCount"] == 0
    assert disconnect.result()["grantRevoked"] is True
    await until(world.settled)
    (revocation,) = world.calls("revocation")
    assert revocation["fingerprint"] == world.sandbox.token_uses()[-1]["fingerprint"]
    assert revocation["outcome"] == "revoked"
    grant = await world.grant(binding["grantId"])
    assert (grant["status"], grant["refresh_token_enc"]) == ("revoked", None)


async def test_a_disconnect_wins_over_a_refresh_that_lost_its_answer_r19(world: World) -> None:
    """The newest set is fetched first, because the stored one may not be it any more."""
    admin = await world.acme_admin()
    binding = await admin.connects(ACME_TRADING)
    await world.ages(binding["grantId"], expires_in="-1 minute")
    world.sandbox.fault("token.refresh", "drop", when="after")
    await admin.refreshes()

    answer = await admin.disconnects(binding["id"])

    assert answer["remoteCleanup"] == "done"
    (revocation,) = world.calls("revocation")
    assert revocation["fingerprint"] == world.sandbox.token_uses()[-1]["fingerprint"]


async def test_a_disconnect_waits_out_a_refresh_whose_answer_is_then_lost_r19(
    world: World,
) -> None:
    admin, member = await world.acme_admin(), await world.acme_member()
    binding = await admin.connects(ACME_TRADING)
    await world.ages(binding["grantId"], expires_in="-1 minute")
    hold = world.hold("token.refresh")
    world.sandbox.fault("token.refresh", "drop", when="after")

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(member.refreshes())
        await hold.reached()
        disconnect = tasks.create_task(admin.disconnects(binding["id"]))
        await until(world.revoked)
        await hold.release()

    # Pending where it looked while the refresh was under way; done where it came a moment later.
    assert disconnect.result()["remoteCleanup"] in {"pending", "done"}

    async def finished() -> bool:
        await world.hurries()
        await world.services.upkeep.round()
        return await world.settled()

    await until(finished)
    (revocation,) = world.calls("revocation")
    assert revocation["fingerprint"] == world.sandbox.token_uses()[-1]["fingerprint"]
    assert (await world.grant(binding["grantId"]))["refresh_token_enc"] is None


async def test_a_revocation_whose_tokens_are_lost_for_good_comes_to_an_end(world: World) -> None:
    """R22."""
    admin = await world.acme_admin()
    binding = await admin.connects(ACME_TRADING)
    await world.ages(binding["grantId"], expires_in="-1 minute")
    world.sandbox.fault("token.refresh", "drop", when="after")
    await admin.refreshes()
    world.sandbox.advance(31 * 60)  # Xero's grace is over

    answer = await admin.disconnects(binding["id"])

    assert answer["binding"]["status"] == "revoked"
    await world.database.execute(
        "UPDATE integration_grants SET refresh_sent_at = refresh_sent_at - interval '1 hour'"
    )
    await world.hurries()
    await world.services.upkeep.round()
    assert await world.cleanups() == [("revoke", "impossible")]
    assert (await world.grant(binding["grantId"]))["refresh_token_enc"] is None


async def test_a_consent_during_a_refresh_keeps_its_set_r19(world: World) -> None:
    for held in ("before", "after"):
        admin, member = await world.acme_admin(), await world.acme_member()
        binding = await admin.connects(ACME_TRADING if held == "before" else ACME_SERVICES)
        await world.ages(binding["grantId"], expires_in="-1 minute")
        hold = world.hold("token.refresh", when="before" if held == "before" else "after")

        async with asyncio.TaskGroup() as tasks:
            refresh = tasks.create_task(member.refreshes())
            await hold.reached()
            landing = await admin.consents()
            stored = await world.grant(landing.grant_id)
            await hold.release()

        assert refresh.result()["success"] is True
        now = await world.grant(landing.grant_id)
        assert now["refresh_token_enc"] == stored["refresh_token_enc"]
        assert (await world.grant(binding["grantId"]))["refresh_token_enc"] is None
        assert [str(grant["id"]) for grant in await world.grants()] == [landing.grant_id]
        await world.ages(landing.grant_id, expires_in="-1 minute")
        assert (await admin.refreshes())["refreshedCount"] == 1


async def test_binding_a_tenant_cancels_the_deletion_that_is_still_owed(world: World) -> None:
    """R19."""
    acme, globex = await world.acme_admin(), await world.globex_admin()
    trading = await acme.connects(ACME_TRADING, xero_user=SHARED)
    await acme.connects(ACME_SERVICES, xero_user=SHARED)
    outage = world.sandbox.fault("connections.delete", "503", times=None)
    await acme.disconnects(trading["id"])

    landing = await globex.consents(xero_user=SHARED)
    bound = await globex.selects(landing.grant_id, ACME_TRADING)

    world.sandbox.release(outage)
    await world.hurries()
    await world.services.upkeep.round()
    assert await world.cleanups() == [("delete_connection", "cancelled")]
    assert bound["status"] == "active"
    assert (await globex.bindings())[ACME_TRADING]["status"] == "active"


async def test_selecting_again_without_a_new_consent_cancels_the_owed_deletion(
    world: World,
) -> None:
    admin = await world.acme_admin()
    trading = await admin.connects(ACME_TRADING)
    services = await admin.connects(ACME_SERVICES)
    outage = world.sandbox.fault("connections.delete", "503", times=None)
    await admin.disconnects(trading["id"])

    again = await admin.selects(services["grantId"], ACME_TRADING)

    world.sandbox.release(outage)
    await world.hurries()
    await world.services.upkeep.round()
    assert (again["id"], again["status"]) == (trading["id"], "active")
    assert await world.cleanups() == [("delete_connection", "cancelled")]
    live = [c for c in world.sandbox.state()["connections"] if not c["deleted"]]
    assert {connection["tenantId"] for connection in live} == {ACME_TRADING, ACME_SERVICES}


async def test_a_deletion_under_way_and_a_new_choice_do_not_cross(world: World) -> None:
    """Either the choice is refused because Xero let go, or it holds a connection that lives."""
    admin = await world.acme_admin()
    trading = await admin.connects(ACME_TRADING)
    services = await admin.connects(ACME_SERVICES)
    hold = world.hold("connections.delete")

    async with asyncio.TaskGroup() as tasks:
        disconnect = tasks.create_task(admin.disconnects(trading["id"]))
        await hold.reached()
        choice = tasks.create_task(
            admin.post(
                "/tenants/select", {"grantId": services["grantId"], "tenantId": ACME_TRADING}
            )
        )
        await hold.release()

    assert disconnect.result()["binding"]["status"] == "revoked"
    assert choice.result().status_code == 422
    assert (await admin.bindings()).keys() == {ACME_SERVICES}


async def test_a_disconnect_leaves_a_consent_that_another_org_is_about_to_use(
    world: World,
) -> None:
    here, there = await world.accountant("org_acme"), await world.accountant("org_globex")
    bound = await here.connects(ACME_TRADING, xero_user=SHARED)
    choosing = await there.consents(samples.GLOBEX, xero_user=SHARED)

    answer = await here.disconnects(bound["id"])

    assert answer["grantRevoked"] is False
    assert world.calls("revocation") == []
    chosen = await there.selects(choosing.grant_id, samples.GLOBEX)
    assert chosen["status"] == "active"
