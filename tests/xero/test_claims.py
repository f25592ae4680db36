"""The claims of Xero's tokens: whatever they say, a consent is read or refused, never broken."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import jwt
import pytest
import respx
from cryptography.hazmat.primitives.asymmetric import rsa
from hypothesis import given, settings
from hypothesis import strategies as st
from jwt.algorithms import RSAAlgorithm

from tests.xero.conftest import XERO
from tests.xero.test_token_answers import GOOD, JSON
from xero_service.domain import Consent
from xero_service.errors import ExternalAPIError, XeroInvalidResponse
from xero_service.jwks import KeySet
from xero_service.services.proxy.service import reported_limits
from xero_service.xero.adapter import XeroAdapter, refreshed_for
from xero_service.xero.http import HttpClient, HttpResponse, StreamedResponse
from xero_service.xero.responses import read_token_set

PRIVATE = rsa.generate_private_key(public_exponent=65537, key_size=2048)
PUBLIC = json.loads(RSAAlgorithm.to_jwk(PRIVATE.public_key())) | {
    "kid": "k",
    "use": "sig",
    "alg": "RS256",
}
USER, NONCE = "10000000-0000-4000-8000-000000000001", "n" * 43
ID_CLAIMS: dict[str, Any] = {
    "iss": XERO.issuer,
    "aud": XERO.client_id,
    "exp": 4_000_000_000,
    "nonce": NONCE,
    "xero_userid": USER,
    "name": "Acme bookkeeper",
    "email": "acme.bookkeeper@example.com",
}
ACCESS_CLAIMS: dict[str, Any] = {
    "iss": XERO.issuer,
    "exp": 4_000_000_000,
    "xero_userid": USER,
    "authentication_event_id": "event",
}


def odd(claims: dict[str, Any]) -> st.SearchStrategy[dict[str, Any]]:
    """These claims with some of them anything at all."""
    names = st.sampled_from([*claims, "iat", "nbf", "given_name", "family_name", "auth_time"])
    return st.dictionaries(names, JSON, max_size=3).map(lambda changes: claims | changes)


def signed(claims: Any) -> str:
    payload = json.dumps(claims).encode()
    return jwt.PyJWS().encode(payload, PRIVATE, algorithm="RS256", headers={"kid": "k"})


def consent(id_token: str, access_token: str) -> Consent:
    """What the adapter makes of an answer to the exchange of a code."""

    async def published() -> Any:
        return {"keys": [PUBLIC]}

    async def exchanged() -> Consent:
        async with HttpClient(timeout=5) as client:
            adapter = XeroAdapter(XERO, client, client, KeySet(published))
            return await adapter.exchange_code(code="c", verifier="v", nonce=NONCE)

    answer = GOOD | {"id_token": id_token, "access_token": access_token}
    with respx.mock(using="httpx") as xero:
        xero.post(XERO.token_url).respond(content=json.dumps(answer).encode())
        return asyncio.run(exchanged())


def test_documented_claims_are_read() -> None:
    found = consent(signed(ID_CLAIMS), signed(ACCESS_CLAIMS))

    assert (found.xero_user_id, found.xero_name) == (USER, "Acme bookkeeper")
    assert found.authentication_event_id == "event"


@settings(max_examples=40)
@given(id_claims=odd(ID_CLAIMS), access_claims=odd(ACCESS_CLAIMS))
def test_no_claims_whatever_break_the_reading(
    id_claims: dict[str, Any], access_claims: dict[str, Any]
) -> None:
    """S31, S32."""
    try:
        found = consent(signed(id_claims), signed(access_claims))
    except XeroInvalidResponse:
        return
    assert id_claims["nonce"] == NONCE
    assert found.xero_user_id == id_claims["xero_userid"] == access_claims["xero_userid"]
    for text in (found.xero_name, found.xero_email, found.xero_user_id):
        assert text is None or text.isprintable()


@settings(max_examples=40)
@given(token=st.text() | st.binary().map(lambda raw: raw.decode("latin-1")))
def test_no_text_in_the_place_of_a_token_breaks_the_reading(token: str) -> None:
    """S31, S32."""
    with pytest.raises(ExternalAPIError):
        consent(token, signed(ACCESS_CLAIMS))
    with pytest.raises(ExternalAPIError):
        consent(signed(ID_CLAIMS), token)


@settings(max_examples=40)
@given(payload=JSON)
def test_no_payload_in_the_place_of_claims_breaks_the_reading(payload: Any) -> None:
    """S31: a JSON array, a number, nothing."""
    with pytest.raises(ExternalAPIError):
        consent(signed(payload), signed(ACCESS_CLAIMS))
    with pytest.raises(ExternalAPIError):
        consent(signed(ID_CLAIMS), signed(payload))


@settings(max_examples=40)
@given(payload=JSON, user=st.text())
def test_no_refreshed_token_whatever_breaks_the_comparison(payload: Any, user: str) -> None:
    """S32: another user's set is refused, one that says nothing is kept."""
    whole = HttpResponse(200, {}, json.dumps(GOOD | {"access_token": signed(payload)}).encode())
    tokens = read_token_set(whole)
    assert refreshed_for(tokens, USER) == tokens
    other = replace(tokens, access_token=signed({"xero_userid": user}))
    if user == USER:
        assert refreshed_for(other, USER) == other
    else:
        with pytest.raises(XeroInvalidResponse):
            refreshed_for(other, USER)


@given(
    status=st.integers(100, 599),
    headers=st.dictionaries(
        st.sampled_from(["retry-after", "x-daylimit-remaining", "x-minlimit-remaining"]),
        st.text() | st.integers().map(str) | st.floats().map(str),
    ),
)
def test_no_rate_headers_whatever_break_the_reading(status: int, headers: dict[str, str]) -> None:
    """S32: nor do they stop a tenant's calls for longer than Xero's longest limit."""
    found = reported_limits(StreamedResponse(status, tuple(headers.items()), nothing()))

    for left in (found.day_remaining, found.minute_remaining):
        assert left is None or 0 <= left < 10**9
    assert (found.cool_down is not None) is (status == 429)
    assert found.cool_down is None or timedelta() <= found.cool_down <= timedelta(days=1)


async def nothing() -> AsyncIterator[bytes]:
    yield b""
