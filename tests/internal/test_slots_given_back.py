"""A slot is given back whatever comes between: an absent database, a caller that leaves."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from tests.internal.callers import Service, idle, now, problem
from tests.internal.conftest import Connected
from tests.internal.upstream import slots
from tests.world import Application, until
from xero_sandbox.samples import ACME_TRADING
from xero_service.errors import ServiceBusy
from xero_service.services import turns
from xero_service.services.turns import SLOT_FOR
from xero_service.store.call_budgets import CallBudgets, Learned

GIVE_BACK, TAKE = CallBudgets.give_back, CallBudgets.take


@pytest.fixture(autouse=True)
def database_comes_back_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns, "REPAY_EVERY", 0.01)


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

    monkeypatch.setattr(CallBudgets, "give_back", is_away)

    answers = await asyncio.gather(*(billing.calls(connected.id) for _ in range(3)))

    assert [answer.status_code for answer in answers] == [200] * 3
    await idle(application)
    assert await slots(connected) == 0
    assert not application.services.proxy.turns.owed


async def test_what_xero_said_of_a_pause_is_told_late_but_lasts_no_longer(
    application: Application, connected: Connected, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was left of the limits is not: others have heard anew meanwhile."""
    taking, told = application.services.proxy.turns, list[Learned]()

    async def is_away(*arguments: Any) -> None:
        told.append(arguments[3])
        if len(told) <= 2:
            raise ServiceBusy
        await GIVE_BACK(*arguments)

    monkeypatch.setattr(CallBudgets, "give_back", is_away)

    taking.give_back(ACME_TRADING, uuid4(), Learned(10, 20, timedelta(seconds=60)))
    await idle(application)

    first, *_, last = told
    assert first == Learned(10, 20, timedelta(seconds=60))
    assert (last.day_remaining, last.minute_remaining) == (None, None)
    assert last.cool_down is not None
    assert timedelta(seconds=30) < last.cool_down < timedelta(seconds=60)


@pytest.mark.parametrize("wrong", ["it breaks", "its time is over"])
async def test_one_slot_that_cannot_be_given_back_keeps_no_other_from_it(
    application: Application,
    billing: Service,
    connected: Connected,
    monkeypatch: pytest.MonkeyPatch,
    wrong: str,
) -> None:
    tried = dict[Any, int]()

    async def give_back(*arguments: Any) -> None:
        call = arguments[2]
        tried[call] = tried.get(call, 0) + 1
        if tried[call] == 1:
            raise ServiceBusy
        if call == next(iter(tried)):
            raise ValueError(call)
        await GIVE_BACK(*arguments)

    monkeypatch.setattr(CallBudgets, "give_back", give_back)
    if wrong == "its time is over":
        monkeypatch.setattr(turns, "SLOT_FOR", timedelta(seconds=-1))
        application.services.proxy.turns.give_back(ACME_TRADING, uuid4(), Learned())
        await until(lambda: now(len(tried) == 1))
        monkeypatch.setattr(turns, "SLOT_FOR", SLOT_FOR)

    answers = await asyncio.gather(*(billing.calls(connected.id) for _ in range(3)))

    assert [answer.status_code for answer in answers] == [200] * 3
    await idle(application)
    assert await slots(connected) == (1 if wrong == "it breaks" else 0)
    assert next(iter(tried.values())) == (2 if wrong == "it breaks" else 1)
    assert not application.services.proxy.turns.owed


async def test_no_more_slots_are_remembered_than_can_be_given_back_soon(
    application: Application,
    billing: Service,
    connected: Connected,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    is_away, tried = True, set[Any]()

    async def give_back(*arguments: Any) -> None:
        if is_away:
            tried.add(arguments[2])
            raise ServiceBusy
        await GIVE_BACK(*arguments)

    monkeypatch.setattr(turns, "OWED_AT_MOST", 2)
    monkeypatch.setattr(CallBudgets, "give_back", give_back)

    for _ in range(4):
        assert (await billing.calls(connected.id)).status_code == 200
    await until(lambda: now(len(tried) == 4))

    is_away = False
    await idle(application)
    assert await slots(connected) == 2


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

    monkeypatch.setattr(CallBudgets, "take", hangs)
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

    monkeypatch.setattr(CallBudgets, "take", unheard)

    assert problem(await billing.calls(connected.id)) == (503, "service_busy")

    await idle(application)
    assert await slots(connected) == 0
