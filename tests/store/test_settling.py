"""Rules 4 and 5: a rotated set is saved by generation, and a grant ends only for good reason."""

from datetime import timedelta

import pytest

from tests.store.conftest import Rows, consent
from tests.store.holder import Holder
from xero_service.domain import Grant
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


async def test_a_save_replaces_the_set_and_settles_everything(
    rows: Rows, grant: Grant, holder: Holder
) -> None:
    await rows.alter(grant, "refresh_failures = 3, last_error = 'x', next_refresh_at = now()")

    assert await holder.saves()

    row = await rows.row(grant)
    assert (row["access_token_enc"], row["refresh_token_enc"]) == ("access-2", "refresh-2")
    assert (row["generation"], row["refresh_failures"]) == (grant.generation + 1, 0)
    settled = ("lease_holder", "lease_until", "refresh_sent_at", "refresh_sent_by")
    assert [row[name] for name in (*settled, "last_error", "next_refresh_at")] == [None] * 6


async def test_a_generation_is_saved_once(rows: Rows, grant: Grant, holder: Holder) -> None:
    await holder.saves("2")

    assert not await holder.saves("3")

    assert (await rows.row(grant))["refresh_token_enc"] == "refresh-2"


async def test_a_holder_that_slept_through_its_lease_may_still_save(
    rows: Rows, grant: Grant, holder: Holder, successor: Holder
) -> None:
    """R7, rule 4: the late holder may have the only valid token."""
    assert await holder.saves()

    assert not await successor.saves("3")
    assert (await rows.row(grant))["refresh_token_enc"] == "refresh-2"


async def test_a_save_after_the_tokens_were_erased_is_refused(
    rows: Rows, grant: Grant, holder: Holder
) -> None:
    """R19, rule 8: no late save restores tokens after Xero confirmed the revocation."""
    await rows.alter(grant, "status = 'revoked', refresh_token_enc = NULL, access_token_enc = NULL")

    assert not await holder.saves()


async def test_a_save_after_a_newer_consent_is_refused(
    rows: Rows, grant: Grant, holder: Holder
) -> None:
    """R19, rule 1."""
    await rows.grant(consent(name="newer"))

    assert not await holder.saves()

    assert (await rows.row(grant))["refresh_token_enc"] is None


@pytest.mark.parametrize(
    ("before", "after"), [("refresh_failed", "active"), ("revoked", "revoked")]
)
async def test_a_save_revives_a_grant_thought_dead_but_not_a_revoked_one(
    rows: Rows, grant: Grant, holder: Holder, before: str, after: str
) -> None:
    await rows.alter(grant, f"status = '{before}'")

    assert await holder.saves()

    assert (await rows.row(grant))["status"] == after


async def test_a_failure_gives_the_lease_back_and_says_when_to_try_again(
    rows: Rows, grant: Grant, holder: Holder
) -> None:
    await holder.fails(answered=True)

    found = await rows.read(grant.id)
    assert (found.refresh_failures, found.last_error) == (1, "xero_unavailable")
    assert timedelta(seconds=6) < found.backs_off_for() <= timedelta(seconds=7)
    assert (found.lease_until, found.refresh_sent_at) == (None, None)


async def test_a_failure_without_an_answer_leaves_the_attempt_open(
    rows: Rows, grant: Grant, holder: Holder
) -> None:
    """R3, rule 4: the next caller or replica retries it."""
    await holder.fails(answered=False)

    row = await rows.row(grant)
    assert row["lease_holder"] is None
    assert row["refresh_sent_by"] == holder.lease.holder


async def test_a_silence_keeps_the_lease_for_the_answer_that_may_come(
    rows: Rows, grant: Grant, holder: Holder
) -> None:
    await holder.hears_nothing()

    row = await rows.row(grant)
    assert (row["lease_holder"], row["refresh_failures"]) == (holder.lease.holder, 1)
    assert row["refresh_sent_by"] == holder.lease.holder


async def test_a_late_failure_touches_nothing_of_a_newer_term(
    rows: Rows, grant: Grant, holder: Holder, successor: Holder
) -> None:
    await holder.fails(answered=False)

    row = await rows.row(grant)
    assert row["lease_holder"] == successor.lease.holder
    assert (row["refresh_failures"], row["next_refresh_at"], row["last_error"]) == (0, None, None)


async def test_a_late_silence_touches_nothing_of_a_newer_term(
    rows: Rows, grant: Grant, holder: Holder, successor: Holder
) -> None:
    await holder.hears_nothing()

    assert (await rows.row(grant))["refresh_failures"] == 0


async def test_a_late_failure_touches_nothing_of_a_newer_generation(
    rows: Rows, grant: Grant, holder: Holder, successor: Holder
) -> None:
    await successor.saves()

    await holder.fails(answered=True)

    assert (await rows.row(grant))["refresh_failures"] == 0


async def test_no_answer_to_one_of_several_attempts_settles_the_others(
    rows: Rows, grant: Grant, holder: Holder, successor: Holder
) -> None:
    """R8, rule 5: the other request may have rotated; only a save proves which set is live."""
    marked = (await rows.row(grant))["refresh_sent_at"]

    await holder.fails(answered=True)
    await successor.fails(answered=True)

    assert (await rows.row(grant))["refresh_sent_at"] == marked
    assert await successor.saves()
    assert (await rows.row(grant))["refresh_sent_at"] is None
