"""Events for other systems: added in the transaction of the change, read in commit order."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import CTE, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from xero_service.domain import Event, EventCursor, StoredEvent
from xero_service.store.commit_order import CommitOrder, Extent
from xero_service.store.rows import AnyRow
from xero_service.store.tables import EventRow

_ORDER = CommitOrder("events", "position", writers=22598)
NO_BINDING = UUID(int=0)  # the lane of events without a binding
# Whether a row `e` of events is of one of the kinds in an array; `binding.*` names all below.
_OF_KINDS = """(
    cardinality({kinds}) = 0 OR e.kind = ANY({kinds})
    OR split_part(e.kind, '.', 1) || '.*' = ANY({kinds})
    OR split_part(e.kind, '.', 1) || '.' || split_part(e.kind, '.', 2) || '.*' = ANY({kinds})
)"""
# A delivery for an endpoint `w` of events `e`, also for one that is disabled: it receives them
# once it is enabled again.
DELIVERIES_OF = f"""
    SELECT w.id, e.position, coalesce(e.binding_id, '{NO_BINDING}'::uuid)
    FROM {{events}} e JOIN webhook_endpoints w
        ON (w.org_id IS NULL OR w.org_id = e.org_id) AND {_OF_KINDS.format(kinds="w.kinds")}
    """  # noqa: S608 (constants)
EVENTS_SEQUENCE = "events_position_seq"
_LAST = f"(SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM {EVENTS_SEQUENCE})"  # noqa: S608
# The event at a cursor proves that this database gave the cursor. One that is older than every
# event may be past the retention: nothing that is kept can be behind it.
_CURSORS = text(f"""
    SELECT coalesce(
               (SELECT right(id::text, 4) = :fingerprint FROM events WHERE position = :position),
               :position < (SELECT min(position) FROM events),
               :position <= {_LAST}
           ) AS is_known,
           newest.position, newest.id
    FROM (VALUES (1)) AS always LEFT JOIN LATERAL (
        SELECT position, id FROM events WHERE position <= :up_to ORDER BY position DESC LIMIT 1
    ) AS newest ON true
    """)  # noqa: S608 (constants)
_INSERT = """
    INSERT INTO events (id, occurred_at, kind, org_id, binding_id, tenant_id, data, source_key)
    SELECT id, coalesce(occurred_at, clock_timestamp()), kind, org_id, binding_id, tenant_id,
           data, source_key
    FROM jsonb_to_recordset(CAST(:events AS jsonb)) AS given (
        id uuid, occurred_at timestamptz, kind text, org_id text, binding_id uuid,
        tenant_id text, data jsonb, source_key text
    )
    ON CONFLICT (source_key) WHERE source_key IS NOT NULL DO NOTHING
    RETURNING position, kind, org_id, binding_id
    """
_DELIVER = f"""
    INSERT INTO webhook_deliveries (endpoint_id, event_position, lane)
    {DELIVERIES_OF.format(events="added")}
    RETURNING event_position
    """
_ADD = text(f"""
    WITH added AS ({_INSERT}), delivered AS ({_DELIVER})
    SELECT kind FROM added ORDER BY position
    """)  # noqa: S608 (constants)
_INSERTED = text(_INSERT)
_DELIVERED = text(_DELIVER).columns(EventRow.position).cte("delivered")
_OF_ORG = text(f"""
    SELECT e.position, e.id, e.occurred_at, e.kind, e.org_id, e.binding_id, e.tenant_id, e.data
    FROM events e
    WHERE e.org_id = :org_id AND e.position > :after AND e.position <= :up_to
      AND {_OF_KINDS.format(kinds="CAST(:kinds AS text[])")}
    ORDER BY e.position LIMIT :limit
    """)  # noqa: S608 (constants)
# Positions and times grow together, so only the oldest need to be looked at.
_PRUNE = text("""
    DELETE FROM events WHERE position IN (
        SELECT position FROM (
            SELECT position, recorded_at FROM events ORDER BY position LIMIT :at_most
        ) AS oldest
        WHERE recorded_at < clock_timestamp() - CAST(:retention AS interval)
    )
    """)
COLUMNS = (
    EventRow.position,
    EventRow.id,
    EventRow.occurred_at,
    EventRow.kind,
    EventRow.org_id,
    EventRow.binding_id,
    EventRow.tenant_id,
    EventRow.data,
)


@dataclass(frozen=True, slots=True)
class Cursors:
    """Whether this database gave a client's cursor, and the newest one that it can give now."""

    is_known: bool
    newest: EventCursor


