"""The rate limiter: all replicas together keep a tenant's limits, so that Xero answers no 429."""

import asyncio
from collections import Counter
from uuid import uuid4

import pytest
from starlette.requests import Request
from starlette.responses import Response

from tests.service_api.callers import Service, client_of, idle, problem
from tests.service_api.conftest import Connected
from tests.service_api.upstream import instead_of_xero, slots
from tests.world import Application, until
from xero_sandbox.samples import ACME_SERVICES, ACME_TRADING
from xero_service.services.proxy import rate_limiter
from xero_service.settings import Settings
from xero_service.store.rate_limits import (
    CALLS_A_MINUTE,
    CONCURRENT_CALLS,
    RateLimits,
    ReportedLimits,
)


async def test_a_burst_from_three_replicas_passes_up_to_the_budget_and_xero_never_says_no(
    settings: Settings, replica: Application, billing: Service, connected: Connected
) -> None:
    async with Application.running(settings) as third:
        callers = [billing, *(Service(billing.made, client_of(a)) for a in (replica, third))]

        responses = await asyncio.gather(*(callers[n % 3].calls(connected.id) for n in range(120)))

    answered = Counter(response.status_code for response in responses)
    reached = connected.world.calls("api")
    assert set(answered) <= {200, 429, 503}
    assert 0 < answered[200] == len(reached) <= CALLS_A_MINUTE
    assert [call for call in reached if call["status"] == 429] == []
    for response in responses:
        if response.status_code != 200:
            assert problem(response)[1] in {"rate_budget_exhausted", "service_busy"}
            assert 1 <= int(response.headers["retry-after"]) <= 62


async def test_no_more_than_five_takers_get_a_slot_however_they_meet(
    application: Application, connected: Connected
) -> None:
    limits = RateLimits(application.services.database)
    calls = [uuid4() for _ in range(9)]

    waits = await asyncio.gather(
        *(limits.acquire(ACME_TRADING, call, slot_ttl=rate_limiter.SLOT_TTL) for call in calls)
    )

    assert waits.count(None) == CONCURRENT_CALLS
    assert await slots(connected) == CONCURRENT_CALLS


async def test_the_minutes_calls_are_counted_exactly_however_they_meet(
    application: Application, connected: Connected
) -> None:
    limits = RateLimits(application.services.database)
    taken = 0

    async def take_and_give() -> None:
        nonlocal taken
        call = uuid4()
        if await limits.acquire(ACME_TRADING, call, slot_ttl=rate_limiter.SLOT_TTL) is None:
            taken += 1
            await limits.release(ACME_TRADING, call, ReportedLimits())

    while taken < CALLS_A_MINUTE:
        await asyncio.gather(*(take_and_give() for _ in range(8)))

    refused = await limits.acquire(ACME_TRADING, uuid4(), slot_ttl=rate_limiter.SLOT_TTL)
    assert taken == CALLS_A_MINUTE
    assert refused is not None
    assert 0 < refused.wait.total_seconds() <= 62
    assert refused.problem == "minute"


async def test_calls_noted_by_a_clock_that_was_put_back_keep_nobody_waiting(
    application: Application, billing: Service, connected: Connected
) -> None:
    assert (await billing.calls(connected.id)).status_code == 200
    await idle(application)

    await connected.world.database.execute(
        "UPDATE call_budgets"
        " SET recent_calls = array_fill(clock_timestamp() + interval '1 hour', ARRAY[$1::int])",
        CALLS_A_MINUTE,
    )

    assert (await billing.calls(connected.id)).status_code == 200


async def test_calls_that_wait_for_a_slot_get_one_in_the_order_in_which_they_came(
    application: Application, connected: Connected, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rate_limiter, "ACQUIRE_TIMEOUT_SECONDS", 30.0)  # this machine may be slow
    limiter = application.services.proxy.rate_limiter
    held = [uuid4() for _ in range(CONCURRENT_CALLS)]
    for call in held:
        await limiter.acquire(ACME_TRADING, call)
    order: list[int] = []

    async def waits(number: int) -> None:
        await limiter.acquire(ACME_TRADING, uuid4())
        order.append(number)

    async with asyncio.TaskGroup() as tasks:
        for number in range(CONCURRENT_CALLS):
            tasks.create_task(waits(number))
        await asyncio.sleep(0)  # all have begun to wait
        for call in held:
            limiter.release(ACME_TRADING, call, ReportedLimits())

    assert order == list(range(CONCURRENT_CALLS))


async def test_the_slot_of_a_caller_that_crashed_is_free_again_in_time(
    application: Application, billing: Service, connected: Connected
) -> None:
    limits = RateLimits(application.services.database)
    for _ in range(CONCURRENT_CALLS):
        assert await limits.acquire(ACME_TRADING, uuid4(), slot_ttl=rate_limiter.SLOT_TTL) is None
    refused = await billing.calls(connected.id)
    assert problem(refused) == (429, "rate_budget_exhausted")
    assert refused.headers["x-rate-limit-problem"] == "concurrent"

    await connected.world.database.execute(
        "UPDATE call_budgets SET slots ="
        " (SELECT jsonb_object_agg(key, value::float8 - 121) FROM jsonb_each(slots))"
    )

    assert (await billing.calls(connected.id)).status_code == 200


