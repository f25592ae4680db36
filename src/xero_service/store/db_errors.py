"""Telling a database that does not serve us now from a mistake of ours."""

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

# SQLSTATEs of a server that only reads, as the old primary does after a failover: of a change, and
# of a table that is not in the write-ahead log, which a standby does not have.
READ_ONLY = ("25006", "0A000")


@contextmanager
def translate_db_errors() -> Iterator[None]:
    """Turn what an absent database or a full pool raises into ServiceBusy."""
    try:
        yield
    except Exception as error:
        busy = as_service_busy(error)
        if busy is None:
            raise
        raise busy from error


def as_service_busy(error: BaseException) -> ServiceBusy | None:
    """Return what an absent database or a full pool is to our callers; None for all else."""
    if isinstance(error, PoolTimeout):
        return ServiceBusy("All database connections are in use.", retry_after=1)
    if isinstance(error, DBAPIError | EmulatedDBAPIException | PostgresError):
        if _sqlstate(error) in READ_ONLY:
            return ServiceBusy("The database only reads now.", retry_after=2)
        is_outage = _is_outage(error)
    else:
        # The driver calls it internal where a server that stops has said so and not yet hung up.
        is_outage = isinstance(error, OSError | AsyncpgInterfaceError | InternalClientError)
    return ServiceBusy("The database does not answer.", retry_after=2) if is_outage else None


# SQLSTATE classes and codes: connection, operator intervention, resources, system errors, two
# transactions in each other's way, no such user or database, locks, a replica that only reads.
_OUTAGES = ("08", "57", "53", "58", "40", "28", "3D", "55P03", *READ_ONLY)


def _is_outage(error: DBAPIError | EmulatedDBAPIException | PostgresError) -> bool:
    """Tell a server that does not serve us now from a mistake in a statement.

    An unknown user or database is one that is not there yet, or no longer.
    """
    if isinstance(error, DBAPIError):
        if error.connection_invalidated or isinstance(error, OperationalError | InterfaceError):
            return True
        return (_sqlstate(error) or "").startswith(_OUTAGES)
    # Without a state it is the pool that could not connect.
    return (_sqlstate(error) or "08000").startswith(_OUTAGES)


def _sqlstate(error: DBAPIError | EmulatedDBAPIException | PostgresError) -> str | None:
    source = error.orig if isinstance(error, DBAPIError) else error
    found: str | None = getattr(source, "sqlstate", None)
    return found


def reason(error: BaseException) -> str:
    """Return why a database is away, in the driver's words: for an operator, never a caller."""
    while error.__cause__ is not None:
        error = error.__cause__
    return f"{str(error) or type(error).__name__}".strip().splitlines()[0]
