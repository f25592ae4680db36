"""What reaches Xero is exactly what its documentation asks for."""

import base64
from collections.abc import Awaitable, Callable, Iterator
from contextlib import nullcontext
from urllib.parse import parse_qs, parse_qsl, unquote, urlsplit

import httpx
import pytest
import respx

from tests.xero.conftest import XERO
from xero_service.errors import (
    ExternalAPIError,
    InvalidGrant,
    RateLimitError,
    XeroAccessRefused,
    XeroMisconfigured,
    XeroNoResponse,
    XeroUnreachable,
)
from xero_service.xero.adapter import XeroAdapter

TOKENS = {
    "access_token": "access",
    "refresh_token": "next",
    "expires_in": 1800,
    "token_type": "Bearer",
}
BASIC = "Basic " + base64.b64encode(f"{XERO.client_id}:{XERO.client_secret}".encode()).decode()


def authorize(adapter: XeroAdapter, verifier: str = "v" * 64) -> str:
    return adapter.get_auth_url(state="state-1", nonce="nonce-1", verifier=verifier)


def test_the_consent_page_is_asked_for_everything_it_needs(adapter: XeroAdapter) -> None:
    asked = dict(parse_qsl(urlsplit(authorize(adapter)).query, strict_parsing=True))

    assert asked == {
        "response_type": "code",
        "client_id": XERO.client_id,
        "redirect_uri": XERO.redirect_uri,
        "scope": "openid offline_access accounting.settings.read",
        "state": "state-1",
        "nonce": "nonce-1",
        "code_challenge": "w1TpKUdYE9hUAcNSeeSRFioHDxfUxuHho_JHAfZ_vDM",
        "code_challenge_method": "S256",
    }


def test_the_challenge_is_the_s256_of_the_verifier(adapter: XeroAdapter) -> None:
    """S22: the example of RFC 7636, appendix B."""
    address = authorize(adapter, "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk")

    challenge = parse_qs(urlsplit(address).query)["code_challenge"]
    assert challenge == ["E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"]


def test_scopes_are_separated_by_percent_20(adapter: XeroAdapter) -> None:
    address = authorize(adapter)

    assert "scope=openid%20offline_access%20accounting.settings.read&" in address
    assert "+" not in address


def test_the_verifier_itself_stays_here(adapter: XeroAdapter) -> None:
    """S22."""
    assert "v" * 64 not in unquote(authorize(adapter))


def test_every_verifier_is_new_and_long_enough() -> None:
    """S21, S22: 64 characters of at least 62 kinds are more than 380 bits."""
    verifiers = {XeroAdapter.new_verifier() for _ in range(1000)}

    assert len(verifiers) == 1000
    assert {len(verifier) for verifier in verifiers} == {64}
    assert all(verifier.isascii() and verifier.isalnum() for verifier in verifiers)


@pytest.fixture
def xero() -> Iterator[respx.Route]:
    """Xero: answers every request with an empty 200, unless a test says otherwise."""
    with respx.mock(using="httpx") as router:
        yield router.route().respond(200)


def sent(xero: respx.Route) -> httpx.Request:
    """The only request."""
    (call,) = xero.calls
    request: httpx.Request = call.request
    return request


def form(request: httpx.Request) -> dict[str, str]:
    return dict(parse_qsl(request.content.decode(), strict_parsing=True))


async def test_a_refresh_is_a_form_with_basic_credentials(
    adapter: XeroAdapter, xero: respx.Route
) -> None:
    xero.respond(200, json=TOKENS)

    await adapter.refresh_tokens("old&token=+ü")

    request = sent(xero)
    assert (request.method, str(request.url)) == ("POST", XERO.token_url)
    assert request.headers["authorization"] == BASIC
    assert request.headers["content-type"] == "application/x-www-form-urlencoded"
    assert form(request) == {"grant_type": "refresh_token", "refresh_token": "old&token=+ü"}


async def test_a_code_goes_out_with_its_verifier(adapter: XeroAdapter, xero: respx.Route) -> None:
    """S22."""
    xero.respond(400, json={"error": "invalid_grant"})

    with pytest.raises(InvalidGrant):
        await adapter.exchange_code(code="code+1", verifier="v" * 64, nonce="n")

    request = sent(xero)
    assert (request.method, str(request.url)) == ("POST", XERO.token_url)
    assert request.headers["authorization"] == BASIC
    assert form(request) == {
        "grant_type": "authorization_code",
        "code": "code+1",
        "redirect_uri": XERO.redirect_uri,
        "code_verifier": "v" * 64,
    }


