"""The two connection pools: SQLAlchemy's for transactions, the driver's for single statements.

SQLAlchemy's checkout takes longer than the statement of a service's call, so such statements have
a few connections of their own (ADR 0013). Both pools together have DATABASE_POOL_SIZE connections.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, TypeAlias
from uuid import uuid4

import asyncpg
from sqlalchemy import event
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool

from xero_service.store.connection_slots import Slots
from xero_service.store.connections import Connector
from xero_service.store.db_errors import READ_ONLY
from xero_service.timeouts import POOL_WAIT_SECONDS, STATEMENT_SECONDS

SINGLE_STATEMENT_CONNECTIONS = 3  # at most
Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record]"


def split_pool_size(size: int) -> tuple[int, int]:
    """Return how many of `size` connections are for transactions and for single statements."""
    single = max(1, min(SINGLE_STATEMENT_CONNECTIONS, size // 3))
    return max(1, size - single), single


class DriverPool:
    """Connections for single statements outside a transaction, kept open between them.

    asyncpg's own pool runs a task for each release, and checks and wraps each use: 180 us, three
    times a proxied call (ADR 0013).
    """

    def __init__(self, connector: Connector, slots: Slots, prepared_statements: bool) -> None:
        """Open as many connections as there are `slots` at most, each when it is needed."""
        self._connector = connector
        self._options: dict[str, Any] = {} if prepared_statements else {"statement_cache_size": 0}
        self.slots = slots
        self._idle: list[Connection] = []

    @property
    def has_free_connection(self) -> bool:
        """Whether `acquire` would not have to wait now."""
        return self.slots.has_free

    @asynccontextmanager
    async def acquire(self) -> AsyncIterator[Connection]:
        """Acquire a connection for a block, in the order of the callers; raises ServiceBusy.

        POOL_WAIT_SECONDS limits the wait for a slot, CONNECT_SECONDS the opening of a connection.
        """
        async with self.slots.acquire():
            connection = await self._open()
            try:
                yield connection
            except BaseException as error:
                if not _is_reusable_after(error):
                    connection.terminate()
                raise
            finally:
                self._idle.append(connection)

    async def _open(self) -> Connection:
        while self._idle:
            connection = self._idle.pop()
            if not connection.is_closed():  # after a restart of the server each one is
                return connection
        return await self._connector.connect(command_timeout=STATEMENT_SECONDS, **self._options)

    def close(self) -> None:
        """Terminate every idle connection; the connector ends those in use."""
        while self._idle:
            self._idle.pop().terminate()


def _is_reusable_after(error: BaseException) -> bool:
    """Return whether the server answered the statement and accepts writes.

    A read-only server is an old primary: the host's name may resolve to the new one by now. After
    a timeout or a cancellation the statement's answer may still arrive on the connection.
    """
    return isinstance(error, asyncpg.PostgresError) and error.sqlstate not in READ_ONLY


def engine(connector: Connector, pool_size: int, prepared_statements: bool) -> AsyncEngine:
    """Return the pool for transactions; it connects at the first use."""
    options: dict[str, Any] = {"command_timeout": STATEMENT_SECONDS}
    if not prepared_statements:
        # In PgBouncer's transaction mode a statement may run on another server connection than the
        # one that prepared it: cache no prepared statement, and give each a unique name.
        options |= {
            "statement_cache_size": 0,
            "prepared_statement_cache_size": 0,
            "prepared_statement_name_func": lambda: f"__asyncpg_{uuid4()}__",
        }
    new_engine = _create_engine(
        connector,
        options,
        pool_size=pool_size,
        max_overflow=0,
        pool_timeout=POOL_WAIT_SECONDS,
        pool_pre_ping=False,
        hide_parameters=True,  # error texts are logged
    )
    event.listen(new_engine.sync_engine, "checkout", _discard_closed_connection)
    event.listen(new_engine.sync_engine, "handle_error", _disconnect_read_only_server)
    return new_engine


def migration_engine(connector: Connector) -> AsyncEngine:
    """Return an engine without a pool and without a statement timeout."""
    return _create_engine(connector, {}, poolclass=NullPool)


def _create_engine(connector: Connector, options: dict[str, Any], **engine: Any) -> AsyncEngine:
    def create() -> Any:
        dialect = new_engine.sync_engine.dialect
        return dialect.loaded_dbapi.connect(async_creator_fn=connector.connect, **options)

    new_engine = create_async_engine("postgresql+asyncpg://", creator=create, **engine)
    return new_engine


def _discard_closed_connection(_: Any, record: Any, connection: Any) -> None:
    """Make the pool replace a connection that the server closed while idle; no round trip.

    After a restart of the server that is every idle connection, and each would fail one request.
    """
    was_idle = record.info.setdefault("was_idle", False)
    record.info["was_idle"] = True
    if was_idle and connection.driver_connection.is_closed():
        raise DisconnectionError("The server closed this connection.")


def _disconnect_read_only_server(context: ExceptionContext) -> None:
    """Mark the connection for replacement after a failover: its server is the old primary."""
    if getattr(context.original_exception, "sqlstate", None) in READ_ONLY:
        context.is_disconnect = True
