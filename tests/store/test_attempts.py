"""An authorisation attempt is consumed once, before it expires (S20, S27)."""

import asyncio
from datetime import timedelta
from uuid import uuid4

import asyncpg
import pytest

from xero_service.store.database import Database

LIFETIME = timedelta(minutes=10)


async def consume(database: Database, identifier: str = "hash-1") -> str | None:
    async with database.transaction() as tx:
        return await tx.attempts.consume(identifier)


async def somebody_waits(sql: asyncpg.Connection) -> None:
    """Return once a transaction waits for another's row."""
    waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted AND locktype = 'transactionid'"
    async with asyncio.timeout(10):
        while not await sql.fetchval(waiting):
            pass


@pytest.fixture(autouse=True)
async def attempt(database: Database) -> None:
    async with database.transaction() as tx:
        await tx.attempts.add(
            "hash-1", sealed_payload="sealed", browser_hash="browser", lifetime=LIFETIME
        )


async def expire(sql: asyncpg.Connection, ago: str = "0 s") -> None:
    await sql.execute(
        "UPDATE verification_tokens SET expires = clock_timestamp() - $1::text::interval", ago
    )


async def test_an_attempt_is_consumed_once(database: Database) -> None:
    first = await consume(database)
    second = await consume(database)

    assert (first, second) == ("sealed", None)


async def test_of_many_callbacks_at_once_one_consumes(database: Database) -> None:
    """S27."""
    payloads = await asyncio.gather(*(consume(database) for _ in range(5)))

    assert sorted(filter(None, payloads)) == ["sealed"]


async def test_a_callback_waits_for_one_that_is_not_committed_and_then_gets_nothing(
    database: Database, sql: asyncpg.Connection
) -> None:
    """S27: in two transactions that overlap."""
    async with database.transaction() as tx:
        first = await tx.attempts.consume("hash-1")
        second = asyncio.create_task(consume(database))
        await somebody_waits(sql)

    assert (first, await second) == ("sealed", None)


async def test_a_callback_that_rolls_back_leaves_the_attempt_to_the_next(
    database: Database,
) -> None:
    async def fail() -> None:
        async with database.transaction() as tx:
            await tx.attempts.consume("hash-1")
            raise LookupError

    with pytest.raises(LookupError):
        await fail()

    assert await consume(database) == "sealed"


async def test_consuming_erases_the_payload(database: Database, sql: asyncpg.Connection) -> None:
    await consume(database)

    row = await sql.fetchrow("SELECT token, consumed_at FROM verification_tokens")
    assert row is not None
    assert (row["token"], row["consumed_at"] is None) == (None, False)


async def test_an_expired_attempt_cannot_be_consumed(
    database: Database, sql: asyncpg.Connection
) -> None:
    """S20."""
    await expire(sql)

    assert await consume(database) is None


async def test_an_unknown_attempt_cannot_be_consumed(database: Database) -> None:
    """S20."""
    assert await consume(database, "hash-2") is None


async def test_what_became_of_an_attempt_is_known(
    database: Database, sql: asyncpg.Connection
) -> None:
    await consume(database)
    async with database.transaction() as tx:
        await tx.attempts.record_landing("hash-1", "/settings?x=1", uuid4())
    await expire(sql)

    async with database.transaction() as tx:
        found = await tx.attempts.find("hash-1")

    assert found is not None
    assert (found.browser_hash, found.landing) == ("browser", "/settings?x=1")
    assert found.consumed


@pytest.mark.parametrize(("ago", "deleted"), [("59 minutes", 0), ("61 minutes", 1)])
async def test_attempts_are_deleted_once_they_are_long_expired(
    database: Database, sql: asyncpg.Connection, ago: str, deleted: int
) -> None:
    await expire(sql, ago)

    async with database.transaction() as tx:
        assert await tx.attempts.delete_expired(since=timedelta(hours=1)) == deleted
