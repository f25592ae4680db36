"""A named lease has one holder at a time, across replicas and by the database's clock."""

import asyncio
from datetime import datetime, timedelta
from uuid import UUID, uuid4

import asyncpg
import pytest

from xero_service.store.database import Database

TTL = timedelta(seconds=30)


async def claim(database: Database, holder: UUID, name: str = "exchange") -> datetime | None:
    async with database.transaction() as tx:
        return await tx.leases.claim(name, holder=holder, ttl=TTL)


async def release(database: Database, holder: UUID) -> None:
    async with database.transaction() as tx:
        await tx.leases.release("exchange", holder=holder)


async def test_of_many_who_claim_at_once_one_holds(database: Database) -> None:
    """R19b: exchanges of codes run one at a time."""
    claims = await asyncio.gather(*(claim(database, uuid4()) for _ in range(5)))

    assert sum(at is not None for at in claims) == 1


async def test_a_claim_returns_the_databases_time(
    database: Database, sql: asyncpg.Connection
) -> None:
    at = await claim(database, uuid4())

    until = await sql.fetchval("SELECT lease_until FROM leases")
    assert at is not None
    assert until - at == pytest.approx(TTL, abs=timedelta(seconds=1))


async def test_a_held_lease_is_not_claimed_even_by_its_holder(database: Database) -> None:
    holder = uuid4()
    await claim(database, holder)

    assert await claim(database, holder) is None


async def test_leases_of_different_names_do_not_meet(database: Database) -> None:
    await claim(database, uuid4())

    assert await claim(database, uuid4(), "another") is not None


async def test_a_lease_that_ran_out_is_free(database: Database, sql: asyncpg.Connection) -> None:
    await claim(database, uuid4())

    await sql.execute("UPDATE leases SET lease_until = clock_timestamp()")

    assert await claim(database, uuid4()) is not None


async def test_a_released_lease_is_free(database: Database) -> None:
    holder = uuid4()
    await claim(database, holder)

    await release(database, holder)

    assert await claim(database, uuid4()) is not None


async def test_a_late_release_does_not_end_a_successors_lease(
    database: Database, sql: asyncpg.Connection
) -> None:
    late, successor = uuid4(), uuid4()
    await claim(database, late)
    await sql.execute("UPDATE leases SET lease_until = clock_timestamp()")
    await claim(database, successor)

    await release(database, late)

    assert await sql.fetchval("SELECT holder FROM leases") == successor
