"""Named leases: a right that one holder has at a time, across replicas."""

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
        """Take a lease that is free or has run out; return the database's time, else None."""
        new = insert(LeaseRow).values(name=name, holder=holder, lease_until=NOW + ttl)
        taken = await self._connection.execute(
            new.on_conflict_do_update(
                index_elements=[LeaseRow.name],
                set_={"holder": holder, "lease_until": NOW + ttl},
                where=or_(LeaseRow.lease_until.is_(None), LeaseRow.lease_until < NOW),
            ).returning(NOW)
        )
        at = taken.scalar_one_or_none()
        return at if isinstance(at, datetime) else None

    async def release(self, name: str, *, holder: UUID) -> None:
        """Give a lease back; one that was taken over meanwhile is left alone."""
        await self._connection.execute(
            update(LeaseRow)
            .where(LeaseRow.name == name, LeaseRow.holder == holder)
            .values(holder=None, lease_until=None)
        )
