"""The two pools of connections: SQLAlchemy's for transactions, the driver's for single statements.

A transaction's way to its connection takes longer than the statement of a service's call, so that
such statements have a few connections of their own; they share the size that is configured.
"""

import asyncio
import math
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

from xero_service.errors import ServiceBusy
from xero_service.store.connections import Connector
from xero_service.store.db_errors import READ_ONLY, translate_db_errors
from xero_service.timeouts import POOL_WAIT_SECONDS, STATEMENT_SECONDS

BARE_AT_MOST = 3
Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record]"
ALL_IN_USE = "All database connections are in use."


def shares(size: int) -> tuple[int, int]:
    """Divide so many connections: for transactions, and for single statements."""
    bare = max(1, min(BARE_AT_MOST, size // 3))
    return max(1, size - bare), bare


class DriverPool:
    """The driver's own pool, for single statements outside a transaction.

    It sends nothing of its own between statements: such a statement leaves no state in the session
    that a reset would clear.
    """

    def __init__(self, connector: Connector, size: int, prepared_statements: bool) -> None:
        """Open at most `size` connections, each when it is needed; needs a running loop."""
        options = {} if prepared_statements else {"statement_cache_size": 0}

        async def connect(_: None, **options: Any) -> Connection:  # the pool's own URL is not used
            return await connector.connect(**options)

        self._slots = asyncio.Semaphore(size)
        self._pool = asyncpg.create_pool(
            min_size=0,
            max_size=size,
            max_queries=math.inf,
            connect=connect,
            reset=_leave_the_session,
            command_timeout=STATEMENT_SECONDS,
            **options,
        )

    @property
    def has_free_connection(self) -> bool:
        """Whether `acquire` would not have to wait now."""
        return not self._slots.locked()

    @asynccontextmanager
    async def acquire(self) -> AsyncIterator[Connection]:
        """Acquire a connection for a block, first come first served; raises ServiceBusy.

        The time to wait counts for a connection that is in use, not for opening one.
        """
        async with place(self._slots), (await self._pool).acquire() as connection:
            try:
                yield connection
            except BaseException as error:
                if not _is_reusable_after(error):
                    connection.terminate()
                raise

    async def close(self) -> None:
        """Close every connection, those in use too: what they do fails as ServiceBusy."""
        (await self._pool).terminate()


async def _leave_the_session(_: Connection) -> None:
    """Stand in for the pool's reset, a round trip after each statement."""


def _is_reusable_after(error: BaseException) -> bool:
    """Return whether the server has answered, and is not one that only reads.

    After a failover the host's name may lead to the new primary by now. After a timeout or a
    cancellation the answer to the statement may still arrive.
    """
    return isinstance(error, asyncpg.PostgresError) and error.sqlstate not in READ_ONLY


@asynccontextmanager
async def place(places: asyncio.Semaphore, *, busy: str = ALL_IN_USE) -> AsyncIterator[None]:
    """Wait for one of the places, first come first served.

    Raises ServiceBusy, which says `busy`, where none is free after POOL_WAIT_SECONDS.
    """
    if places.locked():
        try:
            async with asyncio.timeout(POOL_WAIT_SECONDS):
                await places.acquire()
        except TimeoutError as error:
            raise ServiceBusy(busy, retry_after=1) from error
    else:  # a timer would cost more than the rest of a free place
        await places.acquire()
    try:
        with translate_db_errors():
            yield
    finally:
        places.release()


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
