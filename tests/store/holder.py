"""Somebody who holds, or held, the lease on a grant, and what they may do with it."""

from datetime import timedelta
from uuid import uuid4

from tests.store.conftest import sealed
from xero_service.domain import Grant, RefreshLease
from xero_service.store.database import Database

TTL = timedelta(seconds=30)
OPEN_FOR = timedelta(seconds=90)


class Holder:
    """A holder and its term."""

    def __init__(self, database: Database, lease: RefreshLease) -> None:
        self.database = database
        self.lease = lease

    @classmethod
    async def of(cls, database: Database, grant: Grant) -> "Holder":
        async with database.transaction() as tx:
            lease = await tx.grant_refreshes.claim_refresh(grant, holder=uuid4(), ttl=TTL)
        assert lease is not None
        return cls(database, lease)

    async def saves(self, name: str = "2") -> bool:
        async with self.database.transaction() as tx:
            return await tx.grant_refreshes.save_rotated(self.lease, sealed(name)) is not None

    async def fails(self, *, answered: bool, retry_in: timedelta = timedelta(seconds=7)) -> None:
        async with self.database.transaction() as tx:
            await tx.grant_refreshes.record_failure(
                self.lease, error="xero_unavailable", retry_in=retry_in, answered=answered
            )

    async def hears_nothing(self) -> None:
        async with self.database.transaction() as tx:
            await tx.grant_refreshes.record_no_response(
                self.lease, error="xero_unavailable", retry_in=timedelta(seconds=7)
            )

    async def marks_dead(self) -> bool:
        async with self.database.transaction() as tx:
            return await tx.grant_refreshes.mark_dead(self.lease, attempt_stays_open=OPEN_FOR)
