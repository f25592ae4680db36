"""Looking on while something runs: the database's connections and a process's memory."""

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
    """The most that was seen of the service's connections."""

    at_once: int = 0
    idle_in_transaction: float = 0.0
    samples: int = 0


@dataclass
class Memory:
    """Resident memory of a process in MiB: when it was first looked at, and at most."""

    first: float = 0.0
    peak: float = 0.0


@asynccontextmanager
async def connections(stage: Stage) -> AsyncIterator[Connections]:
    """Watch `pg_stat_activity` meanwhile."""
    seen = Connections()
    async with stage.connect() as database:

        async def look() -> None:
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

        async def keep_looking() -> None:
            while True:
                await look()

        async with _meanwhile(asyncio.create_task(keep_looking())):
            yield seen


@asynccontextmanager
async def memory(*pids: int) -> AsyncIterator[Memory]:
    """Watch the resident memory of processes meanwhile: the largest one's."""
    processes = [psutil.Process(pid) for pid in pids]
    seen = Memory(first=_largest(processes))

    async def keep_looking() -> None:
        while True:
            seen.peak = max(seen.peak, _largest(processes))
            await asyncio.sleep(MEMORY_EVERY_SECONDS)

    async with _meanwhile(asyncio.create_task(keep_looking())):
        yield seen


@asynccontextmanager
async def _meanwhile(task: "asyncio.Task[None]") -> AsyncIterator[None]:
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


def _largest(processes: list[psutil.Process]) -> float:
    return float(max(process.memory_info().rss for process in processes)) / MIB
