"""The two routes that services call most read a request by hand, as FastAPI reads all others."""

import logging
from typing import Any
from uuid import UUID

import httpx
import pytest

from tests.service_api.callers import ORGANISATION, Service, problem, service
from tests.service_api.conftest import Connected
from tests.world import ACME, GLOBEX, Application
from xero_service.app import PREFIX, assemble
from xero_service.domain import SYSTEM
from xero_service.telemetry import ACCESS

UNKNOWN = "7d0f3c1e-93c5-4a39-8f2b-0c4a6a3d5a10"
ROUTES = pytest.mark.parametrize(
    ("method", "rest"), [("POST", "token"), ("GET", "api/" + ORGANISATION)]
)
Headers = list[tuple[str, str | bytes]]


async def send(
    caller: Service, method: str, path: str, headers: Headers, content: bytes = b""
) -> httpx.Response:
    """Send these headers and no key but theirs."""
    every: Any = [("Accept", "application/json"), *headers]
    return await caller.http.request(method, PREFIX + path, headers=every, content=content)


def key(caller: Service) -> tuple[str, str | bytes]:
    return "Authorization", f"Bearer {caller.made.secret}"


def faults(response: httpx.Response) -> str:
    assert problem(response) == (422, "invalid_request")
    return str(response.json()["detail"])


@ROUTES
async def test_a_key_opens_the_bindings_of_its_org_and_no_others(
    application: Application, billing: Service, connected: Connected, method: str, rest: str
) -> None:
    """S14, S15, S17: and at no other address."""
    for_all = await service(application, org_id=None)
    cannot = await service(application, "bindings:read")
    revoked = await service(application)
    await application.services.keys.revoke(SYSTEM, revoked.made.key.id)
    path = f"/bindings/{connected.id}/{rest}"

    statuses = [
        (await caller.request(method, f"/bindings/{binding_id}/{rest}")).status_code
        for caller, binding_id in [
            (billing, connected.id),
            (billing.naming(ACME), connected.id),
            (for_all.naming(ACME), connected.id),
            (for_all, connected.id),
            (for_all.naming(GLOBEX), connected.id),
            (billing.naming(GLOBEX), connected.id),
            (billing, UNKNOWN),
            (billing.presenting("xsk_nothing"), connected.id),
            (billing.presenting("nothing"), connected.id),
            (cannot, connected.id),
            (revoked, connected.id),
        ]
    ]
    elsewhere = [
        await billing.http.request(
            method, each, headers=[("Authorization", f"Bearer {billing.made.secret}")]
        )
        for each in (path, PREFIX + PREFIX + path, f"/elsewhere{PREFIX}{path}")
    ]

    assert statuses == [200, 200, 200, 403, 404, 403, 404, 401, 401, 403, 401]
    assert [each.status_code for each in elsewhere] == [404, 404, 404]


@ROUTES
async def test_a_key_is_the_first_authorization_header_with_the_scheme_in_any_case(
    billing: Service, connected: Connected, method: str, rest: str
) -> None:
    """S14."""
    path = f"/bindings/{connected.id}/{rest}"
    secret = billing.made.secret
    good: list[Headers] = [
        [key(billing)],
        [("Authorization", f"bearer {secret}")],
        [key(billing), ("Authorization", "0")],
        [key(billing), ("Origin", "https://elsewhere.example")],
    ]
    bad: list[Headers] = [
        [],
        [("Authorization", "")],
        [("Authorization", "Bearer")],
        [("Authorization", secret)],
        [("Authorization", f"Basic {secret}")],
        [("Authorization", f"Bearer {secret}x")],
        [("Authorization", b"Bearer xsk_\xe9")],
        [("Authorization", "0"), key(billing)],
        [("Cookie", f"__session={secret}")],
    ]

    for headers in good:
        assert (await send(billing, method, path, headers)).status_code == 200, headers
    for headers in bad:
        answer = await send(billing, method, path, headers)
        assert problem(answer) == (401, "unauthorized"), headers
        assert answer.headers["www-authenticate"] == "Bearer"


@ROUTES
async def test_an_org_is_the_first_header_of_its_name_and_up_to_100_printable_characters(
    billing: Service, connected: Connected, method: str, rest: str
) -> None:
    """S15, S47."""

    async def naming(*orgs: str | bytes) -> httpx.Response:
        headers: Headers = [key(billing), *(("X-Org-Id", each) for each in orgs)]
        return await send(billing, method, f"/bindings/{connected.id}/{rest}", headers)

    for orgs in [[""], [ACME], [ACME, GLOBEX], ["", GLOBEX]]:
        assert (await naming(*orgs)).status_code == 200, orgs
    for other in [[GLOBEX], [GLOBEX, ACME], ["x" * 100]]:
        assert problem(await naming(*other)) == (403, "org_mismatch"), other
    odd: list[str | bytes] = ["x" * 101, "a b", b"caf\xe9", "a\x7f"]
    for each in odd:
        assert faults(await naming(each)) == "Check these fields: header.X-Org-Id."


