"""The keys of internal services, with a hash of each secret."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from xero_service.domain import ServiceKey
from xero_service.store.grants import NOW, READ_AT
from xero_service.store.rows import Fields, fetch_row
from xero_service.store.tables import ServiceKeyRow

COLUMNS = (
    ServiceKeyRow.id.label("key_id"),
    ServiceKeyRow.name.label("key_name"),
    ServiceKeyRow.org_id.label("key_org_id"),
    ServiceKeyRow.scopes.label("key_scopes"),
    ServiceKeyRow.created_at.label("key_created_at"),
    ServiceKeyRow.expires_at.label("key_expires_at"),
    ServiceKeyRow.revoked_at.label("key_revoked_at"),
    ServiceKeyRow.last_used_at.label("key_last_used_at"),
)
_COLUMNS = (*COLUMNS, READ_AT)


def to_key(row: Fields) -> ServiceKey:
    """Return the key in a row that has `COLUMNS` and `read_at`, whichever driver read it."""
    return ServiceKey(
        id=row["key_id"],
        name=row["key_name"],
        org_id=row["key_org_id"],
        scopes=frozenset(row["key_scopes"]),
        created_at=row["key_created_at"],
        expires_at=row["key_expires_at"],
        revoked_at=row["key_revoked_at"],
        last_used_at=row["key_last_used_at"],
        read_at=row["read_at"],
    )


class ServiceKeys:
    """The table `service_keys`."""

    def __init__(self, connection: AsyncConnection) -> None:
        """Work inside the caller's transaction."""
        self._connection = connection

    async def add(
        self,
        key_id: UUID,
        *,
        name: str,
        secret_hash: str,
        org_id: str | None,
        scopes: Sequence[str],
        expires_at: datetime | None,
    ) -> ServiceKey:
        """Store a new key."""
        row = (
            (
                await self._connection.execute(
                    insert(ServiceKeyRow)
                    .values(
                        id=key_id,
                        name=name,
                        secret_hash=secret_hash,
                        org_id=org_id,
                        scopes=list(scopes),
                        expires_at=expires_at,
                    )
                    .returning(*_COLUMNS)
                )
            )
            .mappings()
            .one()
        )
        return to_key(row)

    async def find(self, key_id: UUID) -> tuple[ServiceKey, str] | None:
        """Return a key and the hash of its secret."""
        return await fetch_row(
            self._connection,
            select(*_COLUMNS, ServiceKeyRow.secret_hash).where(ServiceKeyRow.id == key_id),
            lambda row: (to_key(row), row["secret_hash"]),
        )

    async def all(self) -> tuple[ServiceKey, ...]:
        """Return every key, revoked ones too, oldest first."""
        rows = await self._connection.execute(
            select(*_COLUMNS).order_by(ServiceKeyRow.created_at, ServiceKeyRow.id)
        )
        return tuple(to_key(row) for row in rows.mappings())

    async def revoke(self, key_id: UUID) -> ServiceKey | None:
        """Revoke a key; None where it is unknown or was revoked before."""
        return await fetch_row(
            self._connection,
            update(ServiceKeyRow)
            .where(ServiceKeyRow.id == key_id, ServiceKeyRow.revoked_at.is_(None))
            .values(revoked_at=NOW)
            .returning(*_COLUMNS),
            to_key,
        )

    async def revoke_of_org(self, org_id: str) -> tuple[ServiceKey, ...]:
        """Revoke an org's keys; return those that were not revoked before."""
        rows = await self._connection.execute(
            update(ServiceKeyRow)
            .where(ServiceKeyRow.org_id == org_id, ServiceKeyRow.revoked_at.is_(None))
            .values(revoked_at=NOW)
            .returning(*_COLUMNS)
        )
        return tuple(to_key(row) for row in rows.mappings())

    async def touch(self, key_id: UUID) -> None:
        """Record that a key is in use, at most once a minute."""
        await self._connection.execute(
            update(ServiceKeyRow)
            .where(
                ServiceKeyRow.id == key_id,
                or_(
                    ServiceKeyRow.last_used_at.is_(None),
                    ServiceKeyRow.last_used_at < NOW - timedelta(minutes=1),
                ),
            )
            .values(last_used_at=NOW)
        )
