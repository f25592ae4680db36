"""POST /connect/revocation."""

import pytest

from tests.sandbox.sample_app import SampleApp, bearer
from xero_sandbox import samples
from xero_sandbox.client import SandboxClient


def test_revoking_ends_the_grant_and_all_connections_of_that_user_only(app: SampleApp) -> None:
    app.sign_in("xero-user-1", samples.ACME_TRADING)
    tokens = app.sign_in("xero-user-1", samples.ACME_SERVICES)
    other = app.sign_in("xero-user-3", samples.ACME_TRADING)

    answer = app.revoke(tokens["refresh_token"])

    assert (answer.status_code, answer.content) == (200, b"")
    assert app.refresh(tokens["refresh_token"]).text == '{"error":"invalid_grant"}'
    assert app.connections(tokens) == []
    assert len(app.connections(other)) == 1
    assert app.refresh(other["refresh_token"]).status_code == 200


@pytest.mark.parametrize(("switch", "status"), [("accepted", 200), ("rejected", 401)])
def test_an_access_token_of_a_revoked_grant_sees_nothing_or_is_refused(
    app: SampleApp, sandbox: SandboxClient, switch: str, status: int
) -> None:
    sandbox.switch(jwtAfterRevoke=switch)
    tokens = app.sign_in("xero-user-1", samples.ACME_TRADING)
    app.revoke(tokens["refresh_token"])

    assert app.http.get("/api/connections", headers=bearer(tokens)).status_code == status


def test_a_token_rotated_away_still_revokes_within_its_grace(
    app: SampleApp, sandbox: SandboxClient
) -> None:
    tokens = app.sign_in("xero-user-1", samples.ACME_TRADING)
    successor = app.refresh(tokens["refresh_token"]).json()["refresh_token"]

    app.revoke(tokens["refresh_token"])

    assert app.refresh(successor).status_code == 400


def test_unknown_and_revoked_tokens_are_200_and_change_nothing(app: SampleApp) -> None:
    tokens = app.sign_in("xero-user-1", samples.ACME_TRADING)

    assert app.revoke("unknown").status_code == 200
    assert app.refresh(tokens["refresh_token"]).status_code == 200
    assert [app.revoke(tokens["refresh_token"]).status_code for _ in range(2)] == [200, 200]


def test_an_access_token_cannot_be_revoked(app: SampleApp) -> None:
    tokens = app.sign_in("xero-user-1", samples.ACME_TRADING)

    answer = app.revoke(tokens["access_token"])

    assert answer.status_code == 500
    assert answer.json()["detail"] == "ReferenceTokenStore is not supported in Identity"
    assert app.refresh(tokens["refresh_token"]).status_code == 200


def test_a_bad_client_revokes_nothing(app: SampleApp) -> None:
    tokens = app.sign_in("xero-user-1", samples.ACME_TRADING)

    answer = app.http.post(
        "/identity/connect/revocation",
        data={"token": tokens["refresh_token"]},
        auth=("sandbox-client", "wrong"),
    )

    assert (answer.status_code, answer.text) == (400, '{"error":"invalid_client"}')
    assert app.refresh(tokens["refresh_token"]).status_code == 200


def test_a_code_dies_with_its_grant(app: SampleApp) -> None:
    tokens = app.sign_in("xero-user-1", samples.ACME_TRADING)
    code = app.code("xero-user-1", samples.ACME_SERVICES)

    app.revoke(tokens["refresh_token"])

    assert app.exchange(code).text == '{"error":"invalid_grant"}'