async def test_an_answer_to_a_token_request_is_waited_for_five_minutes(
    adapter: XeroAdapter, xero: respx.Route
) -> None:
    """It may be the only copy of a set; whoever waits for it has a deadline of its own."""
    xero.respond(200, json=TOKENS)

    await adapter.refresh_tokens("old")

    timeouts = sent(xero).extensions["timeout"]
    assert timeouts == {"connect": 5, "pool": 5, "write": 5, "read": 300}


async def test_a_refused_refresh_is_sent_once(adapter: XeroAdapter, xero: respx.Route) -> None:
    xero.respond(503, text="Not Available")

    with pytest.raises(ExternalAPIError):
        await adapter.refresh_tokens("old")

    assert xero.call_count == 1


@pytest.mark.parametrize(
    ("failure", "meaning"),
    [
        (httpx.ConnectError, XeroUnreachable),
        (httpx.ConnectTimeout, XeroUnreachable),
        (httpx.ProxyError, XeroUnreachable),
        (httpx.PoolTimeout, XeroUnreachable),
        (httpx.ReadError, XeroNoResponse),
        (httpx.ReadTimeout, XeroNoResponse),
        (httpx.WriteError, XeroNoResponse),
        (httpx.WriteTimeout, XeroNoResponse),
        (httpx.CloseError, XeroNoResponse),
        (httpx.RemoteProtocolError, XeroNoResponse),
    ],
)
async def test_a_failure_tells_whether_xero_may_have_acted(
    adapter: XeroAdapter,
    xero: respx.Route,
    failure: type[httpx.TransportError],
    meaning: type[ExternalAPIError],
) -> None:
    """Whether a refresh token may have been spent depends on it; nothing is repeated."""
    xero.mock(side_effect=failure)

    calls: list[Callable[[], Awaitable[object]]] = [
        lambda: adapter.refresh_tokens("old"),
        lambda: adapter.exchange_code(code="c", verifier="v", nonce="n"),
        lambda: adapter.revoke_token("refresh"),
        lambda: adapter.get_tenants("access"),
        lambda: adapter.delete_connection("access", "c-1"),
        lambda: adapter.get_api_client("access", "t").request("PUT", "api.xro/2.0/Invoices"),
    ]
    for number, call in enumerate(calls, 1):
        with pytest.raises(ExternalAPIError) as failed:
            await call()
        assert type(failed.value) is meaning
        assert xero.call_count == number


async def test_a_revocation_sends_the_refresh_token(
    adapter: XeroAdapter, xero: respx.Route
) -> None:
    await adapter.revoke_token("refresh")

    request = sent(xero)
    assert (request.method, str(request.url)) == ("POST", XERO.revocation_url)
    assert request.headers["authorization"] == BASIC
    assert form(request) == {"token": "refresh", "token_type_hint": "refresh_token"}


@pytest.mark.parametrize("error", ["invalid_grant", "invalid_client"])
async def test_an_unknown_refresh_token_counts_as_revoked(
    adapter: XeroAdapter, xero: respx.Route, error: str
) -> None:
    xero.respond(400, json={"error": error})

    with nullcontext() if error == "invalid_grant" else pytest.raises(XeroMisconfigured):
        await adapter.revoke_token("refresh")


@pytest.mark.parametrize(
    ("answer", "meaning"),
    [
        (httpx.Response(400, json={"error": "invalid_client"}), XeroMisconfigured),
        (httpx.Response(401, json={"error": "invalid_client"}), XeroMisconfigured),
        (httpx.Response(403, text="<html>Access Denied</html>"), ExternalAPIError),
        (httpx.Response(429), RateLimitError),
        (httpx.Response(500), ExternalAPIError),
        (httpx.Response(302), ExternalAPIError),
    ],
    ids=str,
)
async def test_a_revocation_that_xero_did_not_confirm_is_still_owed(
    adapter: XeroAdapter,
    xero: respx.Route,
    answer: httpx.Response,
    meaning: type[ExternalAPIError],
) -> None:
    xero.mock(return_value=answer)

    with pytest.raises(meaning):
        await adapter.revoke_token("refresh")


