"""What a person may choose from after a consent, and who may choose (design: rule 2)."""

from uuid import uuid4

import httpx
import pytest

from tests.people import Person
from tests.world import ACME, GLOBEX, World
from xero_sandbox import samples
from xero_sandbox.samples import ACME_SERVICES, ACME_TRADING, DEMO_COMPANY, PRACTICE

SHARED = samples.ACCOUNTANT.xero_user_id  # the Xero user of an accountant who serves both orgs


def told(response: httpx.Response) -> tuple[int, dict[str, object]]:
    """What an answer discloses: all of it but the request's id."""
    body = response.json()
    body.pop("requestId")
    return response.status_code, body


async def listing(person: Person, grant_id: object) -> httpx.Response:
    return await person.get("/tenants/list", params={"grantId": str(grant_id)})


async def test_the_list_says_what_was_just_authorised_and_what_can_be_done_with_it(
    world: World,
) -> None:
    admin = await world.acme_admin()
    await admin.connects(ACME_TRADING)

    landing = await admin.consents(ACME_SERVICES)

    tenants = await admin.tenants(landing.grant_id)
    assert set(tenants) == {ACME_TRADING, ACME_SERVICES}
    trading, services = tenants[ACME_TRADING], tenants[ACME_SERVICES]
    assert (trading["justAuthorised"], trading["availability"]) == (False, "bound_here")
    assert trading["bindingId"] == (await admin.bindings())[ACME_TRADING]["id"]
    assert (services["justAuthorised"], services["availability"]) == (True, "available")
    assert (services["bindingId"], services["tenantName"]) == (None, "Acme Services Ltd")


async def test_a_tenant_of_another_org_is_unavailable_without_saying_whose(world: World) -> None:
    globex, acme = await world.globex_admin(), await world.acme_admin()
    theirs = await globex.connects(ACME_TRADING, xero_user=SHARED)

    landing = await acme.consents(ACME_TRADING)

    response = await listing(acme, landing.grant_id)
    (tenant,) = response.json()["tenants"]
    assert (tenant["availability"], tenant["bindingId"]) == ("unavailable", None)
    for secret in (GLOBEX, theirs["id"], theirs["grantId"], globex.id):
        assert secret not in response.text


async def test_a_tenant_that_xero_lists_twice_is_one_choice_c11(world: World) -> None:
    """C11: and the binding keeps the newest connection, so that a disconnect ends it at Xero."""
    world.sandbox.switch(oddConnections="each_twice")
    admin = await world.acme_admin()
    landing = await admin.consents(ACME_TRADING)

    answer = await listing(admin, landing.grant_id)
    binding = await admin.selects(landing.grant_id, ACME_TRADING)
    await world.services.upkeep.round()

    assert [each["tenantId"] for each in answer.json()["tenants"]] == [ACME_TRADING]
    (mine,) = [each["id"] for each in world.sandbox.state()["connections"]]
    stored = await world.database.fetchval("SELECT connection_id FROM integration_tenant_bindings")
    assert stored == mine
    await admin.disconnects(binding["id"])
    assert await world.settled()
    assert all(each["deleted"] for each in world.sandbox.state()["connections"])


async def test_an_entry_that_cannot_be_read_leaves_the_others_to_choose_from_c11(
    world: World,
) -> None:
    """C11: in the callback, the list and the selection; not a 503 for all."""
    admin = await world.acme_admin()
    await admin.connects(ACME_TRADING)
    world.sandbox.switch(oddConnections="first_without_tenant")

    landing = await admin.consents(ACME_SERVICES)

    assert set(await admin.tenants(landing.grant_id)) == {ACME_SERVICES}
    assert (await admin.selects(landing.grant_id, ACME_SERVICES))["status"] == "active"
    assert (await admin.bindings())[ACME_TRADING]["status"] == "active"


async def test_a_practice_is_neither_listed_nor_selectable(world: World) -> None:
    admin = await world.acme_admin()
    world.sandbox.connect(SHARED, PRACTICE)
    landing = await admin.consents(ACME_TRADING, xero_user=SHARED)

    response = await admin.post(
        "/tenants/select", {"grantId": landing.grant_id, "tenantId": PRACTICE}
    )

    assert set(await admin.tenants(landing.grant_id)) == {ACME_TRADING}
    assert (response.status_code, response.json()["code"]) == (422, "tenant_not_accessible")


async def test_a_consent_that_reaches_a_practice_alone_reaches_no_organisation(
    world: World,
) -> None:
    admin = await world.acme_admin()

    landing = await admin.consents(PRACTICE, xero_user=SHARED)

    assert landing.error == "no_tenants"


async def test_a_tenant_without_a_name_can_still_be_chosen(world: World) -> None:
    admin = await world.acme_admin()
    world.sandbox.switch(nullTenantNames=True)

    binding = await admin.connects(ACME_TRADING)

    assert binding["tenantName"] == "Unnamed organisation"


