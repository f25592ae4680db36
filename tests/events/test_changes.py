"""Each change of a binding writes its event in its own transaction (R28)."""

from uuid import UUID

import pytest

from tests.events.conftest import kinds, page
from tests.events.receiver import receiving
from tests.service_api.callers import Service, service
from tests.world import ACME, GLOBEX, World
from tests.xero_webhooks.signed import batch, key_of, send, xero_event
from xero_sandbox.samples import ACME_BOOKKEEPER, ACME_SERVICES, ACME_TRADING
from xero_service.domain import SYSTEM


async def test_a_new_binding_is_connected_and_a_second_selection_changes_nothing(
    world: World, reader: Service
) -> None:
    """R28: one event per change, none where nothing changed."""
    admin = await world.acme_admin()
    landing = await admin.consents(ACME_TRADING)
    assert await kinds(reader) == []

    await admin.selects(landing.grant_id, ACME_TRADING)
    await admin.selects(landing.grant_id, ACME_TRADING)

    assert await kinds(reader) == ["binding.connected"]


async def test_a_disconnect_is_one_event_and_connecting_again_another(
    world: World, reader: Service
) -> None:
    """R28: the same binding is connected, disconnected and connected again."""
    admin = await world.acme_admin()
    binding = await admin.connects(ACME_TRADING)

    for _ in range(2):
        answer = await admin.post("/disconnect", {"tenantBindingId": binding["id"]})
        assert answer.status_code == 200
    await admin.connects(ACME_TRADING)

    expected = ["binding.connected", "binding.disconnected", "binding.connected"]
    assert await kinds(reader) == expected


async def test_a_grant_that_xero_ends_and_a_consent_that_restores_it(
    world: World, reader: Service
) -> None:
    """R28: `needs_reauth` when the grant dies; the new grant moves and recovers the binding."""
    admin = await world.acme_admin()
    binding = await admin.connects(ACME_TRADING)
    world.sandbox.switch(disconnectInXero="kills_grant")
    world.sandbox.disconnect(ACME_BOOKKEEPER.xero_user_id, ACME_TRADING)
    await world.ages(binding["grantId"], expires_in="-1 minute")
    await admin.refreshes()
    assert await kinds(reader) == ["binding.connected", "binding.needs_reauth"]

    await admin.consents(ACME_TRADING)

    assert (await kinds(reader))[2:] == ["binding.repointed", "binding.recovered"]


async def test_a_tenant_lost_renamed_and_regained_in_xero(world: World, reader: Service) -> None:
    """R28: what reconciliation finds."""
    admin = await world.acme_admin()
    binding = await admin.connects(ACME_TRADING)
    await admin.connects(ACME_SERVICES)
    before = await kinds(reader)

    world.sandbox.disconnect(ACME_BOOKKEEPER.xero_user_id, ACME_TRADING)
    grant_id = UUID((await admin.bindings())[ACME_TRADING]["grantId"])
    for _ in range(2):
        await world.services.upkeep.reconcile.reconcile(grant_id)
    assert (await kinds(reader))[len(before) :] == ["binding.needs_reauth"]

    world.sandbox.rename_org(ACME_SERVICES, "Acme Renamed Ltd")
    for _ in range(2):
        await world.services.upkeep.reconcile.reconcile(grant_id)
    assert (await kinds(reader))[len(before) + 1 :] == ["binding.renamed"]

    again = await admin.connects(ACME_TRADING)
    assert again["id"] == binding["id"]
    assert (await kinds(reader))[len(before) + 2 :] == [
        "binding.repointed",
        "binding.repointed",
        "binding.recovered",
    ]


async def test_an_operator_suspends_and_resumes(world: World, reader: Service) -> None:
    """R28: with the grant alive, and with the grant dead by then."""
    binding = await (await world.acme_admin()).connects(ACME_TRADING)
    operators = world.services.operators

    for _ in range(2):
        await operators.suspend(SYSTEM, UUID(binding["id"]))
    await operators.resume(SYSTEM, UUID(binding["id"]))
    assert (await kinds(reader))[1:] == ["binding.suspended", "binding.resumed"]

    await operators.suspend(SYSTEM, UUID(binding["id"]))
    await world.database.execute("UPDATE integration_grants SET status = 'refresh_failed'")
    await operators.resume(SYSTEM, UUID(binding["id"]))
    assert (await kinds(reader))[3:] == [
        "binding.suspended",
        "binding.resumed",
        "binding.needs_reauth",
    ]


async def test_two_orgs_of_one_xero_user_hear_of_their_own_bindings_only(world: World) -> None:
    """S58, S16: nothing that an org polls or receives names the other's binding, tenant or org.

    A consent of one moves both bindings to one grant, Xero reports changes of both in one webhook,
    and the end of the grant ends both.
    """
    acme, globex = await world.accountant(ACME), await world.accountant(GLOBEX)
    readers = {
        org: await service(world.application, "events:read", org_id=org) for org in (ACME, GLOBEX)
    }
    async with (
        receiving(world, org_id=ACME) as to_acme,
        receiving(world, org_id=GLOBEX) as to_globex,
    ):
        ours = await acme.connects(ACME_TRADING)
        theirs = await globex.connects(ACME_SERVICES)
        body = batch(1, *map(xero_event, (ACME_TRADING, ACME_SERVICES)))
        assert (await send(acme.http, body, key_of(world.application.settings))).status_code == 200
        await globex.consents()
        grant_id = (await acme.bindings())[ACME_TRADING]["grantId"]
        await world.ages(grant_id, days=51)
        await world.services.upkeep._warn()
        world.sandbox.switch(disconnectInXero="kills_grant")
        world.sandbox.disconnect(ACME_BOOKKEEPER.xero_user_id, ACME_SERVICES)
        await world.ages(grant_id, expires_in="-1 minute")
        await acme.refreshes()
        await acme.post("/disconnect", {"tenantBindingId": ours["id"]})
        await world.services.deliveries.deliver_due()

        for org, others_org, own, other, receiver in (
            (ACME, GLOBEX, ours, theirs, to_acme),
            (GLOBEX, ACME, theirs, ours, to_globex),
        ):
            polled = (await page(readers[org], limit=200))["events"]
            assert {event["bindingId"] for event in polled} == {own["id"]}
            assert receiver.events() == polled
            assert {"binding.repointed", "binding.expiring", "binding.needs_reauth"} < {
                event["kind"] for event in polled
            }
            told = str(polled)
            assert not any(each in told for each in (others_org, other["id"], other["tenantId"]))


async def test_a_change_that_is_rolled_back_has_no_event(
    world: World, reader: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    """R28: the audit row fails, so the disconnect and its event never happened."""
    admin = await world.acme_admin()
    binding = await admin.connects(ACME_TRADING)
    await world.database.execute(
        "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS"
        " $$BEGIN RAISE 'no'; END$$;"
        "CREATE TRIGGER refuse BEFORE INSERT ON audit_events EXECUTE FUNCTION refuse()"
    )

    with pytest.raises(Exception, match="no"):
        await world.services.disconnects.disconnect(UUID(binding["id"]), ACME, SYSTEM)

    assert await kinds(reader) == ["binding.connected"]
    assert (await admin.bindings())[ACME_TRADING]["status"] == "active"
