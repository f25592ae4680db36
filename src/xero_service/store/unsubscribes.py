"""Addresses, as keyed hashes, that get no more mail of a kind; and the secret behind the hashes."""

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from xero_service.domain import NoticeKind
from xero_service.store.tables import NoticeKeyRow, UnsubscribeRow


class Unsubscribes:
    """The tables `notice_unsubscribes` and `notice_keys`."""

    def __init__(self, connection: AsyncConnection) -> None:
        """Work inside the caller's transaction."""
        self._connection = connection

    async def sealed_secret(self, key_id: UUID) -> str | None:
        """Return the sealed secret, or None before the first `keep_secret`."""
        found: str | None = await self._connection.scalar(
            select(NoticeKeyRow.secret_enc).where(NoticeKeyRow.id == key_id)
        )
        return found

    async def keep_secret(self, key_id: UUID, secret_enc: str) -> None:
        """Store the sealed secret, unless another replica has done so."""
        await self._connection.execute(
            insert(NoticeKeyRow).values(id=key_id, secret_enc=secret_enc).on_conflict_do_nothing()
        )

    async def add(self, address_hash: str, kind: NoticeKind) -> None:
        """End mail of a kind to an address; once more has no effect."""
        await self._connection.execute(
            insert(UnsubscribeRow)
            .values(address_hash=address_hash, kind=kind)
            .on_conflict_do_nothing()
        )

    async def kinds(self, address_hash: str) -> frozenset[NoticeKind]:
        """Return the kinds of which an address gets no more mail."""
        rows = await self._connection.scalars(
            select(UnsubscribeRow.kind).where(UnsubscribeRow.address_hash == address_hash)
        )
        return frozenset(map(NoticeKind, rows))
