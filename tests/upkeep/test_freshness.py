"""Readers and upkeep hold the same tokens to be due; Python and PostgreSQL agree on it."""

from datetime import UTC, datetime, timedelta
from itertools import product

import pytest
from sqlalchemy import literal, select

from tests.outages.many_grants import crowd
from tests.world import World
from xero_service.domain import RefreshPolicy

POLICY = RefreshPolicy(
    margin=timedelta(minutes=7),
    refresh_token_max_age=timedelta(days=30),
    lease=timedelta(seconds=5),
)
NOW = datetime(2026, 3, 29, 1, 30, tzinfo=UTC)
SIDES = [timedelta(microseconds=each) for each in (-1, 0, 1)]
MINUTE = timedelta(minutes=1)


@pytest.mark.parametrize("side", SIDES, ids=["before", "at", "after"])
async def test_both_evaluate_a_boundary_alike_to_the_microsecond(
    world: World, side: timedelta
) -> None:
    expires_at = NOW + POLICY.margin + side
    issued_at = NOW - POLICY.refresh_token_max_age + side
    async with world.services.database.transaction() as tx:
        found = await tx.grants._connection.execute(
            select(
                POLICY.is_inside_margin(literal(expires_at), now=literal(NOW)),
                POLICY.is_old(literal(issued_at), now=literal(NOW)),
            )
        )

    assert (
        tuple(found.one())
        == (
            POLICY.is_inside_margin(expires_at, now=NOW),
            POLICY.is_old(issued_at, now=NOW),
        )
        == (side < timedelta(), side < timedelta())
    )


async def test_upkeep_picks_of_the_used_grants_those_that_a_reader_would_refresh(
    world: World,
) -> None:
    """By the database's clock, a minute either side of each boundary."""
    sides = list(product([-MINUTE, MINUTE], repeat=2))
    members = await crowd(world, len(sides))
    for member, (expires, issued) in zip(members, sides, strict=True):
        await world.database.execute(
            "UPDATE integration_grants SET last_used_at = clock_timestamp(),"
            " expires_at = clock_timestamp() + $1::interval,"
            " refresh_token_issued_at = clock_timestamp() - $2::interval WHERE id = $3",
            POLICY.margin + expires,
            POLICY.refresh_token_max_age + issued,
            member.grant_id,
        )

    async with world.services.database.transaction() as tx:
        read = await tx.grants.all(org_id=None)
        picked = await tx.upkeep_queue.claim_due_refreshes(
            POLICY,
            ahead=timedelta(),
            used_within=timedelta(hours=1),
            limit=100,
            hidden_for=timedelta(hours=1),
        )

    due = {grant.id for grant in read if grant.needs_refresh(POLICY)}
    assert {grant_id for grant_id, _ in picked} == due
    assert due == {
        member.grant_id
        for member, (expires, issued) in zip(members, sides, strict=True)
        if expires < timedelta() or issued > timedelta()
    }
