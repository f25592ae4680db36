"""However many ask at once, in however many processes, Xero is asked once (design: rule 3)."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID

from tests.concurrency import worker
from tests.world import ACME, World
from xero_sandbox.samples import ACME_TRADING

CALLERS_HERE, CALLERS_IN_EACH_PROCESS = 200, 50


async def test_two_hundred_callers_in_one_process_cause_one_refresh(world: World) -> None:
    admin = await world.acme_admin()
    binding = await admin.connects(ACME_TRADING)
    await world.ages(binding["grantId"], expires_in="-1 minute")
    tokens = world.services.tokens
    async with world.services.database.transaction() as tx:
        expired = await tx.grants.get(UUID(binding["grantId"]))
    assert expired is not None
    hold = world.hold("token.refresh", times=None)

    async with asyncio.TaskGroup() as tasks:
        asked = [tasks.create_task(tokens.usable(expired)) for _ in range(CALLERS_HERE)]
        await hold.reached()
        await hold.release()

    assert len({tokens.access_token(task.result()) for task in asked}) == 1
    assert len(world.calls("token.refresh")) == 1
    assert world.presented() == [1, 0]


@asynccontextmanager
async def asking_process(
    environment: dict[str, str], binding_id: str
) -> AsyncIterator[asyncio.subprocess.Process]:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        worker.__file__,
        *(ACME, binding_id, str(CALLERS_IN_EACH_PROCESS)),
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
    async with asyncio.timeout(40):
        while line := (await process.stdout.readline()).decode():
            if line.startswith(("ready", "asked", "[")):
                return line.strip()
    raise AssertionError("The process ended without a word.")


async def test_two_processes_with_fifty_callers_each_cause_one_refresh_r1(
    world: World, process_environment: dict[str, str]
) -> None:
    admin = await world.acme_admin()
    binding = await admin.connects(ACME_TRADING)
    await world.ages(binding["grantId"], expires_in="-1 minute")
    environment = {**process_environment, "DATABASE_POOL_SIZE": "50"}
    hold = world.hold("token.refresh", times=None)

    async with (
        asking_process(environment, binding["id"]) as first,
        asking_process(environment, binding["id"]) as second,
    ):
        for process in (first, second):
            assert await says(process) == "ready"
        for process in (first, second):
            assert process.stdin is not None
            process.stdin.write(b"go\n")
        for process in (first, second):
            assert await says(process) == "asked"
        await hold.reached()
        await hold.release()
        got = [json.loads(await says(process)) for process in (first, second)]

    assert got[0] == got[1]
    assert len(got[0]) == 1
    assert len(world.calls("token.refresh")) == 1
    assert (await world.grant(binding["grantId"]))["generation"] == 2
