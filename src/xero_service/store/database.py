"""Transactions and single statements. A caller picks by the number of statements and by urgency.

- `transaction`: several statements that commit together, for a request that waits for them.
- `background_transaction`: the same for work that may queue, such as a refresh or upkeep. It uses
  at most half of DATABASE_POOL_SIZE, so that requests find a connection (R13).
- `background_autocommit`: one statement of such work that commits by itself: one round trip
  instead of three.
- `bare_connection` and `fetch_one`: one statement of a service's call, on asyncpg without
  SQLAlchemy and on the second pool (ADR 0013).

All raise ServiceBusy where the database is away or no connection becomes free in time (R14).
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from asyncpg import Record
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from xero_service import failpoints
from xero_service.domain import AuditPosition
from xero_service.errors import ConfigError, ServiceBusy
from xero_service.failpoints import Place
from xero_service.store.connection_slots import Slots
from xero_service.store.connections import Connector
from xero_service.store.migrations import SchemaState
from xero_service.store.pools import DriverPool, engine, split_pool_size
from xero_service.store.service_role import CAN_CHANGE_THE_AUDIT_LOG
from xero_service.store.transaction import Transaction
from xero_service.telemetry import logger
from xero_service.telemetry.database_pools import DatabasePools, PoolUse

log = logger(__name__)
# As JSON, because the second column is added by a migration.
_SCHEMA_STATE = "SELECT version_num, to_jsonb(v) ->> 'oldest_code' FROM alembic_version v"
_CHANGES_NO_ROW = text("UPDATE leases SET holder = holder WHERE false")


@dataclass(frozen=True, slots=True)
class DatabaseFacts:
    """The server's version, clock and durability setting, and this role's rights."""

    version: str
    now: datetime
    synchronous_commit: str
    role: str
    can_change_the_audit_log: bool


EventsObserver = Callable[[Sequence[str]], None]
AuditObserver = Callable[[AuditPosition], None]
FirstCheck = Callable[[Transaction], Awaitable[None]]


class Database:
    """Access to PostgreSQL through two connection pools (see the module)."""

    def __init__(
        self,
        url: str,
        *,
        pool_size: int,
        prepared_statements: bool,
        metrics: DatabasePools | None = None,
    ) -> None:
        """Prepare the pools; the first statement connects. `metrics`: counts the waits."""

        def slots(pool: str, size: int) -> Slots:
            if metrics is None:
                return Slots(size)
            return Slots(size, partial(metrics.waited, pool))

        transactions, single = split_pool_size(pool_size)
        self._connector = Connector.to(url)
        self._engine = engine(self._connector, transactions, prepared_statements)
        self._autocommit_engine = self._engine.execution_options(isolation_level="AUTOCOMMIT")
        self._driver_pool = DriverPool(
            self._connector, slots("single_statements", single), prepared_statements
        )
        # SQLAlchemy's pool is not fair: a new caller could overtake one that waits.
        self._connection_slots = slots("transactions", transactions)
        self._background_slots = slots("background", max(1, min(pool_size // 2, transactions - 1)))
        # In PgBouncer's transaction mode (DATABASE_PREPARED_STATEMENTS=false) each transaction may
        # run in another session, so that prepared statements are lost between two of them.
        self._keeps_session = prepared_statements
        self._first_check: FirstCheck | None = None
        self._on_events: EventsObserver = lambda kinds: None  # noqa: ARG005
        self._on_audit: AuditObserver = lambda newest: None  # noqa: ARG005
        self._check_slot = Slots(1)

    def on_events(self, observer: EventsObserver) -> None:
        """Call `observer` with the kinds of the events that each transaction has committed."""
        self._on_events = observer

    def on_audit(self, observer: AuditObserver) -> None:
        """Call `observer` with the newest audit event that each transaction has committed."""
        self._on_audit = observer

    def _has_committed(self, tx: Transaction) -> None:
        self._on_events(tx.events.added)
        if tx.audit.added is not None:
            self._on_audit(tx.audit.added)

    def check_first(self, check: FirstCheck) -> None:
        """Run `check` before the first use of the data; every use fails until it has passed.

        It runs then and not at the start of the process, when the database may be away.
        """
        self._first_check = check

    async def check(self) -> None:
        """Run the first check, unless it has passed.

        One caller at a time runs it; the others wait no longer than for a connection, because
        connecting to a silent database lasts until its timeout. Raises ConfigError where the check
        fails, ServiceBusy where the database is away or does not answer in time.
        """
        async with self._check_slot.acquire(busy="The database does not answer."):
            if self._first_check is not None:
                try:
                    async with self._unchecked_transaction() as tx:
                        await self._first_check(tx)
                except DBAPIError as error:
                    raise ServiceBusy("The database refuses to read.", retry_after=2) from error
                self._first_check = None

    async def require_checked(self) -> None:
        """Run `check` for a request: a ConfigError is logged and raised as ServiceBusy."""
        if self._first_check is None:
            return
        try:
            await self.check()
        except ConfigError as error:
            log.error("this process cannot serve", reason=error.detail)
            raise ServiceBusy("This process cannot serve.", retry_after=60) from error

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Transaction]:
        """One transaction: it commits when the block ends and rolls back when the block raises.

        Raises ServiceBusy where the database is away or no connection becomes free in time.
        """
        if self._first_check is not None:
            await self.require_checked()
        async with self._unchecked_transaction() as tx:
            yield tx

    @asynccontextmanager
    async def _unchecked_transaction(self) -> AsyncIterator[Transaction]:
        async with self._connection_slots.acquire(), self._engine.begin() as connection:
            tx = Transaction(connection)
            yield tx
            await tx.events.add_deferred()
            if tx.events.added:
                failpoints.reached(Place.EVENTS_ADDED)
        if tx.events.added:
            failpoints.reached(Place.EVENTS_COMMITTED)
        self._has_committed(tx)

    @asynccontextmanager
    async def background_transaction(self) -> AsyncIterator[Transaction]:
        """One transaction of background work, which has at most half of the connections.

        The wait for one of the background slots has no limit; after it, as `transaction`.
        """
        async with self._background_slots.acquire_patiently(), self.transaction() as tx:
            yield tx

    @asynccontextmanager
    async def background_autocommit(self) -> AsyncIterator[Transaction]:
        """As `background_transaction`, but each statement commits by itself: for one statement.

        Through a pooler in transaction mode the block is one transaction, as only a transaction
        keeps its session there.
        """
        if not self._keeps_session:
            async with self.background_transaction() as tx:
                yield tx
            return
        await self.require_checked()
        async with (
            self._background_slots.acquire_patiently(),
            self._connection_slots.acquire(),
            self._autocommit_engine.connect() as connection,
        ):
            tx = Transaction(connection)
            yield tx
            await tx.events.add_deferred()
        self._has_committed(tx)

    async def fetch_one(self, statement: str, *arguments: object) -> Record | None:
        """Return the first row of one statement on asyncpg, outside a transaction: one round trip.

        Raises ServiceBusy like `transaction`.
        """
        async with self.bare_connection() as driver:
            found: Record | None = await driver.fetchrow(statement, *arguments)
            return found

    def pool_use(self) -> Mapping[str, PoolUse]:
        """Return how each pool of connections is used now."""
        return {
            "transactions": self._connection_slots.use,
            "single_statements": self._driver_pool.slots.use,
            "background": self._background_slots.use,
        }

    @property
    def has_bare_connection(self) -> bool:
        """Whether `bare_connection` has a free connection now."""
        return self._driver_pool.has_free_connection

    @asynccontextmanager
    async def bare_connection(self) -> AsyncIterator[Any]:
        """Acquire an asyncpg connection for a block of one statement.

        Raises ServiceBusy like `transaction`.
        """
        await self.require_checked()
        async with self._unchecked_connection() as driver:
            yield driver

    def _unchecked_connection(self) -> AbstractAsyncContextManager[Any]:
        return self._driver_pool.acquire() if self._keeps_session else self._bare_transaction()

    @asynccontextmanager
    async def _bare_transaction(self) -> AsyncIterator[Any]:
        async with self._driver_pool.acquire() as driver, driver.transaction():
            yield driver

    async def schema_state(self) -> SchemaState:
        """Return what was migrated, and which code works on it; raises ServiceBusy.

        Like `transaction`, but without the first check.
        """
        async with self._unchecked_connection() as driver:
            if await driver.fetchval("SELECT to_regclass('alembic_version')") is None:
                return SchemaState(None)
            found = await driver.fetchrow(_SCHEMA_STATE)
        return SchemaState(*found) if found else SchemaState(None)

    async def require_writes(self) -> None:
        """Raise ServiceBusy where a transaction cannot write; changes nothing.

        PostgreSQL refuses an UPDATE of no row as it refuses any other: on a standby, in a read-only
        database or role, without the privilege.
        """
        try:
            async with self._unchecked_transaction() as tx:
                await tx.connection.execute(_CHANGES_NO_ROW)
        except DBAPIError as error:
            raise ServiceBusy("The database refuses to write.", retry_after=2) from error

    async def facts(self) -> DatabaseFacts:
        """Return the server's facts for `xero-service doctor`; raises ServiceBusy."""
        async with self._unchecked_connection() as driver:
            row = await driver.fetchrow(
                "SELECT current_setting('server_version') AS version, clock_timestamp() AS now,"
                " current_setting('synchronous_commit') AS synchronous_commit,"
                f" current_user::text AS role,"
                f" {CAN_CHANGE_THE_AUDIT_LOG} AS can_change_the_audit_log"
            )
        return DatabaseFacts(**row)

    async def close(self) -> None:
        """Close every connection; a statement still under way raises ServiceBusy."""
        await self._engine.dispose()
        self._driver_pool.close()
        self._connector.terminate()
