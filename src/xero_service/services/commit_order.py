"""Waits until a table that grows is complete up to a row, for readers with a cursor."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from xero_service.store.commit_order import Extent
from xero_service.store.database import Database
from xero_service.store.transaction import Transaction

WAIT_FOR_WRITERS_SECONDS = 1.0
POLL_SECONDS = 0.02
ReadExtent = Callable[[Transaction], Awaitable[Extent]]


@asynccontextmanager
async def complete_up_to(
    database: Database, read: ReadExtent, *, below: int | None = None
) -> AsyncIterator[tuple[Transaction, int]]:
    """Open a transaction; yield it and the highest id up to which no row can be added any more.

    The id is below `below`. Waits a second at most for other transactions, so that callers see
    their own last action. The rows are read in the same transaction as the extent: in another one
    a standby that was promoted in between could answer, where they are not complete.
    """
    deadline = time.monotonic() + WAIT_FOR_WRITERS_SECONDS
    wanted: int | None = None
    while True:
        async with database.transaction() as tx:
            extent = await read(tx)
            if wanted is None:
                wanted = extent.newest if below is None else min(extent.newest, below - 1)
            is_complete = extent.written_after is None or extent.written_after >= wanted
            if is_complete or time.monotonic() > deadline:
                yield tx, min(wanted, extent.complete)
                return
        await asyncio.sleep(POLL_SECONDS)
