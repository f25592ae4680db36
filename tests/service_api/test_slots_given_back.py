"""A slot is released also while the database is away and when the caller disconnects."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from tests.service_api.callers import Service, idle, problem
from tests.service_api.conftest import Connected
from tests.service_api.upstream import slots
from tests.world import Application
from xero_sandbox.samples import ACME_TRADING
from xero_service.errors import ServiceBusy
from xero_service.services.proxy import rate_limiter
from xero_service.store.rate_limits import RateLimits, ReportedLimits

GIVE_BACK, TAKE = RateLimits.release, RateLimits.acquire


@pytest.fixture(autouse=True)
def database_comes_back_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rate_limiter, "RETRY_SECONDS", 0.01)


async def test_slots_are_given_back_once_the_database_is_there_again(
    application: Application,
    billing: Service,
    connected: Connected,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    tried = 0

    async def is_away(*arguments: Any) -> None:
        nonlocal tried
        tried += 1
        if tried <= 6:
            raise ServiceBusy
        await GIVE_BACK(*arguments)

    monkeypatch.setattr(RateLimits, "release", is_away)

    answers = await asyncio.gather(*(billing.calls(connected.id) for _ in range(3)))

    assert [answer.status_code for answer in answers] == [200] * 3
    await idle(application)
    assert await slots(connected) == 0


async def test_a_cool_down_is_reported_late_but_lasts_no_longer(
    application: Application, connected: Connected, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also one that outlasts the slot; how many calls were left is not reported late."""
    monkeypatch.setattr(rate_limiter, "SLOT_TTL", timedelta())
    limiter, reported = application.services.proxy.rate_limiter, list[ReportedLimits]()

    async def is_away(*arguments: Any) -> None:
        reported.append(arguments[3])
        if len(reported) <= 2:
            raise ServiceBusy
        await GIVE_BACK(*arguments)

    monkeypatch.setattr(RateLimits, "release", is_away)

    limiter.release(ACME_TRADING, uuid4(), ReportedLimits(10, 20, timedelta(seconds=60)))
    await idle(application)

    first, second, last = reported
    assert first == ReportedLimits(10, 20, timedelta(seconds=60))
    for late in (second, last):
        assert (late.day_remaining, late.minute_remaining) == (None, None)
    assert second.cool_down
    assert last.cool_down
    assert timedelta(seconds=30) < last.cool_down < second.cool_down < timedelta(seconds=60)


async def test_a_slot_is_left_to_expire_once_its_time_to_live_has_passed(
    application: Application, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried = 0

    async def is_away(*_: Any) -> None:
        nonlocal tried
        tried += 1
        raise ServiceBusy

    monkeypatch.setattr(rate_limiter, "SLOT_TTL", timedelta(seconds=0.1))
    monkeypatch.setattr(RateLimits, "release", is_away)

    application.services.proxy.rate_limiter.release(ACME_TRADING, uuid4(), ReportedLimits())

    await idle(application)
    assert tried > 0


async def test_a_caller_that_leaves_while_its_turn_is_taken_leaves_no_slot_behind(
    application: Application,
    billing: Service,
    connected: Connected,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    taken = asyncio.Event()

    async def hangs(*arguments: Any, **options: Any) -> None:
        assert await TAKE(*arguments, **options) is None
        taken.set()
        await asyncio.Event().wait()

    monkeypatch.setattr(RateLimits, "acquire", hangs)
    call = asyncio.create_task(billing.calls(connected.id))
    await taken.wait()
    assert await slots(connected) == 1

    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call

    await idle(application)
    assert await slots(connected) == 0


async def test_a_turn_whose_answer_was_not_heard_is_given_back(
    application: Application,
    billing: Service,
    connected: Connected,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def unheard(*arguments: Any, **options: Any) -> None:
        assert await TAKE(*arguments, **options) is None
        raise ServiceBusy

    monkeypatch.setattr(RateLimits, "acquire", unheard)

    assert problem(await billing.calls(connected.id)) == (503, "service_busy")

    await idle(application)
    assert await slots(connected) == 0
