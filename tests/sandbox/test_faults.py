"""Arranged faults, before and after the change of state."""

import threading
import time
from typing import Any

import httpx
import jwt
import pytest

from tests.sandbox.sample_app import SampleApp, Tokens
from xero_sandbox import samples
from xero_sandbox.client import SandboxClient, SandboxError


@pytest.fixture
def tokens(app: SampleApp) -> Tokens:
    return app.sign_in("xero-user-1", samples.ACME_TRADING)


def _rotated(sandbox: SandboxClient) -> bool:
    return len(sandbox.token_uses()) > 1


def _claims(token: str) -> dict[str, Any]:
    return jwt.decode(token, options={"verify_signature": False})


@pytest.mark.parametrize(("when", "rotated"), [("before", False), ("after", True)])
@pytest.mark.parametrize(
    ("fault", "status"),
    [
        ("500", 500),
        ("502", 502),
        ("503", 503),
        ("html403", 403),
        ("429", 429),
        ("invalid_client", 400),
        ("malformed_json", 200),
    ],
)
def test_a_failing_answer_leaves_or_makes_the_change(
    app: SampleApp,
    sandbox: SandboxClient,
    tokens: Tokens,
    fault: str,
    status: int,
    when: str,
    rotated: bool,
) -> None:
    sandbox.fault("token.refresh", fault, when=when)  # type: ignore[arg-type]

    assert app.refresh(tokens["refresh_token"]).status_code == status

    assert _rotated(sandbox) is rotated
    assert app.refresh(tokens["refresh_token"]).status_code == 200


@pytest.mark.parametrize(("when", "rotated"), [("before", False), ("after", True)])
def test_a_dropped_connection_brings_not_a_byte(
    app: SampleApp, sandbox: SandboxClient, tokens: Tokens, when: str, rotated: bool
) -> None:
    sandbox.fault("token.refresh", "drop", when=when)  # type: ignore[arg-type]

    with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
        app.refresh(tokens["refresh_token"])

    assert _rotated(sandbox) is rotated
    assert sandbox.journal("token.refresh")[0]["status"] is None


@pytest.mark.parametrize(("when", "rotated"), [("before", False), ("after", True)])
def test_a_timeout_never_answers_and_the_caller_gives_up(
    app: SampleApp, sandbox: SandboxClient, tokens: Tokens, when: str, rotated: bool
) -> None:
    sandbox.fault("token.refresh", "timeout", when=when)  # type: ignore[arg-type]
    form = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}
    credentials = ("sandbox-client", "sandbox-secret")

    with pytest.raises(httpx.ReadTimeout):
        app.http.post("/identity/connect/token", data=form, auth=credentials, timeout=0.5)

    assert _rotated(sandbox) is rotated


def test_a_timeout_ends_by_cutting_the_connection(
    app: SampleApp, sandbox: SandboxClient, tokens: Tokens
) -> None:
    sandbox.fault("token.refresh", "timeout", seconds=0)

    with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
        app.refresh(tokens["refresh_token"])


@pytest.mark.parametrize(("when", "rotated"), [("before", False), ("after", True)])
def test_a_held_request_waits_for_its_release(
    app: SampleApp, sandbox: SandboxClient, tokens: Tokens, when: str, rotated: bool
) -> None:
    hold = sandbox.fault("token.refresh", "hold", when=when, times=None)  # type: ignore[arg-type]
    answers: list[httpx.Response] = []
    caller = threading.Thread(target=lambda: answers.append(app.refresh(tokens["refresh_token"])))
    caller.start()
    sandbox.wait_until_held(hold)

    assert _rotated(sandbox) is rotated
    assert answers == []

    sandbox.release(hold)
    caller.join()
    assert answers[0].status_code == 200
    assert app.refresh(tokens["refresh_token"]).status_code == 200


def test_waiting_for_a_held_request_that_never_comes_says_so(sandbox: SandboxClient) -> None:
    hold = sandbox.fault("token.refresh", "hold")

    with pytest.raises(SandboxError, match="Only 0 requests are held"):
        sandbox.wait_until_held(hold, timeout=0.05)


def test_a_reset_lets_held_requests_go(
    app: SampleApp, sandbox: SandboxClient, tokens: Tokens
) -> None:
    hold = sandbox.fault("connections.list", "hold", when="after")
    caller = threading.Thread(target=app.connections, args=(tokens,))
    caller.start()
    sandbox.wait_until_held(hold)

    sandbox.reset()

    caller.join()


def test_a_slow_answer_is_a_whole_one(
    app: SampleApp, sandbox: SandboxClient, tokens: Tokens
) -> None:
    sandbox.fault("token.refresh", "slow", seconds=0.01, when="after")

    assert app.refresh(tokens["refresh_token"]).status_code == 200


def test_a_dripping_answer_is_whole_in_the_end(
    app: SampleApp, sandbox: SandboxClient, tokens: Tokens
) -> None:
    sandbox.fault("token.refresh", "drip", seconds=0.1, when="after")
    began = time.monotonic()

    assert app.refresh(tokens["refresh_token"]).status_code == 200

    assert time.monotonic() - began >= 0.09


