"""A pending cleanup is claimed by one replica at a time and kept until it ends."""

from datetime import timedelta

import asyncpg
import pytest

from tests.store.conftest import XERO_USER
from xero_service.domain import Cleanup, CleanupKind, CleanupOutcome, Grant
from xero_service.store.database import Database
from xero_service.store.remote_cleanups import NewCleanup

HIDDEN = timedelta(minutes=1)


async def owe(database: Database, grant: Grant, kind: CleanupKind, tenant: str = "t") -> Cleanup:
    async with database.transaction() as tx:
        return await tx.cleanups.add(
            NewCleanup(
                kind, "org_acme", grant.id, XERO_USER, tenant_id=tenant, connection_id=f"c-{tenant}"
            )
        )


@pytest.fixture
async def owed(database: Database, grant: Grant) -> list[Cleanup]:
    """Three deletions, the oldest first."""
    return [await owe(database, grant, CleanupKind.DELETE_CONNECTION, tenant) for tenant in "abc"]


async def take(database: Database, limit: int = 10) -> list[object]:
    async with database.transaction() as tx:
        return list(await tx.cleanups.claim_due(limit=limit, hidden_for=HIDDEN))


async def outcomes(sql: asyncpg.Connection) -> list[str | None]:
    rows = await sql.fetch("SELECT outcome FROM remote_cleanups ORDER BY created_at")
    return [row["outcome"] for row in rows]


async def test_two_replicas_at_once_take_different_ones(
    database: Database, owed: list[Cleanup]
) -> None:
    async with database.transaction() as first:
        mine = await first.cleanups.claim_due(limit=2, hidden_for=HIDDEN)

        theirs = await take(database)

    assert [len(mine), len(theirs)] == [2, 1]
    assert {*mine, *theirs} == {each.id for each in owed}


async def test_the_longest_due_are_taken_first(database: Database, owed: list[Cleanup]) -> None:
    assert set(await take(database, 2)) == {owed[0].id, owed[1].id}


async def test_what_was_taken_is_hidden_for_a_while(
    database: Database, sql: asyncpg.Connection, owed: list[Cleanup]
) -> None:
    await take(database)
    hidden = await take(database)
    await sql.execute("UPDATE remote_cleanups SET next_attempt_at = clock_timestamp()")

    assert (hidden, len(await take(database))) == ([], 3)


async def test_what_was_postponed_is_not_due(database: Database, owed: list[Cleanup]) -> None:
    async with database.transaction() as tx:
        await tx.cleanups.postpone(owed[0].id, timedelta(hours=1))

    assert owed[0].id not in await take(database)


async def test_a_failed_attempt_is_counted(database: Database, owed: list[Cleanup]) -> None:
    async with database.transaction() as tx:
        await tx.cleanups.postpone(owed[0].id, timedelta(hours=1))
        found = await tx.cleanups.lock_pending(owed[0].id)

    assert found is not None
    assert found.attempts == 1


async def test_what_ended_is_no_longer_owed(database: Database, owed: list[Cleanup]) -> None:
    async with database.transaction() as tx:
        await tx.cleanups.finish(owed[0].id, CleanupOutcome.DONE)

    async with database.transaction() as tx:
        assert await tx.cleanups.lock_pending(owed[0].id) is None
        assert (await tx.state.read()).cleanups == 2
    assert set(await take(database)) == {owed[1].id, owed[2].id}


async def test_an_outcome_does_not_change(
    database: Database, sql: asyncpg.Connection, owed: list[Cleanup]
) -> None:
    async with database.transaction() as tx:
        await tx.cleanups.finish(owed[0].id, CleanupOutcome.DONE)
        await tx.cleanups.finish(owed[0].id, CleanupOutcome.IMPOSSIBLE)

    assert await outcomes(sql) == ["done", None, None]


async def test_a_newer_consent_leaves_of_a_revocation_what_it_was_to_disconnect(
    database: Database, sql: asyncpg.Connection, grant: Grant, owed: list[Cleanup]
) -> None:
    """R19, rule 1."""
    await owe(database, grant, CleanupKind.REVOKE)

    async with database.transaction() as tx:
        await tx.cleanups.cancel_revocations("another user")
        await tx.cleanups.cancel_revocations(XERO_USER)

    assert await outcomes(sql) == [None, None, None, "cancelled", None]
    kinds = await sql.fetch("SELECT kind FROM remote_cleanups ORDER BY created_at, id")
    assert [row["kind"] for row in kinds].count("delete_connection") == 4


async def test_a_newer_consent_cancels_the_deletion_of_what_it_reaches(
    database: Database, sql: asyncpg.Connection, owed: list[Cleanup]
) -> None:
    """R19, rule 8: a pending deletion never undoes a later consent."""
    async with database.transaction() as tx:
        await tx.cleanups.cancel_deletions(XERO_USER, ["a", "c", "another"])

    assert await outcomes(sql) == ["cancelled", None, "cancelled"]
