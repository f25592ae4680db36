"""R32: a new replica serves nothing before its first check of the database has passed.

nginx sends requests to a container as soon as its port is open. Of the requests that meet the
first check one runs it, and the others do not wait longer than for a connection.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import asyncpg
import pytest

from tests.world import Application, World, until
from xero_service import wiring
from xero_service.settings import Settings

WAITS_FOR_A_LOCK = """
    SELECT count(*) FROM pg_stat_activity
    WHERE datname = current_database() AND wait_event_type = 'Lock'
    """


@pytest.fixture
async def lock(world: World, database_url: str) -> AsyncIterator[asyncpg.Connection]:
    """A session whose transaction keeps the first check from reading the grants."""
    session = await asyncpg.connect(database_url)
    await session.execute("BEGIN; LOCK TABLE integration_grants")
    yield session
    await session.close()


async def test_a_replica_opens_its_port_when_the_first_check_has_passed_r32(
    world: World, settings: Settings, lock: asyncpg.Connection
) -> None:
    async with AsyncExitStack() as stack:
        starting = asyncio.create_task(stack.enter_async_context(Application.running(settings)))

        async def is_checking_or_serves() -> bool:
            return starting.done() or bool(await world.database.fetchval(WAITS_FOR_A_LOCK))

        await until(is_checking_or_serves)
        serves_too_early = starting.done()
        await lock.execute("COMMIT")
        await starting

    assert not serves_too_early


async def test_a_replica_serves_all_the_same_where_the_first_check_takes_too_long_r32(
    settings: Settings, lock: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """E3: the first request checks; a request that the check delays is answered 503."""
    monkeypatch.setattr(wiring, "FIRST_CHECK_SECONDS", 0.01)

    async with Application.running(settings) as application, application.http() as http:
        alive = await http.get("/healthz")
        waiting = asyncio.create_task(http.get("/readyz"))
        await lock.execute("COMMIT")
        ready = await waiting

    assert (alive.status_code, ready.status_code) == (200, 200)
