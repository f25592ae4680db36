"""Samples database connections and the memory of processes while a benchmark runs."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import psutil

from bench.stage import Stage

EVERY_SECONDS = 0.01
MEMORY_EVERY_SECONDS = 0.05
MIB = 2**20


@dataclass
class Connections:
    """The maximum of the service's connections over all samples; idle time in seconds."""

    at_once: int = 0
    idle_in_transaction: float = 0.0
    samples: int = 0


@dataclass
class Memory:
    """Resident memory of a process in MiB: the first sample, and the maximum."""

    first: float = 0.0
    peak: float = 0.0


@asynccontextmanager
async def connections(stage: Stage) -> AsyncIterator[Connections]:
    """Sample `pg_stat_activity` during the body."""
    seen = Connections()
    async with stage.connect() as database:

        async def sample() -> None:
            row = await database.fetchrow(
                "SELECT count(*) AS at_once,"
                " max(extract(epoch FROM clock_timestamp() - state_change))"
                "   FILTER (WHERE state LIKE 'idle in transaction%') AS idle"
                " FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
                " AND backend_type = 'client backend'"
            )
            seen.samples += 1
            seen.at_once = max(seen.at_once, row["at_once"])
            seen.idle_in_transaction = max(seen.idle_in_transaction, float(row["idle"] or 0))
            await asyncio.sleep(EVERY_SECONDS)

        async def keep_sampling() -> None:
            while True:
                await sample()

        async with _running(asyncio.create_task(keep_sampling())):
            yield seen


@asynccontextmanager
async def memory(*pids: int) -> AsyncIterator[Memory]:
    """Sample the resident memory of the largest of these processes during the body."""
    processes = [psutil.Process(pid) for pid in pids]
    seen = Memory(first=_largest(processes))

    async def keep_sampling() -> None:
        while True:
            seen.peak = max(seen.peak, _largest(processes))
            await asyncio.sleep(MEMORY_EVERY_SECONDS)

    async with _running(asyncio.create_task(keep_sampling())):
        yield seen


@asynccontextmanager
async def _running(task: "asyncio.Task[None]") -> AsyncIterator[None]:
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


def _largest(processes: list[psutil.Process]) -> float:
    return float(max(process.memory_info().rss for process in processes)) / MIB