async def test_the_first_choice_is_the_consenting_users_and_then_other_admins_join_in(
    world: World,
) -> None:
    admin, colleague = await world.acme_admin(), await world.accountant(ACME)
    landing = await admin.consents(ACME_TRADING)
    before = await listing(colleague, landing.grant_id)
    unknown = await listing(colleague, uuid4())

    await admin.selects(landing.grant_id, ACME_TRADING)

    assert told(before) == told(unknown)
    assert before.status_code == 404
    assert set(await colleague.tenants(landing.grant_id)) == {ACME_TRADING}
    again = await colleague.selects(landing.grant_id, ACME_TRADING)
    assert again["id"] == (await admin.bindings())[ACME_TRADING]["id"]


async def test_a_colleague_cannot_make_the_first_choice(world: World) -> None:
    admin, colleague = await world.acme_admin(), await world.accountant(ACME)
    landing = await admin.consents(ACME_TRADING)

    response = await colleague.post(
        "/tenants/select", {"grantId": landing.grant_id, "tenantId": ACME_TRADING}
    )

    assert response.status_code == 404
    assert await admin.bindings() == {}


@pytest.mark.parametrize("null_events", [False, True])
async def test_where_all_was_connected_before_only_the_consenting_user_is_offered_it(
    world: World, null_events: bool
) -> None:
    admin, colleague = await world.acme_admin(), await world.accountant(ACME)
    world.sandbox.switch(nullAuthEventIds=null_events)
    for tenant_id in (ACME_TRADING, ACME_SERVICES, DEMO_COMPANY):
        world.sandbox.connect("xero-user-1", tenant_id)

    landing = await admin.consents()

    offered = await admin.tenants(landing.grant_id)
    assert set(offered) == {ACME_TRADING, ACME_SERVICES, DEMO_COMPANY}
    assert not any(tenant["justAuthorised"] for tenant in offered.values())
    await admin.selects(landing.grant_id, ACME_TRADING)
    assert set(await colleague.tenants(landing.grant_id)) == {ACME_TRADING}
    assert set(await admin.tenants(landing.grant_id)) == set(offered)


async def test_a_grant_of_another_org_is_as_unknown_as_any_id_s16(world: World) -> None:
    acme, globex = await world.acme_admin(), await world.globex_admin()
    landing = await acme.consents(ACME_TRADING)
    await acme.selects(landing.grant_id, ACME_TRADING)
    choice = {"grantId": landing.grant_id, "tenantId": ACME_TRADING}

    listed = await listing(globex, landing.grant_id)
    selected = await globex.post("/tenants/select", choice)

    assert told(listed) == told(await listing(globex, uuid4()))
    unknown = await globex.post("/tenants/select", {**choice, "grantId": str(uuid4())})
    assert told(selected) == told(unknown)
    assert (listed.status_code, selected.status_code) == (404, 404)


async def test_a_superseded_grants_id_goes_on_working_for_its_org(world: World) -> None:
    admin = await world.acme_admin()
    first = await admin.consents(ACME_TRADING)
    second = await admin.consents(ACME_SERVICES)

    tenants = await admin.tenants(first.grant_id)

    assert first.grant_id != second.grant_id
    assert set(tenants) == {ACME_TRADING, ACME_SERVICES}
    bound = await admin.selects(first.grant_id, ACME_TRADING)
    assert bound["grantId"] == second.grant_id


async def test_a_superseded_grants_id_opens_nothing_of_the_other_org(world: World) -> None:
    """The old id leads to the live grant, on which this org has a consent of its own."""
    acme, globex = await world.acme_admin(), await world.globex_admin()
    first = await acme.consents(ACME_TRADING, xero_user=SHARED)
    await globex.consents(samples.GLOBEX, xero_user=SHARED)

    assert set(await globex.tenants(first.grant_id)) == {samples.GLOBEX}


async def test_the_order_of_xeros_list_does_not_matter(world: World) -> None:
    admin = await world.person("user_acme_admin", ACME)
    world.sandbox.switch(shuffleConnections=True, bulkConnect=True)

    landing = await admin.consents(*samples.TEN_ORGS, xero_user="xero-user-4")

    names = [each["tenantName"] for each in (await admin.tenants(landing.grant_id)).values()]
    assert names == sorted(names)
    assert len(names) == 10


async def test_xero_being_away_is_said_so_and_chooses_nothing(world: World) -> None:
    admin = await world.acme_admin()
    landing = await admin.consents(ACME_TRADING)
    world.sandbox.fault("connections.list", "503", times=None)

    listed = await listing(admin, landing.grant_id)
    selected = await admin.post(
        "/tenants/select", {"grantId": landing.grant_id, "tenantId": ACME_TRADING}
    )

    assert (listed.status_code, selected.status_code) == (503, 503)
    assert listed.json()["code"] == selected.json()["code"] == "xero_unavailable"
    assert await admin.bindings() == {}
