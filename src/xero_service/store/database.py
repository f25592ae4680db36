"""The connection pool, and transactions that carry one repository per table."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any
from uuid import uuid4

from asyncpg import InterfaceError as AsyncpgInterfaceError
from asyncpg import PostgresError, Record
from sqlalchemy import event, text
from sqlalchemy.engine import URL, ExceptionContext, make_url
from sqlalchemy.exc import (
    DBAPIError,
    DisconnectionError,
    EmulatedDBAPIException,
    InterfaceError,
    OperationalError,
)
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from xero_service.errors import ServiceBusy
from xero_service.store.audit import AuditLog
from xero_service.store.authorisations import Authorisations
from xero_service.store.bindings import Bindings
from xero_service.store.ciphertexts import Ciphertexts
from xero_service.store.due_work import DueWork
from xero_service.store.grant_leases import GrantLeases
from xero_service.store.grants import Grants
from xero_service.store.leases import Leases
from xero_service.store.limits import TenantLimits
from xero_service.store.remote_cleanups import RemoteCleanups
from xero_service.store.service_keys import ServiceKeys
from xero_service.store.verification_tokens import VerificationTokens

POOL_WAIT_SECONDS = 0.8  # a caller hears "busy" within a second (R14)
CONNECT_SECONDS = 5
STATEMENT_SECONDS = 10
READ_ONLY = "25006"  # SQLSTATE of a server that only reads: after a failover, the old primary


@dataclass(frozen=True)
class Transaction:
    """The repositories, all on one connection; leaving the block commits."""

    connection: AsyncConnection

    @cached_property
    def grants(self) -> Grants:
        """Grants and their sealed token sets."""
        return Grants(self.connection)

    @cached_property
    def grant_leases(self) -> GrantLeases:
        """The right to spend a grant's refresh token."""
        return GrantLeases(self.connection)

    @cached_property
    def bindings(self) -> Bindings:
        """Tenants linked to orgs."""
        return Bindings(self.connection)

    @cached_property
    def authorisations(self) -> Authorisations:
        """Consents."""
        return Authorisations(self.connection)

    @cached_property
    def attempts(self) -> VerificationTokens:
        """Authorisation attempts under way."""
        return VerificationTokens(self.connection)

    @cached_property
    def cleanups(self) -> RemoteCleanups:
        """What is owed to Xero."""
        return RemoteCleanups(self.connection)

    @cached_property
    def service_keys(self) -> ServiceKeys:
        """Credentials of internal services."""
        return ServiceKeys(self.connection)

    @cached_property
    def leases(self) -> Leases:
        """Named rights that one process holds at a time."""
        return Leases(self.connection)

    @cached_property
    def limits(self) -> TenantLimits:
        """What Xero said of tenants' limits."""
        return TenantLimits(self.connection)

    @cached_property
    def due(self) -> DueWork:
        """What upkeep has to look at."""
        return DueWork(self.connection)

    @cached_property
    def ciphertexts(self) -> Ciphertexts:
        """Every sealed value."""
        return Ciphertexts(self.connection)

    @cached_property
    def audit(self) -> AuditLog:
        """The append-only record."""
        return AuditLog(self.connection)


@dataclass(frozen=True, slots=True)
class DatabaseFacts:
    """The server's version, its clock, and whether its commits last."""

    version: str
    now: datetime
    synchronous_commit: str


