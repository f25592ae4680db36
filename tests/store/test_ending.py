"""Rule 5: a grant ends only when nobody else can have a newer set of it (R8, R9)."""

import pytest

from tests.store.conftest import Rows
from tests.store.holder import Holder
from xero_service.domain import Grant, GrantStatus
from xero_service.store.database import Database

TAKEN_OVER = "lease_until = now() - interval '1 s'"
SOMEBODY_ELSE = "refresh_sent_by = gen_random_uuid()"


@pytest.fixture
async def holder(database: Database, grant: Grant) -> Holder:
    return await Holder.of(database, grant)


@pytest.fixture
async def successor(database: Database, rows: Rows, grant: Grant, holder: Holder) -> Holder:
    """The lease of a second holder, which claimed it after the first holder's had expired."""
    await rows.alter(grant, TAKEN_OVER)
    return await Holder.of(database, grant)


async def test_a_refused_grant_ends(rows: Rows, grant: Grant, holder: Holder) -> None:
    assert await holder.marks_dead()

    found = await rows.read(grant.id)
    assert (found.status, found.last_error) == (GrantStatus.REFRESH_FAILED, "invalid_grant")
    assert (found.lease_until, found.refresh_sent_at) == (None, None)


@pytest.mark.parametrize(
    "meanwhile",
    [
        "generation = generation + 1",
        "lease_holder = gen_random_uuid()",
        "lease_holder = NULL",
        SOMEBODY_ELSE,
        f"{SOMEBODY_ELSE}, refresh_sent_at = now() - interval '60 s'",
    ],
    ids=[
        "a newer set exists",
        "somebody else holds the lease",
        "the lease was given back",
        "somebody else's attempt is open",
        "somebody else's attempt is still open",
    ],
)
async def test_a_grant_does_not_end_while_the_refusal_may_be_somebody_elses_doing(
    rows: Rows, grant: Grant, holder: Holder, meanwhile: str
) -> None:
    """R8, rule 5."""
    await rows.alter(grant, meanwhile)

    assert not await holder.marks_dead()

    assert (await rows.row(grant))["status"] == "active"


@pytest.mark.parametrize(
    "meanwhile",
    [
        f"{SOMEBODY_ELSE}, refresh_sent_at = now() - interval '91 s'",
        "refresh_sent_by = NULL, refresh_sent_at = NULL",
        TAKEN_OVER,
    ],
    ids=["their attempt is long over", "no attempt is open", "the lease ran out unclaimed"],
)
async def test_a_grant_ends_when_nobody_else_can_have_a_newer_set(
    rows: Rows, grant: Grant, holder: Holder, meanwhile: str
) -> None:
    """R9, rule 5."""
    await rows.alter(grant, meanwhile)

    assert await holder.marks_dead()


async def test_a_revoked_grant_that_is_refused_stays_revoked(
    rows: Rows, grant: Grant, holder: Holder
) -> None:
    await rows.alter(grant, "status = 'revoked'")

    assert await holder.marks_dead()

    assert (await rows.row(grant))["status"] == "revoked"


async def test_an_older_attempt_keeps_a_successor_from_ending_the_grant(
    successor: Holder,
) -> None:
    """R8, rule 5: the paused holder may still save a rotated set."""
    assert not await successor.marks_dead()
