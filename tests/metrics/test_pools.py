"""USE of the database connections: size, in use, waiting, and the time that callers waited."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass

import pytest

from tests.metrics.scrape import parsed, value
from tests.world import until
from xero_service.background import BackgroundWork
from xero_service.errors import ServiceBusy
from xero_service.services.operators.state_metrics import StateMetrics
from xero_service.store.database import Database
from xero_service.telemetry import Metrics


@dataclass(frozen=True)
class Pools:
    """The pools of a database that nothing else uses, and what a scrape says of them."""

    database: Database
    metrics: Metrics

    def size(self, pool: str) -> int:
        return self.database.pool_use()[pool].size

    def tell(self, what: str, pool: str = "transactions") -> float:
        StateMetrics(self.database, self.metrics, BackgroundWork()).measure_process()
        found = parsed(self.metrics.render().decode())
        return value(found, f"xero_service_database_pool_{what}", pool=pool)

    async def one_waits(self, pool: str = "transactions") -> None:
        async def waits() -> bool:
            return self.tell("waiting", pool) == 1

        await until(waits)


@pytest.fixture
async def pools(database_url: str) -> AsyncIterator[Pools]:
    metrics = Metrics()
    database = Database(database_url, pool_size=6, prepared_statements=True, metrics=metrics.pools)
    yield Pools(database, metrics)
    await database.close()


async def test_a_pool_tells_how_many_are_in_use_and_how_many_callers_wait_o3(pools: Pools) -> None:
    size = pools.size("transactions")
    async with AsyncExitStack() as taken:
        for _ in range(size):
            await taken.enter_async_context(pools.database.transaction())
        waiting = asyncio.create_task(pools.database.require_writes())
        await pools.one_waits()

        assert pools.tell("size") == pools.tell("in_use") == size
        assert pools.tell("wait_seconds_count") == 0
    await waiting

    assert pools.tell("in_use") == pools.tell("waiting") == 0
    assert pools.tell("wait_seconds_count") == 1
    assert pools.tell("timeouts_total") == 0


@pytest.mark.real_pool_wait
async def test_a_caller_that_got_no_connection_is_counted_o3(pools: Pools) -> None:
    async with AsyncExitStack() as taken:
        for _ in range(pools.size("transactions")):
            await taken.enter_async_context(pools.database.transaction())
        with pytest.raises(ServiceBusy):
            await pools.database.require_writes()

    assert pools.tell("timeouts_total") == pools.tell("wait_seconds_count") == 1
    assert pools.tell("waiting") == 0


async def test_background_work_that_waits_for_its_half_is_told_o3(pools: Pools) -> None:
    async with AsyncExitStack() as taken:
        for _ in range(pools.size("background")):
            await taken.enter_async_context(pools.database.background_transaction())

        async def wants_one() -> None:
            async with pools.database.background_transaction():
                pass

        waiting = asyncio.create_task(wants_one())
        await pools.one_waits("background")
    await waiting
    assert pools.tell("in_use", "background") == pools.tell("waiting", "background") == 0


async def test_a_single_statement_uses_its_own_pool_o3(pools: Pools) -> None:
    async with pools.database.bare_connection():
        assert pools.tell("in_use", "single_statements") == 1
        assert pools.tell("in_use") == 0
