"""The audit log: inserts and reads events. The database refuses every change of one."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import func, insert, select, text
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.ext.asyncio import AsyncConnection

from xero_service.domain import AuditAction, AuditEvent, AuditPosition
from xero_service.store.commit_order import CommitOrder, Extent
from xero_service.store.events import Events
from xero_service.store.grants import NOW
from xero_service.store.rows import AnyRow
from xero_service.store.tables import AuditEventRow


@dataclass(frozen=True, slots=True)
class Recorded:
    """An event as it is stored."""

    id: int
    occurred_at: datetime
    org_id: str | None
    actor_kind: str
    actor_id: str
    action: str
    outcome: str
    binding_id: UUID | None
    grant_id: UUID | None
    tenant_id: str | None
    request_id: str | None
    source: str | None
    detail: dict[str, Any]


_COLUMNS = tuple(getattr(AuditEventRow, each.name) for each in fields(Recorded))


def _to_recorded(row: AnyRow) -> Recorded:
    return Recorded(**row._mapping)


def _values(event: AuditEvent) -> dict[str, Any]:
    detail = dict(event.detail)
    if event.actor.impersonator:
        detail["impersonator"] = event.actor.impersonator
    return {
        "org_id": event.org_id,
        "actor_kind": event.actor.kind,
        "actor_id": event.actor.id,
        "action": event.action,
        "outcome": event.outcome,
        "binding_id": event.binding_id,
        "grant_id": event.grant_id,
        "tenant_id": event.tenant_id,
        "request_id": event.actor.request_id,
        "source": event.actor.source,
        "detail": detail,
    }


_POSITION = (AuditEventRow.id, AuditEventRow.occurred_at)
KEPT_FOR_CERTAIN = timedelta(days=365)  # delete_audit_events_before() keeps them (migration 0007)
_CONTAINS = text("""
    SELECT bool_and(EXISTS (
        SELECT FROM audit_events e WHERE e.id = p.id AND e.occurred_at = p.occurred_at
    ))
    FROM jsonb_to_recordset(CAST(:positions AS jsonb)) AS p (id bigint, occurred_at timestamptz)
    WHERE p.occurred_at > clock_timestamp() - CAST(:kept AS interval)
    """)
_ORDER = CommitOrder("audit_events", "id", writers=22597)


class AuditLog:
    """The table `audit_events`."""

    def __init__(self, connection: AsyncConnection, outbox: Events) -> None:
        """Work inside the caller's transaction: a rollback discards the events, too.

        `outbox`: whose deferred events are added with the next audit event. `added`: the newest
        audit event that this transaction has added.
        """
        self._connection = connection
        self._outbox = outbox
        self.added: AuditPosition | None = None

    async def add(self, *events: AuditEvent) -> None:
        """Append events."""
        await self.extend(events)

    async def add_issue(self, event: AuditEvent) -> None:
        """Append the issue of a token, once per key, binding, access token and source.

        The index `uq_audit_events_token_issued` keeps it to one across replicas.
        """
        self._note(
            await self._connection.execute(
                postgresql_insert(AuditEventRow)
                .values(_values(event))
                .on_conflict_do_nothing()
                .returning(*_POSITION)
            )
        )

    async def extend(self, events: Sequence[AuditEvent]) -> None:
        """Append any number of events, none included."""
        if len(events) == 1:
            insert_one = insert(AuditEventRow).values(_values(events[0])).returning(*_POSITION)
            self._note(
                await self._connection.execute(insert_one.add_cte(*self._outbox.take_deferred()))
            )
        elif events:
            self._note(
                await self._connection.execute(
                    insert(AuditEventRow).returning(*_POSITION),
                    [_values(event) for event in events],
                )
            )

    def _note(self, inserted: Iterable[AnyRow]) -> None:
        for row in inserted:
            if self.added is None or row.id > self.added.id:
                self.added = AuditPosition(row.id, row.occurred_at)

    async def newest(self) -> AuditPosition | None:
        """Return the position of the event with the highest id; None for an empty log."""
        found = await self._connection.execute(
            select(*_POSITION).order_by(AuditEventRow.id.desc()).limit(1)
        )
        row = found.one_or_none()
        return AuditPosition(row.id, row.occurred_at) if row else None

    async def contains(self, positions: Sequence[AuditPosition]) -> bool | None:
        """Whether committed events are all in the log.

        An event that the retention may have deleted does not count; None if no other is left.
        """
        found: bool | None = await self._connection.scalar(
            _CONTAINS,
            {
                # Not two arrays: for their types the driver would ask the catalog, for 15 ms.
                "positions": json.dumps(
                    [
                        {"id": each.id, "occurred_at": each.occurred_at.isoformat()}
                        for each in positions
                    ]
                ),
                "kept": KEPT_FOR_CERTAIN,
            },
        )
        return found

    async def extent(self) -> Extent:
        """Return how far the log is complete (decision 0015)."""
        return await _ORDER.extent(self._connection)

    async def of_org(self, org_id: str, *, before: int | None, limit: int) -> tuple[Recorded, ...]:
        """Return an org's events, newest first, older than the id `before`."""
        rows = await self._connection.execute(
            select(*_COLUMNS)
            .where(
                AuditEventRow.org_id == org_id,
                *([AuditEventRow.id < before] if before is not None else []),
            )
            .order_by(AuditEventRow.id.desc())
            .limit(limit)
        )
        return tuple(_to_recorded(row) for row in rows)

    async def since(
        self, *, org_id: str | None, since: datetime | None, limit: int
    ) -> tuple[Recorded, ...]:
        """Return the newest events of one org or of all since a time, oldest first."""
        rows = await self._connection.execute(
            select(*_COLUMNS)
            .where(
                *([AuditEventRow.org_id == org_id] if org_id is not None else []),
                *([AuditEventRow.occurred_at >= since] if since is not None else []),
            )
            .order_by(AuditEventRow.id.desc())
            .limit(limit)
        )
        return tuple(_to_recorded(row) for row in rows)[::-1]

    async def of_actions(
        self, actions: Sequence[AuditAction], *, since: datetime, until: datetime
    ) -> tuple[Recorded, ...]:
        """Return the events of some actions between two times, oldest first."""
        rows = await self._connection.execute(
            select(*_COLUMNS)
            .where(
                AuditEventRow.action.in_(actions),
                AuditEventRow.occurred_at >= since,
                AuditEventRow.occurred_at < until,
            )
            .order_by(AuditEventRow.id)
        )
        return tuple(_to_recorded(row) for row in rows)

    async def newest_before(self, until: datetime) -> datetime | None:
        """Return the time of the last event before a time; None without one."""
        found: datetime | None = await self._connection.scalar(
            select(func.max(AuditEventRow.occurred_at)).where(AuditEventRow.occurred_at < until)
        )
        return found

    async def retention_cutoff(self, retention: timedelta) -> datetime:
        """Return the time before which events are past their retention, by the database's clock."""
        cutoff = await self._connection.scalar(select(NOW - retention))
        assert isinstance(cutoff, datetime)  # noqa: S101 - a SELECT without FROM has one row
        return cutoff

    async def delete_before(self, cutoff: datetime, *, at_most: int) -> int:
        """Delete up to `at_most` events older than `cutoff`, the oldest first; return how many.

        Calls the one database function that may delete, which keeps a year whatever the cutoff.
        """
        deleted = await self._connection.scalar(
            select(func.delete_audit_events_before(cutoff, at_most))
        )
        return int(deleted or 0)
