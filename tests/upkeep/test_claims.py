"""What upkeep claims in one step: no more than its limit, and nothing is skipped without need.

A plan may evaluate a subquery in `WHERE … IN` again for each row, and each time skip what it has
locked; a common table expression that locks rows is evaluated once.
"""

from collections.abc import Awaitable, Callable, Sized
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from tests.outages.many_grants import crowd
from tests.store.test_retention import FILL
from tests.upkeep.test_freshness import POLICY
from tests.world import ACME, World
from xero_service.domain import CleanupKind
from xero_service.store.remote_cleanups import NewCleanup
from xero_service.store.transaction import Transaction

LIMIT = 2
HOUR = timedelta(hours=1)
# Without these, PostgreSQL has to evaluate the limited part once for each row of the table.
OTHER_PLANS = (
    *("hashjoin", "mergejoin", "hashagg", "sort", "material", "memoize"),
    *("indexscan", "indexonlyscan", "bitmapscan"),
)


async def cleanups(tx: Transaction) -> Sized:
    return await tx.cleanups.claim_due(limit=LIMIT, hidden_for=HOUR)


async def refreshes(tx: Transaction) -> Sized:
    return await tx.upkeep_queue.claim_due_refreshes(
        POLICY, ahead=HOUR, used_within=HOUR, limit=LIMIT, hidden_for=HOUR
    )


async def checks(tx: Transaction) -> Sized:
    return await tx.upkeep_queue.claim_unchecked_grants(since=HOUR, again_after=HOUR, limit=LIMIT)


async def held(tx: Transaction) -> Sized:
    return range(await tx.grant_refreshes.try_held_again(limit=LIMIT))


async def old_events(tx: Transaction) -> Sized:
    before = datetime.now(UTC) - 400 * 24 * HOUR
    return range(await tx.audit.delete_before(before, at_most=LIMIT))


async def expiring(tx: Transaction) -> Sized:
    return range(LIMIT if await tx.warnings.update_expiring(limit=LIMIT) else 0)


@pytest.fixture
async def due(world: World) -> None:
    """More of everything than the limit."""
    members = await crowd(world, 3 * LIMIT, days=50)
    await world.database.execute(
        "UPDATE integration_grants SET verdict_held_at = now(), next_refresh_at = now()"
    )
    await world.database.execute("UPDATE integration_tenant_bindings SET last_checked_at = NULL")
    async with world.services.database.transaction() as tx:
        for member in members:
            await tx.cleanups.add(
                NewCleanup(CleanupKind.REVOKE, ACME, member.grant_id, member.xero_user_id)
            )
    await world.database.execute(FILL, "401 days", 3 * LIMIT)


@pytest.mark.usefixtures("due")
@pytest.mark.parametrize("claim", [cleanups, refreshes, checks, held, old_events])
async def test_a_step_takes_no_more_than_its_limit(
    world: World, claim: Callable[[Transaction], Awaitable[Sized]]
) -> None:
    async with world.services.database.transaction() as tx:
        for plan in OTHER_PLANS:
            await tx.connection.execute(text(f"SET LOCAL enable_{plan} = off"))
        claimed = await claim(tx)

    assert len(claimed) == LIMIT


@pytest.mark.usefixtures("due")
@pytest.mark.parametrize("claim", [refreshes, checks, held, expiring])
async def test_a_step_skips_no_row_to_which_another_transaction_refers(
    world: World, claim: Callable[[Transaction], Awaitable[Sized]]
) -> None:
    """PostgreSQL locks the row that a foreign key refers to FOR KEY SHARE."""
    async with world.database.transaction():
        for table in ("integration_grants", "integration_tenant_bindings"):
            await world.database.execute(f"SELECT FROM {table} FOR KEY SHARE")
        async with world.services.database.transaction() as tx:
            claimed = await claim(tx)

    assert len(claimed) == LIMIT
