"""The accounting API: its checks in their order, and what happens to access inside Xero."""

import re
from collections.abc import Callable

import pytest

from tests.sandbox.sample_app import SampleApp, Tokens, bearer
from xero_sandbox import samples
from xero_sandbox.client import SandboxClient

ORG = samples.ACME_TRADING


@pytest.fixture
def tokens(app: SampleApp) -> Tokens:
    return app.sign_in("xero-user-1", ORG)


def test_the_organisation_is_answered_with_limits_and_a_correlation_id(
    app: SampleApp, tokens: Tokens
) -> None:
    answer = app.organisation(tokens, ORG)

    body = answer.json()
    assert body["Organisations"][0]["OrganisationID"] == ORG
    assert body["Id"] == answer.headers["xero-correlation-id"]
    assert answer.headers["x-minlimit-remaining"] == "59"
    assert answer.headers["x-daylimit-remaining"] == "4999"
    assert r"\/Date(" in answer.text


def test_a_request_that_does_not_accept_json_gets_xml(app: SampleApp, tokens: Tokens) -> None:
    headers = bearer(tokens) | {"xero-tenant-id": ORG}

    answer = app.http.get("/api/api.xro/2.0/Organisation", headers=headers)

    assert answer.headers["content-type"].startswith("text/xml")
    assert "<Name>Acme Trading Ltd</Name>" in answer.text


def test_an_expired_token_is_401_with_the_moment_it_expired(
    app: SampleApp, sandbox: SandboxClient, tokens: Tokens
) -> None:
    sandbox.advance(29 * 60 + 59)
    assert app.organisation(tokens, ORG).status_code == 200
    sandbox.advance(1)

    answer = app.organisation(tokens, ORG)

    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == "Bearer error=invalid_token"
    pattern = r"TokenExpired: token expired at \d\d/\d\d/\d{4} \d\d:\d\d:\d\d"
    assert re.fullmatch(pattern, answer.json()["Detail"])
    assert answer.json()["Instance"] == answer.headers["xero-correlation-id"]


@pytest.mark.parametrize("authorization", ["", "Bearer", "Bearer rubbish", "Basic YTpi"])
def test_a_missing_or_garbled_token_is_401_authentication_unsuccessful(
    app: SampleApp, authorization: str
) -> None:
    headers = {"authorization": authorization}

    for path in ("/api/connections", "/api/api.xro/2.0/Organisation", "/api/files.xro/1.0/Files"):
        answer = app.http.get(path, headers=headers)
        assert answer.status_code == 401
        assert answer.json()["Detail"] == "AuthenticationUnsuccessful"


def test_a_token_with_one_letter_changed_is_refused(app: SampleApp, tokens: Tokens) -> None:
    head, payload, signature = tokens["access_token"].split(".")
    forged = f"{head}.{payload[:-2]}{'A' if payload[-2] != 'A' else 'B'}{payload[-1]}.{signature}"

    assert app.organisation({"access_token": forged}, ORG).status_code == 401


def test_a_missing_scope_is_401_and_comes_before_the_tenant(app: SampleApp) -> None:
    tokens = app.sign_in("xero-user-1", ORG, scope="openid accounting.contacts.read")

    for tenant_id in (ORG, samples.GLOBEX):
        answer = app.organisation(tokens, tenant_id)
        assert answer.status_code == 401
        assert answer.json()["Detail"] == "AuthorizationUnsuccessful"
        assert "insufficient_scope" in answer.headers["www-authenticate"]
    assert app.call("Contacts", tokens, ORG).status_code == 200


def test_a_read_scope_does_not_allow_writing(app: SampleApp) -> None:
    tokens = app.sign_in("xero-user-1", ORG, scope="openid accounting.contacts.read")
    headers = bearer(tokens) | {"xero-tenant-id": ORG, "accept": "application/json"}

    answer = app.http.post("/api/api.xro/2.0/Contacts", headers=headers, json={"Contacts": []})

    assert answer.status_code == 401


