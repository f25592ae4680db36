"""The advisory lock that lets one migration of a database run at a time."""

import asyncio
import time

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from xero_service.errors import ServiceBusy
from xero_service.telemetry import logger
from xero_service.timeouts import MIGRATION_LOCK_WAIT_SECONDS

# The key spells "xero"; PostgreSQL scopes advisory locks to a database.
_TRY_LOCK = text(f"SELECT pg_try_advisory_xact_lock({0x7865726F})")
POLL_SECONDS = 0.5

log = logger(__name__)


async def acquire(connection: AsyncConnection) -> None:
    """Acquire the lock until the transaction on `connection` ends; raises ServiceBusy.

    A transaction-level lock, because a pooler would keep a session-level one on a connection that
    other clients use next. It is polled without an open snapshot: CREATE INDEX CONCURRENTLY in the
    other migration waits for every older snapshot.
    """
    deadline = time.monotonic() + MIGRATION_LOCK_WAIT_SECONDS
    logged = False
    while not await connection.scalar(_TRY_LOCK):
        await connection.rollback()
        if time.monotonic() > deadline:
            raise ServiceBusy("Another migration of this database has not ended. Try again later.")
        if not logged:
            log.warning("another migration of this database is running; waiting for it")
            logged = True
        await asyncio.sleep(POLL_SECONDS)
    # A statement after the SELECT, because the SELECT's portal keeps its snapshot until then.
    await connection.execute(text("SET LOCAL idle_in_transaction_session_timeout = 0"))
