"""The two pools of connections: SQLAlchemy's for transactions, the driver's for single statements.

A transaction's way to its connection takes longer than the statement of a service's call, so that
such statements have a few connections of their own; they share the size that is configured.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import TracebackType
from typing import Any
from uuid import uuid4

import asyncpg
from sqlalchemy import event
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool

from xero_service.errors import ServiceBusy
from xero_service.store.connections import Connector
from xero_service.store.outages import READ_ONLY, busy_for, outages_are_busy

POOL_WAIT_SECONDS = 0.8  # a caller hears "busy" within a second (R14)
STATEMENT_SECONDS = 10
BARE_AT_MOST = 3
ALL_IN_USE = "All database connections are in use."


def shares(size: int) -> tuple[int, int]:
    """Divide so many connections: for transactions, and for single statements."""
    bare = max(1, min(BARE_AT_MOST, size // 3))
    return max(1, size - bare), bare


class BareConnections:
    """Connections of the driver's own, for single statements: kept open, lent one at a time.

    Not the driver's pool, because what that does around a statement takes longer than it.
    """

    def __init__(self, connector: Connector, size: int, prepared_statements: bool) -> None:
        """Lend `size` connections at most; each is opened when it is needed."""
        self._connector = connector
        self._options: dict[str, Any] = {} if prepared_statements else {"statement_cache_size": 0}
        self._seats = asyncio.Semaphore(size)
        self._idle: list[asyncpg.Connection[asyncpg.Record]] = []

    @property
    def has_one_free(self) -> bool:
        """Whether nobody would have to wait now."""
        return not self._seats.locked()

    def lent(self) -> "Lent":
        """Lend a connection for a block, first come first served; raises ServiceBusy."""
        return Lent(self)

    async def take(self) -> "asyncpg.Connection[asyncpg.Record]":
        """Return a connection that is the caller's until it is given back; raises ServiceBusy."""
        await _seated(self._seats)
        try:
            return await self._opened()
        except BaseException as error:
            self._seats.release()
            if busy := busy_for(error):
                raise busy from error
            raise

    def give_back(
        self, connection: "asyncpg.Connection[asyncpg.Record]", error: BaseException | None
    ) -> None:
        """Take a connection back; `error`: how its use ended. Raises ServiceBusy for an outage."""
        try:
            if error is not None and not _may_be_lent_again_after(error):
                connection.terminate()
            if not connection.is_closed():
                self._idle.append(connection)
        finally:
            self._seats.release()
        if error is not None and (busy := busy_for(error)):
            raise busy from error

    async def _opened(self) -> "asyncpg.Connection[asyncpg.Record]":
        while self._idle:
            connection = self._idle.pop()
            if not connection.is_closed():  # after a restart of the server all are
                return connection
        return await self._connector.connect(command_timeout=STATEMENT_SECONDS, **self._options)

    async def close(self) -> None:
        """Close every connection."""
        while self._idle:
            await self._idle.pop().close()


class Lent:
    """A connection for a block; a class, because a generator takes four times as long."""

    __slots__ = ("_connection", "_pool")

    def __init__(self, pool: BareConnections) -> None:
        """Lend one of `pool`."""
        self._pool = pool

    async def __aenter__(self) -> "asyncpg.Connection[asyncpg.Record]":
        self._connection = await self._pool.take()
        return self._connection

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._pool.give_back(self._connection, error)


def _may_be_lent_again_after(error: BaseException) -> bool:
    """Whether the server has answered, and is not one that only reads.

    After a failover the name may lead to the new primary by now. Where whoever asked has left, or
    waited for too long, nobody knows when the answer will have come.
    """
    return isinstance(error, asyncpg.PostgresError) and error.sqlstate not in READ_ONLY


@asynccontextmanager
async def place(places: asyncio.Semaphore, *, busy: str = ALL_IN_USE) -> AsyncIterator[None]:
    """Wait for one of the places, first come first served.

    Raises ServiceBusy, which says `busy`, where none is free after POOL_WAIT_SECONDS.
    """
    await _seated(places, busy)
    try:
        with outages_are_busy():
            yield
    finally:
        places.release()


async def _seated(places: asyncio.Semaphore, busy: str = ALL_IN_USE) -> None:
    if not places.locked():  # a timer costs more than a place that is free
        await places.acquire()
        return
    try:
        async with asyncio.timeout(POOL_WAIT_SECONDS):
            await places.acquire()
    except TimeoutError as error:
        raise ServiceBusy(busy, retry_after=1) from error


def engine(connector: Connector, pool_size: int, prepared_statements: bool) -> AsyncEngine:
    """Prepare the pool for transactions; it connects when it is used."""
    options: dict[str, Any] = {"command_timeout": STATEMENT_SECONDS}
    if not prepared_statements:
        # Behind PgBouncer's transaction mode a statement may run on another connection than the
        # one that prepared it: keep none, and give each a name of its own.
        options |= {
            "statement_cache_size": 0,
            "prepared_statement_cache_size": 0,
            "prepared_statement_name_func": lambda: f"__asyncpg_{uuid4()}__",
        }
    made = _connected_by(
        connector,
        options,
        pool_size=pool_size,
        max_overflow=0,
        pool_timeout=POOL_WAIT_SECONDS,
        pool_pre_ping=False,
        hide_parameters=True,  # an error's text ends in a log
    )
    event.listen(made.sync_engine, "checkout", _take_no_closed_connection)
    event.listen(made.sync_engine, "handle_error", _leave_a_server_that_only_reads)
    return made


def migration_engine(connector: Connector) -> AsyncEngine:
    """Return an engine without a pool, whose statements may take their time."""
    return _connected_by(connector, {}, poolclass=NullPool)


def _connected_by(connector: Connector, options: dict[str, Any], **engine: Any) -> AsyncEngine:
    def create() -> Any:
        dialect = made.sync_engine.dialect
        return dialect.loaded_dbapi.connect(async_creator_fn=connector.connect, **options)

    made = create_async_engine("postgresql+asyncpg://", creator=create, **engine)
    return made


def _take_no_closed_connection(_: Any, record: Any, connection: Any) -> None:
    """Replace a connection that the server closed while it was idle, without asking the server.

    After a restart that is all of them, and each would cost one request.
    """
    was_idle = record.info.setdefault("was_idle", False)
    record.info["was_idle"] = True
    if was_idle and connection.driver_connection.is_closed():
        raise DisconnectionError("The server closed this connection.")


def _leave_a_server_that_only_reads(context: ExceptionContext) -> None:
    """Connect anew after a failover: the name may lead to the new primary by now."""
    if getattr(context.original_exception, "sqlstate", None) in READ_ONLY:
        context.is_disconnect = True