@pytest.mark.parametrize("tenant_id", ["", samples.GLOBEX, samples.ACME_SERVICES])
def test_a_tenant_that_is_not_connected_is_403_and_comes_before_the_limits(
    app: SampleApp, sandbox: SandboxClient, tokens: Tokens, tenant_id: str
) -> None:
    sandbox.switch(minuteLimit=0)

    answer = app.organisation(tokens, tenant_id)

    assert answer.status_code == 403
    assert answer.json()["Detail"] == "AuthenticationUnsuccessful"
    assert "www-authenticate" not in answer.headers
    assert answer.headers["x-appminlimit-remaining"] == "10000"


def test_the_limits_come_before_the_state_of_the_organisation(
    app: SampleApp, sandbox: SandboxClient, tokens: Tokens
) -> None:
    sandbox.set_org_status(ORG, "offline")
    sandbox.switch(minuteLimit=0)

    assert app.organisation(tokens, ORG).status_code == 429


def test_an_offline_organisation_is_503_in_plain_text_and_comes_back(
    app: SampleApp, sandbox: SandboxClient, tokens: Tokens
) -> None:
    sandbox.set_org_status(ORG, "offline")
    answer = app.organisation(tokens, ORG)
    assert (answer.status_code, answer.text) == (503, "The Organisation is offline")

    sandbox.set_org_status(ORG, "active")

    assert app.organisation(tokens, ORG).status_code == 200


@pytest.mark.parametrize(
    "lose_access",
    [
        lambda sandbox: sandbox.set_org_status(ORG, "deleted"),
        lambda sandbox: sandbox.set_org_status(ORG, "trial_ended"),
        lambda sandbox: sandbox.set_role("xero-user-1", ORG, None),
        lambda sandbox: sandbox.set_role("xero-user-1", ORG, "read_only"),
    ],
    ids=["deleted", "trial ended", "user removed", "user demoted"],
)
@pytest.mark.parametrize("listed", [True, False])
def test_lost_access_is_403_though_the_connection_may_still_be_listed(
    app: SampleApp,
    sandbox: SandboxClient,
    tokens: Tokens,
    lose_access: Callable[[SandboxClient], None],
    listed: bool,
) -> None:
    sandbox.switch(listLostAccess=listed)

    lose_access(sandbox)

    assert app.organisation(tokens, ORG).status_code == 403
    assert bool(app.connections(tokens)) is listed
    assert app.refresh(tokens["refresh_token"]).status_code == 200


@pytest.mark.parametrize(("switch", "status"), [("keeps_grant", 200), ("kills_grant", 400)])
def test_disconnecting_inside_xero_unlists_the_tenant(
    app: SampleApp, sandbox: SandboxClient, tokens: Tokens, switch: str, status: int
) -> None:
    sandbox.switch(disconnectInXero=switch)

    sandbox.disconnect("xero-user-1", ORG)

    assert app.connections(tokens) == []
    assert app.organisation(tokens, ORG).status_code == 403
    assert app.refresh(tokens["refresh_token"]).status_code == status


def test_a_reset_demo_company_is_another_tenant(app: SampleApp, sandbox: SandboxClient) -> None:
    tokens = app.sign_in("xero-user-1", samples.DEMO_COMPANY)

    new = sandbox.reset_demo(samples.DEMO_COMPANY)

    assert app.organisation(tokens, samples.DEMO_COMPANY).status_code == 403
    again = app.sign_in("xero-user-1", new)
    assert app.organisation(again, new).json()["Organisations"][0]["IsDemoCompany"] is True


def test_a_new_name_shows_at_once(app: SampleApp, sandbox: SandboxClient, tokens: Tokens) -> None:
    sandbox.rename_org(ORG, "Acme Holdings Ltd")

    assert app.connections(tokens)[0]["tenantName"] == "Acme Holdings Ltd"


