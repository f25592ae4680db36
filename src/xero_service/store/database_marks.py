"""Which database this is, and which one the service last used."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import and_, false, func, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from xero_service.domain import (
    PROVIDER,
    DatabaseIdentity,
    DatabaseMark,
    GrantStatus,
    RenewalProgress,
)
from xero_service.store.grants import NOW
from xero_service.store.rows import AnyRow
from xero_service.store.tables import DatabaseMarkRow, GrantRow

# Every role may call these functions, unless an operator of the server has revoked it.
_MAY_READ_IDENTITY = text("""
    SELECT has_function_privilege('pg_control_system()', 'EXECUTE')
       AND has_function_privilege('pg_current_wal_insert_lsn()', 'EXECUTE')
       AND has_function_privilege('pg_walfile_name(pg_lsn)', 'EXECUTE')
    """)
# The name of a segment begins with the timeline. pg_control_checkpoint() would show the timeline of
# the last checkpoint, which a promoted standby completes minutes after its promotion.
_IDENTITY = text("""
    SELECT system_identifier::text AS system_identifier,
           CASE WHEN pg_is_in_recovery() THEN NULL ELSE
               ('x' || left(pg_walfile_name(pg_current_wal_insert_lsn()), 8))::bit(32)::bigint
           END AS timeline
    FROM pg_control_system()
    """)
_COLUMNS = (
    DatabaseMarkRow.system_identifier,
    DatabaseMarkRow.timeline,
    DatabaseMarkRow.restored_at,
)


class DatabaseMarks:
    """The table `database_mark`, and PostgreSQL's own facts."""

    def __init__(self, connection: AsyncConnection) -> None:
        """Work inside the caller's transaction."""
        self._connection = connection

    async def identity(self) -> DatabaseIdentity | None:
        """Return the identity of this database; None where the role or the server denies it."""
        if not await self._connection.scalar(_MAY_READ_IDENTITY):
            return None
        try:
            async with self._connection.begin_nested():
                row = (await self._connection.execute(_IDENTITY)).one()
        except DBAPIError as error:
            if error.connection_invalidated:
                raise
            return None
        return None if row.timeline is None else DatabaseIdentity(*row)

    async def read(self) -> DatabaseMark:
        """Return what was stored last."""
        found = await self._connection.execute(select(*_COLUMNS))
        row = found.one_or_none()
        return _to_mark(row) if row else DatabaseMark()

    async def lock(self) -> DatabaseMark:
        """Return what was stored last, locked until the transaction ends."""
        own_row = insert(DatabaseMarkRow).values(provider=PROVIDER)
        found = await self._connection.execute(
            # An update that changes nothing returns and locks the row, also another replica's.
            own_row.on_conflict_do_update(
                index_elements=[DatabaseMarkRow.provider], set_={"provider": PROVIDER}
            ).returning(*_COLUMNS)
        )
        return _to_mark(found.one())

    async def save_identity(self, identity: DatabaseIdentity | None) -> None:
        """Store the identity, where it is known."""
        if identity is not None:
            await self._save(
                system_identifier=identity.system_identifier, timeline=identity.timeline
            )

    async def renew_all(self) -> None:
        """Make every refresh token that was issued until now due for a refresh."""
        await self._save(renew_issued_before=NOW)

    async def record_restore(self) -> datetime:
        """Record that the database went back, make every refresh token due; return the time."""
        await self._save(restored_at=NOW, renew_issued_before=NOW)
        mark = await self.read()
        assert mark.restored_at is not None  # noqa: S101 - stored by the statement before
        return mark.restored_at

    async def renewal_progress(self, *, under_way_for: timedelta) -> RenewalProgress:
        """Count the active grants that were renewed since the database went back, and the rest.

        A grant that was claimed within `under_way_for` is being renewed now.
        """
        due_before = select(DatabaseMarkRow.renew_issued_before).scalar_subquery()
        held = GrantRow.verdict_held_at.is_not(None)
        left = and_(~held, func.coalesce(GrantRow.refresh_token_issued_at < due_before, false()))
        found = await self._connection.execute(
            select(
                func.count().filter(~held, ~left),
                func.count().filter(held),
                func.count().filter(left),
                func.count().filter(left, GrantRow.picked_at > NOW - under_way_for),
            ).where(GrantRow.status == GrantStatus.ACTIVE)
        )
        return RenewalProgress(*found.one())

    async def _save(self, **values: Any) -> None:
        row = insert(DatabaseMarkRow).values(provider=PROVIDER, **values)
        await self._connection.execute(
            row.on_conflict_do_update(index_elements=[DatabaseMarkRow.provider], set_=values)
        )


def _to_mark(row: AnyRow) -> DatabaseMark:
    known = row.system_identifier is not None and row.timeline is not None
    return DatabaseMark(
        DatabaseIdentity(row.system_identifier, row.timeline) if known else None, row.restored_at
    )
