"""Usual requests of services take a short cut, and nobody can tell but by the clock."""

import logging

import httpx
import pytest
from starlette.applications import Starlette
from starlette.types import Message, Receive, Scope, Send

from tests.internal.callers import Service, service
from tests.internal.conftest import Connected
from tests.world import ACME, GLOBEX, Application
from xero_service.api import proxy, tokens
from xero_service.api.short_cut import ShortCut
from xero_service.app import PREFIX
from xero_service.domain import SYSTEM

UNKNOWN = "7d0f3c1e-93c5-4a39-8f2b-0c4a6a3d5a10"
OF_ITS_OWN = {"x-request-id", "date"}
OF_PAGES = {"vary"}  # by a page's origin, which no request on the short cut names


def alike(response: httpx.Response) -> tuple[int, dict[str, str], dict[str, object]]:
    """What an answer says, without what differs from request to request."""
    headers = {
        name: value for name, value in response.headers.items() if name not in OF_ITS_OWN | OF_PAGES
    }
    return response.status_code, headers, {**response.json(), "requestId": None}


async def both_ways(caller: Service, binding_id: str) -> httpx.Response:
    """Ask by the short cut and, with a body that wishes nothing, by the documented route."""
    path = f"/bindings/{binding_id}/token"
    short = await caller.request("POST", path)
    long = await caller.request("POST", path, json={})
    assert alike(short) == alike(long)
    return short


async def both_ways_of_a_call(caller: Service, binding_id: str) -> httpx.Response:
    """Call by the short cut and, naming no key twice but a page's origin, by the framework."""
    path = f"/bindings/{binding_id}/api/api.xro/2.0/Organisation"
    json = {"Accept": "application/json"}
    short = await caller.request("GET", path, headers=json)
    long = await caller.request("GET", path, headers=json | {"Origin": "https://elsewhere.example"})
    assert short.status_code == long.status_code
    assert {**alike(short)[2], "Id": 0, "DateTimeUTC": 0} == {
        **alike(long)[2],
        "Id": 0,
        "DateTimeUTC": 0,
    }
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
    calls = [
        await both_ways_of_a_call(caller, binding_id)
        for caller, binding_id in [
            (billing, connected.id),
            (for_all, connected.id),
            (billing.naming(GLOBEX), connected.id),
            (billing, UNKNOWN),
            (billing.presenting("xsk_nothing"), connected.id),
            (cannot, connected.id),
            (revoked, connected.id),
        ]
    ]
    assert [each.status_code for each in calls] == [200, 403, 403, 404, 401, 403, 401]
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


USUAL: dict[str, object] = {
    "type": "http",
    "method": "POST",
    "path": f"{PREFIX}/bindings/{UNKNOWN}/token",
    "headers": [(b"authorization", b"Bearer xsk_1"), (b"content-length", b"0")],
    "client": ("127.0.0.1", 1),
}
USUAL_CALL = USUAL | {"path": f"{PREFIX}/bindings/{UNKNOWN}/api/api.xro/2.0/Invoices"}


@pytest.mark.parametrize(
    "changed",
    [
        {},
        {"headers": [(b"authorization", b"Bearer xsk_1"), (b"x-org-id", b"org_a")]},
        *({**USUAL_CALL, "method": method} for method in proxy.METHODS),
        {**USUAL_CALL, "headers": [(b"authorization", b"Bearer xsk_1"), (b"content-length", b"9")]},
    ],
)
async def test_what_is_usual_takes_the_short_cut(changed: dict[str, object]) -> None:
    assert not await went_the_documented_way({**USUAL, **changed})


@pytest.mark.parametrize(
    "changed",
    [
        {"method": "GET"},
        {**USUAL_CALL, "method": "TRACE"},
        {**USUAL_CALL, "path": f"{PREFIX}/bindings/{UNKNOWN}/api/"},
        {**USUAL_CALL, "path": f"{PREFIX}/bindings/{UNKNOWN}/apis/api.xro/2.0/Invoices"},
        {**USUAL_CALL, "headers": []},
        {"headers": [(b"authorization", b"Bearer xsk_1"), (b"origin", b"https://app.example")]},
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
async def test_what_is_unusual_goes_the_documented_way(changed: dict[str, object]) -> None:
    assert await went_the_documented_way({**USUAL, **changed})


async def went_the_documented_way(scope: dict[str, object]) -> bool:
    """Whether the application behind the short cut was asked; what it serves itself fails."""
    asked = []

    async def application(scope: Scope, _: Receive, __: Send) -> None:
        asked.append(scope)

    async def receive() -> Message:
        return {"type": "http.request", "body": b""}

    async def send(message: Message) -> None:
        pass

    short_cut = ShortCut(application, prefix=PREFIX, ways=(tokens.SHORT, proxy.SHORT))
    await short_cut({**scope, "app": Starlette(), "headers": scope["headers"]}, receive, send)
    return bool(asked)
