"""A consent is believed when Xero signed who gave it, for us and for this attempt (S31)."""

from typing import Any

import pytest

from tests.xero.requests import Visit
from xero_sandbox.samples import ACME_BOOKKEEPER, ACME_TRADING
from xero_service.errors import (
    ExternalAPIError,
    InvalidGrant,
    SignInUnavailable,
    XeroInvalidResponse,
)
from xero_service.jwks import KeySet
from xero_service.xero.adapter import XeroAdapter
from xero_service.xero.http import HttpClient


async def test_a_consent_names_who_gave_it(visit: Visit) -> None:
    consent = await visit.exchange()

    assert consent.xero_user_id == ACME_BOOKKEEPER.xero_user_id
    assert consent.xero_email == "acme.bookkeeper@example.com"
    assert consent.xero_name == "Acme bookkeeper"
    assert {"openid", "offline_access"} <= set(consent.tokens.scopes)


async def test_the_event_of_a_consent_is_that_of_its_new_connections(visit: Visit) -> None:
    consent = await visit.exchange()

    (connection,) = await visit.adapter.get_tenants(consent.tokens.access_token)
    assert connection.tenant_id == ACME_TRADING
    assert connection.auth_event_id == consent.authentication_event_id


@pytest.mark.parametrize(
    "changes",
    [
        {"iss": "https://identity.evil.test"},
        {"iss": None},
        {"aud": "another-app"},
        {"aud": None},
        {"nonce": "of-another-attempt"},
        {"nonce": None},
        {"exp": 1_500_000_000},
        {"exp": None},
        {"xero_userid": "30000000-0000-4000-8000-000000000001"},
        {"xero_userid": None},
        {"xero_userid": 7},
    ],
    ids=str,
)
async def test_an_id_token_that_does_not_hold_is_refused(
    visit: Visit, changes: dict[str, Any]
) -> None:
    """S31."""
    visit.sandbox.fault("token.code", "changed_id_token", when="after", changes=changes)

    with pytest.raises(XeroInvalidResponse):
        await visit.exchange()


@pytest.mark.parametrize("claim", ["iat", "nbf"])
async def test_a_slow_clock_of_ours_does_not_lose_a_set(visit: Visit, claim: str) -> None:
    """The set is the only copy; nonce and single-use code already bind it to this attempt."""
    changes = {claim: 4_000_000_000}
    visit.sandbox.fault("token.code", "changed_id_token", when="after", changes=changes)

    consent = await visit.exchange()

    assert consent.tokens.refresh_token


@pytest.mark.parametrize("fault", ["forged_id_token", "mixed_users", "missing_refresh_token"])
async def test_an_answer_put_together_by_somebody_else_is_refused(visit: Visit, fault: str) -> None:
    """S31, S32: a wrong signature, tokens of two users, half a set."""
    visit.sandbox.fault("token.code", fault, when="after")

    with pytest.raises(XeroInvalidResponse):
        await visit.exchange()


@pytest.mark.parametrize(
    "changes",
    [
        {"id_token": None},
        {"id_token": "eyJhbGciOiJub25lIn0.e30."},
        {"id_token": "text"},
        {"id_token": 7},
        {"access_token": "opaque"},
        {"access_token": "eyJhbGciOiJub25lIn0.e30."},
    ],
    ids=str,
)
async def test_tokens_that_xero_did_not_sign_are_refused(
    visit: Visit, changes: dict[str, Any]
) -> None:
    """S31."""
    visit.sandbox.fault("token.code", "changed_fields", when="after", changes=changes)

    with pytest.raises(XeroInvalidResponse):
        await visit.exchange()


async def test_a_consent_answered_to_another_attempt_is_refused(visit: Visit) -> None:
    """S31."""
    with pytest.raises(XeroInvalidResponse):
        await visit.exchange(nonce="nonce-2")


@pytest.mark.parametrize("seconds", [-5, 5])
async def test_xeros_clock_may_differ_by_five_seconds(visit: Visit, seconds: int) -> None:
    visit.sandbox.switch(claimSkewSeconds=seconds)

    assert (await visit.exchange()).xero_user_id == ACME_BOOKKEEPER.xero_user_id


async def test_a_key_that_xero_begins_to_use_is_found(visit: Visit) -> None:
    visit.sandbox.rotate_keys()

    assert (await visit.exchange()).xero_user_id == ACME_BOOKKEEPER.xero_user_id


async def test_a_code_works_once(visit: Visit) -> None:
    code = visit.code()
    await visit.exchange(code)

    with pytest.raises(InvalidGrant):
        await visit.exchange(code)


async def test_a_code_works_only_with_its_verifier(visit: Visit) -> None:
    """S22."""
    with pytest.raises(InvalidGrant):
        await visit.exchange(verifier="w" * 64)


async def test_signing_keys_that_cannot_be_had_are_known_before_the_exchange(
    transport: HttpClient, visit: Visit
) -> None:
    async def away() -> Any:
        raise ExternalAPIError

    adapter = XeroAdapter(visit.adapter._xero, transport, transport, KeySet(away))

    with pytest.raises(SignInUnavailable):
        await adapter.load_signing_keys()