async def test_tenants_are_asked_for_with_the_access_token(
    adapter: XeroAdapter, xero: respx.Route
) -> None:
    xero.respond(200, json=[])

    assert list(await adapter.get_tenants("access")) == []

    request = sent(xero)
    assert (request.method, str(request.url)) == ("GET", "https://api.xero.com/connections")
    assert request.headers["authorization"] == "Bearer access"


@pytest.mark.parametrize("status", [200, 204, 404])
async def test_a_connection_that_is_gone_counts_as_deleted(
    adapter: XeroAdapter, xero: respx.Route, status: int
) -> None:
    xero.respond(status)

    await adapter.delete_connection("access", "c-1")

    request = sent(xero)
    assert (request.method, str(request.url)) == ("DELETE", "https://api.xero.com/connections/c-1")
    assert request.headers["authorization"] == "Bearer access"


@pytest.mark.parametrize(
    ("status", "meaning"),
    [
        (401, XeroAccessRefused),
        (403, XeroAccessRefused),
        (429, RateLimitError),
        (500, ExternalAPIError),
        (302, ExternalAPIError),
    ],
)
async def test_a_deletion_that_xero_did_not_confirm_is_still_owed(
    adapter: XeroAdapter, xero: respx.Route, status: int, meaning: type[ExternalAPIError]
) -> None:
    xero.respond(status)

    with pytest.raises(meaning):
        await adapter.delete_connection("access", "c-1")


async def test_a_connection_id_cannot_lead_elsewhere(
    adapter: XeroAdapter, xero: respx.Route
) -> None:
    xero.respond(204)

    await adapter.delete_connection("access", "../api.xro/2.0/Invoices?x=1")

    assert sent(xero).url.raw_path == b"/connections/..%2Fapi.xro%2F2.0%2FInvoices%3Fx%3D1"


async def test_the_api_client_adds_the_token_and_the_tenant(
    adapter: XeroAdapter, xero: respx.Route
) -> None:
    await adapter.get_api_client("access", "tenant-1").request("GET", "/api.xro/2.0/Organisation")

    request = sent(xero)
    assert request.url == "https://api.xero.com/api.xro/2.0/Organisation"
    assert request.headers["authorization"] == "Bearer access"
    assert request.headers["xero-tenant-id"] == "tenant-1"


async def test_a_caller_cannot_replace_the_token_or_the_tenant(
    adapter: XeroAdapter, xero: respx.Route
) -> None:
    foreign = {"authorization": "Bearer mine", "Xero-Tenant-Id": "another", "accept": "text/xml"}

    client = adapter.get_api_client("access", "tenant-1")
    await client.request("GET", "api.xro/2.0/Organisation", headers=foreign)

    headers = sent(xero).headers
    assert headers.get_list("authorization") == ["Bearer access"]
    assert headers.get_list("xero-tenant-id") == ["tenant-1"]
    assert headers.get_list("accept") == ["text/xml"]


@pytest.mark.parametrize("status", [200, 401, 403, 404, 429, 500])
async def test_the_api_client_hands_back_whatever_xero_answers(
    adapter: XeroAdapter, xero: respx.Route, status: int
) -> None:
    xero.respond(status, text="body")

    answer = await adapter.get_api_client("access", "t").request(
        "POST", "api.xro/2.0/Invoices", content=b"{}", query={"summarizeErrors": "false"}
    )

    assert (answer.status, answer.body) == (status, b"body")
    request = sent(xero)
    assert request.url.raw_path == b"/api.xro/2.0/Invoices?summarizeErrors=false"
    assert request.content == b"{}"


async def test_what_is_asked_names_the_service_and_wants_nothing_packed(
    adapter: XeroAdapter, xero: respx.Route
) -> None:
    await adapter.revoke_token("refresh")
    await adapter.delete_connection("access", "c-1")

    for call in xero.calls:
        assert call.request.headers["user-agent"] == "xero-service"
        assert call.request.headers["accept-encoding"] == "identity"


async def test_neither_the_adapters_addresses_nor_its_client_show_a_secret(
    adapter: XeroAdapter,
) -> None:
    """S42."""
    shown = f"{XERO!r} {adapter!r} {adapter.get_api_client('canary-access', 't')!r}"

    assert "canary" not in shown
