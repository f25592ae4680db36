"""A tenant's share of Xero's rate limits: one row, one statement, all replicas.

Xero counts 60 calls a minute in fixed windows whose start we do not know (facts §7). So no 60
seconds at all, wherever they begin, may hold more than 60 of our calls; two seconds are added,
because Xero counts a call when it arrives and we when it leaves.
"""

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from xero_service.store.database import Database

CALLS_A_MINUTE = 60
CONCURRENT_CALLS = 5
MINUTE = timedelta(seconds=62)
# Nobody says when Xero's day begins: once it is used up, one call in so long finds out.
SPENT_DAY_IS_TRIED_EVERY = timedelta(minutes=15)


def taking(tenant_id: str, call: str, seconds: str) -> str:
    """Return the CTEs that take a turn; `taken` and `judged` tell what became of it.

    Each argument is an SQL expression. All is read from the row as it was locked: another
    reference to the table would see the statement's snapshot, from before the wait for the lock.
    MATERIALIZED, or what `live` computes would be computed at each of its uses.
    """
    return f"""
locked AS (
    SELECT * FROM call_budgets WHERE tenant_id = {tenant_id} FOR UPDATE
), timed AS (
    SELECT *, clock_timestamp() AS now FROM locked
), live AS MATERIALIZED (
    SELECT now, cool_down_until,
        ARRAY(
            SELECT at FROM unnest(recent_calls) AS at
            WHERE at > now - make_interval(secs => {MINUTE.total_seconds()}) ORDER BY at
        ) AS calls,
        (
            SELECT coalesce(jsonb_object_agg(key, value), '{{}}') FROM jsonb_each(slots)
            WHERE value::float8 > extract(epoch FROM now) AND key <> {call}
        ) AS others,
        day_remaining <= 0 AS day_is_spent,
        learned_at + make_interval(secs => {SPENT_DAY_IS_TRIED_EVERY.total_seconds()})
            AS day_is_tried_at
    FROM timed
), judged AS (
    SELECT now, calls, others, day_is_spent,
        (SELECT count(*) FROM jsonb_object_keys(others)) < {CONCURRENT_CALLS} AS has_slot,
        greatest(
            0,
            extract(epoch FROM cool_down_until - now),
            extract(epoch FROM calls[cardinality(calls) - {CALLS_A_MINUTE} + 1] - now)
                + {MINUTE.total_seconds()},
            CASE WHEN day_is_spent THEN extract(epoch FROM day_is_tried_at - now) END
        )::float8 AS seconds
    FROM live
), taken AS (
    UPDATE call_budgets AS budget
    SET recent_calls = judged.calls || judged.now,
        slots = judged.others
            || jsonb_build_object({call}, extract(epoch FROM judged.now) + {seconds}),
        day_remaining = budget.day_remaining - 1,
        learned_at = CASE WHEN judged.day_is_spent THEN judged.now ELSE budget.learned_at END
    FROM judged
    WHERE budget.tenant_id = {tenant_id} AND judged.has_slot AND judged.seconds <= 0
    RETURNING true
)
"""  # noqa: S608 - of constants and placeholders


_TAKE = f"""
WITH {taking("$1", "$2::text", "$3::float8")}
SELECT EXISTS (SELECT FROM taken) AS taken, seconds FROM judged
"""  # noqa: S608

_MAKE = "INSERT INTO call_budgets (tenant_id) VALUES ($1) ON CONFLICT DO NOTHING"

# Calls that are still under way may not be in Xero's count yet.
_GIVE_BACK = """
UPDATE call_budgets
SET slots = slots - $2::text,
    day_remaining = coalesce(
        $3::bigint - (SELECT count(*) FROM jsonb_object_keys(slots - $2::text)), day_remaining
    ),
    minute_remaining = coalesce($4::bigint, minute_remaining),
    learned_at = CASE
        WHEN $3::bigint IS NULL AND $4::bigint IS NULL THEN learned_at
        ELSE clock_timestamp()
    END,
    cool_down_until = greatest(
        cool_down_until, clock_timestamp() + make_interval(secs => $5::float8)
    )
WHERE tenant_id = $1
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

    async def take(self, tenant_id: str, call: UUID, *, slot_for: timedelta) -> timedelta | None:
        """Take a slot and one of the minute's calls; return None.

        Where there is none, return how long until there may be one: zero where only a slot is
        missing. A call that has a slot keeps it. The slot of a holder that crashed is free
        again after `slot_for`. Raises ServiceBusy.
        """
        while True:
            row = await self._database.fetch_one(
                _TAKE,
                tenant_id,
                str(call),
                slot_for.total_seconds(),
            )
            if row is not None:
                return None if row["taken"] else timedelta(seconds=row["seconds"])
            await self._database.fetch_one(_MAKE, tenant_id)

    async def give_back(self, tenant_id: str, call: UUID, learned: Learned) -> None:
        """Free the slot, and keep what Xero said. Raises ServiceBusy."""
        cool_down = learned.cool_down
        await self._database.fetch_one(
            _GIVE_BACK,
            tenant_id,
            str(call),
            learned.day_remaining,
            learned.minute_remaining,
            cool_down.total_seconds() if cool_down is not None else None,
        )
