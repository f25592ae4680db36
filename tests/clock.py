"""Time that passes for the service: the database's clock is the only one it goes by."""

from datetime import timedelta

import asyncpg

TIMES = (
    "SELECT table_name AS name,"
    " string_agg(format('%1$I = %1$I - $1::interval', column_name), ', ') AS older"
    " FROM information_schema.columns WHERE table_schema = 'public'"
    " AND data_type = 'timestamp with time zone' AND table_name <> 'audit_events'"
    " GROUP BY table_name"
)


async def time_passes(database: asyncpg.Connection, seconds: float) -> None:
    """Make everything that is stored so much older; the audit log alone cannot be changed."""
    async with database.transaction():
        for table in await database.fetch(TIMES):
            await database.execute(
                f"UPDATE {table['name']} SET {table['older']}",  # noqa: S608 - names of ours
                timedelta(seconds=seconds),
            )
