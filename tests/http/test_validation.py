"""An invalid request is refused with the place of the fault, never its value (S18, S43)."""

from typing import Any

import httpx
import pytest

from tests.http.conftest import problem
from tests.world import Person, World
from xero_service.app import PREFIX

CANARY = "canary7Qz"


@pytest.fixture
async def admin(world: World) -> Person:
    return await world.acme_admin()


def refused(response: httpx.Response) -> str:
    assert response.status_code == 422, response.text
    said = problem(response)
    assert CANARY not in response.text
    return str(said["detail"])


@pytest.mark.parametrize(
    ("path", "body", "detail"),
    [
        (
            "/tenants/select",
            {"grantId": CANARY, "tenantId": CANARY},
            "Check these fields: body.grantId.",
        ),
        ("/tenants/select", {}, "Check these fields: body.grantId, body.tenantId."),
        ("/tenants/select", [CANARY], "Check these fields: body."),
        ("/tenants/select", CANARY, "Check these fields: body."),
        ("/disconnect", {"tenantBindingId": [CANARY]}, "Check these fields: body.tenantBindingId."),
        ("/disconnect", {"tenantBindingId": None}, "Check these fields: body.tenantBindingId."),
        ("/disconnect", None, "Check these fields: body."),
        ("/refresh", {"orgId": CANARY}, "Check these fields: body (unknown field)."),
        ("/refresh", [CANARY], "Check these fields: body."),
    ],
)
async def test_a_wrong_body_is_told_by_its_fields(
    admin: Person, path: str, body: Any, detail: str
) -> None:
    """S43."""
    assert refused(await admin.post(path, body)) == detail


@pytest.mark.parametrize("field", ["orgId", "status", "clerk_org_id", CANARY, "__class__"])
async def test_an_unknown_field_is_refused_and_not_called_by_its_name(
    admin: Person, field: str
) -> None:
    """S18, S43."""
    body = {"tenantBindingId": "00000000-0000-4000-8000-000000000000", field: CANARY}

    detail = refused(await admin.post("/disconnect", body))

    assert detail == "Check these fields: body (unknown field)."


async def test_a_parameter_of_another_shape_is_told_by_its_name(admin: Person) -> None:
    response = await admin.get("/tenants/list", params={"grantId": CANARY})

    assert refused(response) == "Check these fields: query.grantId."


@pytest.mark.parametrize(
    ("content", "statuses"),
    [
        (b'{"tenantBindingId": "canary7Qz', {422}),
        (b"\xff\xfecanary7Qz", {400, 422}),
        (b"[" * 60_000, {400, 422}),
        (b"tenantBindingId=canary7Qz", {422}),
    ],
    ids=["cut off", "no UTF-8", "deeply nested", "a form"],
)
async def test_a_body_that_is_no_json_is_refused(
    admin: Person, content: bytes, statuses: set[int]
) -> None:
    headers = {"Authorization": f"Bearer {admin.token()}", "Content-Type": "application/json"}

    response = await admin.http.post(f"{PREFIX}/disconnect", content=content, headers=headers)

    assert problem(response)["status"] in statuses
    assert CANARY not in response.text


async def test_who_is_calling_is_asked_before_what(admin: Person) -> None:
    """S1: without authentication the response says nothing about the schema."""
    response = await admin.http.post(f"{PREFIX}/disconnect", json={CANARY: 1})

    assert problem(response)["status"] == 401
