"""Translates errors of an unavailable database into ServiceBusy; other errors are bugs."""

from collections.abc import Iterator
from contextlib import contextmanager

from asyncpg import InterfaceError as AsyncpgInterfaceError
from asyncpg import InternalClientError, PostgresError
from sqlalchemy.exc import (
    DBAPIError,
    EmulatedDBAPIException,
    InterfaceError,
    OperationalError,
)
from sqlalchemy.exc import TimeoutError as PoolTimeout

from xero_service.errors import ServiceBusy

# SQLSTATEs of a read-only server, such as the old primary after a failover: for a write, and for
# an unlogged table, which a standby cannot read.
READ_ONLY = ("25006", "0A000")


@contextmanager
def translate_db_errors() -> Iterator[None]:
    """Raise ServiceBusy for an unavailable database or an exhausted pool."""
    try:
        yield
    except Exception as error:
        busy = as_service_busy(error)
        if busy is None:
            raise
        raise busy from error


def as_service_busy(error: BaseException) -> ServiceBusy | None:
    """Return ServiceBusy for an unavailable database or an exhausted pool, else None."""
    if isinstance(error, PoolTimeout):
        return ServiceBusy("All database connections are in use.", retry_after=1)
    if isinstance(error, DBAPIError | EmulatedDBAPIException | PostgresError):
        if _sqlstate(error) in READ_ONLY:
            return ServiceBusy("The database only reads now.", retry_after=2)
        is_outage = _is_outage(error)
    else:
        # asyncpg raises InternalClientError for a server that announced its stop and is connected.
        is_outage = isinstance(error, OSError | AsyncpgInterfaceError | InternalClientError)
    return ServiceBusy("The database does not answer.", retry_after=2) if is_outage else None


# SQLSTATE classes and codes: connection, operator intervention, resources, system errors,
# serialization failure and deadlock, no such user, no such database, lock timeout, read-only.
_OUTAGES = ("08", "57", "53", "58", "40", "28", "3D", "55P03", *READ_ONLY)


def _is_outage(error: DBAPIError | EmulatedDBAPIException | PostgresError) -> bool:
    """Return whether the server is unavailable, rather than the statement wrong.

    An unknown user or database counts as not created yet, or dropped.
    """
    if isinstance(error, DBAPIError):
        if error.connection_invalidated or isinstance(error, OperationalError | InterfaceError):
            return True
        return (_sqlstate(error) or "").startswith(_OUTAGES)
    # Without an SQLSTATE the pool could not connect.
    return (_sqlstate(error) or "08000").startswith(_OUTAGES)


def _sqlstate(error: DBAPIError | EmulatedDBAPIException | PostgresError) -> str | None:
    source = error.orig if isinstance(error, DBAPIError) else error
    found: str | None = getattr(source, "sqlstate", None)
    return found


def reason(error: BaseException) -> str:
    """Return the driver's reason for an outage, for operators only: it may name the server."""
    while error.__cause__ is not None:
        error = error.__cause__
    return f"{str(error) or type(error).__name__}".strip().splitlines()[0]
