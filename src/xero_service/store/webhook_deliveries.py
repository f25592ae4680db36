"""Deliveries of events to endpoints: claimed by one replica, recorded by attempt.

A delivery is due in the order of its lane (a binding at an endpoint): the first one that is
pending blocks the others. An endpoint that failed gets one delivery at a time, after its pause.
"""

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import case, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from xero_service.domain import ClaimedDelivery, Delivery, DeliveryState
from xero_service.store.events import COLUMNS, DELIVERIES_OF, to_event
from xero_service.store.grants import NOW
from xero_service.store.tables import DeliveryRow, EndpointRow, EventRow
from xero_service.store.webhook_endpoints import WebhookEndpoints

_IS_DUE = """
    d.state = 'pending' AND d.next_attempt_at <= clock_timestamp()
    AND (d.claimed_until IS NULL OR d.claimed_until < clock_timestamp())
    """
# The first of the lanes in the index of pending deliveries. In the order of positions the planner
# would rather read the other indexes, and with them all that was delivered.
_FIRST_OF = """
    SELECT d.lane, d.event_position, d.failures, d.next_attempt_at, d.claimed_until
    FROM webhook_deliveries d
    WHERE d.endpoint_id = {endpoint_id} AND d.state = 'pending' AND {condition}
    ORDER BY d.lane, d.event_position LIMIT 1
    """
# Locked, so that replicas count the attempts under way one after the other.
_LOCK_ENDPOINTS = text(f"""
    SELECT w.id FROM webhook_endpoints w
    WHERE w.disabled_at IS NULL
      AND (w.next_attempt_at IS NULL OR w.next_attempt_at <= clock_timestamp())
      AND (SELECT due.event_position
           FROM ({_FIRST_OF.format(endpoint_id="w.id", condition=_IS_DUE)}) AS due) IS NOT NULL
    ORDER BY w.id FOR NO KEY UPDATE SKIP LOCKED
    """)  # noqa: S608 (constants)
# The first pending delivery of each lane, found from lane to lane: what has piled up behind it is
# not read.
_FIRST_OF_LANES = f"""
    RECURSIVE first AS (
        SELECT w.id, w.failures AS endpoint_failures, d.*
        FROM webhook_endpoints w
        CROSS JOIN LATERAL ({_FIRST_OF.format(endpoint_id="w.id", condition="true")}) AS d
        WHERE {{endpoints}}
        UNION ALL
        SELECT first.id, first.endpoint_failures, d.*
        FROM first CROSS JOIN LATERAL (
            {_FIRST_OF.format(endpoint_id="first.id", condition="d.lane > first.lane")}
        ) AS d
    )"""  # noqa: S608 (constants)
# A probe takes the delivery that failed least, so that one that always fails blocks no other.
_CLAIM = text(f"""
    WITH {_FIRST_OF_LANES.format(endpoints="w.id = ANY(:ids)")}, under_way AS (
        SELECT id, count(*) AS number FROM first
        WHERE claimed_until >= clock_timestamp() GROUP BY id
    ), due AS (
        SELECT d.id, d.event_position,
            CASE WHEN d.endpoint_failures > 0 THEN 1 ELSE :at_once END
                - coalesce(under_way.number, 0) AS free,
            row_number() OVER (
                PARTITION BY d.id
                ORDER BY CASE WHEN d.endpoint_failures > 0 THEN d.failures END, d.event_position
            ) AS place
        FROM first AS d LEFT JOIN under_way ON under_way.id = d.id
        WHERE d.next_attempt_at <= clock_timestamp()
          AND (d.claimed_until IS NULL OR d.claimed_until < clock_timestamp())
    )
    UPDATE webhook_deliveries d
    SET attempts = d.attempts + 1, claimed_until = clock_timestamp() + CAST(:ttl AS interval),
        last_attempt_at = clock_timestamp()
    FROM due
    WHERE due.place <= due.free
      AND d.endpoint_id = due.id AND d.event_position = due.event_position
    RETURNING d.endpoint_id, d.event_position, d.attempts, d.failures, d.last_attempt_at
    """)  # noqa: S608 (constants)
_REDELIVER = text(f"""
    INSERT INTO webhook_deliveries AS d (endpoint_id, event_position, lane)
    {DELIVERIES_OF.format(events="events")}
    WHERE (CAST(:event_id AS uuid) IS NULL OR e.id = :event_id)
      AND (CAST(:since AS timestamptz) IS NULL OR e.recorded_at >= :since)
      AND (CAST(:endpoint_id AS uuid) IS NULL OR w.id = :endpoint_id)
    ON CONFLICT (endpoint_id, event_position) DO UPDATE
    SET state = 'pending', failures = 0, next_attempt_at = clock_timestamp(), claimed_until = NULL
    """)  # noqa: S608 (constants)
_OLDEST = text(f"""
    WITH {_FIRST_OF_LANES.format(endpoints="w.disabled_at IS NULL")}
    SELECT extract(epoch FROM clock_timestamp() - min(e.recorded_at))
    FROM first JOIN events e ON e.position = first.event_position
    """)  # noqa: S608 (constants)


