"""What reaches Xero is exactly what its documentation asks for, byte by byte."""

import base64
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs, parse_qsl, unquote, urlsplit

import aiohttp
import pytest

from tests.xero.conftest import XERO
from tests.xero.listener import Listener, listener
from xero_service.errors import (
    ExternalAPIError,
    RateLimitError,
    XeroAccessRefused,
    XeroMisconfigured,
)
from xero_service.jwks import KeySet
from xero_service.xero.adapter import XeroAdapter
from xero_service.xero.http import HttpClient

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
async def xero() -> AsyncIterator[Listener]:
    async with listener() as at:
        yield at


@pytest.fixture
def asking(xero: Listener, transport: HttpClient) -> XeroAdapter:
    """The adapter, speaking to the listener."""
    at = replace(
        XERO,
        token_url=f"{xero.url}/connect/token",
        revocation_url=f"{xero.url}/connect/revocation",
        api_url=xero.url,
    )
    return XeroAdapter(at, transport, transport, KeySet(lambda: transport.get_json("")))


async def test_a_refresh_is_a_form_with_basic_credentials(
    asking: XeroAdapter, xero: Listener
) -> None:
    xero.answers(200, json=TOKENS)

    await asking.refresh_tokens("old&token=+ü")

    sent = xero.asked
    assert (sent.method, sent.path) == ("POST", "/connect/token")
    assert sent.headers["authorization"] == [BASIC]
    assert sent.headers["content-type"] == ["application/x-www-form-urlencoded"]
    assert dict(parse_qsl(sent.body.decode())) == {
        "grant_type": "refresh_token",
        "refresh_token": "old&token=+ü",
    }


async def test_an_answer_to_a_token_request_is_waited_for_five_minutes(
    asking: XeroAdapter, xero: Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may be the only copy of a set; whoever waits for it has a deadline of its own."""
    xero.answers(200, json=TOKENS)
    session = aiohttp.ClientSession.request
    timeouts: list[aiohttp.ClientTimeout] = []

    def noting(*arguments: Any, timeout: aiohttp.ClientTimeout, **options: Any) -> Any:
        timeouts.append(timeout)
        return session(*arguments, timeout=timeout, **options)

    monkeypatch.setattr(aiohttp.ClientSession, "request", noting)

    await asking.refresh_tokens("old")

    assert [timeout.sock_read for timeout in timeouts] == [300]


async def test_a_refused_refresh_is_sent_once(asking: XeroAdapter, xero: Listener) -> None:
    xero.answers(503, text="Not Available")

    with pytest.raises(ExternalAPIError):
        await asking.refresh_tokens("old")

    assert len(xero.requests) == 1


async def test_a_revocation_sends_the_refresh_token(asking: XeroAdapter, xero: Listener) -> None:
    await asking.revoke_token("refresh")

    sent = xero.asked
    assert (sent.method, sent.path) == ("POST", "/connect/revocation")
    assert sent.headers["authorization"] == [BASIC]
    assert dict(parse_qsl(sent.body.decode())) == {
        "token": "refresh",
        "token_type_hint": "refresh_token",
    }


@pytest.mark.parametrize(
    ("status", "answer", "meaning"),
    [
        (400, {"json": {"error": "invalid_client"}}, XeroMisconfigured),
        (401, {"json": {"error": "invalid_client"}}, XeroMisconfigured),
        (403, {"text": "<html>Access Denied</html>"}, ExternalAPIError),
        (429, {}, RateLimitError),
        (500, {}, ExternalAPIError),
        (302, {}, ExternalAPIError),
    ],
)
async def test_a_revocation_that_xero_did_not_confirm_is_still_owed(
    asking: XeroAdapter,
    xero: Listener,
    status: int,
    answer: dict[str, Any],
    meaning: type[ExternalAPIError],
) -> None:
    xero.answers(status, **answer)

    with pytest.raises(meaning):
        await asking.revoke_token("refresh")


@pytest.mark.parametrize("status", [200, 204, 404])
async def test_a_connection_that_is_gone_counts_as_deleted(
    asking: XeroAdapter, xero: Listener, status: int
) -> None:
    xero.answers(status)

    await asking.delete_connection("access", "c-1")

    assert (xero.asked.method, xero.asked.path) == ("DELETE", "/connections/c-1")
    assert xero.asked.headers["authorization"] == ["Bearer access"]


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
    asking: XeroAdapter, xero: Listener, status: int, meaning: type[ExternalAPIError]
) -> None:
    xero.answers(status)

    with pytest.raises(meaning):
        await asking.delete_connection("access", "c-1")


async def test_a_connection_id_cannot_lead_elsewhere(asking: XeroAdapter, xero: Listener) -> None:
    xero.answers(204)

    await asking.delete_connection("access", "../api.xro/2.0/Invoices?x=1")

    assert xero.asked.path == "/connections/..%2Fapi.xro%2F2.0%2FInvoices%3Fx%3D1"


async def test_the_api_client_adds_the_token_and_the_tenant(
    asking: XeroAdapter, xero: Listener
) -> None:
    await asking.get_api_client("access", "tenant-1").request("GET", "/api.xro/2.0/Organisation")

    assert xero.asked.path == "/api.xro/2.0/Organisation"
    assert xero.asked.headers["authorization"] == ["Bearer access"]
    assert xero.asked.headers["xero-tenant-id"] == ["tenant-1"]


async def test_a_caller_cannot_replace_the_token_or_the_tenant(
    asking: XeroAdapter, xero: Listener
) -> None:
    foreign = {"authorization": "Bearer mine", "Xero-Tenant-Id": "another", "accept": "text/xml"}

    client = asking.get_api_client("access", "tenant-1")
    await client.request("GET", "api.xro/2.0/Organisation", headers=foreign)

    sent = xero.asked.headers
    assert sent["authorization"] == ["Bearer access"]
    assert sent["xero-tenant-id"] == ["tenant-1"]
    assert sent["accept"] == ["text/xml"]


@pytest.mark.parametrize("status", [200, 401, 403, 404, 429, 500])
async def test_the_api_client_hands_back_whatever_xero_answers(
    asking: XeroAdapter, xero: Listener, status: int
) -> None:
    xero.answers(status, text="body")

    answer = await asking.get_api_client("access", "t").request(
        "POST", "api.xro/2.0/Invoices", content=b"{}", query={"summarizeErrors": "false"}
    )

    assert (answer.status, answer.body) == (status, b"body")
    assert xero.asked.path == "/api.xro/2.0/Invoices?summarizeErrors=false"
    assert xero.asked.body == b"{}"


async def test_what_is_asked_names_the_service_and_wants_nothing_packed(
    asking: XeroAdapter, xero: Listener
) -> None:
    await asking.revoke_token("refresh")

    assert xero.asked.headers["user-agent"] == ["xero-service"]
    assert xero.asked.headers["accept-encoding"] == ["identity"]


async def test_neither_the_adapters_addresses_nor_its_client_show_a_secret(
    adapter: XeroAdapter,
) -> None:
    """S42."""
    shown = f"{XERO!r} {adapter!r} {adapter.get_api_client('canary-access', 't')!r}"

    assert "canary" not in shown
