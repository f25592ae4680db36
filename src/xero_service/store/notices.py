"""Notices: one row for each binding and person, claimed by one replica, recorded by attempt.

Mail follows the state of the bindings, not their events: a row is due while the problems of its
binding differ from those that its recipient was told.
"""

from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from xero_service.domain import ClaimedNotice, NoticeKind
from xero_service.store.grants import NOW
from xero_service.store.rows import AnyRow
from xero_service.store.tables import NoticeRow

# The problems of a binding `b`. A suspended or revoked one is left as it was told.
_PRESENT = f"""array_remove(ARRAY[
    CASE WHEN b.status = 'needs_reauth' THEN '{NoticeKind.NEEDS_REAUTH}' END,
    CASE WHEN b.status = 'active' AND b.expiring_since IS NOT NULL
         THEN '{NoticeKind.EXPIRING}' END,
    CASE WHEN b.status = 'active' AND b.missing_scopes IS NOT NULL
         THEN '{NoticeKind.PERMISSIONS_MISSING}' END
], NULL)"""
_IN_USE = "b.status IN ('active', 'needs_reauth')"
_IS_OUT_OF_DATE = f"{_IN_USE} AND NOT (n.told @> {_PRESENT} AND n.told <@ {_PRESENT})"
# The Xero user of the grant is a recipient where this org's own consent led to it (S58).
_ADD = text(f"""
    INSERT INTO notices (binding_id, recipient, is_xero_user)
    SELECT b.id, person.recipient, person.is_xero_user
    FROM integration_tenant_bindings b JOIN integration_grants g ON g.id = b.active_grant_id
    CROSS JOIN LATERAL (
        SELECT g.xero_user_id, true WHERE EXISTS (
            SELECT FROM grant_authorisations a
            WHERE a.grant_id = g.id AND a.clerk_org_id = b.clerk_org_id
        )
        UNION ALL SELECT unnest(CAST(:team AS text[])), false
    ) AS person (recipient, is_xero_user)
    WHERE {_IN_USE} AND cardinality({_PRESENT}) > 0 AND NOT EXISTS (
        SELECT FROM notices n WHERE n.binding_id = b.id AND n.recipient = person.recipient
    )
    ON CONFLICT DO NOTHING
    """)  # noqa: S608 (constants)
_CLAIM = text(f"""
    WITH due AS (
        SELECT n.binding_id, n.recipient, b.clerk_org_id, b.external_tenant_name,
               {_PRESENT} AS present
        FROM notices n JOIN integration_tenant_bindings b ON b.id = n.binding_id
        WHERE n.next_attempt_at <= clock_timestamp()
          AND (n.claimed_until IS NULL OR n.claimed_until < clock_timestamp())
          AND (n.is_xero_user OR n.recipient = ANY(CAST(:team AS text[])))
          AND {_IS_OUT_OF_DATE}
        ORDER BY n.next_attempt_at, n.binding_id, n.recipient
        LIMIT :limit FOR NO KEY UPDATE OF n SKIP LOCKED
    )
    UPDATE notices n
    SET attempts = n.attempts + 1, claimed_until = clock_timestamp() + CAST(:ttl AS interval)
    FROM due WHERE n.binding_id = due.binding_id AND n.recipient = due.recipient
    RETURNING n.*, due.clerk_org_id, due.external_tenant_name, due.present
    """)  # noqa: S608 (constants)

# Nobody repeats a mail that is long due: its recipient is no longer in NOTICES_TO, or SMTP_URL is
# empty by now. (Where upkeep stopped, its own alert says so.)
_FAILING = text(f"""
    SELECT count(*) FROM notices n JOIN integration_tenant_bindings b ON b.id = n.binding_id
    WHERE n.failures > 0 AND n.next_attempt_at > clock_timestamp() - interval '1 hour'
      AND {_IS_OUT_OF_DATE}
    """)  # noqa: S608 (constants)


def _to_claimed(row: AnyRow) -> ClaimedNotice:
    return ClaimedNotice(
        binding_id=row.binding_id,
        org_id=row.clerk_org_id,
        tenant_name=row.external_tenant_name,
        recipient=row.recipient,
        is_xero_user=row.is_xero_user,
        present=frozenset(map(NoticeKind, row.present)),
        told=frozenset(map(NoticeKind, row.told)),
        attempt=row.attempts,
        failures=row.failures,
        mailed_at=row.mailed_at,
    )


class Notices:
    """The table `notices`."""

    def __init__(self, connection: AsyncConnection) -> None:
        """Work inside the caller's transaction."""
        self._connection = connection

    async def add(self, team: Sequence[str]) -> None:
        """Add a row for each person who is to hear of a binding with a problem.

        `team`: the keyed hashes of the addresses in NOTICES_TO.
        """
        await self._connection.execute(_ADD, {"team": list(team)})

    async def claim(
        self, team: Sequence[str], *, limit: int, ttl: timedelta
    ) -> tuple[ClaimedNotice, ...]:
        """Claim due rows for `ttl`; opens an attempt of each."""
        rows = await self._connection.execute(
            _CLAIM, {"team": list(team), "limit": limit, "ttl": ttl}
        )
        return tuple(map(_to_claimed, rows))

    async def record_told(
        self, claimed: ClaimedNotice, told: Iterable[NoticeKind], *, pause: timedelta
    ) -> bool:
        """Record what the recipient was mailed, and the pause until the next mail.

        False where another attempt was made meanwhile.
        """
        return await self._record(
            claimed,
            told=sorted(told),
            mailed_at=NOW,
            failures=0,
            next_attempt_at=NOW + pause,
        )

    async def record_withheld(self, claimed: ClaimedNotice, told: Iterable[NoticeKind]) -> bool:
        """Record that a mail is not to be sent, as if its recipient had been told."""
        return await self._record(claimed, told=sorted(told), failures=0)

    async def record_failed(self, claimed: ClaimedNotice, *, retry_in: timedelta) -> bool:
        """Record a failed attempt, which is repeated after `retry_in`."""
        return await self._record(
            claimed, failures=NoticeRow.failures + 1, next_attempt_at=NOW + retry_in
        )

    async def failing(self) -> int:
        """Return the number of mails whose last attempt failed and that will be tried again."""
        found: int = (await self._connection.execute(_FAILING)).scalar_one()
        return found

    async def _record(self, claimed: ClaimedNotice, **values: Any) -> bool:
        recorded = await self._connection.scalar(
            update(NoticeRow)
            .where(
                NoticeRow.binding_id == claimed.binding_id,
                NoticeRow.recipient == claimed.recipient,
                NoticeRow.attempts == claimed.attempt,
            )
            .values(claimed_until=None, **values)
            .returning(NoticeRow.attempts)
        )
        return recorded is not None
