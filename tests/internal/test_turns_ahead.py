"""A caller that was let through a moment ago has its turn taken while it is judged anew."""

import asyncio
from typing import Any
from unittest.mock import patch
from uuid import UUID, uuid4

import pytest

from tests.internal.callers import Service, idle, now, problem
from tests.internal.conftest import Connected
from tests.internal.upstream import slots
from tests.world import Application, until
from xero_service.domain import SYSTEM
from xero_service.services.turns import SLOT_FOR
from xero_service.singleflight import BackgroundWork
from xero_service.store.call_budgets import CONCURRENT_CALLS, Learned
from xero_service.store.token_reads import TokenReads


async def turns(connected: Connected) -> int:
    """How many of the minute's calls were taken."""
    found = await connected.world.database.fetchval(
        "SELECT coalesce(sum(cardinality(recent_calls)), 0) FROM call_budgets"
    )
    return int(found)


@pytest.fixture
async def regular(application: Application, billing: Service, connected: Connected) -> Service:
    """A service that has just made a call."""
    assert (await billing.calls(connected.id)).status_code == 200
    await idle(application)
    assert (await turns(connected), await slots(connected)) == (1, 0)
    return billing


async def test_a_regular_callers_turn_comes_with_the_judgement(
    application: Application, regular: Service, connected: Connected, statements: list[str]
) -> None:
    """One round trip before the call goes out, and one after it."""
    await application.services.database.close()  # so that what is sent now is noted

    assert (await regular.calls(connected.id)).status_code == 200

    await idle(application)
    assert len(statements) == 2
    assert (await turns(connected), await slots(connected)) == (2, 0)


async def test_a_call_is_not_made_before_its_caller_is_judged(
    application: Application,
    regular: Service,
    connected: Connected,
) -> None:
    """S51: what was so a moment ago lets no call out, and costs the tenant one turn at most."""
    made = len(connected.world.calls("api"))
    await application.services.keys.revoke(SYSTEM, regular.made.key.id)

    for _ in range(3):
        assert (await regular.calls(connected.id)).status_code == 401

    await idle(application)
    assert len(connected.world.calls("api")) == made
    assert (await turns(connected), await slots(connected)) == (2, 0)


async def test_turns_taken_with_the_judgement_are_never_too_many_however_they_meet(
    application: Application, replica: Application, regular: Service, connected: Connected
) -> None:
    databases = [each.services.database for each in (application, replica)]
    reads = [TokenReads(database, BackgroundWork()) for database in databases]

    found = await asyncio.gather(
        *(
            each.read_and_take(regular.made.key.id, UUID(connected.id), uuid4(), slot_for=SLOT_FOR)
            for each in reads * 6
        )
    )

    assert sum(read is not None and read.turn_taken for read in found) == CONCURRENT_CALLS
    assert (await turns(connected), await slots(connected)) == (
        1 + CONCURRENT_CALLS,
        CONCURRENT_CALLS,
    )


@pytest.mark.parametrize("secret", ["another", "of-another-length-altogether"])
async def test_no_turn_is_taken_for_a_stranger_that_names_a_regular_key(
    application: Application, regular: Service, connected: Connected, secret: str
) -> None:
    named = regular.made.secret.rpartition("_")[0]

    answer = await regular.presenting(f"{named}_{secret}").calls(connected.id)

    assert answer.status_code == 401
    await idle(application)
    assert await turns(connected) == 1


async def test_no_turn_is_held_while_a_body_comes(
    application: Application,
    regular: Service,
    connected: Connected,
) -> None:
    held: list[int] = []

    async def body() -> Any:
        held.append(await slots(connected))
        yield b"{}"

    answer = await regular.calls(connected.id, "api.xro/2.0/Contacts", "POST", content=body())

    assert answer.status_code < 500
    assert held == [0]


async def test_a_caller_that_leaves_while_it_is_judged_leaves_no_slot_behind(
    application: Application,
    regular: Service,
    connected: Connected,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    judge, judged = TokenReads.read_and_take, asyncio.Event()

    async def hangs(*arguments: Any, **options: Any) -> None:
        await judge(*arguments, **options)
        judged.set()
        await asyncio.Event().wait()

    monkeypatch.setattr(TokenReads, "read_and_take", hangs)
    call = asyncio.create_task(regular.calls(connected.id))
    await judged.wait()
    assert await slots(connected) == 1

    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call

    await idle(application)
    assert (await turns(connected), await slots(connected)) == (2, 0)


async def test_a_regular_does_not_overtake_who_waits_for_a_turn(
    application: Application, regular: Service, connected: Connected
) -> None:
    proxy, tenant_id = application.services.proxy, connected.binding["tenantId"]
    budgets = proxy.turns.budgets
    others = [uuid4() for _ in range(CONCURRENT_CALLS)]
    for call in others:
        assert await budgets.take(tenant_id, call, slot_for=SLOT_FOR) is None
    order: list[str] = []

    async def calls(name: str) -> None:
        assert (await regular.calls(connected.id)).status_code == 200
        order.append(name)

    async def somebody_waits() -> bool:
        return proxy.turns.has_line(tenant_id)

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(calls("first"))
        await until(somebody_waits)
        with patch.object(TokenReads, "read_and_take", side_effect=AssertionError):
            tasks.create_task(calls("second"))
            await asyncio.sleep(0)
            for call in others[:1]:
                await budgets.give_back(tenant_id, call, Learned())
            await until(lambda: now(len(order) == 2))

    assert order == ["first", "second"]


async def test_a_regular_whose_budget_is_used_up_waits_in_the_line_again(
    application: Application, regular: Service, connected: Connected
) -> None:
    await connected.world.database.execute(
        "UPDATE call_budgets SET cool_down_until = clock_timestamp() + interval '40 seconds'"
    )

    for _ in range(2):
        assert problem(await regular.calls(connected.id)) == (429, "rate_budget_exhausted")

    await idle(application)
    assert (await turns(connected), await slots(connected)) == (1, 0)
