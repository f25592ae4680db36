"""Rate limits: fixed windows with their headers, and an empty 429."""

import threading

import pytest

from tests.sandbox.sample_app import SampleApp, Tokens
from xero_sandbox import samples
from xero_sandbox.client import SandboxClient

ORG = samples.ACME_TRADING


@pytest.fixture
def tokens(app: SampleApp) -> Tokens:
    return app.sign_in("xero-user-1", ORG)


@pytest.mark.parametrize(
    ("limit", "problem", "longest_wait"),
    [("minuteLimit", "minute", 60), ("dayLimit", "day", 24 * 60 * 60)],
)
def test_past_the_limit_an_empty_429_says_which_and_how_long(
    app: SampleApp,
    sandbox: SandboxClient,
    tokens: Tokens,
    limit: str,
    problem: str,
    longest_wait: int,
) -> None:
    sandbox.switch(**{limit: 2})
    assert [app.organisation(tokens, ORG).status_code for _ in range(2)] == [200, 200]

    answer = app.organisation(tokens, ORG)

    assert (answer.status_code, answer.content) == (429, b"")
    assert answer.headers["x-rate-limit-problem"] == problem
    assert 0 < int(answer.headers["retry-after"]) <= longest_wait

    sandbox.advance(int(answer.headers["retry-after"]))
    fresh = app.sign_in("xero-user-1")
    assert app.organisation(fresh, ORG).status_code == 200


def test_the_apps_own_minute_spans_tenants_and_names_no_wait(
    app: SampleApp, sandbox: SandboxClient, tokens: Tokens
) -> None:
    sandbox.switch(appMinuteLimit=2)
    sandbox.connect("xero-user-1", samples.ACME_SERVICES)
    app.organisation(tokens, ORG)
    app.organisation(tokens, samples.ACME_SERVICES)

    answer = app.organisation(tokens, ORG)

    assert answer.headers["x-rate-limit-problem"] == "appminute"
    assert "retry-after" not in answer.headers


def test_another_tenant_has_limits_of_its_own(
    app: SampleApp, sandbox: SandboxClient, tokens: Tokens
) -> None:
    sandbox.switch(minuteLimit=1)
    sandbox.connect("xero-user-1", samples.ACME_SERVICES)
    app.organisation(tokens, ORG)

    assert app.organisation(tokens, ORG).status_code == 429
    assert app.organisation(tokens, samples.ACME_SERVICES).status_code == 200


def test_calls_in_flight_count_until_they_are_answered(
    app: SampleApp, sandbox: SandboxClient, tokens: Tokens
) -> None:
    sandbox.switch(concurrentLimit=1)
    hold = sandbox.fault("api", "hold", when="after")
    slow = threading.Thread(target=app.organisation, args=(tokens, ORG))
    slow.start()
    sandbox.wait_until_held(hold)

    answer = app.organisation(tokens, ORG)
    assert answer.headers["x-rate-limit-problem"] == "concurrent"

    sandbox.release(hold)
    slow.join()
    assert app.organisation(tokens, ORG).status_code == 200


def test_identity_calls_and_connections_are_not_counted(
    app: SampleApp, sandbox: SandboxClient, tokens: Tokens
) -> None:
    sandbox.switch(minuteLimit=0, dayLimit=0, appMinuteLimit=0)

    assert app.refresh(tokens["refresh_token"]).status_code == 200
    assert len(app.connections(tokens)) == 1


def test_limits_can_be_switched_off(app: SampleApp, sandbox: SandboxClient, tokens: Tokens) -> None:
    sandbox.switch(minuteLimit=0, rateLimits=False)

    assert app.organisation(tokens, ORG).status_code == 200
