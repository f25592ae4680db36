"""The life of refresh tokens: rotation, grace, idleness, and both answers to each unknown."""

import pytest

from tests.sandbox.sample_app import SampleApp
from xero_sandbox import samples
from xero_sandbox.client import SandboxClient

MINUTE, DAY = 60, 24 * 60 * 60


@pytest.fixture
def first(app: SampleApp) -> str:
    return str(app.sign_in("xero-user-1", samples.ACME_TRADING)["refresh_token"])


def _rotate(app: SampleApp, refresh_token: str) -> str:
    answer = app.refresh(refresh_token)
    assert answer.status_code == 200, answer.text
    return str(answer.json()["refresh_token"])


def test_each_refresh_returns_a_new_refresh_token_and_id_token(app: SampleApp, first: str) -> None:
    body = app.refresh(first).json()

    assert body["refresh_token"] != first
    assert body["id_token"]


@pytest.mark.parametrize("grace_replay", ["new_set", "same_set"])
@pytest.mark.parametrize(
    ("since_first_use", "status"),
    [(29 * MINUTE + 59, 200), (30 * MINUTE, 200), (30 * MINUTE + 1, 400)],
)
def test_a_replayed_refresh_token_works_for_thirty_minutes(
    app: SampleApp,
    sandbox: SandboxClient,
    first: str,
    grace_replay: str,
    since_first_use: int,
    status: int,
) -> None:
    sandbox.switch(graceReplay=grace_replay)
    _rotate(app, first)

    sandbox.advance(since_first_use)

    assert app.refresh(first).status_code == status


def test_replays_do_not_extend_the_grace(
    app: SampleApp, sandbox: SandboxClient, first: str
) -> None:
    _rotate(app, first)
    sandbox.advance(20 * MINUTE)
    _rotate(app, first)

    sandbox.advance(10 * MINUTE + 1)

    assert app.refresh(first).text == '{"error":"invalid_grant"}'


@pytest.mark.parametrize(("grace_replay", "same"), [("new_set", False), ("same_set", True)])
def test_a_replay_returns_a_new_set_or_the_same_one(
    app: SampleApp, sandbox: SandboxClient, first: str, grace_replay: str, same: bool
) -> None:
    sandbox.switch(graceReplay=grace_replay)

    answers = [app.refresh(first).json() for _ in range(3)]

    assert (len({answer["refresh_token"] for answer in answers}) == 1) is same
    assert (len({answer["access_token"] for answer in answers}) == 1) is same


def test_every_set_of_a_replay_stays_usable(app: SampleApp, first: str) -> None:
    siblings = [_rotate(app, first) for _ in range(3)]

    assert all(app.refresh(sibling).status_code == 200 for sibling in siblings)


def test_a_replay_works_even_when_the_successor_has_been_used(app: SampleApp, first: str) -> None:
    second = _rotate(app, first)
    _rotate(app, second)

    assert app.refresh(first).status_code == 200


@pytest.mark.parametrize(("age", "status"), [(60 * DAY - 1, 200), (60 * DAY, 400)])
def test_an_unused_refresh_token_lives_for_sixty_days(
    app: SampleApp, sandbox: SandboxClient, first: str, age: int, status: int
) -> None:
    sandbox.advance(age)

    assert app.refresh(first).status_code == status


def test_each_rotation_starts_the_sixty_days_again(
    app: SampleApp, sandbox: SandboxClient, first: str
) -> None:
    sandbox.advance(59 * DAY)
    second = _rotate(app, first)
    sandbox.advance(59 * DAY)

    assert app.refresh(second).status_code == 200


@pytest.mark.parametrize(("reuse", "successor_status"), [("fails", 200), ("kills_family", 400)])
def test_reuse_after_the_grace_fails_alone_or_kills_the_family(
    app: SampleApp, sandbox: SandboxClient, first: str, reuse: str, successor_status: int
) -> None:
    sandbox.switch(reuseAfterGrace=reuse)
    second = _rotate(app, first)
    sandbox.advance(31 * MINUTE)

    assert app.refresh(first).status_code == 400

    assert app.refresh(second).status_code == successor_status


def test_an_idle_token_presented_too_late_kills_no_family(
    app: SampleApp, sandbox: SandboxClient, first: str
) -> None:
    sandbox.switch(reuseAfterGrace="kills_family")
    siblings = [_rotate(app, first) for _ in range(2)]
    sandbox.advance(59 * DAY)
    third = _rotate(app, siblings[0])
    sandbox.advance(2 * DAY)

    assert app.refresh(siblings[1]).status_code == 400

    assert app.refresh(third).status_code == 200


@pytest.mark.parametrize("nonsense", ["", "unknown", "é" * 10, "x" * 5000])
def test_an_unknown_refresh_token_is_invalid_grant_without_description(
    app: SampleApp, nonsense: str
) -> None:
    answer = app.refresh(nonsense)

    assert (answer.status_code, answer.text) == (400, '{"error":"invalid_grant"}')
