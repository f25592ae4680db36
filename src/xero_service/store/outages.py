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

READ_ONLY = "25006"  # SQLSTATE of a server that only reads: after a failover, the old primary


@contextmanager
def outages_are_busy() -> Iterator[None]:
    """Turn what an absent database or a full pool raises into ServiceBusy."""
    try:
        yield
    except PoolTimeout as error:
        raise ServiceBusy("All database connections are in use.", retry_after=1) from error
    except (DBAPIError, EmulatedDBAPIException, PostgresError) as error:
        if not _is_outage(error):
            raise
        raise ServiceBusy("The database does not answer.", retry_after=2) from error
    except (OSError, AsyncpgInterfaceError, InternalClientError) as error:
        # The driver calls it internal where a server that stops has said so and not yet hung up.
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
