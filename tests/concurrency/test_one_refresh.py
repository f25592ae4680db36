"""However many ask at once, in however many processes, Xero is asked once (design: rule 3)."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest

from tests.concurrency import worker
from tests.world import ACME, World
from xero_sandbox.samples import ACME_TRADING
from xero_service.background import BackgroundWork
from xero_service.domain import SYSTEM, Grant, RefreshLease, Scope
from xero_service.errors import ExternalAPIError
from xero_service.single_flight import SingleFlight
from xero_service.store.grant_refreshes import GrantRefreshes

Refresh = Callable[[], Coroutine[Any, Any, Grant]]
CALLERS_HERE = 200
PROCESSES, CALLERS_IN_EACH_PROCESS = 4, 50


async def test_two_hundred_callers_in_one_process_cause_one_refresh_r1(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And one claim: a process asks the database for the lease once for all of them."""
    claims = 0
    claim_refresh = GrantRefreshes.claim_refresh

    async def counting(*arguments: Any, **options: Any) -> RefreshLease | None:
        nonlocal claims
        claims += 1
        return await claim_refresh(*arguments, **options)

    monkeypatch.setattr(GrantRefreshes, "claim_refresh", counting)
    admin = await world.acme_admin()
    binding = await admin.connects(ACME_TRADING)
    await world.ages(binding["grantId"], expires_in="-1 minute")
    tokens = world.services.tokens
    async with world.services.database.transaction() as tx:
        expired = await tx.grants.get(UUID(binding["grantId"]))
    assert expired is not None
    hold = world.hold("token.refresh", times=None)

    async with asyncio.TaskGroup() as tasks:
        asked = [tasks.create_task(tokens.refresh_if_due(expired)) for _ in range(CALLERS_HERE)]
        await hold.reached()
        await hold.release()

    assert claims == 1
    assert len({tokens.access_token(task.result()) for task in asked}) == 1
    assert len(world.calls("token.refresh")) == 1
    assert world.presented() == [1, 0]


class Joined(SingleFlight[UUID, Grant]):
    """Others, who know of no bad generation, start the first flights that are joined here."""

    def __init__(self, others: Sequence[Refresh]) -> None:
        super().__init__(BackgroundWork())
        self._others = list(others)

    def join(self, key: UUID, work: Refresh) -> asyncio.Task[Grant]:
        return super().join(key, self._others.pop(0) if self._others else work)


@pytest.mark.parametrize("flights_of_others", [0, 1, 2, 7])
async def test_a_generation_that_xero_refused_is_never_returned_c5(
    world: World, flights_of_others: int
) -> None:
    """C5: however many flights are joined that found the grant fresh."""
    admin = await world.acme_admin()
    grant_id = UUID((await admin.connects(ACME_TRADING))["grantId"])
    tokens = world.services.tokens

    async def unaware() -> Grant:
        return await tokens.refresher.refresh(grant_id, newer_than=None)

    crowded = replace(tokens, flights=Joined([unaware] * flights_of_others))

    grant = await crowded.refresh_grant_single_flight(grant_id, newer_than=1)

    assert grant.generation == 2
    assert len(world.calls("token.refresh")) == 1


async def test_where_only_others_fly_the_caller_is_told_to_come_again_c5(world: World) -> None:
    """C5: a caller's max_wait ends, and no generation that was refused is passed off as new."""
    admin = await world.acme_admin()
    grant_id = UUID((await admin.connects(ACME_TRADING))["grantId"])
    async with world.services.database.transaction() as tx:
        refused = await tx.grants.get(grant_id)
    assert refused is not None
    seen: Grant = refused

    async def unaware() -> Grant:
        return seen

    crowded = replace(world.services.tokens, flights=Joined([unaware] * 100_000))

    with pytest.raises(ExternalAPIError):
        await crowded.refresh_grant_single_flight(grant_id, newer_than=1, max_wait=0.1)


@asynccontextmanager
async def asking_process(
    environment: dict[str, str], binding_id: str
) -> AsyncIterator[asyncio.subprocess.Process]:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        worker.__file__,
        *(binding_id, str(CALLERS_IN_EACH_PROCESS)),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        env=environment,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def says(process: asyncio.subprocess.Process) -> str:
    assert process.stdout is not None
    async with asyncio.timeout(120):  # to start takes long where many do
        while line := (await process.stdout.readline()).decode():
            if line.startswith(("ready", "asked", "[")):
                return line.strip()
    raise AssertionError("The process ended without a word.")


async def all_say(processes: Sequence[asyncio.subprocess.Process]) -> list[str]:
    return await asyncio.gather(*(says(process) for process in processes))


async def ask_at_once(
    world: World, processes: Sequence[asyncio.subprocess.Process], *, held: bool
) -> str:
    """Let every caller of every process ask at the same moment; return the one token's hash.

    `held`: Xero keeps the refresh until the last of them waits for it. Otherwise it answers at
    once, and callers find the grant expired, being renewed, or renewed a moment ago.
    """
    hold = world.hold("token.refresh", times=None) if held else None
    for process in processes:
        assert process.stdin is not None
        process.stdin.write(b"go\n")
    assert set(await all_say(processes)) == {"asked"}
    if hold:
        await hold.reached()
        await hold.release()
    got = [json.loads(line) for line in await all_say(processes)]
    (token,) = {token for tokens in got for token in tokens}
    return str(token)


@pytest.mark.parametrize("rounds", [2, pytest.param(20, marks=pytest.mark.soak)])
async def test_four_processes_with_fifty_callers_each_cause_one_refresh_a_round_r1(
    world: World, process_environment: dict[str, str], rounds: int
) -> None:
    admin = await world.acme_admin()
    binding = await admin.connects(ACME_TRADING)
    made = await world.services.keys.create(
        SYSTEM, name="billing", org_id=ACME, scopes=[Scope.TOKENS_READ], expires_at=None
    )
    environment = {**process_environment, "SERVICE_KEY": made.secret}

    async with AsyncExitStack() as stack:
        processes = [
            await stack.enter_async_context(asking_process(environment, binding["id"]))
            for _ in range(PROCESSES)
        ]
        assert set(await all_say(processes)) == {"ready"}
        tokens = []
        for number in range(1, rounds + 1):
            await world.ages(binding["grantId"], expires_in="-1 minute")

            tokens.append(await ask_at_once(world, processes, held=number % 2 == 1))

            assert len(world.calls("token.refresh")) == number
            assert (await world.grant(binding["grantId"]))["generation"] == 1 + number

    assert len(set(tokens)) == rounds
    assert len(await world.audited("token.issued")) == rounds  # S49: of all the 200, one each
    assert world.presented() == [1] * rounds + [0]
