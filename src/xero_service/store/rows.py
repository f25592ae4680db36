"""Rows of any statement: their types, and a single row as a value."""

from collections.abc import Callable
from typing import Any, Protocol, TypeVar

from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.sql.base import Executable

AnyRow = Row[*tuple[Any, ...]]
T = TypeVar("T")


class Fields(Protocol):
    """A row by the names of its columns: SQLAlchemy's mapping, or the bare driver's record."""

    def __getitem__(self, name: str, /) -> Any:
        """Return a column's value."""


async def fetch_row(
    connection: AsyncConnection, statement: Executable, to_value: Callable[[Fields], T]
) -> T | None:
    """Execute a statement of at most one row; return the row's value, None where there is none."""
    row = (await connection.execute(statement)).mappings().one_or_none()
    return to_value(row) if row else None
