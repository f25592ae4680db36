"""The figures behind the gauges of state, in one statement."""

from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

# Every figure is one pass over a table; services/operators/state_metrics.py limits how often.
_SUMMARY = text(
    """
    WITH grants AS (
        SELECT status, count(*) AS number,
            count(*) FILTER (WHERE refresh_failures > 0) AS failing,
            count(*) FILTER (WHERE verdict_held_at IS NOT NULL) AS held,
            extract(epoch FROM clock_timestamp() - min(refresh_token_issued_at)) AS oldest
        FROM integration_grants GROUP BY status
    ), bindings AS (
        SELECT status, count(*) AS number FROM integration_tenant_bindings GROUP BY status
    ), cleanups AS (
        SELECT count(*) AS owed, extract(epoch FROM clock_timestamp() - min(created_at)) AS oldest
        FROM remote_cleanups WHERE done_at IS NULL
    ), keys AS (
        SELECT count(*) AS valid,
            count(*) FILTER (WHERE expires_at < clock_timestamp() + interval '14 days') AS expiring
        FROM service_keys
        WHERE revoked_at IS NULL AND (expires_at IS NULL OR expires_at > clock_timestamp())
    ), limits AS (
        SELECT min(greatest(day_remaining, 0)) AS day,
            min(greatest(minute_remaining, 0))
                FILTER (WHERE learned_at > clock_timestamp() - interval '1 minute') AS minute
        FROM call_budgets WHERE learned_at > clock_timestamp() - interval '1 day'
    )
    SELECT
        coalesce((SELECT jsonb_object_agg(status, number) FROM grants), '{}') AS grants,
        coalesce((SELECT failing FROM grants WHERE status = 'active'), 0) AS retrying,
        coalesce((SELECT held FROM grants WHERE status = 'active'), 0) AS held,
        (SELECT reason FROM verdict_hold WHERE held_since IS NOT NULL) AS hold_reason,
        coalesce((SELECT oldest FROM grants WHERE status = 'active'), 0) AS oldest_refresh_token,
        coalesce((SELECT jsonb_object_agg(status, number) FROM bindings), '{}') AS bindings,
        cleanups.owed AS cleanups,
        coalesce(cleanups.oldest, 0) AS oldest_cleanup,
        keys.valid AS keys,
        keys.expiring AS expiring_keys,
        limits.day AS day_remaining,
        limits.minute AS minute_remaining
    FROM cleanups, keys, limits
    """
)


@dataclass(frozen=True, slots=True)
class StateSummary:
    """Counts, ages in seconds, and the limits of the tenant that has the fewest calls left."""

    grants: dict[str, int]
    retrying: int
    held: int
    hold_reason: str | None
    oldest_refresh_token: float
    bindings: dict[str, int]
    cleanups: int
    oldest_cleanup: float
    keys: int
    expiring_keys: int
    day_remaining: int | None
    minute_remaining: int | None


class StateSummaries:
    """Reads the summary."""

    def __init__(self, connection: AsyncConnection) -> None:
        """Work inside the caller's transaction."""
        self._connection = connection

    async def read(self) -> StateSummary:
        """Return the figures of this moment."""
        row = (await self._connection.execute(_SUMMARY)).one()
        return StateSummary(**row._mapping)
