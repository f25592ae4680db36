"""Rule 3: one holder at a time can claim the refresh of a grant, by the database's clock."""

import asyncio
from datetime import timedelta
from uuid import uuid4

import pytest

from tests.store.conftest import Rows, consent
from xero_service.domain import Grant, RefreshLease
from xero_service.store.database import Database
from xero_service.store.grant_refreshes import SEVERAL

TTL = timedelta(seconds=30)


async def claim(
    database: Database, seen: Grant, *, even_revoked: bool = False
) -> RefreshLease | None:
    async with database.transaction() as tx:
        return await tx.grant_refreshes.claim_refresh(
            seen, holder=uuid4(), ttl=TTL, even_revoked=even_revoked
        )


async def test_of_many_who_claim_at_once_one_holds(database: Database, grant: Grant) -> None:
    """R1."""
    leases = await asyncio.gather(*(claim(database, grant) for _ in range(5)))

    assert sum(lease is not None for lease in leases) == 1


async def test_a_claim_notes_the_intent_to_send(
    database: Database, rows: Rows, grant: Grant
) -> None:
    lease = await claim(database, grant)

    row = await rows.row(grant)
    assert lease is not None
    assert (row["lease_holder"], row["refresh_sent_by"]) == (lease.holder, lease.holder)
    assert row["lease_until"] - row["refresh_sent_at"] == pytest.approx(TTL, abs=TTL / 30)


async def test_a_lease_that_ran_out_is_free(database: Database, rows: Rows, grant: Grant) -> None:
    """R2."""
    first = await claim(database, grant)
    await rows.alter(grant, "lease_until = clock_timestamp() - interval '1 microsecond'")

    second = await claim(database, grant)

    assert first is not None
    assert second is not None
    assert second.holder != first.holder


async def test_a_second_attempt_does_not_hide_the_first(
    database: Database, rows: Rows, grant: Grant
) -> None:
    """R8, rule 5: the time of the oldest stays, and one answer does not settle both."""
    first = await claim(database, grant)
    await rows.alter(grant, "lease_until = now() - interval '1 s'")
    marked = await rows.row(grant)

    await claim(database, grant)

    row = await rows.row(grant)
    assert first is not None
    assert row["refresh_sent_by"] == SEVERAL
    assert row["refresh_sent_at"] == marked["refresh_sent_at"]


async def test_the_time_within_a_long_transaction_is_the_time_now(
    database: Database, rows: Rows, grant: Grant
) -> None:
    """A lease that expires while a transaction waits is free for that transaction."""
    await rows.alter(grant, f"lease_holder = '{uuid4()}', lease_until = now() + interval '1 day'")

    async with database.transaction() as tx:
        await tx.grants.get(uuid4())
        await rows.alter(grant, "lease_until = clock_timestamp()")
        lease = await tx.grant_refreshes.claim_refresh(grant, holder=uuid4(), ttl=TTL)

    assert lease is not None


@pytest.mark.parametrize(
    "meanwhile",
    [
        "generation = generation + 1",
        "status = 'refresh_failed'",
        "status = 'revoked'",
        "refresh_token_enc = NULL",
    ],
)
async def test_a_grant_that_changed_meanwhile_is_not_claimed(
    database: Database, rows: Rows, grant: Grant, meanwhile: str
) -> None:
    await rows.alter(grant, meanwhile)

    assert await claim(database, grant) is None


async def test_a_disconnect_claims_a_revoked_grant_too(
    database: Database, rows: Rows, grant: Grant
) -> None:
    """R19, rule 8: a disconnect settles an interrupted attempt before it revokes."""
    await rows.alter(grant, "status = 'revoked'")

    assert await claim(database, grant, even_revoked=True) is not None


async def test_but_not_one_whose_tokens_are_erased(
    database: Database, rows: Rows, grant: Grant
) -> None:
    await rows.alter(grant, "status = 'revoked', refresh_token_enc = NULL")

    assert await claim(database, grant, even_revoked=True) is None


async def test_a_grant_that_is_held_is_not_claimed(database: Database, grant: Grant) -> None:
    async with database.transaction() as tx:
        assert await tx.grant_refreshes.acquire_lease(grant.id, holder=uuid4(), ttl=TTL) is not None

    assert await claim(database, grant) is None


async def test_a_grant_that_is_claimed_is_not_held(database: Database, grant: Grant) -> None:
    await claim(database, grant)

    async with database.transaction() as tx:
        assert await tx.grant_refreshes.acquire_lease(grant.id, holder=uuid4(), ttl=TTL) is None


async def test_holding_marks_no_attempt(database: Database, rows: Rows, grant: Grant) -> None:
    async with database.transaction() as tx:
        await tx.grant_refreshes.acquire_lease(grant.id, holder=uuid4(), ttl=TTL)

    assert (await rows.row(grant))["refresh_sent_at"] is None


async def test_a_lease_is_given_back_by_its_holder_alone(
    database: Database, rows: Rows, grant: Grant
) -> None:
    holder = uuid4()
    async with database.transaction() as tx:
        await tx.grant_refreshes.acquire_lease(grant.id, holder=holder, ttl=TTL)

    async with database.transaction() as tx:
        await tx.grant_refreshes.release_lease(grant.id, holder=uuid4())
    kept = await rows.row(grant)
    async with database.transaction() as tx:
        await tx.grant_refreshes.release_lease(grant.id, holder=holder)

    assert kept["lease_holder"] == holder
    assert (await rows.row(grant))["lease_holder"] is None


async def test_a_newer_consent_ends_the_leases_of_older_ones(
    database: Database, rows: Rows, grant: Grant
) -> None:
    await claim(database, grant)

    await rows.grant(consent(name="2"))

    row = await rows.row(grant)
    assert [row[name] for name in ("lease_holder", "lease_until", "refresh_sent_at")] == [None] * 3
