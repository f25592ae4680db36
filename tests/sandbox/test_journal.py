"""The journal and the token oracle: everything that happened, and no secret."""

import json

from tests.sandbox.sample_app import CREDENTIALS, SampleApp
from xero_sandbox import samples
from xero_sandbox.client import SandboxClient
from xero_sandbox.fingerprints import fingerprint


def test_requests_are_listed_in_order_with_their_kinds(
    app: SampleApp, sandbox: SandboxClient
) -> None:
    app.http.get(app.authorize_url())
    tokens = app.sign_in("xero-user-1", samples.ACME_TRADING)
    app.refresh(tokens["refresh_token"])
    (connection,) = app.connections(tokens)
    app.organisation(tokens, samples.ACME_TRADING)
    app.delete_connection(tokens, connection["id"])
    app.revoke(tokens["refresh_token"])
    app.http.get("/identity/.well-known/openid-configuration/jwks")

    entries = sandbox.journal()

    assert [entry["kind"] for entry in entries] == [
        "authorize",
        "token.code",
        "token.refresh",
        "connections.list",
        "api",
        "connections.delete",
        "revocation",
        "jwks",
    ]
    assert [entry["n"] for entry in entries] == list(range(1, 9))
    assert [entry["status"] for entry in entries] == [200, 200, 200, 200, 200, 204, 200, 200]


def test_an_entry_names_token_user_and_client(app: SampleApp, sandbox: SandboxClient) -> None:
    tokens = app.sign_in("xero-user-1", samples.ACME_TRADING)
    app.refresh(tokens["refresh_token"])

    (entry,) = sandbox.journal("token.refresh")

    assert entry["fingerprint"] == fingerprint(tokens["refresh_token"])
    assert entry["xeroUserId"] == samples.ACME_BOOKKEEPER.xero_user_id
    assert entry["clientId"] == CREDENTIALS[0]
    assert entry["outcome"] == "issued"


def test_an_entry_shows_harmless_headers_and_fingerprints_the_rest(
    app: SampleApp, sandbox: SandboxClient
) -> None:
    tokens = app.sign_in("xero-user-1", samples.ACME_TRADING)
    app.organisation(tokens, samples.ACME_TRADING)

    headers = sandbox.journal("api")[0]["headers"]

    assert headers["xero-tenant-id"] == samples.ACME_TRADING
    assert headers["accept"] == "application/json"
    assert headers["authorization"] == fingerprint(tokens["access_token"])


def test_a_family_of_kinds_and_a_starting_point_select(
    app: SampleApp, sandbox: SandboxClient
) -> None:
    tokens = app.sign_in("xero-user-1", samples.ACME_TRADING)
    app.refresh(tokens["refresh_token"])
    app.connections(tokens)

    assert len(sandbox.journal("token")) == 2
    assert [entry["kind"] for entry in sandbox.journal(since=2)] == ["connections.list"]


def test_no_secret_is_in_the_journal_the_state_or_the_oracle(
    app: SampleApp, sandbox: SandboxClient
) -> None:
    app.http.get(app.authorize_url(nonce="some-nonce"))
    code = app.code("xero-user-1", samples.ACME_TRADING)
    tokens = app.exchange(code).json()
    refreshed = app.refresh(tokens["refresh_token"]).json()
    app.http.get("/api/connections", params={"code": code, "token": tokens["refresh_token"]})

    shown = json.dumps([sandbox.journal(), sandbox.state(), sandbox.token_uses()])

    secrets = [code, CREDENTIALS[1], "some-state", "some-nonce"]
    for issued in (tokens, refreshed):
        secrets += [issued["refresh_token"], issued["access_token"], issued["id_token"]]
    assert [secret for secret in secrets if secret in shown] == []


def test_the_oracle_counts_how_often_each_token_was_presented_and_accepted(
    app: SampleApp, sandbox: SandboxClient
) -> None:
    tokens = app.sign_in("xero-user-1", samples.ACME_TRADING)
    app.refresh(tokens["refresh_token"])
    sandbox.fault("token.refresh", "500")
    app.refresh(tokens["refresh_token"])

    uses = {use["generation"]: use for use in sandbox.token_uses()}

    assert (uses[1]["presented"], uses[1]["accepted"]) == (2, 1)
    assert uses[1]["firstUsedAt"]
    assert (uses[2]["presented"], uses[2]["accepted"], uses[2]["live"]) == (0, 0, True)
    assert {use["xeroUserId"] for use in uses.values()} == {samples.ACME_BOOKKEEPER.xero_user_id}


def test_the_oracle_knows_when_a_token_stops_working(
    app: SampleApp, sandbox: SandboxClient
) -> None:
    tokens = app.sign_in("xero-user-1", samples.ACME_TRADING)
    app.refresh(tokens["refresh_token"])

    sandbox.advance(30 * 60 + 1)

    assert [use["live"] for use in sandbox.token_uses()] == [False, True]
