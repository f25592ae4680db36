"""USE of the database connections: size, in use, waiting, and the time that callers waited."""

import asyncio
from contextlib import AsyncExitStack

import pytest

from tests.metrics.scrape import Samples, parsed, value
from tests.world import World, until
from xero_service.errors import ServiceBusy

NAME = "xero_service_database_pool"


async def scraped(world: World) -> Samples:
    """As a scrape, without its own use of the database."""
    world.services.state_metrics.measure_pools()
    return parsed(world.services.metrics.render().decode())


async def test_a_pool_tells_how_many_are_in_use_and_how_many_callers_wait_o3(world: World) -> None:
    database = world.services.database
    size = database.pool_use()["transactions"].size
    async with AsyncExitStack() as taken:
        for _ in range(size):
            await taken.enter_async_context(database.transaction())
        waiting = asyncio.create_task(database.require_writes())

        async def waits() -> bool:
            return value(await scraped(world), f"{NAME}_waiting", pool="transactions") == 1

        await until(waits)
        found = await scraped(world)
        assert value(found, f"{NAME}_size", pool="transactions") == size
        assert value(found, f"{NAME}_in_use", pool="transactions") == size
        assert value(found, f"{NAME}_wait_seconds_count", pool="transactions") == 0
    await waiting

    found = await scraped(world)
    assert value(found, f"{NAME}_in_use", pool="transactions") == 0
    assert value(found, f"{NAME}_waiting", pool="transactions") == 0
    assert value(found, f"{NAME}_wait_seconds_count", pool="transactions") == 1
    assert value(found, f"{NAME}_timeouts_total", pool="transactions") == 0


@pytest.mark.real_pool_wait
async def test_a_caller_that_got_no_connection_is_counted_o3(world: World) -> None:
    database = world.services.database
    async with AsyncExitStack() as taken:
        for _ in range(database.pool_use()["transactions"].size):
            await taken.enter_async_context(database.transaction())
        with pytest.raises(ServiceBusy):
            await database.require_writes()

    found = await scraped(world)
    assert value(found, f"{NAME}_timeouts_total", pool="transactions") == 1
    assert value(found, f"{NAME}_wait_seconds_count", pool="transactions") == 1
    assert value(found, f"{NAME}_waiting", pool="transactions") == 0


async def test_background_work_that_waits_for_its_half_is_told_o3(world: World) -> None:
    database = world.services.database
    async with AsyncExitStack() as taken:
        for _ in range(database.pool_use()["background"].size):
            await taken.enter_async_context(database.background_transaction())

        async def wants_one() -> None:
            async with database.background_transaction():
                pass

        waiting = asyncio.create_task(wants_one())

        async def waits() -> bool:
            return value(await scraped(world), f"{NAME}_waiting", pool="background") == 1

        await until(waits)
    await waiting
    assert value(await scraped(world), f"{NAME}_in_use", pool="background") == 0