class Database:
    """A pool of connections to PostgreSQL."""

    def __init__(self, url: str, *, pool_size: int, prepared_statements: bool) -> None:
        """Prepare the pool; nothing is connected until the first transaction."""
        self._engine = _engine(url, pool_size, prepared_statements)
        self._singly = self._engine.execution_options(isolation_level="AUTOCOMMIT")
        # The pool alone would let a newcomer overtake who waits, again and again.
        self._seats = asyncio.Semaphore(pool_size)
        self._share = asyncio.Semaphore(max(1, pool_size // 2))
        # Between statements PgBouncer's transaction mode may change the server's session, and
        # with it what was prepared there: only a transaction stays on one.
        self._keeps_session = prepared_statements

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Transaction]:
        """One transaction: commit when the block ends, roll back when it raises.

        Raises ServiceBusy where the database is away or the pool has no connection free.
        """
        async with self._seat(), self._engine.begin() as connection:
            yield Transaction(connection)

    @asynccontextmanager
    async def background_transaction(self) -> AsyncIterator[Transaction]:
        """A transaction of work that may wait in line; all such work has half of the pool.

        So that who reads finds a connection, however many refreshes are under way (R13). Raises
        ServiceBusy like `transaction`.
        """
        async with self._share, self.transaction() as tx:
            yield tx

    @asynccontextmanager
    async def background_statements(self) -> AsyncIterator[Transaction]:
        """As `background_transaction`, but each statement is a transaction of its own.

        For work that is one statement: one round trip instead of three.
        """
        if not self._keeps_session:
            async with self.background_transaction() as tx:
                yield tx
            return
        async with self._share, self._seat(), self._singly.connect() as connection:
            yield Transaction(connection)

    async def fetch_one(self, statement: str, *arguments: object) -> Record | None:
        """Run one prepared statement on the bare driver, outside a transaction: one round trip.

        Raises ServiceBusy like `transaction`.
        """
        async with self.bare_connection() as driver:
            found: Record | None = await driver.fetchrow(statement, *arguments)
            return found

    @asynccontextmanager
    async def bare_connection(self, line: asyncio.Semaphore | None = None) -> AsyncIterator[Any]:
        """A connection of the driver's own, for one statement.

        `line`: to be waited in first, within the same time. Raises ServiceBusy like `transaction`.
        """
        async with self._seat(line):
            connection = await self._engine.raw_connection()
            driver = connection.driver_connection
            assert driver is not None  # noqa: S101 - it was just checked out
            try:
                if self._keeps_session:
                    yield driver
                else:
                    async with driver.transaction():
                        yield driver
            except (PostgresError, AsyncpgInterfaceError, OSError):
                if driver.is_closed():
                    connection.invalidate()
                raise
            finally:
                connection.close()

    @asynccontextmanager
    async def _seat(self, line: asyncio.Semaphore | None = None) -> AsyncIterator[None]:
        """Wait for one of the pool's connections to be free, first come first served."""
        places = [self._seats] if line is None else [line, self._seats]
        async with AsyncExitStack() as taken:
            try:
                async with asyncio.timeout(_patience(places)):
                    for place in places:
                        await taken.enter_async_context(place)
            except TimeoutError as error:
                raise ServiceBusy("All database connections are in use.", retry_after=1) from error
            with _outages_are_busy():
                yield

    async def revision(self) -> str | None:
        """Return the migration that the schema is at, or None before the first.

        Raises ServiceBusy like `transaction`.
        """
        async with self.transaction() as tx:
            known = await tx.connection.scalar(text("SELECT to_regclass('alembic_version')::text"))
            if known is None:
                return None
            found = await tx.connection.scalar(text("SELECT version_num FROM alembic_version"))
            return str(found) if found else None

    async def facts(self) -> DatabaseFacts:
        """Return what an operator should know of the server; raises ServiceBusy."""
        row = await self.fetch_one(
            "SELECT current_setting('server_version') AS version, clock_timestamp() AS now,"
            " current_setting('synchronous_commit') AS synchronous_commit"
        )
        assert row is not None  # noqa: S101 - a SELECT without FROM has one row
        return DatabaseFacts(row["version"], row["now"], row["synchronous_commit"])

    async def close(self) -> None:
        """Close every connection."""
        await self._engine.dispose()


def _patience(places: Iterable[asyncio.Semaphore]) -> float | None:
    """A timer costs more than a place that is free."""
    return POOL_WAIT_SECONDS if any(place.locked() for place in places) else None


@contextmanager
def _outages_are_busy() -> Iterator[None]:
    """Turn what an absent database or a full pool raises into ServiceBusy."""
    try:
        yield
    except PoolTimeout as error:
        raise ServiceBusy("All database connections are in use.", retry_after=1) from error
    except (DBAPIError, EmulatedDBAPIException, PostgresError) as error:
        if not _is_outage(error):
            raise
        raise ServiceBusy("The database does not answer.", retry_after=2) from error
    except (OSError, AsyncpgInterfaceError) as error:
        raise ServiceBusy("The database does not answer.", retry_after=2) from error


# SQLSTATE classes and codes: connection, operator intervention, resources, system errors, two
# transactions in each other's way, no such user or database, locks, a replica that only reads.
_OUTAGES = ("08", "57", "53", "58", "40", "28", "3D", "55P03", READ_ONLY)


def _is_outage(error: DBAPIError | EmulatedDBAPIException | PostgresError) -> bool:
    """Tell a server that does not serve us now from a mistake in a statement.

    An unknown user or database is one that is not there yet, or no longer.
    """
    if isinstance(error, DBAPIError):
        if error.connection_invalidated or isinstance(error, OperationalError | InterfaceError):
            return True
        sqlstate = getattr(error.orig, "sqlstate", None)
    else:
        # Without a state it is the pool that could not connect.
        sqlstate = getattr(error, "sqlstate", None) or "08000"
    return (sqlstate or "").startswith(_OUTAGES)


def asyncpg_url(url: str) -> URL:
    """Turn a plain `postgresql://` URL (libpq's words) into one for the asyncpg driver."""
    parsed = make_url(url).set(drivername="postgresql+asyncpg")
    if "sslmode" in parsed.query:
        parsed = parsed.update_query_dict({"ssl": parsed.query["sslmode"]})
        parsed = parsed.difference_update_query(["sslmode"])
    return parsed


def _engine(url: str, pool_size: int, prepared_statements: bool) -> AsyncEngine:
    connect: dict[str, Any] = {"timeout": CONNECT_SECONDS, "command_timeout": STATEMENT_SECONDS}
    if not prepared_statements:
        # Behind PgBouncer's transaction mode a statement may run on another connection than the
        # one that prepared it: keep none, and give each a name of its own.
        connect |= {
            "statement_cache_size": 0,
            "prepared_statement_cache_size": 0,
            "prepared_statement_name_func": lambda: f"__asyncpg_{uuid4()}__",
        }
    engine = create_async_engine(
        asyncpg_url(url),
        pool_size=pool_size,
        max_overflow=0,
        pool_timeout=POOL_WAIT_SECONDS,
        pool_pre_ping=False,
        hide_parameters=True,  # an error's text ends in a log
        connect_args=connect,
    )
    event.listen(engine.sync_engine, "checkout", _take_no_closed_connection)
    event.listen(engine.sync_engine, "handle_error", _leave_a_server_that_only_reads)
    return engine


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
    if getattr(context.original_exception, "sqlstate", None) == READ_ONLY:
        context.is_disconnect = True
