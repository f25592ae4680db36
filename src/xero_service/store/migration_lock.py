"""The lock that keeps two migrations of one database apart."""

import asyncio
import time

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from xero_service.errors import ServiceBusy
from xero_service.telemetry import logger
from xero_service.timeouts import MIGRATION_LOCK_WAIT_SECONDS

# The key spells "xero"; such locks belong to one database.
_TRY = text(f"SELECT pg_try_advisory_xact_lock({0x7865726F})")
POLL_SECONDS = 0.5

log = logger(__name__)


async def acquire(connection: AsyncConnection) -> None:
    """Hold the lock until the transaction on `connection` ends; raises ServiceBusy.

    A transaction's lock, because behind a pooler a session's would stay on a connection that
    others use next. It is polled, and no snapshot is kept: an index that the other migration
    builds concurrently waits for every snapshot that is older.
    """
    deadline = time.monotonic() + MIGRATION_LOCK_WAIT_SECONDS
    told = False
    while not await connection.scalar(_TRY):
        await connection.rollback()
        if time.monotonic() > deadline:
            raise ServiceBusy("Another migration of this database has not ended. Try again later.")
        if not told:
            log.warning("another migration of this database is running; waiting for it")
            told = True
        await asyncio.sleep(POLL_SECONDS)
    # Last, because the portal of a SELECT keeps its snapshot until the next statement.
    await connection.execute(text("SET LOCAL idle_in_transaction_session_timeout = 0"))
