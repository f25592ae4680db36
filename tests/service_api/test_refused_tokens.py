"""C7, C8: a token that Xero refuses is refreshed once, whatever form the refusal has."""

import asyncio
import gzip
import json
import zlib
from collections.abc import Callable

import pytest
from starlette.requests import Request
from starlette.responses import Response

from tests.service_api.callers import Service, client_of, idle, problem
from tests.service_api.conftest import Connected
from tests.service_api.upstream import instead_of_xero
from tests.world import Application
from xero_sandbox.content_encoding import encode
from xero_sandbox.samples import ACME_BOOKKEEPER, ACME_SERVICES
from xero_service.settings import Settings

MORE_THAN_A_TOKENS_LIFE = 31 * 60
USER = ACME_BOOKKEEPER.xero_user_id
EXPIRED = {"Detail": "TokenExpired: token expired at 04/29/2020 09:22:02"}
INVALID = {"www-authenticate": "Bearer error=invalid_token"}
NODE = "gzip, compress, deflate, br"  # what xero-node offers on every call


def raw_deflate(body: bytes) -> bytes:
    packing = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return packing.compress(body) + packing.flush()


def refusal(body: bytes, encoding: str | None = None, **headers: str) -> Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    packed = {"content-encoding": encoding} if encoding else {}
    return Response(body, 401, {**named, **packed})


JSON = json.dumps(EXPIRED).encode()
XML = b"""<?xml version="1.0"?><ApiException><Detail>TokenExpired: token expired</Detail>
</ApiException>"""
UNDERSTOOD = {
    "json": refusal(JSON),
    "lower keys": refusal(JSON.replace(b"Detail", b"detail")),
    "upper keys": refusal(JSON.replace(b"Detail", b"DETAIL")),
    "xml": refusal(XML),
    "lower xml": refusal(XML.lower()),
    "named xml": refusal(XML.replace(b"Detail>", b"a:Detail>")),
    "xml with an attribute": refusal(XML.replace(b"<Detail>", b'<Detail xml:lang="en">')),
    "gzip": refusal(gzip.compress(JSON), "gzip"),
    "x-gzip": refusal(gzip.compress(JSON), "X-GZIP"),
    "deflate": refusal(zlib.compress(JSON), "deflate"),
    "raw deflate": refusal(raw_deflate(JSON), "deflate"),
    "gzip xml": refusal(gzip.compress(XML), "gzip"),
    "brotli": refusal(encode(JSON, "br"), "br", **INVALID),
    "empty": refusal(b"", **INVALID),
    "html": refusal(b"<html>401</html>", **INVALID),
    "quoted": refusal(b"", www_authenticate='Bearer realm="x", error="invalid_token"'),
    "in capitals": refusal(b"", www_authenticate='BEARER ERROR="INVALID_TOKEN"'),
}
NOT_A_TOKENS_FAULT = {
    "scope": refusal(b'{"Detail": "AuthorizationUnsuccessful"}'),
    "scope, lower": refusal(b'{"detail": "AuthorizationUnsuccessful"}', **INVALID),
    "scope in xml": refusal(b"<E><Detail>AuthorizationUnsuccessful</Detail></E>", **INVALID),
    "scope in the header": refusal(b"", www_authenticate="Bearer error=insufficient_scope"),
    "scope alone": refusal(b"", www_authenticate="insufficient_scope"),
    "scope in brotli": refusal(b"\x0b\x02", "br", www_authenticate="insufficient_scope"),
    "nothing": refusal(b""),
    "text": refusal(b"oauth_problem=consumer_key_unknown"),
    "broken": refusal(b"\xff\xfe{", "gzip"),
}


def once(first: Response) -> list[Response]:
    return [first, Response(b"from Xero")]


@pytest.mark.parametrize("shape", UNDERSTOOD)
async def test_an_expired_token_is_understood_and_renewed_once(
    application: Application, billing: Service, connected: Connected, shape: str
) -> None:
    """C7."""
    answers = once(UNDERSTOOD[shape])

    async def answer(_: Request) -> Response:
        return answers.pop(0)

    async with instead_of_xero(application, answer) as upstream:
        response = await billing.calls(connected.id)

    assert (response.status_code, response.text) == (200, "from Xero")
    first, second = [seen.headers["authorization"] for seen in upstream.requests]
    assert first != second
    assert len(connected.world.calls("token.refresh")) == 1


@pytest.mark.parametrize("shape", NOT_A_TOKENS_FAULT)
async def test_what_no_new_token_would_help_is_passed_back(
    application: Application, billing: Service, connected: Connected, shape: str
) -> None:
    """C7: never a refresh loop (facts §1.10)."""

    async def answer(_: Request) -> Response:
        return NOT_A_TOKENS_FAULT[shape]

    async with (
        instead_of_xero(application, answer) as upstream,
        billing.http.stream(
            "GET",
            f"/api/integrations/xero/bindings/{connected.id}/api/api.xro/2.0/Contacts",
            headers={"Authorization": f"Bearer {billing.made.secret}"},
        ) as response,
    ):
        body = b"".join([part async for part in response.aiter_raw()])

    assert (response.status_code, body) == (401, NOT_A_TOKENS_FAULT[shape].body)
    assert len(upstream.requests) == 1
    assert connected.world.calls("token.refresh") == []