def test_a_malformed_answer_is_not_json(
    app: SampleApp, sandbox: SandboxClient, tokens: Tokens
) -> None:
    sandbox.fault("token.refresh", "malformed_json", when="after")

    with pytest.raises(ValueError, match=r"Unterminated|Expecting"):
        app.refresh(tokens["refresh_token"]).json()


def test_an_answer_can_lack_its_refresh_token_or_have_extra_fields(
    app: SampleApp, sandbox: SandboxClient, tokens: Tokens
) -> None:
    sandbox.fault("token", "missing_refresh_token", when="after")
    lacking = app.refresh(tokens["refresh_token"]).json()
    sandbox.fault("token", "extra_fields", when="after")
    rich = app.refresh(tokens["refresh_token"]).json()

    assert "refresh_token" not in lacking
    assert rich["extra"] == "field"


def test_an_answer_can_be_another_users(
    app: SampleApp, sandbox: SandboxClient, tokens: Tokens
) -> None:
    sandbox.fault("token.refresh", "wrong_user", when="after")

    body = app.refresh(tokens["refresh_token"]).json()

    users = {_claims(body[name])["xero_userid"] for name in ("access_token", "id_token")}
    assert users == {samples.GLOBEX_BOOKKEEPER.xero_user_id}


def test_only_the_access_token_can_be_another_users(app: SampleApp, sandbox: SandboxClient) -> None:
    code = app.code("xero-user-1", samples.ACME_TRADING, nonce="some-nonce")
    sandbox.fault("token.code", "mixed_users", when="after")

    body = app.exchange(code).json()

    assert _claims(body["access_token"])["xero_userid"] != _claims(body["id_token"])["xero_userid"]
    assert _claims(body["id_token"])["nonce"] == "some-nonce"


def test_an_id_token_can_be_signed_with_other_claims_or_forged(
    app: SampleApp, sandbox: SandboxClient, tokens: Tokens
) -> None:
    keys = jwt.PyJWKSet.from_dict(
        app.http.get("/identity/.well-known/openid-configuration/jwks").json()
    )
    changes = {"aud": "another", "nonce": None, "exp": 1}
    sandbox.fault("token", "changed_id_token", when="after", changes=changes)
    changed = app.refresh(tokens["refresh_token"]).json()["id_token"]
    sandbox.fault("token", "forged_id_token", when="after")
    forged = app.refresh(tokens["refresh_token"]).json()["id_token"]

    with pytest.raises(jwt.ExpiredSignatureError):
        jwt.decode(changed, keys.keys[0], ["RS256"], audience="another")
    with pytest.raises(jwt.InvalidSignatureError):
        jwt.decode(forged, keys.keys[0], ["RS256"], audience="sandbox-client")


def test_fields_of_an_answer_can_be_changed_and_removed(
    app: SampleApp, sandbox: SandboxClient, tokens: Tokens
) -> None:
    changes = {"scope": "openid", "expires_in": None}
    sandbox.fault("token", "changed_fields", when="after", changes=changes)

    body = app.refresh(tokens["refresh_token"]).json()

    assert body["scope"] == "openid"
    assert "expires_in" not in body


def test_a_fault_that_changes_an_answer_cannot_strike_before_there_is_one(
    sandbox: SandboxClient,
) -> None:
    with pytest.raises(SandboxError, match='its \\\\"when\\\\" is \\\\"after'):
        sandbox.fault("token.refresh", "wrong_user", when="before")


def test_a_fault_strikes_as_often_as_ordered_and_only_its_kind_and_user(
    app: SampleApp, sandbox: SandboxClient, tokens: Tokens
) -> None:
    other = app.sign_in("xero-user-2", samples.GLOBEX)
    sandbox.fault("token.refresh", "503", times=2, user="xero-user-1", retry_after=7)

    assert app.refresh(other["refresh_token"]).status_code == 200
    assert len(app.connections(tokens)) == 1
    first = app.refresh(tokens["refresh_token"])
    assert (first.status_code, first.headers["retry-after"]) == (503, "7")
    assert app.refresh(tokens["refresh_token"]).status_code == 503
    assert app.refresh(tokens["refresh_token"]).status_code == 200


def test_a_fault_without_end_lasts_until_it_is_cleared(
    app: SampleApp, sandbox: SandboxClient, tokens: Tokens
) -> None:
    sandbox.fault("connections", "500", times=None)
    headers = {"authorization": f"Bearer {tokens['access_token']}"}
    codes = [app.http.get("/api/connections", headers=headers).status_code for _ in range(3)]
    assert codes == [500, 500, 500]

    sandbox.clear_faults()

    assert len(app.connections(tokens)) == 1


def test_a_request_can_be_held_before_and_lost_after(
    app: SampleApp, sandbox: SandboxClient, tokens: Tokens
) -> None:
    hold = sandbox.fault("token.refresh", "hold", when="before")
    sandbox.fault("token.refresh", "500", when="after")
    answers: list[httpx.Response] = []
    caller = threading.Thread(target=lambda: answers.append(app.refresh(tokens["refresh_token"])))
    caller.start()
    sandbox.wait_until_held(hold)
    sandbox.release(hold)
    caller.join()

    assert answers[0].status_code == 500
    assert sandbox.journal("token.refresh")[0]["faults"] == ["before: hold", "after: 500"]