async def test_xeros_429_is_passed_back_and_cools_all_replicas_down(
    application: Application, replica: Application, billing: Service, connected: Connected
) -> None:
    connected.world.sandbox.fault("api", "429", retry_after=40)

    first = await billing.calls(connected.id)
    await idle(application)
    second = await Service(billing.made, client_of(replica)).calls(connected.id)

    assert first.status_code == 429
    assert first.headers["retry-after"] == "40"
    assert first.headers["x-rate-limit-problem"] == "minute"
    assert first.content == b""
    assert problem(second) == (429, "rate_budget_exhausted")
    assert 30 <= int(second.headers["retry-after"]) <= 40
    assert second.headers["x-rate-limit-problem"] == "minute"
    assert len(connected.world.calls("api")) == 1


async def test_a_day_that_is_used_up_is_not_asked_for_more(
    application: Application, billing: Service, connected: Connected
) -> None:
    connected.world.sandbox.switch(dayLimit=1)
    assert (await billing.calls(connected.id)).status_code == 200
    await idle(application)

    refused = await billing.calls(connected.id)

    assert problem(refused) == (429, "rate_budget_exhausted")
    assert int(refused.headers["retry-after"]) > 800
    assert refused.headers["x-rate-limit-problem"] == "day"
    assert len(connected.world.calls("api")) == 1

    connected.world.sandbox.switch(dayLimit=5000)
    await connected.world.database.execute(
        "UPDATE call_budgets SET learned_at = now() - interval '16 minutes'"
    )
    assert (await billing.calls(connected.id)).status_code == 200
    await idle(application)
    assert (await billing.calls(connected.id)).status_code == 200


async def test_a_long_cool_down_is_told_as_that_of_a_day(
    application: Application, billing: Service, connected: Connected
) -> None:
    """C13: callers decide by this header that they do not wait."""
    connected.world.sandbox.fault("api", "429", retry_after=66_975)
    assert (await billing.calls(connected.id)).status_code == 429
    await idle(application)

    refused = await billing.calls(connected.id)

    assert problem(refused) == (429, "rate_budget_exhausted")
    assert refused.headers["x-rate-limit-problem"] == "day"
    assert int(refused.headers["retry-after"]) > 66_000


@pytest.mark.parametrize("retry_after", [None, 40])
async def test_the_limit_of_the_whole_app_brakes_every_tenant_on_every_replica(
    application: Application,
    replica: Application,
    billing: Service,
    connected: Connected,
    retry_after: int | None,
) -> None:
    """C13: also without Retry-After from Xero."""
    other = await connected.admin.connects(ACME_SERVICES)
    on_the_replica = Service(billing.made, client_of(replica))
    assert (await on_the_replica.calls(other["id"])).status_code == 200
    limited = {"x-rate-limit-problem": "appminute", "x-appminlimit-remaining": "0"}
    if retry_after is not None:
        limited["retry-after"] = str(retry_after)

    async def refuse(_: Request) -> Response:
        return Response(status_code=429, headers=limited)

    async with instead_of_xero(application, refuse):
        first = await billing.calls(connected.id)
        await idle(application)
    refused = [
        await each.calls(binding)
        for each in (billing, on_the_replica)
        for binding in (connected.id, other["id"])
    ]

    assert first.headers["x-rate-limit-problem"] == "appminute"
    for each in refused:
        assert problem(each) == (429, "rate_budget_exhausted")
        assert each.headers["x-rate-limit-problem"] == "minute"
        assert 1 <= int(each.headers["retry-after"]) <= (retry_after or 10)
    assert len(connected.world.calls("api")) == 1

    await connected.world.database.execute("UPDATE call_budgets SET cool_down_until = now()")
    assert (await billing.calls(connected.id)).status_code == 200
    assert (await on_the_replica.calls(other["id"])).status_code == 200


async def test_the_sandboxs_own_limit_of_the_app_brakes_another_tenant(
    application: Application, billing: Service, connected: Connected
) -> None:
    """C13."""
    other = await connected.admin.connects(ACME_SERVICES)
    connected.world.sandbox.switch(appMinuteLimit=1)
    assert (await billing.calls(connected.id)).status_code == 200
    assert (await billing.calls(connected.id)).headers["x-rate-limit-problem"] == "appminute"
    await idle(application)

    assert problem(await billing.calls(other["id"])) == (429, "rate_budget_exhausted")
    assert len(connected.world.calls("api")) == 2


async def test_a_binding_shows_what_xero_said_is_left(
    application: Application, billing: Service, connected: Connected
) -> None:
    assert connected.binding["limits"] == {"dayRemaining": None, "minuteRemaining": None}
    await billing.calls(connected.id)
    await idle(application)

    listed = (await connected.admin.bindings())[ACME_TRADING]
    assert listed["limits"] == {"dayRemaining": 4999, "minuteRemaining": 59}

    await connected.world.database.execute(
        "UPDATE call_budgets SET learned_at = now() - interval '2 minutes'"
    )
    listed = (await connected.admin.bindings())[ACME_TRADING]
    assert listed["limits"] == {"dayRemaining": 4999, "minuteRemaining": None}


async def test_a_sixth_call_waits_for_a_slot_and_gets_it(
    application: Application, billing: Service, connected: Connected
) -> None:
    let_go = asyncio.Event()

    async def slowly(_: Request) -> Response:
        await let_go.wait()
        return Response(b"done")

    async with instead_of_xero(application, slowly) as upstream:
        calls = [asyncio.create_task(billing.calls(connected.id)) for _ in range(6)]

        async def five_are_there() -> bool:
            return len(upstream.requests) == 5

        await until(five_are_there)
        assert await slots(connected) == 5
        let_go.set()
        responses = await asyncio.gather(*calls)

    assert [response.status_code for response in responses] == [200] * 6
    assert len(upstream.requests) == 6
