"""Values that no database can store are refused like any other that is malformed."""

import pytest

from tests.service_api.callers import client_of, problem, service
from tests.world import World
from xero_sandbox.samples import ACME_TRADING
from xero_service.app import PREFIX


async def test_no_odd_id_breaks_a_selection(world: World) -> None:
    """S18, S47: NUL, a lone surrogate, controls."""
    admin = await world.acme_admin()
    binding = await admin.connects(ACME_TRADING)

    for odd in ("\\u0000", "\\ud800", "\\u0085", "a\\u0000b", "\\n"):
        body = f'{{"grantId": "{binding["grantId"]}", "tenantId": "{odd}"}}'
        answer = await admin.request(
            "POST",
            "/tenants/select",
            content=body.encode(),
            headers={"Content-Type": "application/json"},
        )
        assert problem(answer) == (422, "invalid_request"), odd


@pytest.mark.parametrize("odd", ["org_\x00", "org_acme\n", "org_" + "x" * 3000], ids=ascii)
@pytest.mark.parametrize("claim", ["org", "user", "actor"])
async def test_no_odd_id_in_a_genuine_session_breaks_a_route(
    world: World, claim: str, odd: str
) -> None:
    """B11, S47."""
    admin = await world.acme_admin()
    binding = await admin.connects(ACME_TRADING)
    claims = {
        "org": {"o": {"id": odd, "rol": "admin"}},
        "user": {"sub": f"user_{odd}"},
        "actor": {"act": {"sub": odd}},
    }
    session = {"Authorization": f"Bearer {admin.token(claims=claims[claim])}"}
    body = {"grantId": binding["grantId"], "tenantId": ACME_TRADING}

    answers = [
        await admin.http.get(f"{PREFIX}/start", headers=session),
        await admin.http.get(f"{PREFIX}/bindings", headers=session),
        await admin.http.get(f"{PREFIX}/activity", headers=session),
        await admin.http.post(f"{PREFIX}/refresh", headers=session),
        await admin.http.post(f"{PREFIX}/tenants/select", headers=session, json=body),
        await admin.http.post(
            f"{PREFIX}/disconnect", headers=session, json={"tenantBindingId": binding["id"]}
        ),
    ]

    assert [problem(answer) for answer in answers] == [(401, "unauthorized")] * 6


@pytest.mark.parametrize("odd", [b"\x00", b"\xff", b"\xed\xa0\x80", b"a\x85b"])
async def test_no_odd_org_breaks_a_call(world: World, odd: bytes) -> None:
    """S47."""
    key = await service(world.application, org_id=None)
    headers = [(b"authorization", f"Bearer {key.made.secret}".encode()), (b"x-org-id", odd)]

    async with client_of(world.application) as client:
        answer = await client.get(f"{PREFIX}/bindings", headers=headers)

    assert answer.status_code < 500, answer.text


@pytest.mark.parametrize(
    "query", ["state=%00&code=%00", "state=%ed%a0%80", "error=%00", "state=x&iss=%00", "state="]
)
async def test_no_odd_return_breaks_the_callback(world: World, query: str) -> None:
    """S20, S47: the browser lands."""
    async with client_of(world.application) as browser:
        answer = await browser.get(f"{PREFIX}/callback?{query}", headers={"Cookie": "__session=%"})

    assert answer.status_code == 303
    assert "error=flow_mismatch" in answer.headers["location"]
