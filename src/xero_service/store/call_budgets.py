"""A tenant's share of Xero's rate limits: one row, one statement, all replicas.

Xero counts 60 calls a minute in fixed windows whose start we do not know (facts §7). So no 60
seconds at all, wherever they begin, may hold more than 60 of our calls.
"""

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from xero_service.store.database import Database

CALLS_A_MINUTE = 60
CONCURRENT_CALLS = 5

_TAKE = """
WITH seen AS (
    SELECT tenant_id, clock_timestamp() AS now
    FROM call_budgets WHERE tenant_id = $1 FOR UPDATE
), live AS (
    SELECT seen.now,
        ARRAY(
            SELECT at FROM unnest(budget.recent_calls) AS at
            WHERE at > seen.now - interval '60 seconds' ORDER BY at
        ) AS calls,
        (
            SELECT coalesce(jsonb_object_agg(key, value), '{}')
            FROM jsonb_each(budget.slots)
            WHERE value::float8 > extract(epoch FROM seen.now)
        ) AS slots,
        budget.cool_down_until
    FROM seen JOIN call_budgets AS budget USING (tenant_id)
)
UPDATE call_budgets AS budget
SET recent_calls = live.calls || live.now,
    slots = live.slots || jsonb_build_object($2::text, extract(epoch FROM live.now) + $3::float8)
FROM live
WHERE budget.tenant_id = $1
  AND cardinality(live.calls) < $4
  AND (SELECT count(*) FROM jsonb_object_keys(live.slots)) < $5
  AND (live.cool_down_until IS NULL OR live.cool_down_until <= live.now)
RETURNING true AS taken
"""

_WAIT = """
SELECT greatest(
    0,
    extract(epoch FROM cool_down_until - clock_timestamp()),
    (
        SELECT extract(epoch FROM at + interval '60 seconds' - clock_timestamp())
        FROM unnest(recent_calls) AS at
        WHERE at > clock_timestamp() - interval '60 seconds'
        ORDER BY at DESC OFFSET $2 - 1 LIMIT 1
    )
)::float8 AS seconds
FROM call_budgets WHERE tenant_id = $1
"""

_MAKE = "INSERT INTO call_budgets (tenant_id) VALUES ($1) ON CONFLICT DO NOTHING RETURNING true"

_GIVE_BACK = """
UPDATE call_budgets
SET slots = slots - $2::text,
    day_remaining = coalesce($3, day_remaining),
    minute_remaining = coalesce($4, minute_remaining),
    learned_at = CASE WHEN coalesce($3, $4) IS NULL THEN learned_at ELSE clock_timestamp() END,
    cool_down_until = CASE
        WHEN $5::float8 IS NULL THEN cool_down_until
        ELSE greatest(cool_down_until, clock_timestamp() + make_interval(secs => $5::float8))
    END
WHERE tenant_id = $1
RETURNING true
"""


@dataclass(frozen=True, slots=True)
class Learned:
    """What an answer of Xero's said of the limits."""

    day_remaining: int | None = None
    minute_remaining: int | None = None
    cool_down: timedelta | None = None


class CallBudgets:
    """The table `call_budgets`; each method is one statement of its own."""

    def __init__(self, database: Database) -> None:
        """Use the pool directly: a call to Xero must not hold a connection."""
        self._database = database

    async def take(self, tenant_id: str, call: UUID, *, slot_for: timedelta) -> bool:
        """Take a slot and one of the minute's calls; False where there is none.

        The slot of a holder that crashed is free again after `slot_for`.
        """
        for _ in range(2):
            taken = await self._database.fetch_one(
                _TAKE,
                tenant_id,
                str(call),
                slot_for.total_seconds(),
                CALLS_A_MINUTE,
                CONCURRENT_CALLS,
            )
            if taken is not None:
                return True
            if await self._database.fetch_one(_MAKE, tenant_id) is None:
                return False
        return False

    async def wait_for(self, tenant_id: str) -> timedelta:
        """Return how long until a call may be left; zero where only a slot is missing."""
        row = await self._database.fetch_one(_WAIT, tenant_id, CALLS_A_MINUTE)
        return timedelta(seconds=row["seconds"] if row else 0)

    async def give_back(self, tenant_id: str, call: UUID, learned: Learned) -> None:
        """Free the slot, and keep what Xero said."""
        cool_down = learned.cool_down
        await self._database.fetch_one(
            _GIVE_BACK,
            tenant_id,
            str(call),
            learned.day_remaining,
            learned.minute_remaining,
            cool_down.total_seconds() if cool_down else None,
        )
