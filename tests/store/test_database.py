"""The pools raise ServiceBusy in time, for outages and not for wrong statements."""

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any
from urllib.parse import urlsplit

import asyncpg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from demo.postgres import Postgres
from tests.world import until
from xero_service.errors import ServiceBusy
from xero_service.store.database import Database
from xero_service.store.transaction import Transaction


async def ask(database: Database, question: str = "SELECT 1") -> object:
    async with database.transaction() as tx:
        return await tx.connection.scalar(text(question))


async def ask_in(tx: Transaction) -> None:
    await tx.connection.scalar(text("SELECT 1"))


async def ask_in_the_background(database: Database) -> None:
    async with database.background_autocommit() as tx:
        await ask_in(tx)


async def ask_the_driver(database: Database, question: str = "SELECT 1") -> object:
    found = await database.fetch_one(question)
    return found[0] if found else None


async def now(true: bool) -> bool:
    return true


def in_use(database: Database, ask: "Ask") -> AbstractAsyncContextManager[Any]:
    """Hold the one connection that `ask` uses."""
    return database.transaction() if ask is not ask_the_driver else database.bare_connection()


Ask = Callable[..., Coroutine[Any, Any, object]]
asks = pytest.mark.parametrize("ask", [ask, ask_the_driver], ids=["transaction", "driver"])
directly = pytest.mark.skipif(
    "PGBOUNCER" in os.environ, reason="which of the server's sessions is asked PgBouncer decides"
)
CUT_THE_SLEEPER = (
    "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
    " WHERE wait_event = 'PgSleep' AND datname = current_database()"
)
NO_SESSION = (
    "SELECT count(*) = 0 FROM pg_stat_activity"
    " WHERE datname = current_database() AND pid <> pg_backend_pid()"
)
SLEEPERS = (
    "SELECT count(*) FROM pg_stat_activity"
    " WHERE wait_event = 'PgSleep' AND datname = current_database()"
)


@pytest.fixture
async def narrow(database_url: str, prepared_statements: bool) -> AsyncIterator[Database]:
    """A pool of one connection."""
    opened = Database(database_url, pool_size=1, prepared_statements=prepared_statements)
    yield opened
    await opened.close()


@pytest.mark.parametrize("prepared", [True, False])
async def test_a_database_answers_with_and_without_prepared_statements(
    database_url: str, prepared: bool
) -> None:
    database = Database(database_url, pool_size=1, prepared_statements=prepared)

    answers = [await ask(database), await ask(database)]

    await database.close()
    assert answers == [1, 1]


@asks
@pytest.mark.real_pool_wait
async def test_a_pool_in_use_is_busy(narrow: Database, ask: Ask) -> None:
    """R14."""
    async with in_use(narrow, ask):
        with pytest.raises(ServiceBusy) as busy:
            await ask(narrow)

    assert busy.value.retry_after == 1


@asks
async def test_a_pool_in_use_serves_again_once_it_is_free(narrow: Database, ask: Ask) -> None:
    async with in_use(narrow, ask):
        waiting = asyncio.create_task(ask(narrow))

    assert await waiting == 1


