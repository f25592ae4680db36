"""What Xero checks before the consent page, and where each decision sends the browser."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from html import unescape

import httpx
import pytest

from tests.sandbox.sample_app import CALLBACK, SampleApp, query_of
from xero_sandbox import samples
from xero_sandbox.client import SandboxClient, SandboxError
from xero_sandbox.config import SandboxConfig
from xero_sandbox.testing import running_sandbox


@pytest.fixture(scope="module")
def narrow() -> Iterator[SandboxClient]:
    allowed = frozenset({"openid", "profile", "email", "offline_access", "accounting.settings"})
    with running_sandbox(SandboxConfig(allowed_scopes=allowed)) as sandbox:
        yield sandbox


def _error_page(http: httpx.Client, url: str) -> str:
    answer = http.get(url)
    assert answer.status_code == 400
    assert "location" not in answer.headers
    return unescape(answer.text)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"client_id": "another"}, "unauthorized_client : Unknown client or client not enabled"),
        ({"client_id": None}, "unauthorized_client : Unknown client or client not enabled"),
        ({"redirect_uri": f"{CALLBACK}/"}, "unauthorized_client : Invalid redirect_uri"),
        ({"redirect_uri": None}, "unauthorized_client : Invalid redirect_uri"),
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"scope": "openid accounting.everything"}, "invalid_scope"),
        ({"scope": "openid accounting.transactions"}, "invalid_scope"),
        ({"scope": "accounting.settings practicemanager.read"}, "invalid_scope"),
        ({"scope": None}, "invalid_scope"),
        ({"code_challenge": "abc", "code_challenge_method": "plain"}, "invalid_request"),
    ],
)
def test_a_faulty_request_ends_on_a_page_and_never_redirects(
    app: SampleApp, sandbox: SandboxClient, changes: dict[str, str | None], reason: str
) -> None:
    url = app.authorize_url(**changes)

    assert f"Error: {reason}" in _error_page(app.http, url)
    with pytest.raises(SandboxError, match=re.escape(reason)):
        sandbox.consent(url, "xero-user-1", [samples.ACME_TRADING])


def test_a_scope_the_app_was_not_given_is_refused_by_name(narrow: SandboxClient) -> None:
    with httpx.Client(base_url=narrow.base_url, trust_env=False) as http:
        url = SampleApp(narrow, http).authorize_url(scope="openid accounting.contacts")

        assert "unauthorized_client : Invalid scope for client" in _error_page(http, url)


def test_a_broad_scope_is_known_to_apps_that_predate_the_granular_ones(
    app: SampleApp, sandbox: SandboxClient
) -> None:
    sandbox.switch(broadScopes=True)

    assert app.http.get(app.authorize_url(scope="accounting.transactions")).status_code == 200


def test_broad_scopes_end_on_a_day_of_the_sandboxs_clock(
    app: SampleApp, sandbox: SandboxClient
) -> None:
    """Facts §6: an app of either age gets no broad scope from then on."""
    broad = app.authorize_url(scope="accounting.transactions")
    sandbox.switch(broadScopes=True, broadScopesEnd=in_half_an_hour())
    assert app.http.get(broad).status_code == 200

    sandbox.advance(3600)

    assert "invalid_scope" in _error_page(app.http, broad)
    assert app.http.get(app.authorize_url(scope="accounting.invoices")).status_code == 200


def in_half_an_hour() -> str:
    return (datetime.now(UTC) + timedelta(minutes=30)).isoformat()


def test_scopes_joined_by_plus_are_accepted_unless_xero_is_strict(
    app: SampleApp, sandbox: SandboxClient
) -> None:
    url = app.authorize_url().replace("%20", "+")
    assert app.http.get(url).status_code == 200

    sandbox.switch(strictScopeEncoding=True)

    assert "invalid_scope" in _error_page(app.http, url)
    assert app.http.get(app.authorize_url()).status_code == 200


def test_the_consent_page_refuses_to_be_framed_and_is_not_stored(app: SampleApp) -> None:
    page = app.http.get(app.authorize_url())

    assert "frame-ancestors 'none'" in page.headers["content-security-policy"]
    assert page.headers["x-frame-options"] == "DENY"
    assert page.headers["cache-control"] == "no-store"


def test_values_of_the_request_cannot_become_markup(app: SampleApp) -> None:
    url = app.authorize_url(redirect_uri='"><script>alert(1)</script>')

    assert "<script" not in app.http.get(url).text


def test_consent_returns_code_scope_state_and_session_state(
    app: SampleApp, sandbox: SandboxClient
) -> None:
    address = sandbox.consent(app.authorize_url(), "xero-user-1", [samples.ACME_TRADING])

    assert address.startswith(f"{CALLBACK}?code=")
    assert set(query_of(address)) == {"code", "scope", "state", "session_state"}
    assert query_of(address)["state"] == "some-state"


def test_cancel_returns_access_denied_with_the_state_and_changes_nothing(
    app: SampleApp, sandbox: SandboxClient
) -> None:
    address = sandbox.cancel(app.authorize_url(), "xero-user-1")

    assert address == (
        f"{CALLBACK}?error=access_denied"
        "&error_description=TenantConsent%20status%20DENIED&state=some-state"
    )
    assert sandbox.state()["grants"] == []


@pytest.mark.parametrize(
    ("tenant_ids", "reason"),
    [
        ([samples.GLOBEX], "cannot connect"),
        (["30000000-0000-4000-8000-000000000001"], "cannot connect"),
        ([samples.ACME_TRADING, samples.ACME_SERVICES], "one organisation at a time"),
    ],
)
def test_a_choice_the_page_does_not_offer_is_refused(
    app: SampleApp, sandbox: SandboxClient, tenant_ids: list[str], reason: str
) -> None:
    with pytest.raises(SandboxError, match=reason):
        sandbox.consent(app.authorize_url(), "xero-user-1", tenant_ids)

    assert sandbox.state()["connections"] == []


def test_bulk_connection_is_a_privilege_a_flow_can_give_up(
    app: SampleApp, sandbox: SandboxClient
) -> None:
    sandbox.switch(bulkConnect=True)
    both = [samples.ACME_TRADING, samples.ACME_SERVICES]

    with pytest.raises(SandboxError, match="one organisation at a time"):
        sandbox.consent(app.authorize_url(acr_values="bulk_connect:false"), "xero-user-1", both)
    tokens = app.sign_in("xero-user-1", *both)

    found = app.connections(tokens)
    assert [each["tenantId"] for each in found] == both
    assert len({each["authEventId"] for each in found}) == 1


def test_at_the_connection_cap_the_browser_stays_with_xero(
    app: SampleApp, sandbox: SandboxClient
) -> None:
    sandbox.switch(connectionCap=1)
    app.sign_in("xero-user-1", samples.ACME_TRADING)

    with pytest.raises(SandboxError, match="has reached their Xero connection limit"):
        sandbox.consent(app.authorize_url(), "xero-user-1", [samples.ACME_SERVICES])


def test_an_organisation_that_two_users_connect_counts_once_toward_the_cap(
    app: SampleApp, sandbox: SandboxClient
) -> None:
    sandbox.switch(connectionCap=1)
    app.sign_in("xero-user-1", samples.ACME_TRADING)

    tokens = app.sign_in("xero-user-3", samples.ACME_TRADING)

    assert len(app.connections(tokens)) == 1


def test_an_app_over_its_cap_may_still_share_the_organisations_it_holds(
    app: SampleApp, sandbox: SandboxClient
) -> None:
    app.sign_in("xero-user-1", samples.ACME_TRADING)
    app.sign_in("xero-user-1", samples.ACME_SERVICES)
    sandbox.switch(connectionCap=1)

    tokens = app.sign_in("xero-user-3", samples.ACME_TRADING)

    assert len(app.connections(tokens)) == 1