def to_event(row: AnyRow) -> StoredEvent:
    """Return the event in a row that has `COLUMNS`."""
    return StoredEvent(
        position=row.position,
        id=row.id,
        occurred_at=row.occurred_at,
        kind=row.kind,
        org_id=row.org_id,
        binding_id=row.binding_id,
        tenant_id=row.tenant_id,
        data=json.loads(row.data) if isinstance(row.data, str) else row.data,
    )


class Events:
    """The table `events`; `added` has the kinds that this transaction adds, for metrics."""

    def __init__(self, connection: AsyncConnection) -> None:
        """Work inside the caller's transaction: a rollback discards the events, too."""
        self._connection = connection
        self.added: list[str] = []
        self._deferred: list[Event] = []

    def defer(self, *events: Event) -> None:
        """Add events with the next audit event of the transaction, or when it ends.

        A change and its record are two statements anyway: this saves a third round trip.
        """
        self._deferred += events
        self.added += [str(each.kind) for each in events]

    def take_deferred(self) -> tuple[CTE, ...]:
        """Return what adds the deferred events, for a statement that is sent with them."""
        if not self._deferred:
            return ()
        inserted = _INSERTED.bindparams(events=_to_json(self._deferred))
        self._deferred = []
        return inserted.columns(EventRow.position).cte("added"), _DELIVERED

    async def add_deferred(self) -> None:
        """Add the events that were deferred, now."""
        events, self._deferred = self._deferred, []
        if events:
            await self._connection.execute(_ADD, {"events": _to_json(events)})

    async def add(self, *events: Event) -> int:
        """Add events and a delivery for each endpoint that receives them, in one statement.

        Returns how many are new: one with the `source_key` of an earlier event is not added.
        """
        if not events:
            return 0
        await self.add_deferred()
        rows = await self._connection.execute(_ADD, {"events": _to_json(events)})
        kinds = [row.kind for row in rows]
        self.added += kinds
        return len(kinds)

    async def extent(self) -> Extent:
        """Return how far the table is complete (decision 0015)."""
        return await _ORDER.extent(self._connection)

    async def cursors(self, after: EventCursor, *, up_to: int) -> Cursors:
        """Compare a client's cursor with the events, and return that of the last one up to a place.

        Without events up to there, only the client's own is known.
        """
        row = (
            await self._connection.execute(
                _CURSORS,
                {
                    "position": after.position,
                    "fingerprint": f"{after.fingerprint:04x}",
                    "up_to": up_to,
                },
            )
        ).one()
        return Cursors(
            is_known=row.is_known if after.position else after.fingerprint == 0,
            newest=after if row.id is None else EventCursor.at(row.position, row.id),
        )

    async def of_org(
        self, org_id: str, *, after: int, up_to: int, kinds: Sequence[str], limit: int
    ) -> tuple[StoredEvent, ...]:
        """Return an org's events with positions in (after, up_to], oldest first."""
        rows = await self._connection.execute(
            _OF_ORG,
            {
                "org_id": org_id,
                "after": after,
                "up_to": up_to,
                "kinds": list(kinds),
                "limit": limit,
            },
        )
        return tuple(to_event(row) for row in rows)

    async def find(self, event_id: UUID) -> StoredEvent | None:
        """Return an event by its id: for operators."""
        rows = await self._connection.execute(select(*COLUMNS).where(EventRow.id == event_id))
        row = rows.one_or_none()
        return to_event(row) if row else None

    async def prune(self, retention: timedelta, *, at_most: int) -> int:
        """Delete up to `at_most` events older than `retention`, with their deliveries."""
        deleted = await self._connection.execute(
            _PRUNE, {"retention": retention, "at_most": at_most}
        )
        return deleted.rowcount


def _to_json(events: Sequence[Event]) -> str:
    return json.dumps([_to_record(event) for event in events])


def _to_record(event: Event) -> dict[str, Any]:
    return {
        "id": str(event.id),
        "occurred_at": event.occurred_at.isoformat() if event.occurred_at else None,
        "kind": str(event.kind),
        "org_id": event.org_id,
        "binding_id": str(event.binding_id) if event.binding_id else None,
        "tenant_id": event.tenant_id,
        "data": dict(event.data),
        "source_key": event.source_key,
    }
