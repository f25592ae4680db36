"""The connection pool, and transactions that carry one repository per table."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

from asyncpg import Record
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from xero_service.errors import ConfigError, ServiceBusy
from xero_service.store.audit import AuditLog
from xero_service.store.authorisations import Authorisations
from xero_service.store.bindings import Bindings
from xero_service.store.ciphertexts import Ciphertexts
from xero_service.store.connections import Connector
from xero_service.store.due_work import DueWork
from xero_service.store.grant_leases import GrantLeases
from xero_service.store.grants import Grants
from xero_service.store.leases import Leases
from xero_service.store.limits import TenantLimits
from xero_service.store.pools import DriverPool, engine, place, shares
from xero_service.store.remote_cleanups import RemoteCleanups
from xero_service.store.service_keys import ServiceKeys
from xero_service.store.service_role import CAN_CHANGE_THE_AUDIT_LOG
from xero_service.store.suspensions import Suspensions
from xero_service.store.verification_tokens import VerificationTokens
from xero_service.telemetry import logger

log = logger(__name__)
_CHANGES_NO_ROW = text("UPDATE leases SET holder = holder WHERE false")


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
    def suspensions(self) -> Suspensions:
        """Tenants that an operator switched off."""
        return Suspensions(self.connection)

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
        self._singly = self._engine.execution_options(isolation_level="AUTOCOMMIT")
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
        await self.require_checked()
        async with self._share, place(self._seats), self._singly.connect() as connection:
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

    def bare_connection(self) -> AbstractAsyncContextManager[Any]:
        """Lend a connection of the driver's own, for one statement.

        Raises ServiceBusy like `transaction`.
        """
        return self._lent() if self._first is None else self._checked_and_lent()

    def _lent(self) -> AbstractAsyncContextManager[Any]:
        return self._bare.acquire() if self._keeps_session else self._bare_transaction()

    @asynccontextmanager
    async def _checked_and_lent(self) -> AsyncIterator[Any]:
        await self.require_checked()
        async with self._lent() as driver:
            yield driver

    @asynccontextmanager
    async def _bare_transaction(self) -> AsyncIterator[Any]:
        async with self._bare.acquire() as driver, driver.transaction():
            yield driver

    async def revision(self) -> str | None:
        """Return the migration that the schema is at, or None before the first.

        Raises ServiceBusy like `transaction`.
        """
        async with self._lent() as driver:
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
        async with self._lent() as driver:
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
