"""Named leases, each held by one holder at a time across all replicas."""

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import or_, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from xero_service.store.grants import NOW
from xero_service.store.tables import LeaseRow


class Leases:
    """The table `leases`."""

    def __init__(self, connection: AsyncConnection) -> None:
        """Work inside the caller's transaction."""
        self._connection = connection

    async def claim(self, name: str, *, holder: UUID, ttl: timedelta) -> datetime | None:
        """Claim a lease that is free or expired; return the database's time, None where held."""
        new = insert(LeaseRow).values(name=name, holder=holder, lease_until=NOW + ttl)
        claimed = await self._connection.execute(
            new.on_conflict_do_update(
                index_elements=[LeaseRow.name],
                set_={"holder": holder, "lease_until": NOW + ttl},
                where=or_(LeaseRow.lease_until.is_(None), LeaseRow.lease_until < NOW),
            ).returning(NOW)
        )
        at = claimed.scalar_one_or_none()
        return at if isinstance(at, datetime) else None

    async def release(self, name: str, *, holder: UUID) -> None:
        """Release a lease, unless another holder has claimed it after it expired."""
        await self._connection.execute(
            update(LeaseRow)
            .where(LeaseRow.name == name, LeaseRow.holder == holder)
            .values(holder=None, lease_until=None)
        )
