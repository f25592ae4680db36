"""S16: a former org of a tenant gains nothing from a later consent of another org."""

from tests.world import ACME, GLOBEX, World, until
from xero_sandbox import samples
from xero_sandbox.samples import ACME_SERVICES, ACME_TRADING

SHARED = samples.ACCOUNTANT.xero_user_id


async def test_a_former_org_neither_sees_nor_takes_what_is_connected_anew_for_another(
    world: World,
) -> None:
    former = await world.accountant(GLOBEX)
    ended = await former.connects(ACME_TRADING, xero_user=SHARED)
    await former.disconnects(ended["id"])
    await until(world.settled)

    ours = await world.accountant(ACME)
    landing = await ours.consents(ACME_TRADING, xero_user=SHARED)
    stranger = await world.globex_admin()
    listed = await stranger.get("/tenants/list", params={"grantId": ended["grantId"]})
    taken = await stranger.post(
        "/tenants/select", {"grantId": ended["grantId"], "tenantId": ACME_TRADING}
    )

    assert listed.json().get("tenants", []) == []
    assert taken.json()["code"] in {"tenant_not_accessible", "not_found"}
    assert (await ours.selects(landing.grant_id, ACME_TRADING))["status"] == "active"


async def test_the_same_where_one_of_two_connections_was_deleted(world: World) -> None:
    former = await world.accountant(GLOBEX)
    ended = await former.connects(ACME_TRADING, xero_user=SHARED)
    await former.connects(ACME_SERVICES, xero_user=SHARED)
    await former.disconnects(ended["id"])
    await until(world.settled)

    await (await world.accountant(ACME)).consents(ACME_TRADING, xero_user=SHARED)

    assert set(await former.tenants(ended["grantId"])) == {ACME_SERVICES}


async def test_the_same_where_the_user_ended_it_in_xero(world: World) -> None:
    """Nothing was disconnected here, and the tenant was never bound: only its event tells."""
    former = await world.accountant(GLOBEX)
    landing = await former.consents(ACME_TRADING, xero_user=SHARED)
    await former.connects(ACME_SERVICES, xero_user=SHARED)
    world.sandbox.disconnect(SHARED, ACME_TRADING)

    await (await world.accountant(ACME)).consents(ACME_TRADING, xero_user=SHARED)

    assert set(await former.tenants(landing.grant_id)) == {ACME_SERVICES}


async def test_who_was_lured_to_anothers_callback_is_not_shown_to_that_org(world: World) -> None:
    """Neither the visitor's id nor their address stand in the activity of the attempt's org."""
    admin = await world.acme_admin()
    state = (await admin.allows(ACME_TRADING)).split("state=")[1].split("&")[0]
    visitor = await world.globex_admin()
    visitor.wears(visitor.token())

    landing = await visitor.lands(f"{visitor.azp}/api/integrations/xero/callback?state={state}")

    assert landing.error == "flow_mismatch"
    (refused,) = await world.audited("connect.refused")
    assert (refused["org_id"], refused["actor_id"]) == (None, visitor.id)
    assert "connect.refused" not in (await admin.get("/activity")).text
