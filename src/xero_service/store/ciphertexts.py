"""Reads and replaces every sealed value of the database, for the rotation of the key."""

from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from xero_service.store.tables import (
    AuthorisationRow,
    EndpointRow,
    GrantRow,
    NoticeKeyRow,
    VerificationTokenRow,
)


@dataclass(frozen=True, slots=True)
class SealedColumn:
    """A column that holds ciphertexts, and the key of its rows."""

    key: Any
    column: Any

    def context(self, key: UUID | str) -> str:
        """Return the additional authenticated data of a row's value: its key and its column."""
        return f"{key}:{self.column.key}"


SEALED = (
    SealedColumn(GrantRow.id, GrantRow.access_token_enc),
    SealedColumn(GrantRow.id, GrantRow.refresh_token_enc),
    SealedColumn(AuthorisationRow.id, AuthorisationRow.consenter_enc),
    SealedColumn(VerificationTokenRow.identifier, VerificationTokenRow.token),
    SealedColumn(EndpointRow.id, EndpointRow.secret_enc),
    SealedColumn(EndpointRow.id, EndpointRow.previous_secret_enc),
    SealedColumn(NoticeKeyRow.id, NoticeKeyRow.secret_enc),
)


@dataclass(frozen=True, slots=True)
class Sealed:
    """A ciphertext, its column and the key of its row."""

    where: SealedColumn
    key: UUID | str
    text: str = field(repr=False)

    @property
    def place(self) -> str:
        """Table, column and row, for an operator."""
        column = self.where.column
        return f"{column.class_.__tablename__}.{column.key} of {self.key}"


class Ciphertexts:
    """The sealed columns of all tables."""

    def __init__(self, connection: AsyncConnection) -> None:
        """Work inside the caller's transaction."""
        self._connection = connection

    async def have_tables(self) -> bool:
        """Return whether the database was ever migrated."""
        table = SEALED[0].column.class_.__tablename__
        found = await self._connection.scalar(select(func.to_regclass(table).is_not(None)))
        return bool(found)

    async def count(self) -> int:
        """Return how many ciphertexts there are."""
        total = 0
        for each in SEALED:
            total += await self._connection.scalar(select(func.count(each.column))) or 0
        return total

    async def batch(
        self, where: SealedColumn, *, after: UUID | str | None, limit: int
    ) -> tuple[Sealed, ...]:
        """Return the next ciphertexts of a column, in the order of their keys."""
        rows = await self._connection.execute(
            select(where.key, where.column)
            .where(
                where.column.is_not(None),
                *([where.key > after] if after is not None else []),
            )
            .order_by(where.key)
            .limit(limit)
        )
        return tuple(Sealed(where, row[0], row[1]) for row in rows)

    async def replace(self, sealed: Sealed, text: str) -> bool:
        """Replace a ciphertext, unless it changed meanwhile; return whether it was replaced."""
        replaced = await self._connection.scalar(
            update(sealed.where.column.class_)
            .where(sealed.where.key == sealed.key, sealed.where.column == sealed.text)
            .values({sealed.where.column: text})
            .returning(sealed.where.key)
        )
        return replaced is not None
