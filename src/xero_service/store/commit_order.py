"""How far a table that grows is complete, for readers with a cursor (decision 0015)."""

from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

# A transaction that adds rows holds a shared advisory lock: its key is the number of the table
# and the id after which it inserts (migrations 0009 and 0012).
_SELECT_EXTENT = """
    SELECT coalesce((SELECT max({column}) FROM {table}), 0) AS newest,
           (SELECT min((classid::bigint & 65535) << 32 | objid::bigint)
            FROM pg_locks
            WHERE locktype = 'advisory' AND mode = 'ShareLock' AND objsubid = 1
              AND classid::bigint >> 16 = :writers
              AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
           ) AS written_after
    """


@dataclass(frozen=True, slots=True)
class Extent:
    """The newest row's id, and the id after which open transactions may still insert, if any.

    A later read of the rows up to the lower of the two is complete: none will be added to them.
    """

    newest: int
    written_after: int | None

    @property
    def complete(self) -> int:
        """The id up to which no row can be added any more."""
        return self.newest if self.written_after is None else min(self.newest, self.written_after)


class CommitOrder:
    """A table whose writers announce themselves, by its id column and its number."""

    def __init__(self, table: str, column: str, *, writers: int) -> None:
        """`writers`: the number in the advisory locks of the table's trigger."""
        self._statement = text(_SELECT_EXTENT.format(table=table, column=column))
        self._writers = writers

    async def extent(self, connection: AsyncConnection) -> Extent:
        """Return how far the table is complete; the caller then reads rows in a later snapshot.

        A writer that is not seen here has either ended, so that the later snapshot has its rows,
        or starts after `newest` was read, so that its rows are newer.
        """
        row = (await connection.execute(self._statement, {"writers": self._writers})).one()
        return Extent(row.newest, row.written_after)
