"""S16: another org's object is an unknown one, on every route that names an object."""

from typing import Any

import pytest

from tests.access.operations import Objects, Operation, operations
from tests.access.principals import EVERY_SCOPE
from tests.people import Person
from tests.service_api.callers import Service, problem, service
from tests.world import ACME, GLOBEX, World
from xero_sandbox.samples import ACCOUNTANT, ACME_TRADING
from xero_sandbox.samples import GLOBEX as GLOBEX_TENANT

NAMING = [each for each in operations() if each.names_an_object]
USER = ACCOUNTANT.xero_user_id


async def asked(
    caller: Person | Service, operation: Operation, about: Objects
) -> tuple[int, dict[str, Any] | str]:
    """The answer without what differs from request to request."""
    path = operation.address(about).removeprefix("/api/integrations/xero")
    response = await caller.request(operation.method.upper(), path, **operation.sends(about))
    if operation.method == "head":
        return response.status_code, response.headers["content-type"]
    body = response.json()
    assert body.pop("requestId")
    return response.status_code, body


def test_there_are_such_routes() -> None:
    assert {each.id for each in NAMING} >= {
        "issueToken",
        "callXeroGet",
        "callXeroHead",
        "listTenants",
        "selectTenant",
        "disconnectBinding",
    }


async def test_a_strangers_object_is_an_unknown_one_on_every_route(world: World) -> None:
    """S16: same status, same body, and Xero is asked nothing."""
    binding = await (await world.acme_admin()).connects(ACME_TRADING)
    theirs = Objects(binding["id"], binding["grantId"])
    await (await world.globex_admin()).connects(GLOBEX_TENANT, xero_user="xero-user-2")
    stranger = await world.globex_admin()
    key = await service(world.application, *EVERY_SCOPE, org_id=GLOBEX)
    of_all = (await service(world.application, *EVERY_SCOPE, org_id=None)).naming(GLOBEX)
    heard = len(world.sandbox.journal())

    for operation in NAMING:
        for caller in (stranger, key, of_all):
            foreign = await asked(caller, operation, theirs)
            unknown = await asked(caller, operation, Objects.unknown())
            assert foreign == unknown, operation.id
            assert foreign[0] in {401, 404}, operation.id
        assert (await asked(_right(operation, stranger, key), operation, theirs))[0] == 404

    assert len(world.sandbox.journal()) == heard
    assert (await (await world.acme_admin()).bindings())[ACME_TRADING]["status"] == "active"


def _right(operation: Operation, person: Person, key: Service) -> Person | Service:
    """Whoever of the two the operation is for."""
    return person if operation.id in {"listTenants", "selectTenant"} else key


@pytest.fixture
async def sharing(world: World) -> dict[str, dict[str, Any]]:
    """Two orgs whose one grant is of the same Xero user; each has bound a tenant of its own."""
    ours = await (await world.acme_admin()).connects(ACME_TRADING, xero_user=USER)
    theirs = await (await world.globex_admin()).connects(GLOBEX_TENANT, xero_user=USER)
    (grant,) = await world.grants()
    assert str(grant["id"]) == theirs["grantId"]
    return {ACME: ours, GLOBEX: theirs}


async def test_orgs_that_share_a_xero_user_do_not_see_each_other(
    world: World, sharing: dict[str, dict[str, Any]]
) -> None:
    """S16: neither lists, selects, proxies to, or sees users of the other's."""
    theirs = sharing[GLOBEX]
    admin = await world.acme_admin()
    key = await service(world.application, *EVERY_SCOPE, org_id=ACME)

    shown = (await admin.get("/bindings")).text + (await admin.get("/activity")).text
    shown += (await key.request("GET", "/bindings")).text
    for secret in (theirs["id"], GLOBEX_TENANT, "user_globex_admin", GLOBEX):
        assert secret not in shown
    for grant_id in (sharing[ACME]["grantId"], theirs["grantId"]):
        assert set(await admin.tenants(grant_id)) == {ACME_TRADING}
        about = Objects(theirs["id"], grant_id, GLOBEX_TENANT)
        unknown = Objects(theirs["id"], grant_id, "20000000-0000-4000-8000-999999999999")
        (select,) = (each for each in NAMING if each.id == "selectTenant")
        foreign = await asked(admin, select, about)
        assert foreign == await asked(admin, select, unknown)
        assert foreign[0] == 422
    for operation in NAMING:
        if operation.id in {"listTenants", "selectTenant"}:
            continue
        foreign = await asked(key, operation, Objects(theirs["id"], theirs["grantId"]))
        assert foreign == await asked(key, operation, Objects.unknown()), operation.id
        assert foreign[0] == 404


async def test_a_shared_grants_token_goes_to_no_key_of_one_org(
    world: World, sharing: dict[str, dict[str, Any]]
) -> None:
    """S16: it would open the other's tenants; the proxy, which pins the tenant, still serves."""
    for org_id, binding in sharing.items():
        key = await service(world.application, *EVERY_SCOPE, org_id=org_id)
        of_all = (await service(world.application, *EVERY_SCOPE, org_id=None)).naming(org_id)

        assert problem(await key.token(binding["id"])) == (409, "grant_shared")
        assert (await key.calls(binding["id"])).status_code == 200
        assert (await of_all.token(binding["id"])).status_code == 200

    assert [each["tenantId"] for each in world.calls("api")] == [ACME_TRADING, GLOBEX_TENANT]


async def test_the_token_is_given_again_once_the_other_org_has_left(
    world: World, sharing: dict[str, dict[str, Any]]
) -> None:
    """S16: whether a grant is shared is decided by what rests on it now."""
    key = await service(world.application, *EVERY_SCOPE, org_id=ACME)
    await (await world.globex_admin()).disconnects(sharing[GLOBEX]["id"])

    assert (await key.token(sharing[ACME]["id"])).status_code == 200