@ROUTES
async def test_a_binding_is_named_by_its_id_in_any_spelling(
    billing: Service, connected: Connected, method: str, rest: str
) -> None:
    for spelled in (connected.id.upper(), UUID(connected.id).hex, f"urn:uuid:{connected.id}"):
        answer = await billing.request(method, f"/bindings/{spelled}/{rest}")
        assert answer.status_code == 200, spelled
    for none in (connected.id[:-1], "x", connected.id + "%0A", "%C3%A9"):
        answer = await billing.request(method, f"/bindings/{none}/{rest}")
        assert faults(answer) == "Check these fields: path.bindingId."


async def test_all_faults_of_a_request_are_named_at_once(billing: Service) -> None:
    wrong: Headers = [("X-Org-Id", "a b"), ("Content-Type", "application/json")]
    content = b'{"minValiditySeconds": -1, "a": 1}'

    with_key = await send(billing, "POST", "/bindings/x/token", [key(billing), *wrong], content)
    without = await send(billing, "POST", "/bindings/x/token", [], content)

    assert faults(with_key) == (
        "Check these fields: body (unknown field), body.minValiditySeconds, header.X-Org-Id,"
        " path.bindingId."
    )
    assert problem(without) == (401, "unauthorized")  # before all that is wrong but unreadable


@pytest.mark.parametrize(
    ("media_type", "content"),
    [
        (None, b""),
        ("text/plain", b""),
        ("application/json", b"{}"),
        ("application/json", b"null"),
        ("application/json", b'{"minValiditySeconds": 5000, "minValiditySeconds": 5}'),
        ("APPLICATION/JSON; charset=utf-8", b"{}"),
        ("application/problem+json", b"{}"),
        ("application/json", "{}".encode("utf-16")),
    ],
)
async def test_a_body_is_json_or_nothing(
    billing: Service, connected: Connected, media_type: str | None, content: bytes
) -> None:
    headers: Headers = [("Content-Type", media_type)] if media_type else []

    answer = await send(
        billing, "POST", f"/bindings/{connected.id}/token", [key(billing), *headers], content
    )

    assert answer.status_code == 200, answer.text


@pytest.mark.parametrize(
    ("media_type", "content", "detail"),
    [
        (None, b"{}", "Check these fields: body."),
        ("text/plain", b"{}", "Check these fields: body."),
        ("application/jsonx", b"{}", "Check these fields: body."),
        ("text/json", b"{}", "Check these fields: body."),
        ("application/json", b"[]", "Check these fields: body."),
        ("application/json", b'""', "Check these fields: body."),
        ("application/json", b"{", "Check these fields: body."),
        ("application/json", b"{} x", "Check these fields: body."),
        ("application/json", b'{"minValiditySeconds": null}', "body.minValiditySeconds."),
        ("application/json", b'{"minValiditySeconds": NaN}', "body.minValiditySeconds."),
        ("application/json", b'{"minValiditySeconds": %s}' % (b"9" * 5000), "cannot be read."),
        ("application/json", b'{"\xff": 1}', "The body cannot be read."),
        ("application/json", b'{"a":' * 10_000, "The body cannot be read."),
    ],
)
async def test_another_body_is_refused(
    billing: Service, connected: Connected, media_type: str | None, content: bytes, detail: str
) -> None:
    headers: Headers = [("Content-Type", media_type)] if media_type else []

    answer = await send(
        billing, "POST", f"/bindings/{connected.id}/token", [key(billing), *headers], content
    )

    assert faults(answer).endswith(detail)


@ROUTES
async def test_each_answer_is_logged_and_counted_by_its_route(
    billing: Service,
    connected: Connected,
    caplog: pytest.LogCaptureFixture,
    method: str,
    rest: str,
) -> None:
    path = f"/bindings/{connected.id}/{rest}"
    with caplog.at_level(logging.INFO, "xero_service.access"):
        await billing.request(method, path)
        await billing.request("TRACE", path)
        await send(billing, method, path, [])

    lines = [each.__dict__[ACCESS] for each in caplog.records if ACCESS in each.__dict__]
    metrics = (await billing.http.get("/metrics")).text
    route = f"/bindings/{{bindingId}}/{'token' if rest == 'token' else 'api/{path:anything}'}"
    assert [(each["route"], each["status"]) for each in lines] == [
        (route, 200),
        (route, 405),
        (route, 401),
    ]
    for made, status in ((method, 200), ("other", 405), (method, 401)):
        assert f'method="{made}",route="{route}",status="{status}"}} 1.0' in metrics


def test_what_is_documented_of_these_routes_is_what_is_read() -> None:
    """A parameter that is declared without being read would be accepted and mean nothing."""
    read = {"bindingId", "path", "X-Org-Id"}
    paths = assemble().openapi()["paths"]
    operations = [
        operation
        for path, methods in paths.items()
        if "{bindingId}" in path
        for operation in methods.values()
    ]

    assert len(operations) == 6
    for operation in operations:
        assert {each["name"] for each in operation["parameters"]} <= read
        assert operation["security"] == [{"serviceKey": []}]
