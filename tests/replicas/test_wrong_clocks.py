"""R16: the clocks of two replicas are five minutes slow and five minutes fast.

The tokens that services get are good all the same, and nobody refreshes more than is due: leases
and freshness follow the database's clock. Sessions are another matter: their times are judged by
the replica's own clock, so they rightly fail there.
"""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

import httpx
import pytest

from tests.concurrency.conftest import StartReplica
from tests.replicas import skewed
from tests.service_api.callers import Service, service
from tests.world import World
from xero_sandbox.samples import ACME_TRADING

OFF_BY = timedelta(minutes=5)
TOKENS_LIVE = timedelta(minutes=30)


@pytest.fixture
async def slow_and_fast(world: World, replica: StartReplica) -> AsyncIterator[list[Service]]:
    """One service that asks two replicas, each with a key of its own."""
    async with AsyncExitStack() as stack:
        asking = []
        for seconds in (-OFF_BY.total_seconds(), OFF_BY.total_seconds()):
            started = await stack.enter_async_context(
                replica("--no-upkeep", program=(sys.executable, skewed.__file__, str(seconds)))
            )
            http = httpx.AsyncClient(base_url=started.url, timeout=30, trust_env=False)
            await stack.enter_async_context(http)
            told = parsedate_to_datetime((await http.get("/healthz")).headers["date"])
            assert abs(told - datetime.now(UTC) - timedelta(seconds=seconds)) < OFF_BY / 2
            asking.append(await service(world.application, http=http))
        yield asking


async def lives_only(world: World, binding: dict[str, Any], left: timedelta) -> None:
    """Let so much of a fresh access token's life be left, here and at Xero."""
    world.sandbox.advance((TOKENS_LIVE - left).total_seconds())
    await world.ages(binding["grantId"], expires_in=f"{left.total_seconds()} seconds")


async def ask_both(asking: list[Service], binding: dict[str, Any]) -> list[httpx.Response]:
    return list(await asyncio.gather(*(each.token(binding["id"]) for each in asking)))


async def xero_takes(world: World, token: str) -> bool:
    async with httpx.AsyncClient(base_url=world.sandbox.base_url, trust_env=False) as xero:
        headers = {"Authorization": f"Bearer {token}"}
        return (await xero.get("/api/connections", headers=headers)).is_success


async def test_wrong_clocks_of_replicas_change_nothing_that_services_get_r16(
    world: World, slow_and_fast: list[Service]
) -> None:
    """In one test, because two processes have to start for it."""
    admin = await world.acme_admin()
    binding = await admin.connects(ACME_TRADING)

    await they_issue_no_expired_token_and_refresh_nothing_needlessly(world, slow_and_fast, binding)
    await they_respect_each_others_leases(world, slow_and_fast, binding)
    await they_know_what_still_works_while_xero_is_away(world, slow_and_fast, binding)
    await they_know_when_keys_expire(world, slow_and_fast, binding)
    for each in slow_and_fast:
        session = {"Authorization": f"Bearer {admin.token()}"}
        answer = await each.http.get("/api/integrations/xero/bindings", headers=session)
        assert answer.status_code == 401


async def they_issue_no_expired_token_and_refresh_nothing_needlessly(
    world: World, asking: list[Service], binding: dict[str, Any]
) -> None:
    due = {timedelta(minutes=minutes): minutes < 10 for minutes in (12, 7, -1)}

    for left, is_due in due.items():
        before = len(world.calls("token.refresh"))
        await lives_only(world, binding, left)

        answers = await ask_both(asking, binding)

        assert [answer.status_code for answer in answers] == [200, 200]
        for token in {answer.json()["accessToken"] for answer in answers}:
            assert await xero_takes(world, token)
        assert len(world.calls("token.refresh")) - before == (1 if is_due else 0)
        if not is_due:
            await world.ages(binding["grantId"], expires_in="-1 minute")
            await ask_both(asking, binding)

    row = await world.grant(binding["grantId"])
    lasts = row["expires_at"] - await world.database.fetchval("SELECT clock_timestamp()")
    assert timedelta(minutes=29) < lasts <= TOKENS_LIVE


async def they_know_what_still_works_while_xero_is_away(
    world: World, asking: list[Service], binding: dict[str, Any]
) -> None:
    world.sandbox.fault("token.refresh", "503", times=None)

    await lives_only(world, binding, timedelta(minutes=1))
    while_it_works = await ask_both(asking, binding)
    await lives_only(world, binding, timedelta(minutes=-1))
    afterwards = await ask_both(asking, binding)

    assert [answer.status_code for answer in while_it_works] == [200, 200]
    assert [answer.status_code for answer in afterwards] == [503, 503]


async def they_respect_each_others_leases(
    world: World, asking: list[Service], binding: dict[str, Any]
) -> None:
    for first, second in (asking, asking[::-1]):
        before = len(world.calls("token.refresh"))
        await world.ages(binding["grantId"], expires_in="-1 minute")
        hold = world.hold("token.refresh")
        async with asyncio.TaskGroup() as tasks:
            holds_it = tasks.create_task(first.token(binding["id"]))
            await hold.reached()
            lasts = (await world.grant(binding["grantId"]))["lease_until"] - datetime.now(UTC)
            waits = tasks.create_task(second.token(binding["id"]))
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(asyncio.shield(waits), 0.5)
            await hold.release()

        assert timedelta(seconds=15) < lasts <= timedelta(seconds=30)
        assert holds_it.result().json() == waits.result().json()
        assert len(world.calls("token.refresh")) - before == 1


async def they_know_when_keys_expire(
    world: World, asking: list[Service], binding: dict[str, Any]
) -> None:
    world.sandbox.clear_faults()
    await world.hurries()

    async def both_answer(expires_in: str) -> list[int]:
        await world.database.execute(
            "UPDATE service_keys SET expires_at = now() + $1::text::interval", expires_in
        )
        return [answer.status_code for answer in await ask_both(asking, binding)]

    assert await both_answer("1 minute") == [200, 200]
    assert await both_answer("-1 minute") == [401, 401]
