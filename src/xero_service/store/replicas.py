"""The replicas that run, each with the code that it runs."""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from sqlalchemy import Connection, delete, func, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from xero_service.domain.replicas import SILENT_AFTER, Replica
from xero_service.store.grants import NOW
from xero_service.store.tables import ReplicaRow

FORGOTTEN_AFTER = timedelta(days=1)


class Replicas:
    """The table `replicas`."""

    def __init__(self, connection: AsyncConnection) -> None:
        """Work inside the caller's transaction."""
        self._connection = connection

    async def announce(self, replica: Replica) -> None:
        """Record that a replica runs now, and forget those that ended long ago."""
        new = insert(ReplicaRow).values(
            id=replica.id,
            host=replica.host,
            version=replica.version,
            code=replica.code,
            started_at=NOW,
            seen_at=NOW,
        )
        await self._connection.execute(
            new.on_conflict_do_update(index_elements=[ReplicaRow.id], set_={"seen_at": NOW})
        )
        await self._connection.execute(
            delete(ReplicaRow).where(ReplicaRow.seen_at < NOW - FORGOTTEN_AFTER)
        )

    async def withdraw(self, replica_id: UUID) -> None:
        """Record that a replica has ended."""
        await self._connection.execute(delete(ReplicaRow).where(ReplicaRow.id == replica_id))


def running_older_code(connection: Connection, oldest_code: str) -> Sequence[Replica]:
    """Return the replicas that run and whose code is older than `oldest_code`.

    For `migrate`, which also meets databases from before the table.
    """
    if connection.scalar(text("SELECT to_regclass('replicas')")) is None:
        return ()
    rows = connection.execute(
        select(ReplicaRow.id, ReplicaRow.host, ReplicaRow.version, ReplicaRow.code)
        .where(
            ReplicaRow.seen_at > func.clock_timestamp() - SILENT_AFTER,
            ReplicaRow.code < oldest_code,
        )
        .order_by(ReplicaRow.code, ReplicaRow.host)
    )
    return [Replica(*row) for row in rows]
