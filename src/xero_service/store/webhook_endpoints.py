"""The endpoints that receive events, and the state of each one's circuit breaker."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import case, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from xero_service.domain import Endpoint
from xero_service.store.grants import NOW
from xero_service.store.rows import AnyRow
from xero_service.store.tables import EndpointRow

_COLUMNS = (
    EndpointRow.id,
    EndpointRow.url,
    EndpointRow.org_id,
    EndpointRow.kinds,
    EndpointRow.secret_enc,
    case(
        (EndpointRow.previous_secret_until > NOW, EndpointRow.previous_secret_enc), else_=None
    ).label("previous_secret_enc"),
    EndpointRow.created_at,
    EndpointRow.disabled_at,
    EndpointRow.disabled_reason,
    EndpointRow.failures,
    EndpointRow.next_attempt_at,
)


def _to_endpoint(row: AnyRow) -> Endpoint:
    return Endpoint(**{**row._mapping, "kinds": tuple(row.kinds)})


class WebhookEndpoints:
    """The table `webhook_endpoints`."""

    def __init__(self, connection: AsyncConnection) -> None:
        """Work inside the caller's transaction."""
        self._connection = connection

    async def create(
        self,
        endpoint_id: UUID,
        *,
        url: str,
        org_id: str | None,
        kinds: Sequence[str],
        secret_enc: str,
    ) -> Endpoint:
        """Store an endpoint; it receives events that are added after this transaction."""
        rows = await self._connection.execute(
            insert(EndpointRow)
            .values(
                id=endpoint_id, url=url, org_id=org_id, kinds=list(kinds), secret_enc=secret_enc
            )
            .returning(*_COLUMNS)
        )
        return _to_endpoint(rows.one())

    async def all(self) -> tuple[Endpoint, ...]:
        """Return every endpoint, oldest first."""
        rows = await self._connection.execute(
            select(*_COLUMNS).order_by(EndpointRow.created_at, EndpointRow.id)
        )
        return tuple(map(_to_endpoint, rows))

    async def lock(self, endpoint_id: UUID) -> Endpoint | None:
        """Return one endpoint, locked until the transaction ends."""
        rows = await self._connection.execute(
            select(*_COLUMNS).where(EndpointRow.id == endpoint_id).with_for_update()
        )
        row = rows.one_or_none()
        return _to_endpoint(row) if row else None

    async def of_ids(self, ids: Sequence[UUID]) -> dict[UUID, Endpoint]:
        """Return endpoints by id."""
        rows = await self._connection.execute(select(*_COLUMNS).where(EndpointRow.id.in_(ids)))
        return {row.id: _to_endpoint(row) for row in rows}

    async def rotate(
        self, endpoint_id: UUID, *, secret_enc: str, previous_secret_enc: str, overlap: timedelta
    ) -> bool:
        """Replace the secret; the previous one signs, too, for `overlap`. False: unknown."""
        return await self._update(
            endpoint_id,
            secret_enc=secret_enc,
            previous_secret_enc=previous_secret_enc,
            previous_secret_until=NOW + overlap,
        )

    async def disable(self, endpoint_id: UUID, *, reason: str) -> bool:
        """Stop the deliveries to an endpoint; False where it is unknown or disabled already."""
        return await self._update(
            endpoint_id, EndpointRow.disabled_at.is_(None), disabled_at=NOW, disabled_reason=reason
        )

    async def enable(self, endpoint_id: UUID) -> bool:
        """Resume the deliveries at once, with those that collected meanwhile; False: unknown."""
        return await self._update(
            endpoint_id, disabled_at=None, disabled_reason=None, failures=0, next_attempt_at=None
        )

    async def close_circuit(self, endpoint_id: UUID) -> None:
        """Record that an endpoint acknowledged an event: deliveries are unlimited again."""
        await self._update(endpoint_id, EndpointRow.failures > 0, failures=0, next_attempt_at=None)

    async def open_circuit(
        self, endpoint_id: UUID, *, retry_in: timedelta, attempted_at: datetime
    ) -> None:
        """Let the endpoint rest, unless it rests since an attempt that began later.

        So all attempts that were under way when it failed count as one.
        """
        await self._update(
            endpoint_id,
            or_(EndpointRow.next_attempt_at.is_(None), EndpointRow.next_attempt_at <= attempted_at),
            failures=EndpointRow.failures + 1,
            next_attempt_at=NOW + retry_in,
        )

    async def _update(self, endpoint_id: UUID, *where: object, **values: object) -> bool:
        found = await self._connection.scalar(
            update(EndpointRow)
            .where(EndpointRow.id == endpoint_id, *where)  # type: ignore[arg-type]
            .values(**values)
            .returning(EndpointRow.id)
        )
        return found is not None
