"""The usual token request takes a short cut, and nobody can tell but by the clock."""

import logging

import httpx
import pytest

from tests.internal.callers import Service, service
from tests.internal.conftest import Connected
from tests.world import ACME, GLOBEX, Application
from xero_service.api.tokens import ShortCut
from xero_service.app import PREFIX
from xero_service.domain import SYSTEM

UNKNOWN = "7d0f3c1e-93c5-4a39-8f2b-0c4a6a3d5a10"
OF_ITS_OWN = {"x-request-id", "date"}


def alike(response: httpx.Response) -> tuple[int, dict[str, str], dict[str, object]]:
    """What an answer says, without what differs from request to request."""
    headers = {name: value for name, value in response.headers.items() if name not in OF_ITS_OWN}
    return response.status_code, headers, {**response.json(), "requestId": None}


async def both_ways(caller: Service, binding_id: str) -> httpx.Response:
    """Ask by the short cut and, with a body that wishes nothing, by the documented route."""
    path = f"/bindings/{binding_id}/token"
    short = await caller.request("POST", path)
    long = await caller.request("POST", path, json={})
    assert alike(short) == alike(long)
    return short


async def test_both_ways_answer_alike(
    application: Application, billing: Service, connected: Connected
) -> None:
    """S14, S15, S17, S51: whatever the answer is, and at no other address."""
    for_all = await service(application, org_id=None)
    cannot = await service(application, "bindings:read")
    revoked = await service(application)
    await application.services.keys.revoke(SYSTEM, revoked.made.key.id)

    answers = [
        await both_ways(caller, binding_id)
        for caller, binding_id in [
            (billing, connected.id),
            (billing.naming(ACME), connected.id),
            (for_all.naming(ACME), connected.id),
            (for_all, connected.id),
            (for_all.naming(GLOBEX), connected.id),
            (billing.naming(GLOBEX), connected.id),
            (billing.naming("x" * 101), connected.id),
            (billing, UNKNOWN),
            (billing, UNKNOWN[:-1]),
            (billing.presenting("xsk_nothing"), connected.id),
            (billing.presenting("nothing"), connected.id),
            (cannot, connected.id),
            (revoked, connected.id),
        ]
    ]

    statuses = [answer.status_code for answer in answers]
    elsewhere = await billing.http.post(
        f"/bindings/{connected.id}/token",
        headers={"Authorization": f"Bearer {billing.made.secret}"},
    )
    assert elsewhere.status_code == 404
    assert statuses == [200, 200, 200, 403, 404, 403, 422, 404, 422, 401, 401, 403, 401]


async def test_both_ways_are_logged_and_counted_alike(
    application: Application,
    billing: Service,
    connected: Connected,
    caplog: pytest.LogCaptureFixture,
) -> None:
    with caplog.at_level(logging.INFO, "xero_service.access"):
        await both_ways(billing, connected.id)

    routes = [
        record.__dict__["access"]["route"]
        for record in caplog.records
        if record.name == "xero_service.access"
    ]
    metrics = (await billing.http.get("/metrics")).text
    assert routes == ["/bindings/{bindingId}/token"] * 2
    assert 'status="200"} 2.0' in metrics


@pytest.mark.parametrize(
    "changed",
    [
        {"method": "GET"},
        {"type": "websocket"},
        {"path": f"{PREFIX}/bindings/{UNKNOWN}/token/"},
        {"path": f"/elsewhere{PREFIX}/bindings/{UNKNOWN}/token"},
        {"path": f"{PREFIX}/bindings/{UNKNOWN.upper()}/token"},
        {"path": f"/bindings/{UNKNOWN}/token"},
        {"path": f"{PREFIX}{PREFIX}/bindings/{UNKNOWN}/token"},
        {"headers": []},
        {"headers": [(b"authorization", b"Bearer eyJhbGciOi")]},
        {"headers": [(b"authorization", b"Basic eHNrXw==")]},
        {"headers": [(b"authorization", b"Bearer xsk_1"), (b"authorization", b"Bearer xsk_2")]},
        {"headers": [(b"authorization", b"0"), (b"authorization", b"Bearer xsk_1")]},
        {"headers": [(b"authorization", b"Bearer xsk_1"), (b"authorization", b"0")]},
        {"headers": [(b"authorization", b"Bearer xsk_1 ")]},
        {"headers": [(b"authorization", b"Bearer xsk_1"), (b"x-org-id", b"x" * 101)]},
        {"headers": [(b"authorization", b"Bearer xsk_1"), (b"x-org-id", b"caf\xe9")]},
        {"headers": [(b"authorization", b"Bearer xsk_1"), (b"x-org-id", b"a b")]},
        {"headers": [(b"authorization", b"Bearer xsk_1"), (b"x-org-id", b"0"), (b"x-org-id", b"")]},
        {
            "headers": [
                (b"authorization", b"Bearer xsk_1"),
                (b"x-org-id", b"org_a"),
                (b"x-org-id", b"org_b"),
            ]
        },
        {"headers": [(b"authorization", b"Bearer xsk_1"), (b"content-length", b"2")]},
        {"headers": [(b"authorization", b"Bearer xsk_1"), (b"transfer-encoding", b"chunked")]},
        {"headers": [(b"authorization", b"Bearer xsk_1"), (b"transfer-encoding", b"0")]},
    ],
)
def test_what_is_unusual_goes_the_documented_way(changed: dict[str, object]) -> None:
    usual = {
        "type": "http",
        "method": "POST",
        "path": f"{PREFIX}/bindings/{UNKNOWN}/token",
        "headers": [(b"authorization", b"Bearer xsk_1"), (b"content-length", b"0")],
        "client": ("127.0.0.1", 1),
    }
    short_cut = ShortCut(PREFIX)

    assert short_cut.matches(usual)[0].name == "FULL"
    assert short_cut.matches({**usual, **changed})[0].name == "NONE"
