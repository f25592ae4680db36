"""Remote cleanups: revocations and deletions pending at Xero after a disconnect."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import func, insert, literal, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from xero_service.domain import Cleanup, CleanupKind, CleanupOutcome
from xero_service.store.grants import NOW
from xero_service.store.rows import AnyRow
from xero_service.store.tables import CleanupRow

_COLUMNS = (
    CleanupRow.id,
    CleanupRow.kind,
    CleanupRow.org_id,
    CleanupRow.grant_id,
    CleanupRow.xero_user_id,
    CleanupRow.tenant_id,
    CleanupRow.connection_id,
    CleanupRow.attempts,
    CleanupRow.outcome,
)


@dataclass(frozen=True, slots=True)
class NewCleanup:
    """A call to make to Xero for a binding that ended or for an unused grant."""

    kind: CleanupKind
    org_id: str
    grant_id: UUID
    xero_user_id: str
    binding_id: UUID | None = None
    tenant_id: str | None = None
    connection_id: str | None = None


def _to_cleanup(row: AnyRow) -> Cleanup:
    return Cleanup(
        id=row.id,
        kind=CleanupKind(row.kind),
        org_id=row.org_id,
        grant_id=row.grant_id,
        xero_user_id=row.xero_user_id,
        tenant_id=row.tenant_id,
        connection_id=row.connection_id,
        attempts=row.attempts,
        outcome=CleanupOutcome(row.outcome) if row.outcome else None,
    )


class RemoteCleanups:
    """The table `remote_cleanups`."""

    def __init__(self, connection: AsyncConnection) -> None:
        """Work inside the caller's transaction."""
        self._connection = connection

    async def add(self, new: NewCleanup) -> Cleanup:
        """Record a pending cleanup; upkeep retries it until Xero confirms."""
        row = (
            await self._connection.execute(
                insert(CleanupRow)
                .values(
                    id=uuid4(),
                    kind=new.kind,
                    org_id=new.org_id,
                    grant_id=new.grant_id,
                    binding_id=new.binding_id,
                    xero_user_id=new.xero_user_id,
                    tenant_id=new.tenant_id,
                    connection_id=new.connection_id,
                )
                .returning(*_COLUMNS)
            )
        ).one()
        return _to_cleanup(row)

    async def lock_pending(self, cleanup_id: UUID) -> Cleanup | None:
        """Return a pending cleanup, locked; None once it ended."""
        row = (
            await self._connection.execute(
                select(*_COLUMNS)
                .where(CleanupRow.id == cleanup_id, CleanupRow.done_at.is_(None))
                .with_for_update()
            )
        ).one_or_none()
        return _to_cleanup(row) if row else None

    async def last_of_binding(self, binding_id: UUID) -> Cleanup | None:
        """Return the newest cleanup of a binding, to answer a repeated disconnect."""
        row = (
            await self._connection.execute(
                select(*_COLUMNS)
                .where(CleanupRow.binding_id == binding_id)
                .order_by(CleanupRow.created_at.desc())
                .limit(1)
            )
        ).one_or_none()
        return _to_cleanup(row) if row else None

    async def has_pending_deletion(self, xero_user_id: str, tenant_id: str) -> bool:
        """Return whether the deletion of a Xero user's connection to a tenant is pending."""
        found = await self._connection.scalar(
            select(CleanupRow.id)
            .where(
                CleanupRow.xero_user_id == xero_user_id,
                CleanupRow.tenant_id == tenant_id,
                CleanupRow.kind == CleanupKind.DELETE_CONNECTION,
                CleanupRow.done_at.is_(None),
            )
            .limit(1)
        )
        return found is not None

    async def has_pending_revocation(self, xero_user_id: str) -> bool:
        """Return whether a revocation for a Xero user is pending."""
        found = await self._connection.scalar(
            select(CleanupRow.id)
            .where(
                CleanupRow.xero_user_id == xero_user_id,
                CleanupRow.kind == CleanupKind.REVOKE,
                CleanupRow.done_at.is_(None),
            )
            .limit(1)
        )
        return found is not None

    async def claim_due(self, *, limit: int, hidden_for: timedelta) -> list[UUID]:
        """Claim pending cleanups that are due; other replicas do not see them for `hidden_for`.

        `UpkeepQueue` says why it locks as it does.
        """
        due = (
            select(CleanupRow.id)
            .where(CleanupRow.done_at.is_(None), CleanupRow.next_attempt_at <= NOW)
            .order_by(CleanupRow.next_attempt_at)
            .limit(limit)
            .with_for_update(skip_locked=True, key_share=True)
            .cte("due")
        )
        rows = await self._connection.scalars(
            update(CleanupRow)
            .where(CleanupRow.id == due.c.id)
            .values(next_attempt_at=NOW + hidden_for)
            .returning(CleanupRow.id)
        )
        return list(rows)

    async def postpone(self, cleanup_id: UUID, retry_in: timedelta) -> None:
        """Record a failed attempt and when to retry."""
        await self._connection.execute(
            update(CleanupRow)
            .where(CleanupRow.id == cleanup_id, CleanupRow.done_at.is_(None))
            .values(attempts=CleanupRow.attempts + 1, next_attempt_at=NOW + retry_in)
        )

    async def finish(self, cleanup_id: UUID, outcome: CleanupOutcome) -> bool:
        """Record how a cleanup ended; False where it had ended already."""
        return await self._end(outcome, CleanupRow.id == cleanup_id)

    async def finish_deletions(self, grant_id: UUID) -> None:
        """Record a grant's pending deletions as done: its revocation ended all its connections."""
        _ = await self._end(
            CleanupOutcome.DONE,
            CleanupRow.grant_id == grant_id,
            CleanupRow.kind == CleanupKind.DELETE_CONNECTION,
        )

    async def cancel_revocations(self, xero_user_id: str) -> None:
        """Cancel the pending revocations of a Xero user, who has consented anew.

        A revocation would end the new consent too. A deletion takes the place of each, for its own
        connection; `cancel_deletions` cancels those that the new consent reaches.
        """
        revocations = (CleanupRow.xero_user_id == xero_user_id) & (
            CleanupRow.kind == CleanupKind.REVOKE
        )
        columns = ("org_id", "grant_id", "binding_id", "xero_user_id", "tenant_id", "connection_id")
        copied = [getattr(CleanupRow, name) for name in columns]
        await self._connection.execute(
            insert(CleanupRow).from_select(
                ["id", "kind", *columns],
                select(
                    func.gen_random_uuid(), literal(CleanupKind.DELETE_CONNECTION), *copied
                ).where(
                    revocations, CleanupRow.done_at.is_(None), CleanupRow.connection_id.is_not(None)
                ),
            )
        )
        _ = await self._end(
            CleanupOutcome.CANCELLED,
            CleanupRow.xero_user_id == xero_user_id,
            CleanupRow.kind == CleanupKind.REVOKE,
        )

    async def cancel_deletions(self, xero_user_id: str, tenant_ids: list[str]) -> None:
        """Cancel pending deletions of connections that a later consent reaches."""
        _ = await self._end(
            CleanupOutcome.CANCELLED,
            CleanupRow.xero_user_id == xero_user_id,
            CleanupRow.kind == CleanupKind.DELETE_CONNECTION,
            CleanupRow.tenant_id.in_(tenant_ids),
        )

    async def _end(self, outcome: CleanupOutcome, *which: Any) -> bool:
        ended = await self._connection.execute(
            update(CleanupRow)
            .where(*which, CleanupRow.done_at.is_(None))
            .values(outcome=outcome, done_at=NOW)
            .returning(CleanupRow.id)
        )
        return bool(ended.all())