@asynccontextmanager
async def silent_database() -> AsyncIterator[tuple[str, list[asyncio.StreamWriter]]]:
    """A listener that accepts and never answers: its URL, and the connections it accepted."""
    accepted: list[asyncio.StreamWriter] = []

    async def keep(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        accepted.append(writer)

    async with await asyncio.start_server(keep, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        try:
            yield f"postgresql://nobody@127.0.0.1:{port}/none?sslmode=disable", accepted
        finally:
            for writer in accepted:
                writer.close()


@pytest.mark.real_pool_wait
async def test_callers_of_a_silent_database_share_one_attempt_to_check_it_first_e3() -> None:
    """E3, R14: callers during the first attempt get ServiceBusy and do not connect."""
    async with silent_database() as (url, attempts):
        database = Database(f"{url}&connect_timeout=20", pool_size=10, prepared_statements=True)
        database.check_first(ask_in)
        first = asyncio.create_task(ask(database))
        await until(lambda: now(bool(attempts)))

        ways = (ask, ask_the_driver, ask_in_the_background) * 2
        others = await asyncio.gather(*(way(database) for way in ways), return_exceptions=True)

        assert [type(each) for each in others] == [ServiceBusy] * len(ways)
        assert len(attempts) == 1
        attempts[0].close()
        with pytest.raises(ServiceBusy):
            await first
        await database.close()


@asks
@directly
async def test_a_connection_in_use_is_closed_with_its_pool_a4(
    narrow: Database, sql: asyncpg.Connection, ask: Ask
) -> None:
    """The server's sessions end, and a caller that continues gets ServiceBusy."""
    closed, ended = asyncio.Event(), asyncio.Event()

    async def use() -> None:
        async with in_use(narrow, ask) as used:
            await narrow.close()
            closed.set()
            await ended.wait()
            if isinstance(used, Transaction):
                await used.connection.scalar(text("SELECT 1"))
            else:
                await used.fetchval("SELECT 1")

    using = asyncio.create_task(use())
    await closed.wait()
    await until(lambda: sql.fetchval(NO_SESSION))
    ended.set()

    with pytest.raises(ServiceBusy):
        await using


@asks
async def test_a_server_that_is_away_is_busy(ask: Ask) -> None:
    away = Database("postgresql://u@/n?host=/nowhere", pool_size=1, prepared_statements=True)

    with pytest.raises(ServiceBusy):
        await ask(away)


async def test_a_host_that_refuses_is_busy() -> None:
    refusing = Database("postgresql://u@127.0.0.1:1/n", pool_size=1, prepared_statements=True)

    with pytest.raises(ServiceBusy):
        await ask(refusing)


@pytest.fixture
def crowded_url(postgres_server: Postgres, direct_url: str) -> Iterator[str]:
    """The URL of a user whose connection limit is reached."""
    role = f"crowded_{urlsplit(direct_url).path[1:]}"
    postgres_server.execute(f'CREATE ROLE "{role}" LOGIN CONNECTION LIMIT 0')
    parts = urlsplit(direct_url)
    yield parts._replace(netloc=f"{role}@{parts.netloc.rpartition('@')[2]}").geturl()
    postgres_server.execute(f'DROP ROLE "{role}"')


@asks
async def test_a_server_without_room_is_busy(crowded_url: str, ask: Ask) -> None:
    crowded = Database(crowded_url, pool_size=1, prepared_statements=True)

    with pytest.raises(ServiceBusy):
        await ask(crowded)

    await crowded.close()


async def test_a_database_that_is_gone_is_busy(
    narrow: Database, postgres_server: Postgres, database_url: str
) -> None:
    await ask(narrow)
    postgres_server.drop_database(database_url)

    with pytest.raises(ServiceBusy):
        await ask(narrow)
    with pytest.raises(ServiceBusy):
        await ask(narrow)


@asks
@directly
async def test_a_connection_that_was_cut_while_idle_costs_nobody_a_request_r15(
    narrow: Database, sql: asyncpg.Connection, ask: Ask
) -> None:
    closed = await closing(narrow, ask)
    backend = await ask(narrow, "SELECT pg_backend_pid()")
    await sql.execute("SELECT pg_terminate_backend($1, 5000)", backend)
    await happens(closed)

    assert await ask(narrow, "SELECT pg_backend_pid()") != backend


async def closing(database: Database, ask: Ask, first: str = "SELECT 1") -> asyncio.Event:
    """Run a statement on the connection of a pool of one; the event is set once that closes."""
    closed = asyncio.Event()
    async with in_use(database, ask) as used:
        driver = used
        if isinstance(used, Transaction):
            driver = (await used.connection.get_raw_connection()).driver_connection
        await driver.execute(first)
        driver.add_termination_listener(lambda _: closed.set())
    return closed


async def happens(event: asyncio.Event) -> None:
    async with asyncio.timeout(10):
        await event.wait()


@asks
@directly
async def test_a_server_that_only_reads_is_busy_once_and_is_left_r15(
    narrow: Database, ask: Ask
) -> None:
    """After a failover the old primary is a standby, and the pool's connections lead to it."""
    only_reads = "SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY"
    closed = await closing(narrow, ask, only_reads)
    backend = await ask(narrow, "SELECT pg_backend_pid()")

    with pytest.raises(ServiceBusy):
        await ask(narrow, "SELECT lo_create(0)")

    await happens(closed)
    assert await ask(narrow, "SELECT pg_backend_pid()") != backend
    assert await ask(narrow, "SELECT lo_create(0)")


@asks
async def test_a_standby_without_an_unlogged_table_is_busy_once_and_is_left_r15(
    narrow: Database, ask: Ask
) -> None:
    """PostgreSQL answers with 0A000 (feature not supported), not with 25006 (read-only)."""
    closed = await closing(narrow, ask)

    with pytest.raises(ServiceBusy):
        await ask(
            narrow, "DO $$ BEGIN RAISE EXCEPTION 'in recovery' USING ERRCODE = '0A000'; END $$"
        )

    await happens(closed)
    assert await ask(narrow) == 1


async def test_a_connection_out_of_step_is_busy_once_and_is_left_r15(narrow: Database) -> None:
    """A server that stops sends a message on an idle connection before it closes it."""
    closed = await closing(narrow, ask_the_driver)
    with pytest.raises(ServiceBusy):
        async with narrow.bare_connection():
            raise asyncpg.InternalClientError("another operation (2) is in progress")

    await happens(closed)
    assert await ask_the_driver(narrow) == 1


async def test_a_connection_whose_caller_left_is_not_lent_again(
    narrow: Database, sql: asyncpg.Connection
) -> None:
    """The answer to the cancelled statement may arrive at any time, or never."""
    closed = await closing(narrow, ask_the_driver)
    asking = asyncio.create_task(ask_the_driver(narrow, "SELECT pg_sleep(60)"))

    async def sleeps() -> bool:
        return bool(await sql.fetchval(SLEEPERS))

    await until(sleeps)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking

    await happens(closed)
    assert await ask_the_driver(narrow) == 1


@asks
async def test_a_connection_that_is_cut_while_it_is_asked_is_busy(
    narrow: Database, sql: asyncpg.Connection, ask: Ask
) -> None:
    """R15: what a restart of the server looks like."""
    asking = asyncio.create_task(ask(narrow, "SELECT pg_sleep(60)"))
    async with asyncio.timeout(10):
        while not await sql.fetchval(CUT_THE_SLEEPER):
            pass

    with pytest.raises(ServiceBusy):
        await asking

    assert await ask(narrow) == 1


async def test_a_connection_that_is_cut_in_a_transaction_is_busy(
    narrow: Database, sql: asyncpg.Connection
) -> None:
    async def cut_off() -> None:
        async with narrow.transaction() as tx:
            backend = await tx.connection.scalar(text("SELECT pg_backend_pid()"))
            await sql.execute("SELECT pg_terminate_backend($1, 5000)", backend)
            await tx.connection.execute(text("SELECT 1"))

    with pytest.raises(ServiceBusy):
        await cut_off()


@asks
async def test_a_mistake_in_a_statement_is_no_outage(narrow: Database, ask: Ask) -> None:
    with pytest.raises((DBAPIError, asyncpg.UndefinedColumnError)):
        await ask(narrow, "SELECT nothing_of_that_name")


async def test_a_deadlock_passes_by_itself(narrow: Database) -> None:
    with pytest.raises(ServiceBusy):
        await ask(narrow, "DO $$ BEGIN RAISE EXCEPTION 'x' USING ERRCODE = '40P01'; END $$")
