"""Who is let in, route by route, from the API's own document: a new route cannot be forgotten."""

import re
from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests.world import World
from xero_sandbox.samples import ACME_TRADING
from xero_service.app import PREFIX, assemble

PUBLIC = {
    ("get", f"{PREFIX}/callback"),
    # Their credential is in the request: Xero's signature, and the link in a mail.
    ("post", f"{PREFIX}/webhooks/xero"),
    ("get", f"{PREFIX}/notices/unsubscribe"),
    ("post", f"{PREFIX}/notices/unsubscribe"),
    ("get", "/healthz"),
    ("get", "/readyz"),
    ("get", "/metrics"),
}
NAVIGATIONS = {("get", f"{PREFIX}/start"), ("get", f"{PREFIX}/callback")}
ADMIN_ROUTES = {
    ("get", f"{PREFIX}/start"),
    ("get", f"{PREFIX}/tenants/list"),
    ("post", f"{PREFIX}/tenants/select"),
    ("post", f"{PREFIX}/disconnect"),
}
METHODS = {"get", "post", "put", "patch", "delete", "head", "options"}


def operations() -> list[tuple[str, str]]:
    return sorted(
        (method, path)
        for path, item in assemble().openapi()["paths"].items()
        for method in item
        if method in METHODS
    )


PROTECTED = [operation for operation in operations() if operation not in PUBLIC]


def address(path: str) -> str:
    """A request's path, with an id for each parameter of the document's."""
    return re.sub(r"\{(\w+)(:path)?\}", lambda name: filled(name.group(1)), path)


def filled(name: str) -> str:
    return "api.xro/2.0/Organisation" if name == "path" else str(uuid4())


def valid(method: str, path: str) -> dict[str, Any]:
    """What to send so that only the caller can be at fault."""
    one = str(uuid4())
    match method, path.removeprefix(PREFIX):
        case "get", "/tenants/list":
            return {"params": {"grantId": one}}
        case "post", "/tenants/select":
            return {"json": {"grantId": one, "tenantId": ACME_TRADING}}
        case "post", "/disconnect":
            return {"json": {"tenantBindingId": one}}
    return {}


def assert_unauthorised(response: httpx.Response) -> None:
    assert response.status_code == 401, response.text
    assert response.headers["content-type"] == "application/problem+json"
    assert response.headers["www-authenticate"].startswith("Bearer")
    body = response.json()
    assert body["code"] == "unauthorized"
    assert set(body) == {"type", "title", "status", "detail", "code", "requestId"}


def test_what_is_public_is_a_short_list_s1() -> None:
    assert set(operations()) >= PUBLIC


@pytest.mark.parametrize(("method", "path"), PROTECTED)
async def test_without_credentials_nothing_answers_s1(world: World, method: str, path: str) -> None:
    async with world.application.http() as anybody:
        response = await anybody.request(method, address(path), **valid(method, path))

    assert_unauthorised(response)


@pytest.mark.parametrize(
    ("method", "path"), [each for each in PROTECTED if each not in NAVIGATIONS]
)
async def test_a_session_cookie_alone_opens_nothing_but_the_navigations_s13(
    world: World, method: str, path: str
) -> None:
    admin = await world.acme_admin()
    admin.wears(admin.token())

    response = await admin.http.request(method, address(path), **valid(method, path))

    assert_unauthorised(response)


@pytest.mark.parametrize("parameter", ["token", "access_token", "authorization", "__session"])
@pytest.mark.parametrize("path", ["/bindings", "/start"])
async def test_a_token_in_the_address_opens_nothing_s12(
    world: World, path: str, parameter: str, capfd: pytest.CaptureFixture[str]
) -> None:
    admin = await world.acme_admin()
    token = admin.token()

    response = await admin.http.get(PREFIX + path, params={parameter: token})

    assert_unauthorised(response)
    written = capfd.readouterr()
    assert token not in written.out + written.err


@pytest.mark.parametrize(("method", "path"), sorted(ADMIN_ROUTES))
async def test_a_member_cannot_do_what_is_an_admins(world: World, method: str, path: str) -> None:
    member = await world.acme_member()

    response = await member.request(method, path.removeprefix(PREFIX), **valid(method, path))

    assert (response.status_code, response.json()["code"]) == (403, "admin_required")


@pytest.mark.parametrize(("method", "path"), sorted(ADMIN_ROUTES | {("get", f"{PREFIX}/bindings")}))
async def test_without_an_active_org_an_orgs_routes_do_nothing_s11(
    world: World, method: str, path: str
) -> None:
    nobody = await world.person("user_acme_admin", None)

    response = await nobody.request(method, path.removeprefix(PREFIX), **valid(method, path))

    assert (response.status_code, response.json()["code"]) == (403, "org_required")


@pytest.mark.parametrize("path", ["/tenants/select", "/disconnect"])
async def test_an_impersonated_admin_changes_no_connection_s15(world: World, path: str) -> None:
    admin = await world.acme_admin()
    token = admin.token(claims={"act": {"sub": "user_support"}})

    response = await admin.post(
        path, **valid("post", PREFIX + path), headers={"Authorization": f"Bearer {token}"}
    )

    assert (response.status_code, response.json()["code"]) == (403, "impersonation_refused")


async def test_an_org_sees_its_own_bindings_only_s16(world: World) -> None:
    acme, globex = await world.acme_admin(), await world.globex_admin()
    await acme.connects(ACME_TRADING)

    assert await globex.bindings() == {}
    assert await globex.bindings(status="active") == {}


async def test_a_member_sees_the_bindings_and_no_token(world: World) -> None:
    admin, member = await world.acme_admin(), await world.acme_member()
    await admin.connects(ACME_TRADING)

    response = await member.get("/bindings")

    assert response.json()["hasActiveBindings"] is True
    assert "eyJ" not in response.text
    grant = (await world.grants())[0]
    for secret in (grant["access_token_enc"], grant["refresh_token_enc"], grant["xero_user_id"]):
        assert secret not in response.text
