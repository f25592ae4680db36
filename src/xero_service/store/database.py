"""The ways to the database. A caller decides two things: how many statements, and for whom.

- `transaction`: several statements that commit together, for a caller that waits for an answer.
- `background_transaction`: the same for work that may queue, such as a refresh or upkeep. Such work
  has at most half of the connections for transactions, so that callers find one (R13).
- `background_autocommit`: one statement for such work, committed by itself: one round trip, not
  three.
- `bare_connection` and `fetch_one`: one statement of each call of a service, on asyncpg itself and
  connections of its own (ADR 0013).

All raise ServiceBusy where the database is away, or no connection becomes free in time (R14).
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from asyncpg import Record
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from xero_service.errors import ConfigError, ServiceBusy
from xero_service.store.connections import Connector
from xero_service.store.pools import DriverPool, engine, place, shares
from xero_service.store.service_role import CAN_CHANGE_THE_AUDIT_LOG
from xero_service.store.transaction import Transaction
from xero_service.telemetry import logger

log = logger(__name__)
_CHANGES_NO_ROW = text("UPDATE leases SET holder = holder WHERE false")


@dataclass(frozen=True, slots=True)
class DatabaseFacts:
    """The server's version and clock, whether its commits last, and what this role may do."""

    version: str
    now: datetime
    synchronous_commit: str
    role: str
    can_change_the_audit_log: bool


FirstCheck = Callable[[Transaction], Awaitable[None]]


class Database:
    """A pool of connections to PostgreSQL."""

    def __init__(self, url: str, *, pool_size: int, prepared_statements: bool) -> None:
        """Prepare the pool; nothing is connected until the first transaction."""
        transactions, single = shares(pool_size)
        self._connector = Connector.to(url)
        self._engine = engine(self._connector, transactions, prepared_statements)
        self._autocommit_engine = self._engine.execution_options(isolation_level="AUTOCOMMIT")
        self._bare = DriverPool(self._connector, single, prepared_statements)
        # The pools alone would let a newcomer overtake who waits, again and again.
        self._seats = asyncio.Semaphore(transactions)
        self._share = asyncio.Semaphore(max(1, min(pool_size // 2, transactions - 1)))
        # Between statements PgBouncer's transaction mode may change the server's session, and
        # with it what was prepared there: only a transaction stays on one.
        self._keeps_session = prepared_statements
        self._first: FirstCheck | None = None
        self._checking = asyncio.Semaphore(1)

    def check_first(self, check: FirstCheck) -> None:
        """Let nobody at the data before `check` has passed once, at the first contact.

        The database may be away when a process starts, so that the check cannot be made then.
        """
        self._first = check

    async def check(self) -> None:
        """Make the check that comes first, unless it has passed.

        One caller at a time makes it. Connecting to a silent database lasts until its timeout, so
        that the others wait no longer than for a connection. Raises ConfigError where the check
        fails, ServiceBusy where the database is away or does not answer soon.
        """
        async with place(self._checking, busy="The database does not answer."):
            if self._first is not None:
                try:
                    async with self._unchecked_transaction() as tx:
                        await self._first(tx)
                except DBAPIError as error:
                    raise ServiceBusy("The database refuses to read.", retry_after=2) from error
                self._first = None

    async def require_checked(self) -> None:
        """As `check`, for who serves: where it fails that is logged, and they get ServiceBusy."""
        if self._first is None:
            return
        try:
            await self.check()
        except ConfigError as error:
            log.error("this process cannot serve", reason=error.detail)
            raise ServiceBusy("This process cannot serve.", retry_after=60) from error

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Transaction]:
        """One transaction: commit when the block ends, roll back when it raises.

        Raises ServiceBusy where the database is away or the pool has no connection free.
        """
        if self._first is not None:
            await self.require_checked()
        async with self._unchecked_transaction() as tx:
            yield tx

    @asynccontextmanager
    async def _unchecked_transaction(self) -> AsyncIterator[Transaction]:
        async with place(self._seats), self._engine.begin() as connection:
            yield Transaction(connection)

    @asynccontextmanager
    async def background_transaction(self) -> AsyncIterator[Transaction]:
        """One transaction of work that may queue; such work has at most half of the connections.

        Queueing for that half has no limit; then it raises ServiceBusy like `transaction`.
        """
        async with self._share, self.transaction() as tx:
            yield tx

    @asynccontextmanager
    async def background_autocommit(self) -> AsyncIterator[Transaction]:
        """As `background_transaction`, but each statement commits by itself.

        For a single statement: a second one may see, or fail after, what others committed between.
        Through a pooler in transaction mode the block is one transaction: only that stays on one
        session.
        """
        if not self._keeps_session:
            async with self.background_transaction() as tx:
                yield tx
            return
        await self.require_checked()
        async with self._share, place(self._seats), self._autocommit_engine.connect() as connection:
            yield Transaction(connection)

    async def fetch_one(self, statement: str, *arguments: object) -> Record | None:
        """Run one prepared statement on the bare driver, outside a transaction: one round trip.

        Raises ServiceBusy like `transaction`.
        """
        async with self.bare_connection() as driver:
            found: Record | None = await driver.fetchrow(statement, *arguments)
            return found

    @property
    def has_bare_connection(self) -> bool:
        """Whether a single statement would not have to wait for a connection now."""
        return self._bare.has_free_connection

    @asynccontextmanager
    async def bare_connection(self) -> AsyncIterator[Any]:
        """Acquire a connection of asyncpg for a block of one statement.

        Raises ServiceBusy like `transaction`.
        """
        await self.require_checked()
        async with self._unchecked_connection() as driver:
            yield driver

    def _unchecked_connection(self) -> AbstractAsyncContextManager[Any]:
        return self._bare.acquire() if self._keeps_session else self._bare_transaction()

    @asynccontextmanager
    async def _bare_transaction(self) -> AsyncIterator[Any]:
        async with self._bare.acquire() as driver, driver.transaction():
            yield driver

    async def revision(self) -> str | None:
        """Return the migration that the schema is at, or None before the first.

        Raises ServiceBusy like `transaction`.
        """
        async with self._unchecked_connection() as driver:
            if await driver.fetchval("SELECT to_regclass('alembic_version')") is None:
                return None
            found = await driver.fetchrow("SELECT version_num FROM alembic_version")
        return str(found["version_num"]) if found else None

    async def require_writes(self) -> None:
        """Raise ServiceBusy where a transaction that writes would not work; leaves nothing behind.

        A statement that changes no row is refused for what any change is refused for: a standby,
        a database or role that only reads, a missing privilege.
        """
        try:
            async with self._unchecked_transaction() as tx:
                await tx.connection.execute(_CHANGES_NO_ROW)
        except DBAPIError as error:
            raise ServiceBusy("The database refuses to write.", retry_after=2) from error

    async def facts(self) -> DatabaseFacts:
        """Return what an operator should know of the server; raises ServiceBusy."""
        async with self._unchecked_connection() as driver:
            row = await driver.fetchrow(
                "SELECT current_setting('server_version') AS version, clock_timestamp() AS now,"
                " current_setting('synchronous_commit') AS synchronous_commit,"
                f" current_user::text AS role,"
                f" {CAN_CHANGE_THE_AUDIT_LOG} AS can_change_the_audit_log"
            )
        return DatabaseFacts(**row)

    async def close(self) -> None:
        """Close every connection, those that are still in use last: what they do fails as busy."""
        await self._engine.dispose()
        await self._bare.close()
        self._connector.terminate()
