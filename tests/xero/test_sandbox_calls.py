"""Refreshing, revoking, listing and disconnecting, as the sandbox answers them."""

from typing import Any

import pytest

from tests.xero.requests import Visit
from xero_sandbox.samples import ACME_SERVICES, ACME_TRADING
from xero_service.errors import (
    ExternalAPIError,
    InvalidGrant,
    RateLimitError,
    XeroAccessRefused,
    XeroInvalidResponse,
    XeroMisconfigured,
    XeroNoResponse,
)
from xero_service.xero.adapter import refreshed_for


@pytest.mark.parametrize(
    ("fault", "meaning"),
    [
        ("drop", XeroNoResponse),
        ("500", ExternalAPIError),
        ("502", ExternalAPIError),
        ("503", ExternalAPIError),
        ("html403", XeroInvalidResponse),
        ("429", RateLimitError),
        ("malformed_json", XeroInvalidResponse),
        ("invalid_client", XeroMisconfigured),
    ],
)
@pytest.mark.parametrize("when", ["before", "after"])
async def test_a_refresh_that_fails_says_how(
    visit: Visit, when: Any, fault: str, meaning: type[ExternalAPIError]
) -> None:
    consent = await visit.exchange()
    visit.sandbox.fault("token.refresh", fault, when=when, retry_after=22)

    with pytest.raises(ExternalAPIError) as failed:
        await visit.adapter.refresh_tokens(consent.tokens.refresh_token)

    assert type(failed.value) is meaning
    assert failed.value.retry_after == (22 if fault in {"500", "502", "503", "429"} else 5)


async def test_a_refresh_rotates_and_keeps_the_user(visit: Visit) -> None:
    consent = await visit.exchange()

    tokens = await visit.adapter.refresh_tokens(consent.tokens.refresh_token)

    assert tokens.refresh_token != consent.tokens.refresh_token
    assert refreshed_for(tokens, consent.xero_user_id) is tokens


async def test_a_refresh_that_brings_another_users_tokens_is_refused(visit: Visit) -> None:
    consent = await visit.exchange()
    visit.sandbox.fault("token.refresh", "wrong_user", when="after")

    tokens = await visit.adapter.refresh_tokens(consent.tokens.refresh_token)

    with pytest.raises(XeroInvalidResponse):
        refreshed_for(tokens, consent.xero_user_id)


async def test_a_revoked_refresh_token_is_an_invalid_grant(visit: Visit) -> None:
    consent = await visit.exchange()

    await visit.adapter.revoke_token(consent.tokens.refresh_token)

    with pytest.raises(InvalidGrant):
        await visit.adapter.refresh_tokens(consent.tokens.refresh_token)


async def test_revoking_twice_is_harmless(visit: Visit) -> None:
    consent = await visit.exchange()
    await visit.adapter.revoke_token(consent.tokens.refresh_token)

    await visit.adapter.revoke_token(consent.tokens.refresh_token)


async def test_deleting_a_connection_leaves_the_others(visit: Visit) -> None:
    await visit.exchange(visit.code(ACME_SERVICES))
    consent = await visit.exchange(visit.code(ACME_TRADING))
    access = consent.tokens.access_token
    found = {each.tenant_id: each for each in await visit.adapter.get_tenants(access)}

    await visit.adapter.delete_connection(access, found[ACME_TRADING].connection_id)

    assert [each.tenant_id for each in await visit.adapter.get_tenants(access)] == [ACME_SERVICES]


@pytest.mark.parametrize("keys", ["pascal", "lower"])
async def test_an_expired_access_token_is_refused(visit: Visit, keys: str) -> None:
    visit.sandbox.switch(errorKeys=keys)
    consent = await visit.exchange()
    visit.sandbox.advance(1801)

    with pytest.raises(XeroAccessRefused):
        await visit.adapter.get_tenants(consent.tokens.access_token)
