"""R30: a role that may not read what server this is, is served all the same."""

from collections.abc import AsyncIterator, Iterator
from urllib.parse import urlsplit

import asyncpg
import pytest

from demo.postgres import Postgres
from tests.store.roles import TwoRoles, two_roles
from xero_service.domain import DatabaseMark
from xero_service.services.database_watch import DatabaseWatch
from xero_service.store import schema
from xero_service.store.database import Database
from xero_service.telemetry import Metrics

DENIED = ("pg_control_system()", "pg_walfile_name(pg_lsn)", "pg_current_wal_insert_lsn()")


@pytest.fixture
def roles(postgres_server: Postgres) -> Iterator[TwoRoles]:
    with two_roles(postgres_server) as made:
        schema.upgrade(made.owner_url, service_role=made.serving_role)
        yield made


@pytest.fixture
async def serving(roles: TwoRoles, prepared_statements: bool) -> AsyncIterator[DatabaseWatch]:
    database = Database(roles.serving_url, pool_size=3, prepared_statements=prepared_statements)
    yield DatabaseWatch(database, Metrics())
    await database.close()


async def deny(roles: TwoRoles, function: str) -> None:
    name = urlsplit(roles.owner_url).path
    superuser = await asyncpg.connect(urlsplit(roles.server.url)._replace(path=name).geturl())
    await superuser.execute(f"REVOKE EXECUTE ON FUNCTION {function} FROM PUBLIC")
    await superuser.close()


async def stored(watch: DatabaseWatch) -> DatabaseMark:
    async with watch.database.transaction() as tx:
        return await tx.database_marks.read()


async def test_the_serving_role_may_read_it_by_default_r30(serving: DatabaseWatch) -> None:
    await serving.check()

    assert (await stored(serving)).identity is not None


@pytest.mark.parametrize("function", DENIED)
async def test_where_it_may_not_a_check_passes_and_stores_no_identity_r30(
    roles: TwoRoles, serving: DatabaseWatch, function: str
) -> None:
    await deny(roles, function)

    await serving.check()

    assert await stored(serving) == DatabaseMark()