@pytest.mark.parametrize(
    ("offered", "passed_on"),
    [
        (NODE, "gzip, deflate"),
        ("gzip", "gzip"),
        ("br", "identity"),
        ("*", "identity"),
        ("identity", "identity"),
        ("", "identity"),
        ("br;q=1.0, GZIP;q=0.8, *;q=0.1", "GZIP;q=0.8"),
        ("zstd, x-gzip", "x-gzip"),
    ],
)
async def test_xero_is_offered_only_encodings_that_are_read_here(
    application: Application,
    billing: Service,
    connected: Connected,
    offered: str,
    passed_on: str,
) -> None:
    """C7."""
    async with instead_of_xero(application) as upstream:
        await billing.calls(connected.id, headers={"Accept-Encoding": offered})

    (seen,) = upstream.requests
    assert seen.headers.getlist("accept-encoding") == [passed_on]


@pytest.mark.parametrize("encoding", ["none", "accepted", "br"])
@pytest.mark.parametrize("body", ["json", "accepted", "empty"])
async def test_a_call_is_made_however_xero_words_its_refusal(
    billing: Service, connected: Connected, body: str, encoding: str
) -> None:
    """C7: the proxy and the tenants' list."""
    sandbox = connected.world.sandbox
    sandbox.switch(errorBody=body, errorEncoding=encoding)
    sandbox.advance(MORE_THAN_A_TOKENS_LIFE)

    called = await billing.calls(connected.id, headers={"Accept-Encoding": NODE, "Accept": "*/*"})
    sandbox.advance(MORE_THAN_A_TOKENS_LIFE)
    listed = await connected.admin.tenants(connected.grant_id)

    assert called.status_code == 200
    assert listed
    assert len(connected.world.calls("token.refresh")) == 2


# --- C8 -----------------------------------------------------------------------------------


async def test_a_live_token_that_xero_refuses_is_renewed_and_the_call_repeated_once(
    billing: Service, connected: Connected
) -> None:
    """C8: the grant is in doubt (facts §14); the token endpoint issues the new token."""
    old = (await billing.token(connected.id)).json()["accessToken"]
    connected.world.sandbox.refuse_access_tokens(USER)

    response = await billing.calls(connected.id)

    assert response.status_code == 200
    assert [call["status"] for call in connected.world.calls("api")] == [401, 200]
    assert len(connected.world.calls("token.refresh")) == 1
    assert (await billing.token(connected.id)).json()["accessToken"] != old


async def test_a_doubt_renews_a_grant_once_in_ten_minutes_on_all_replicas_and_after_a_restart(
    settings: Settings,
    application: Application,
    replica: Application,
    billing: Service,
    connected: Connected,
) -> None:
    """C8: if Xero refuses new tokens, newer ones do not help."""
    sandbox = connected.world.sandbox
    on_the_replica = Service(billing.made, client_of(replica))
    sandbox.refuse_access_tokens(USER)
    assert (await billing.calls(connected.id)).status_code == 200
    sandbox.refuse_access_tokens(USER)

    refused = [await each.calls(connected.id) for each in (billing, on_the_replica, billing)]
    async with Application.running(settings) as restarted:
        refused.append(await Service(billing.made, client_of(restarted)).calls(connected.id))

    for each in refused:
        assert (each.status_code, each.json()["Detail"]) == (401, "AuthenticationUnsuccessful")
    assert len(connected.world.calls("token.refresh")) == 1
    assert await connected.status() == "active"

    await connected.world.database.execute(
        "UPDATE integration_grants SET doubted_at = doubted_at - interval '10 minutes'"
    )
    assert (await billing.calls(connected.id)).status_code == 200
    assert len(connected.world.calls("token.refresh")) == 2


async def test_all_whose_calls_meet_a_refused_token_get_the_one_new_one(
    application: Application, replica: Application, billing: Service, connected: Connected
) -> None:
    """C8: five callers, two replicas, one refresh."""
    connected.world.sandbox.refuse_access_tokens(USER)
    callers = [billing, Service(billing.made, client_of(replica))]

    answers = await asyncio.gather(*(callers[n % 2].calls(connected.id) for n in range(5)))

    assert [each.status_code for each in answers] == [200] * 5
    assert len(connected.world.calls("token.refresh")) == 1