def test_error_keys_come_in_both_cases(
    app: SampleApp, sandbox: SandboxClient, tokens: Tokens
) -> None:
    sandbox.switch(errorKeys="lower")

    assert app.organisation(tokens, samples.GLOBEX).json()["detail"] == "AuthenticationUnsuccessful"


def test_unknown_paths_are_404_in_xeros_format(app: SampleApp, tokens: Tokens) -> None:
    for path in ("/api/files.xro/1.0/Files", "/api/api.xro/2.0/Invoices/some/Attachments"):
        answer = app.http.get(path, headers=bearer(tokens))
        assert answer.status_code == 404
        assert answer.json()["Status"] == 404


def test_what_is_written_can_be_read_in_that_organisation_only(
    app: SampleApp, sandbox: SandboxClient, tokens: Tokens
) -> None:
    sandbox.connect("xero-user-1", samples.ACME_SERVICES)
    headers = bearer(tokens) | {"xero-tenant-id": ORG, "accept": "application/json"}
    body = {"Contacts": [{"Name": "New contact"}]}

    answer = app.http.post("/api/api.xro/2.0/Contacts", headers=headers, json=body)

    assert answer.json()["Contacts"][0]["ContactID"]
    here, there = (
        [each["Name"] for each in app.call("Contacts", tokens, tenant_id).json()["Contacts"]]
        for tenant_id in (ORG, samples.ACME_SERVICES)
    )
    assert "New contact" in here
    assert "New contact" not in there


def test_access_tokens_can_be_refused_before_they_expire(
    app: SampleApp, sandbox: SandboxClient, tokens: Tokens
) -> None:
    """C8, facts §14: those of a later refresh work."""
    sandbox.refuse_access_tokens("xero-user-1")

    refused = app.organisation(tokens, ORG)
    renewed = app.refresh(tokens["refresh_token"]).json()

    assert (refused.status_code, refused.json()["Detail"]) == (401, "AuthenticationUnsuccessful")
    assert app.organisation(renewed, ORG).status_code == 200
    assert app.organisation(tokens, ORG).status_code == 401


def test_refresh_tokens_can_end_while_the_access_token_lives(
    app: SampleApp, sandbox: SandboxClient, tokens: Tokens
) -> None:
    """C8."""
    sandbox.kill_refresh_tokens("xero-user-1")

    assert app.refresh(tokens["refresh_token"]).json() == {"error": "invalid_grant"}
    assert app.organisation(tokens, ORG).status_code == 200


@pytest.mark.parametrize(
    ("switches", "asked", "content_type", "encoding"),
    [
        ({"errorBody": "empty"}, {}, None, None),
        ({"errorBody": "accepted"}, {}, "text/xml; charset=utf-8", None),
        ({"errorBody": "accepted"}, {"accept": "application/json"}, "application/json", None),
        ({"errorEncoding": "accepted"}, {"accept-encoding": "gzip"}, "application/json", "gzip"),
        ({"errorEncoding": "accepted"}, {"accept-encoding": "gzip, br"}, "application/json", "br"),
        ({"errorEncoding": "accepted"}, {"accept-encoding": ""}, "application/json", None),
        ({"errorEncoding": "br"}, {"accept-encoding": ""}, "application/json", "br"),
    ],
)
def test_a_refusal_is_worded_as_the_switches_say(
    app: SampleApp,
    sandbox: SandboxClient,
    switches: dict[str, str],
    asked: dict[str, str],
    content_type: str | None,
    encoding: str | None,
) -> None:
    """C7."""
    sandbox.switch(**switches)

    with app.http.stream("GET", "/api/connections", headers={"accept": "*/*", **asked}) as answer:
        body = b"".join(answer.iter_raw())

    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == "Bearer error=invalid_token"
    assert answer.headers.get("content-type") == content_type
    assert answer.headers.get("content-encoding") == encoding
    assert bool(body) is (switches != {"errorBody": "empty"})