class WebhookDeliveries:
    """The table `webhook_deliveries`; `Events.add` inserts its rows."""

    def __init__(self, connection: AsyncConnection, endpoints: WebhookEndpoints) -> None:
        """Work inside the caller's transaction."""
        self._connection = connection
        self._endpoints = endpoints

    async def claim(self, *, at_once: int, ttl: timedelta) -> tuple[ClaimedDelivery, ...]:
        """Claim due deliveries for `ttl`, at most `at_once` under way per endpoint.

        Opens an attempt of each. Two statements, so that the second one sees what the replica that
        last had an endpoint's lock has claimed.
        """
        ids = list((await self._connection.execute(_LOCK_ENDPOINTS)).scalars())
        if not ids:
            return ()
        claimed = await self._connection.execute(
            _CLAIM, {"ids": ids, "at_once": at_once, "ttl": ttl}
        )
        rows = claimed.all()
        if not rows:
            return ()
        endpoints = await self._endpoints.of_ids(ids)
        found = await self._connection.execute(
            select(*COLUMNS).where(EventRow.position.in_({row.event_position for row in rows}))
        )
        events = {row.position: to_event(row) for row in found}
        return tuple(
            ClaimedDelivery(
                endpoint=endpoints[row.endpoint_id],
                event=events[row.event_position],
                attempt=row.attempts,
                failures=row.failures,
                claimed_at=row.last_attempt_at,
            )
            for row in rows
        )

    async def record_delivered(self, claimed: ClaimedDelivery, *, status: int, answer: str) -> bool:
        """Record an acknowledged attempt; False where another attempt was made meanwhile."""
        return await self._record(
            claimed, state=DeliveryState.DELIVERED, last_status=status, last_answer=answer
        )

    async def record_failed(
        self,
        claimed: ClaimedDelivery,
        *,
        retry_in: timedelta | None,
        status: int | None,
        answer: str,
    ) -> bool:
        """Record a failed attempt; parked where `retry_in` is None.

        False where another attempt was made meanwhile.
        """
        return await self._record(
            claimed,
            state=DeliveryState.PARKED if retry_in is None else DeliveryState.PENDING,
            failures=DeliveryRow.failures + 1,
            next_attempt_at=NOW + (retry_in or timedelta()),
            last_status=status,
            last_answer=answer,
        )

    async def _record(self, claimed: ClaimedDelivery, **values: object) -> bool:
        recorded = await self._connection.scalar(
            update(DeliveryRow)
            .where(
                DeliveryRow.endpoint_id == claimed.endpoint.id,
                DeliveryRow.event_position == claimed.event.position,
                DeliveryRow.attempts == claimed.attempt,
                DeliveryRow.state == DeliveryState.PENDING,
            )
            .values(claimed_until=None, **values)
            .returning(DeliveryRow.attempts)
        )
        return recorded is not None

    async def redeliver(
        self, *, event_id: UUID | None, since: datetime | None, endpoint_id: UUID | None
    ) -> int:
        """Make deliveries due again, delivered ones too, and those that an endpoint never had."""
        result = await self._connection.execute(
            _REDELIVER, {"event_id": event_id, "since": since, "endpoint_id": endpoint_id}
        )
        return result.rowcount

    async def list(
        self, *, only_failed: bool, endpoint_id: UUID | None, limit: int
    ) -> tuple[Delivery, ...]:
        """Return the newest deliveries, newest first; failed: parked, or to be repeated."""
        failed = (DeliveryRow.state != DeliveryState.DELIVERED, DeliveryRow.failures > 0)
        rows = await self._connection.execute(
            select(
                *COLUMNS,
                DeliveryRow.endpoint_id,
                DeliveryRow.state,
                DeliveryRow.attempts,
                case(
                    (
                        DeliveryRow.state == DeliveryState.PENDING,
                        case(
                            (
                                EndpointRow.next_attempt_at > DeliveryRow.next_attempt_at,
                                EndpointRow.next_attempt_at,
                            ),
                            else_=DeliveryRow.next_attempt_at,
                        ),
                    ),
                    else_=None,
                ).label("next_attempt_at"),
                DeliveryRow.last_attempt_at,
                DeliveryRow.last_status,
                DeliveryRow.last_answer,
            )
            .join(EventRow, EventRow.position == DeliveryRow.event_position)
            .join(EndpointRow, EndpointRow.id == DeliveryRow.endpoint_id)
            .where(
                *(failed if only_failed else ()),
                *([DeliveryRow.endpoint_id == endpoint_id] if endpoint_id else ()),
            )
            .order_by(DeliveryRow.event_position.desc(), DeliveryRow.endpoint_id)
            .limit(limit)
        )
        return tuple(
            Delivery(
                endpoint_id=row.endpoint_id,
                event_id=to_event(row).public_id,
                kind=row.kind,
                org_id=row.org_id,
                binding_id=row.binding_id,
                state=DeliveryState(row.state),
                attempts=row.attempts,
                next_attempt_at=row.next_attempt_at,
                last_attempt_at=row.last_attempt_at,
                last_status=row.last_status,
                last_answer=row.last_answer,
            )
            for row in rows
        )

    async def oldest_pending_seconds(self) -> float:
        """Return the age of the oldest event that an enabled endpoint has not acknowledged."""
        age = await self._connection.scalar(_OLDEST)
        return float(age or 0)
