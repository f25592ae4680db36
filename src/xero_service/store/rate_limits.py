"""Rate limits of each tenant, shared by all replicas: one row, read and updated by one statement.

Xero counts 60 calls a minute in fixed windows whose start we do not know (facts §7), so this is a
sliding window: no 60 seconds hold more than 60 calls. It is two seconds longer than a minute,
because Xero counts a call when it arrives and this service when it is sent.

The statements are composed of SQL expressions below; each is written against one row of
`call_budgets` and has the same meaning in every clause where it stands.
"""

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Self
from uuid import UUID

from xero_service.store.database import Database

CALLS_A_MINUTE = 60
CONCURRENT_CALLS = 5
_WINDOW_SECONDS = 62.0
# Xero does not document when its day begins: once the day's calls are used up, one call in this
# interval is sent as a probe.
SPENT_DAY_IS_TRIED_EVERY = timedelta(minutes=15)


# The id of the row for the limit of the whole app, which applies to every tenant.
_WHOLE_APP = "*"
# The time of the 60th last call; NULL where there were fewer. It opens the sliding window.
_SIXTIETH_LAST_CALL = f"recent_calls[cardinality(recent_calls) - {CALLS_A_MINUTE - 1}]"
# The end of a SELECT over the slots that have not expired: `slots` maps a call to its expiry.
_FROM_LIVE_SLOTS = """
FROM jsonb_each(slots) WHERE value::float8 > extract(epoch FROM clock_timestamp())
"""
# Seconds until the next probe once the day's calls are used up, else NULL.
_SECONDS_UNTIL_DAY_PROBE = f"""
CASE WHEN day_remaining <= 0 THEN extract(epoch FROM learned_at - clock_timestamp())
    + {SPENT_DAY_IS_TRIED_EVERY.total_seconds()} END
"""
# Seconds until a call may be sent, 0 for now: the longest of the tenant's cool-down, the app's
# cool-down, the sliding window and the day's probe. A call that is recorded more than a window
# ahead was recorded before the server's clock was set back, and is ignored.
_SECONDS_TO_WAIT = f"""
greatest(
    0,
    extract(epoch FROM cool_down_until - clock_timestamp()),
    (
        SELECT extract(epoch FROM app.cool_down_until - clock_timestamp())
        FROM call_budgets app WHERE app.tenant_id = '{_WHOLE_APP}'
    ),
    CASE WHEN {_SIXTIETH_LAST_CALL} - clock_timestamp() <= interval '{_WINDOW_SECONDS} s'
        THEN extract(epoch FROM {_SIXTIETH_LAST_CALL} - clock_timestamp()) + {_WINDOW_SECONDS} END,
    {_SECONDS_UNTIL_DAY_PROBE}
)::float8
"""  # noqa: S608 - of constants
# The limit that delays a call, as Xero names it (facts §7); a cool-down of more than a minute is
# that of the day's limit.
_PROBLEM = f"""
CASE
    WHEN {_SECONDS_UNTIL_DAY_PROBE} > 0
        OR cool_down_until - clock_timestamp() > interval '{_WINDOW_SECONDS} s'
    THEN 'day'
    WHEN {_SECONDS_TO_WAIT} > 0 THEN 'minute'
    ELSE 'concurrent'
END
"""


# Records the call and its slot where the limits allow it, and returns the seconds to wait.
# Concurrent updates of the row cannot exceed a limit: an UPDATE that waited for another one
# evaluates WHERE and SET again on the row that the other committed, with the clock of that moment
# (with the clock before the wait where the other rolled back).
# `seconds` and `problem` are those at the start of the statement.
_ACQUIRE = f"""
WITH acquired AS (
    UPDATE call_budgets
    SET recent_calls = (recent_calls || clock_timestamp())
            [greatest(1, cardinality(recent_calls) - {CALLS_A_MINUTE - 2}):],
        slots = (SELECT coalesce(jsonb_object_agg(key, value), '{{}}') {_FROM_LIVE_SLOTS})
            || jsonb_build_object($2::text, extract(epoch FROM clock_timestamp()) + $3::float8),
        day_remaining = day_remaining - 1,
        learned_at = CASE WHEN day_remaining <= 0 THEN clock_timestamp() ELSE learned_at END
    WHERE tenant_id = $1 AND {_SECONDS_TO_WAIT} <= 0
        AND (SELECT count(*) {_FROM_LIVE_SLOTS} AND key <> $2::text) < {CONCURRENT_CALLS}
    RETURNING true
)
SELECT EXISTS (SELECT FROM acquired) AS acquired, {_SECONDS_TO_WAIT} AS seconds,
    {_PROBLEM} AS problem
FROM call_budgets WHERE tenant_id = $1
"""  # noqa: S608

_CREATE_ROW = "INSERT INTO call_budgets (tenant_id) VALUES ($1) ON CONFLICT DO NOTHING"

# Frees the slot and stores the limits that Xero reported. Xero's count of the day may not include
# the calls still under way, so they are subtracted.
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


_COOL_DOWN_APP = f"""
INSERT INTO call_budgets (tenant_id, cool_down_until)
VALUES ('{_WHOLE_APP}', clock_timestamp() + make_interval(secs => $1::float8))
ON CONFLICT (tenant_id) DO UPDATE
SET cool_down_until = greatest(call_budgets.cool_down_until, excluded.cool_down_until)
"""  # noqa: S608


@dataclass(frozen=True, slots=True)
class SlotRefused:
    """How long to wait for a slot, and which of Xero's limits is exhausted."""

    wait: timedelta
    problem: str


@dataclass(frozen=True, slots=True)
class ReportedLimits:
    """The limits in a response of Xero's; `for_app`: the cool-down applies to all tenants."""

    day_remaining: int | None = None
    minute_remaining: int | None = None
    cool_down: timedelta | None = None
    for_app: bool = False

    def after(self, passed: timedelta) -> Self:
        """Return the report with the rest of its cool-down, and without the remaining calls.

        Other calls have reported newer counts of the remaining calls meanwhile.
        """
        left = None if self.cool_down is None else max(timedelta(), self.cool_down - passed)
        return replace(self, day_remaining=None, minute_remaining=None, cool_down=left)


class RateLimits:
    """The table `call_budgets`; no method opens a transaction."""

    def __init__(self, database: Database) -> None:
        """Use the pool directly: a call to Xero must not hold a database connection."""
        self._database = database

    async def acquire(
        self, tenant_id: str, call: UUID, *, slot_ttl: timedelta
    ) -> SlotRefused | None:
        """Record a call and its slot and return None; else return why and how long to wait.

        The wait is zero where only a slot is missing. A call that has a slot keeps it. The slot of
        a replica that crashed expires after `slot_ttl`. Raises ServiceBusy.
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
        """Free the slot and store the reported limits. Raises ServiceBusy."""
        cool_down = reported.cool_down.total_seconds() if reported.cool_down else None
        if reported.for_app and cool_down is not None:
            await self._database.fetch_one(_COOL_DOWN_APP, cool_down)
            cool_down = None
        await self._database.fetch_one(
            _RELEASE,
            tenant_id,
            str(call),
            reported.day_remaining,
            reported.minute_remaining,
            cool_down,
        )
