"""What holds of grants whatever the order of refreshes, lost answers and waits."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xero_sandbox.config import SandboxConfig
from xero_sandbox.grants import GRACE, InvalidGrant
from xero_sandbox.state import SandboxState

SANDBOX = SandboxState(SandboxConfig())
SCOPES = ("offline_access", "accounting.settings")

waits = st.integers(min_value=0, max_value=2 * GRACE)


def _new_grant() -> str:
    SANDBOX.clock.freeze()
    SANDBOX.switches.cheap_tokens = True
    user, _ = SANDBOX.directory.seed()
    issued = SANDBOX.grants.issue(SANDBOX.grants.consent(user, SCOPES), SANDBOX.grants.new_event())
    assert issued.refresh_token
    return issued.refresh_token


def _rotate(token: str) -> str:
    successor = SANDBOX.grants.refresh(token).refresh_token
    assert successor
    return successor


@given(st.lists(waits, max_size=20))
def test_the_newest_token_always_works_however_long_the_waits(pauses: list[int]) -> None:
    token = _new_grant()

    for pause in pauses:
        SANDBOX.clock.advance(pause)
        token = _rotate(token)


@given(st.lists(st.integers(min_value=0, max_value=GRACE // 4), max_size=8))
def test_lost_answers_cost_nothing_while_the_grace_since_the_first_use_lasts(
    pauses: list[int],
) -> None:
    token = _new_grant()
    _rotate(token)
    elapsed = 0

    for pause in pauses:
        SANDBOX.clock.advance(pause)
        elapsed += pause
        if elapsed <= GRACE:
            _rotate(token)
        else:
            with pytest.raises(InvalidGrant):
                SANDBOX.grants.refresh(token)


@given(st.lists(st.integers(min_value=0, max_value=5), max_size=12))
def test_no_two_answers_ever_carry_the_same_refresh_token(choices: list[int]) -> None:
    known = [_new_grant()]

    for choice in choices:
        known.append(_rotate(known[choice % len(known)]))

    assert len(set(known)) == len(known)
