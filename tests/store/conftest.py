"""A real database, a grant in it, and a second connection that looks in from outside."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest

from xero_service.domain import Grant
from xero_service.store.database import Database
from xero_service.store.grants import NewGrant, SealedTokens

XERO_USER = "10000000-0000-4000-8000-000000000001"


@pytest.fixture
async def database(database_url: str, prepared_statements: bool) -> AsyncIterator[Database]:
    opened = Database(database_url, pool_size=5, prepared_statements=prepared_statements)
    yield opened
    await opened.close()


@pytest.fixture
async def sql(direct_url: str) -> AsyncIterator[asyncpg.Connection]:
    """A connection of the test's own, outside the service's pool."""
    connection = await asyncpg.connect(direct_url)
    yield connection
    await connection.close()


def sealed(name: str, *, expires_in: timedelta = timedelta(minutes=30)) -> SealedTokens:
    now = datetime.now(UTC)
    return SealedTokens(f"access-{name}", f"refresh-{name}", now, now + expires_in)


def consent(xero_user: str = XERO_USER, *, name: str = "1", org: str = "org_one") -> NewGrant:
    return NewGrant(uuid4(), org, "user_one", xero_user, ["openid"], sealed(name))


class Rows:
    """Grants as the service stores and reads them, and as they stand in the table."""

    def __init__(self, database: Database, sql: asyncpg.Connection) -> None:
        self.database = database
        self.sql = sql

    async def grant(self, new: NewGrant | None = None) -> Grant:
        new = new or consent()
        async with self.database.transaction() as tx:
            await tx.grants.supersede(new)
        return await self.read(new.id)

    async def read(self, grant_id: UUID) -> Grant:
        async with self.database.transaction() as tx:
            grant = await tx.grants.get(grant_id)
        assert grant is not None
        return grant

    async def row(self, grant: Grant) -> dict[str, Any]:
        found = await self.sql.fetchrow("SELECT * FROM integration_grants WHERE id = $1", grant.id)
        assert found is not None
        return dict(found)

    async def alter(self, grant: Grant, assignments: str) -> None:
        """Change a grant's row, as time or another release would."""
        await self.sql.execute(
            f"UPDATE integration_grants SET {assignments} WHERE id = $1",  # noqa: S608
            grant.id,
        )


@pytest.fixture
def rows(database: Database, sql: asyncpg.Connection) -> Rows:
    return Rows(database, sql)


@pytest.fixture
async def grant(rows: Rows) -> Grant:
    return await rows.grant()
