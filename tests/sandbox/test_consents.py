"""Several consents: one user again, two users on one organisation, nothing chosen."""

from typing import Any

import jwt
import pytest

from tests.sandbox.sample_app import SCOPES, SampleApp, Tokens, query_of
from xero_sandbox import samples
from xero_sandbox.client import SandboxClient, SandboxError


def _claims(tokens: Tokens) -> dict[str, Any]:
    return jwt.decode(tokens["access_token"], options={"verify_signature": False})


def test_a_new_connection_carries_the_event_of_its_consent(app: SampleApp) -> None:
    tokens = app.sign_in("xero-user-1", samples.ACME_TRADING)

    event = _claims(tokens)["authentication_event_id"]
    found = app.connections(tokens, authEventId=event)

    assert [each["tenantId"] for each in found] == [samples.ACME_TRADING]


def test_a_second_consent_adds_a_connection_with_an_event_of_its_own(app: SampleApp) -> None:
    before = app.connections(app.sign_in("xero-user-1", samples.ACME_TRADING))
    tokens = app.sign_in("xero-user-1", samples.ACME_SERVICES)

    event = _claims(tokens)["authentication_event_id"]

    assert app.connections(tokens)[:1] == before
    just_made = app.connections(tokens, authEventId=event)
    assert [each["tenantId"] for each in just_made] == [samples.ACME_SERVICES]


def test_continuing_with_everything_connected_makes_no_connection_of_the_new_event(
    app: SampleApp,
) -> None:
    before = app.connections(app.sign_in("xero-user-2", samples.GLOBEX))
    tokens = app.sign_in("xero-user-2")

    assert app.connections(tokens) == before
    assert app.connections(tokens, authEventId=_claims(tokens)["authentication_event_id"]) == []


def test_a_connected_organisation_cannot_be_chosen_again(app: SampleApp) -> None:
    app.sign_in("xero-user-1", samples.ACME_TRADING)

    with pytest.raises(SandboxError, match="already connected"):
        app.code("xero-user-1", samples.ACME_TRADING)


def test_scopes_add_up_over_consents_and_shrink_only_by_revocation(app: SampleApp) -> None:
    app.sign_in("xero-user-1", samples.ACME_TRADING)

    more = app.sign_in("xero-user-1", scope="openid offline_access accounting.invoices")
    assert set(more["scope"].split()) == {*SCOPES.split(), "accounting.invoices"}
    assert set(_claims(more)["scope"]) == set(more["scope"].split())

    app.revoke(more["refresh_token"])
    fewer = app.sign_in("xero-user-1", scope="openid offline_access")
    assert fewer["scope"] == "openid offline_access"


@pytest.mark.parametrize(
    ("reconsent", "before_exchange", "after_exchange"),
    [("supersedes", 200, 400), ("supersedes_at_consent", 400, 400), ("keeps", 200, 200)],
)
def test_consenting_again_supersedes_earlier_refresh_tokens_or_keeps_them(
    app: SampleApp,
    sandbox: SandboxClient,
    reconsent: str,
    before_exchange: int,
    after_exchange: int,
) -> None:
    sandbox.switch(reconsent=reconsent)
    earlier = app.sign_in("xero-user-1", samples.ACME_TRADING)["refresh_token"]

    code = app.code("xero-user-1", samples.ACME_SERVICES)
    assert app.refresh(earlier).status_code == before_exchange

    later = app.exchange(code).json()["refresh_token"]
    assert app.refresh(earlier).status_code == after_exchange
    assert app.refresh(later).status_code == 200


def test_one_users_consent_leaves_another_users_tokens_alone(app: SampleApp) -> None:
    one = app.sign_in("xero-user-1", samples.ACME_TRADING)
    app.sign_in("xero-user-3", samples.ACME_TRADING)

    assert app.refresh(one["refresh_token"]).status_code == 200


def test_two_users_on_one_organisation_have_a_connection_each(app: SampleApp) -> None:
    one = app.sign_in("xero-user-1", samples.ACME_TRADING)
    other = app.sign_in("xero-user-3", samples.ACME_TRADING)
    (mine,), (theirs,) = app.connections(one), app.connections(other)
    assert mine["id"] != theirs["id"]

    app.delete_connection(one, mine["id"])

    assert app.connections(one) == []
    assert app.connections(other) == [theirs]


def test_a_login_without_an_organisation_brings_tokens_and_no_connection(app: SampleApp) -> None:
    tokens = app.sign_in("xero-user-1")

    assert app.connections(tokens) == []
    assert tokens["refresh_token"]


def test_the_event_and_login_time_stay_through_a_refresh_and_change_with_a_consent(
    app: SampleApp, sandbox: SandboxClient
) -> None:
    first = app.sign_in("xero-user-1", samples.ACME_TRADING)
    sandbox.advance(600)
    refreshed = app.refresh(first["refresh_token"]).json()
    again = app.sign_in("xero-user-1", samples.ACME_SERVICES)

    kept = ("authentication_event_id", "auth_time")
    original, later, newest = (_claims(tokens) for tokens in (first, refreshed, again))
    assert [later[name] for name in kept] == [original[name] for name in kept]
    assert all(newest[name] != original[name] for name in kept)


def test_a_request_without_state_gets_none_back(app: SampleApp, sandbox: SandboxClient) -> None:
    address = sandbox.consent(app.authorize_url(state=None), "xero-user-1", [samples.ACME_TRADING])

    assert "state" not in query_of(address)