async def test_a_grant_that_xero_ended_is_found_out_by_the_first_refused_call(
    billing: Service, connected: Connected
) -> None:
    """C8: `invalid_grant` ends it (rule 5), and every binding that rests on it."""
    other = await connected.admin.connects(ACME_SERVICES)
    sandbox = connected.world.sandbox
    sandbox.refuse_access_tokens(USER)
    sandbox.kill_refresh_tokens(USER)

    assert problem(await billing.calls(connected.id)) == (409, "reauthorization_required")

    assert await connected.status() == "needs_reauth"
    assert problem(await billing.token(connected.id)) == (409, "reauthorization_required")
    assert problem(await billing.token(other["id"])) == (409, "reauthorization_required")
    assert len(connected.world.calls("token.refresh")) == 1


async def test_a_refresh_that_fails_says_nothing_of_the_grant(
    billing: Service, connected: Connected
) -> None:
    """C8: the doubt is not cleared; the next call after the backoff refreshes."""
    sandbox = connected.world.sandbox
    sandbox.refuse_access_tokens(USER)
    sandbox.fault("token.refresh", "503")

    first = await billing.calls(connected.id)
    await connected.world.hurries()
    second = await billing.calls(connected.id)

    assert problem(first) == (503, "xero_unavailable")
    assert int(first.headers["retry-after"]) >= 1
    assert second.status_code == 200
    assert await connected.status() == "active"


async def test_the_answer_to_the_repeated_call_passes_as_it_is(
    application: Application, billing: Service, connected: Connected
) -> None:
    """C8: one retry, and no second refresh whatever it says."""
    body = b'{"Detail": "AuthenticationUnsuccessful"}'

    async def answer(_: Request) -> Response:
        return refusal(body, **INVALID)

    async with instead_of_xero(application, answer) as upstream:
        response = await billing.calls(connected.id)

    assert (response.status_code, response.content) == (401, body)
    assert len(upstream.requests) == 2
    assert len(connected.world.calls("token.refresh")) == 1


def the_token_expires(connected: Connected) -> None:
    connected.world.sandbox.advance(MORE_THAN_A_TOKENS_LIFE)


def xero_refuses_a_live_token(connected: Connected) -> None:
    connected.world.sandbox.refuse_access_tokens(USER)


@pytest.mark.parametrize(
    ("refusing", "detail"),
    [
        (the_token_expires, "TokenExpired"),
        (xero_refuses_a_live_token, "AuthenticationUnsuccessful"),
    ],
)
async def test_a_large_body_is_not_repeated_but_its_caller_may_come_again_with_a_new_token(
    billing: Service, connected: Connected, refusing: Callable[[Connected], None], detail: str
) -> None:
    """C8."""
    refusing(connected)
    body = json.dumps({"Contacts": [{"Name": "x" * 2 * 1024 * 1024}]})

    first = await billing.calls(connected.id, "api.xro/2.0/Contacts", "POST", content=body)
    second = await billing.calls(connected.id, "api.xro/2.0/Contacts", "POST", content=body)

    assert first.status_code == 401
    assert first.json()["Detail"].startswith(detail)
    assert second.status_code == 200
    assert len(connected.world.calls("token.refresh")) == 1


async def test_the_tenants_are_listed_though_xero_refuses_a_live_token(
    connected: Connected,
) -> None:
    """C8, the twin: GET /connections; once in ten minutes here, too."""
    sandbox = connected.world.sandbox
    sandbox.refuse_access_tokens(USER)

    assert await connected.admin.tenants(connected.grant_id)

    sandbox.refuse_access_tokens(USER)
    listing = {"params": {"grantId": connected.grant_id}}
    refused = [await connected.admin.get("/tenants/list", **listing) for _ in range(3)]
    assert {problem(each) for each in refused} == {(502, "xero_refused")}
    assert len(connected.world.calls("token.refresh")) == 1


async def test_a_grant_that_xero_ended_is_found_out_by_a_list_of_tenants(
    connected: Connected,
) -> None:
    """C8, the twin."""
    connected.world.sandbox.refuse_access_tokens(USER)
    connected.world.sandbox.kill_refresh_tokens(USER)

    listed = await connected.admin.get("/tenants/list", params={"grantId": connected.grant_id})

    assert problem(listed) == (409, "reauthorization_required")
    assert await connected.status() == "needs_reauth"


async def test_a_disconnect_is_done_at_xero_though_it_refuses_a_live_token(
    application: Application, connected: Connected
) -> None:
    """C8, the twin: DELETE /connections/{id}."""
    await connected.admin.connects(ACME_SERVICES)
    connected.world.sandbox.refuse_access_tokens(USER)

    ended = await connected.admin.disconnects(connected.id)
    await idle(application)
    await connected.world.hurries()
    await application.services.upkeep.round()

    assert ended["remoteCleanup"] == "pending"
    assert await connected.world.cleanups() == [("delete_connection", "done")]
    assert len(connected.world.calls("token.refresh")) == 1
