"""Authorisation attempts: stored hashed and sealed, consumed by one statement."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from xero_service.store.grants import NOW
from xero_service.store.tables import VerificationTokenRow


@dataclass(frozen=True, slots=True)
class Attempt:
    """A stored attempt; its payload is None once the attempt is consumed."""

    browser_hash: str
    consumed: bool
    landing: str | None
    sealed_payload: str | None = field(repr=False)


class VerificationTokens:
    """The table `verification_tokens`."""

    def __init__(self, connection: AsyncConnection) -> None:
        """Work inside the caller's transaction."""
        self._connection = connection

    async def add(
        self, identifier: str, *, sealed_payload: str, browser_hash: str, lifetime: timedelta
    ) -> datetime:
        """Store an attempt; return when it expires."""
        expires = await self._connection.scalar(
            insert(VerificationTokenRow)
            .values(
                identifier=identifier,
                token=sealed_payload,
                browser_hash=browser_hash,
                expires=NOW + lifetime,
            )
            .returning(VerificationTokenRow.expires)
        )
        assert isinstance(expires, datetime)  # noqa: S101 - RETURNING of a NOT NULL column
        return expires

    async def consume(self, identifier: str) -> str | None:
        """Consume an attempt; return its sealed payload, None where it is used, expired or unknown.

        One statement reads and erases the payload, so that one caller receives it.
        """
        unused = (
            select(VerificationTokenRow.identifier, VerificationTokenRow.token)
            .where(
                VerificationTokenRow.identifier == identifier,
                VerificationTokenRow.consumed_at.is_(None),
                VerificationTokenRow.expires > NOW,
            )
            .with_for_update()
            .cte("unused")
        )
        payload = await self._connection.scalar(
            update(VerificationTokenRow)
            .where(VerificationTokenRow.identifier == unused.c.identifier)
            .values(consumed_at=NOW, token=None)
            .returning(unused.c.token)
        )
        return payload if isinstance(payload, str) else None

    async def find(self, identifier: str) -> Attempt | None:
        """Return an attempt, consumed or not."""
        row = (
            await self._connection.execute(
                select(
                    VerificationTokenRow.browser_hash,
                    VerificationTokenRow.consumed_at,
                    VerificationTokenRow.landing,
                    VerificationTokenRow.token,
                ).where(VerificationTokenRow.identifier == identifier)
            )
        ).one_or_none()
        if row is None:
            return None
        return Attempt(row.browser_hash, row.consumed_at is not None, row.landing, row.token)

    async def record_landing(
        self, identifier: str, landing: str, grant_id: UUID | None = None
    ) -> None:
        """Store the first callback's redirect target, to answer a repeated callback."""
        await self._connection.execute(
            update(VerificationTokenRow)
            .where(VerificationTokenRow.identifier == identifier)
            .values(landing=landing, grant_id=grant_id)
        )

    async def delete_expired(self, *, since: timedelta) -> int:
        """Delete attempts that expired at least `since` ago; return how many."""
        result = await self._connection.execute(
            delete(VerificationTokenRow).where(VerificationTokenRow.expires < NOW - since)
        )
        return result.rowcount
