"""A tenant's share of Xero's rate limits: one row, one statement, all replicas.

Xero counts 60 calls a minute in fixed windows whose start we do not know (facts §7). So no 60
seconds at all, wherever they begin, may hold more than 60 of our calls; two seconds are added,
because Xero counts a call when it arrives and we when it leaves.
"""

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Self
from uuid import UUID

from xero_service.store.database import Database

CALLS_A_MINUTE = 60
CONCURRENT_CALLS = 5
_MINUTE = 62.0  # seconds
# Nobody says when Xero's day begins: once it is used up, one call in so long finds out.
SPENT_DAY_IS_TRIED_EVERY = timedelta(minutes=15)


# The row for the limit of the whole app, which holds for every tenant; no tenant has such an id.
_WHOLE_APP = "*"
# Of the row as it is, so that they mean the same in every clause of a statement that has it.
_SIXTIETH_LAST_CALL = f"recent_calls[cardinality(recent_calls) - {CALLS_A_MINUTE - 1}]"
_LIVING_SLOTS = """
FROM jsonb_each(slots) WHERE value::float8 > extract(epoch FROM clock_timestamp())
"""
# A call that is noted further ahead than a minute was noted before the clock was put back.
_DAY_OPENS_IN_SECONDS = f"""
CASE WHEN day_remaining <= 0 THEN extract(epoch FROM learned_at - clock_timestamp())
    + {SPENT_DAY_IS_TRIED_EVERY.total_seconds()} END
"""
_OPENS_IN_SECONDS = f"""
greatest(
    0,
    extract(epoch FROM cool_down_until - clock_timestamp()),
    (
        SELECT extract(epoch FROM app.cool_down_until - clock_timestamp())
        FROM call_budgets app WHERE app.tenant_id = '{_WHOLE_APP}'
    ),
    CASE WHEN {_SIXTIETH_LAST_CALL} - clock_timestamp() <= interval '{_MINUTE} s'
        THEN extract(epoch FROM {_SIXTIETH_LAST_CALL} - clock_timestamp()) + {_MINUTE} END,
    {_DAY_OPENS_IN_SECONDS}
)::float8
"""  # noqa: S608 - of constants
# In Xero's words (facts §7); a cool-down longer than a minute is that of a day.
_PROBLEM = f"""
CASE
    WHEN {_DAY_OPENS_IN_SECONDS} > 0 OR cool_down_until - clock_timestamp() > interval '{_MINUTE} s'
    THEN 'day'
    WHEN {_OPENS_IN_SECONDS} > 0 THEN 'minute'
    ELSE 'concurrent'
END
"""


# All is judged by the row that is updated: where the update waits for another transaction,
# PostgreSQL evaluates its WHERE and SET again on the row which that one committed, with the clock
# as it is then. Where that one rolled back, with the clock as it was before the wait.
# The wait that is returned is that at the start of the statement.
_ACQUIRE = f"""
WITH acquired AS (
    UPDATE call_budgets
    SET recent_calls = (recent_calls || clock_timestamp())
            [greatest(1, cardinality(recent_calls) - {CALLS_A_MINUTE - 2}):],
        slots = (SELECT coalesce(jsonb_object_agg(key, value), '{{}}') {_LIVING_SLOTS})
            || jsonb_build_object($2::text, extract(epoch FROM clock_timestamp()) + $3::float8),
        day_remaining = day_remaining - 1,
        learned_at = CASE WHEN day_remaining <= 0 THEN clock_timestamp() ELSE learned_at END
    WHERE tenant_id = $1 AND {_OPENS_IN_SECONDS} <= 0
        AND (SELECT count(*) {_LIVING_SLOTS} AND key <> $2::text) < {CONCURRENT_CALLS}
    RETURNING true
)
SELECT EXISTS (SELECT FROM acquired) AS acquired, {_OPENS_IN_SECONDS} AS seconds,
    {_PROBLEM} AS problem
FROM call_budgets WHERE tenant_id = $1
"""  # noqa: S608

_CREATE_ROW = "INSERT INTO call_budgets (tenant_id) VALUES ($1) ON CONFLICT DO NOTHING"

# Calls that are still under way may not be in Xero's count yet.
_RELEASE = """
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


_COOL_THE_APP_DOWN = f"""
INSERT INTO call_budgets (tenant_id, cool_down_until)
VALUES ('{_WHOLE_APP}', clock_timestamp() + make_interval(secs => $1::float8))
ON CONFLICT (tenant_id) DO UPDATE
SET cool_down_until = greatest(call_budgets.cool_down_until, excluded.cool_down_until)
"""  # noqa: S608


@dataclass(frozen=True, slots=True)
class SlotRefused:
    """How long until there may be a turn, and which of Xero's limits is in the way."""

    wait: timedelta
    problem: str


@dataclass(frozen=True, slots=True)
class ReportedLimits:
    """What an answer of Xero's said of the limits; `for_app`: all tenants must cool down."""

    day_remaining: int | None = None
    minute_remaining: int | None = None
    cool_down: timedelta | None = None
    for_app: bool = False

    def after(self, passed: timedelta) -> Self:
        """Return what is still true of it after that time: the rest of the cool-down.

        Other calls have reported newer values of the remaining calls meanwhile.
        """
        left = None if self.cool_down is None else max(timedelta(), self.cool_down - passed)
        return replace(self, day_remaining=None, minute_remaining=None, cool_down=left)


class RateLimits:
    """The table `call_budgets`; no method opens a transaction."""

    def __init__(self, database: Database) -> None:
        """Use the pool directly: a call to Xero must not hold a connection."""
        self._database = database

    async def acquire(
        self, tenant_id: str, call: UUID, *, slot_ttl: timedelta
    ) -> SlotRefused | None:
        """Take a slot and one of the minute's calls; return None.

        Where there is none, return how long until there may be one: zero where only a slot is
        missing. A call that has a slot keeps it. The slot of a holder that crashed is free
        again after `slot_ttl`. Raises ServiceBusy.
        """
        while True:
            row = await self._database.fetch_one(
                _ACQUIRE,
                tenant_id,
                str(call),
                slot_ttl.total_seconds(),
            )
            if row is not None:
                if row["acquired"]:
                    return None
                return SlotRefused(timedelta(seconds=row["seconds"]), row["problem"])
            await self._database.fetch_one(_CREATE_ROW, tenant_id)

    async def release(self, tenant_id: str, call: UUID, reported: ReportedLimits) -> None:
        """Free the slot, and keep what Xero said. Raises ServiceBusy."""
        cool_down = reported.cool_down.total_seconds() if reported.cool_down else None
        if reported.for_app and cool_down is not None:
            await self._database.fetch_one(_COOL_THE_APP_DOWN, cool_down)
            cool_down = None
        await self._database.fetch_one(
            _RELEASE,
            tenant_id,
            str(call),
            reported.day_remaining,
            reported.minute_remaining,
            cool_down,
        )
