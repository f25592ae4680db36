"""`Throttle` remembers a key only while its period lasts."""

import pytest

from xero_service import throttle
from xero_service.throttle import Throttle


class Clock:
    """Monotonic time that a test moves."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(throttle, "time", made)
    return made


def test_it_is_due_so_many_times_in_so_long_for_each_key(clock: Clock) -> None:
    seldom = Throttle[str](every=60, times=2)

    assert [seldom.allow("a") for _ in range(3)] == [True, True, False]
    assert seldom.allow("b")
    clock.now += 60
    assert [seldom.allow("a") for _ in range(3)] == [True, True, False]


def test_keys_whose_time_is_over_are_forgotten(clock: Clock) -> None:
    seldom = Throttle[int](every=60)

    for key in range(600):
        assert seldom.allow(key)
        clock.now += 1

    assert len(seldom._counts) == 60
    assert not seldom.allow(599)


def test_no_more_keys_are_remembered_than_were_agreed(clock: Clock) -> None:
    seldom = Throttle[int](every=60, at_most=10)

    for key in range(30):
        assert seldom.allow(key)

    assert len(seldom._counts) == 10
    assert [seldom.allow(key) for key in (29, 0)] == [False, True]
