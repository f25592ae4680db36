"""Waits until a table that grows is complete up to a row, for readers with a cursor."""

import asyncio
import time
from collections.abc import Awaitable, Callable

from xero_service.store.commit_order import Extent
from xero_service.store.database import Database
from xero_service.store.transaction import Transaction

WAIT_FOR_WRITERS_SECONDS = 1.0
POLL_SECONDS = 0.02
ReadExtent = Callable[[Transaction], Awaitable[Extent]]


async def find_complete(database: Database, read: ReadExtent, *, below: int | None = None) -> int:
    """Return the highest id below `below` up to which no row can be added any more.

    Waits a second at most for open transactions, so that callers see their own last action.
    """
    deadline = time.monotonic() + WAIT_FOR_WRITERS_SECONDS
    async with database.transaction() as tx:
        extent = await read(tx)
    wanted = extent.newest if below is None else min(extent.newest, below - 1)
    while (after := extent.written_after) is not None and after < wanted:
        if time.monotonic() > deadline:
            return after
        await asyncio.sleep(POLL_SECONDS)
        async with database.transaction() as tx:
            extent = await read(tx)
    return wanted
