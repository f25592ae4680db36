"""What reaches Xero is exactly what its documentation asks for, byte by byte."""

import base64
from urllib.parse import parse_qs, parse_qsl, unquote, urlsplit

import httpx
import pytest
import respx

from tests.xero.conftest import XERO
from xero_service.errors import (
    AccessRefused,
    ExternalAPIError,
    RateLimitError,
    XeroMisconfigured,
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


async def test_a_refresh_is_a_form_with_basic_credentials(
    adapter: XeroAdapter, respx_mock: respx.MockRouter
) -> None:
    route = respx_mock.post(XERO.token_url).respond(json=TOKENS)

    await adapter.refresh_tokens("old&token=+ü")

    sent = route.calls.last.request
    assert sent.headers["authorization"] == BASIC
    assert sent.headers["content-type"] == "application/x-www-form-urlencoded"
    assert dict(parse_qsl(sent.content.decode())) == {
        "grant_type": "refresh_token",
        "refresh_token": "old&token=+ü",
    }


async def test_an_answer_to_a_token_request_is_waited_for_five_minutes(
    adapter: XeroAdapter, respx_mock: respx.MockRouter
) -> None:
    """It may be the only copy of a set; whoever waits for it has a deadline of its own."""
    route = respx_mock.post(XERO.token_url).respond(json=TOKENS)

    await adapter.refresh_tokens("old")

    assert route.calls.last.request.extensions["timeout"]["read"] == 300


async def test_a_refused_refresh_is_sent_once(
    adapter: XeroAdapter, respx_mock: respx.MockRouter
) -> None:
    route = respx_mock.post(XERO.token_url).respond(503, text="Not Available")

    with pytest.raises(ExternalAPIError):
        await adapter.refresh_tokens("old")

    assert route.call_count == 1


async def test_a_revocation_sends_the_refresh_token(
    adapter: XeroAdapter, respx_mock: respx.MockRouter
) -> None:
    route = respx_mock.post(XERO.revocation_url).respond(200)

    await adapter.revoke_token("refresh")

    sent = route.calls.last.request
    assert sent.headers["authorization"] == BASIC
    assert dict(parse_qsl(sent.content.decode())) == {
        "token": "refresh",
        "token_type_hint": "refresh_token",
    }


@pytest.mark.parametrize(
    ("answer", "meaning"),
    [
        (httpx.Response(400, json={"error": "invalid_client"}), XeroMisconfigured),
        (httpx.Response(401, json={"error": "invalid_client"}), XeroMisconfigured),
        (httpx.Response(403, html="<html>Access Denied</html>"), ExternalAPIError),
        (httpx.Response(429), RateLimitError),
        (httpx.Response(500), ExternalAPIError),
        (httpx.Response(302), ExternalAPIError),
    ],
)
async def test_a_revocation_that_xero_did_not_confirm_is_still_owed(
    adapter: XeroAdapter,
    respx_mock: respx.MockRouter,
    answer: httpx.Response,
    meaning: type[ExternalAPIError],
) -> None:
    respx_mock.post(XERO.revocation_url).mock(return_value=answer)

    with pytest.raises(meaning):
        await adapter.revoke_token("refresh")


@pytest.mark.parametrize("status", [200, 204, 404])
async def test_a_connection_that_is_gone_counts_as_deleted(
    adapter: XeroAdapter, respx_mock: respx.MockRouter, status: int
) -> None:
    route = respx_mock.delete("https://api.xero.com/connections/c-1").respond(status)

    await adapter.delete_connection("access", "c-1")

    assert route.calls.last.request.headers["authorization"] == "Bearer access"


@pytest.mark.parametrize(
    ("status", "meaning"),
    [
        (401, AccessRefused),
        (403, AccessRefused),
        (429, RateLimitError),
        (500, ExternalAPIError),
        (302, ExternalAPIError),
    ],
)
async def test_a_deletion_that_xero_did_not_confirm_is_still_owed(
    adapter: XeroAdapter,
    respx_mock: respx.MockRouter,
    status: int,
    meaning: type[ExternalAPIError],
) -> None:
    respx_mock.delete("https://api.xero.com/connections/c-1").respond(status)

    with pytest.raises(meaning):
        await adapter.delete_connection("access", "c-1")


async def test_a_connection_id_cannot_lead_elsewhere(
    adapter: XeroAdapter, respx_mock: respx.MockRouter
) -> None:
    route = respx_mock.route(method="DELETE", host="api.xero.com").respond(204)

    await adapter.delete_connection("access", "../api.xro/2.0/Invoices?x=1")

    assert route.calls.last.request.url.raw_path == (
        b"/connections/..%2Fapi.xro%2F2.0%2FInvoices%3Fx%3D1"
    )


async def test_the_api_client_adds_the_token_and_the_tenant(
    adapter: XeroAdapter, respx_mock: respx.MockRouter
) -> None:
    route = respx_mock.get("https://api.xero.com/api.xro/2.0/Organisation").respond(json={})

    await adapter.get_api_client("access", "tenant-1").request("GET", "/api.xro/2.0/Organisation")

    sent = route.calls.last.request.headers
    assert (sent["authorization"], sent["xero-tenant-id"]) == ("Bearer access", "tenant-1")


async def test_a_caller_cannot_replace_the_token_or_the_tenant(
    adapter: XeroAdapter, respx_mock: respx.MockRouter
) -> None:
    route = respx_mock.get("https://api.xero.com/api.xro/2.0/Organisation").respond(json={})
    foreign = {"authorization": "Bearer mine", "Xero-Tenant-Id": "another", "accept": "text/xml"}

    client = adapter.get_api_client("access", "tenant-1")
    await client.request("GET", "api.xro/2.0/Organisation", headers=foreign)

    sent = route.calls.last.request.headers
    assert sent.get_list("authorization") == ["Bearer access"]
    assert sent.get_list("xero-tenant-id") == ["tenant-1"]
    assert sent.get_list("accept") == ["text/xml"]


@pytest.mark.parametrize("status", [200, 401, 403, 404, 429, 500])
async def test_the_api_client_hands_back_whatever_xero_answers(
    adapter: XeroAdapter, respx_mock: respx.MockRouter, status: int
) -> None:
    respx_mock.post("https://api.xero.com/api.xro/2.0/Invoices").respond(status, text="body")

    answer = await adapter.get_api_client("access", "t").request(
        "POST", "api.xro/2.0/Invoices", content=b"{}", query={"summarizeErrors": "false"}
    )

    assert (answer.status, answer.body) == (status, b"body")


async def test_neither_the_adapters_addresses_nor_its_client_show_a_secret(
    adapter: XeroAdapter,
) -> None:
    """S42."""
    shown = f"{XERO!r} {adapter!r} {adapter.get_api_client('canary-access', 't')!r}"

    assert "canary" not in shown
