"""Migrations upgrade, downgrade and upgrade again, and match the declared tables."""

import asyncio
import re
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest
from alembic.script import ScriptDirectory
from alembic.util.exc import CommandError

from demo.postgres import Postgres
from xero_service.store import migrations, schema
from xero_service.store.database import Database
from xero_service.store.migrations import SchemaState
from xero_service.store.tables import Base

MIGRATIONS = Path(__file__).parents[2] / "migrations"
OBJECTS = """
SELECT 'table ' || tablename FROM pg_tables WHERE schemaname = 'public'
UNION SELECT 'function ' || proname FROM pg_proc
WHERE pronamespace = 'public'::regnamespace
UNION SELECT 'type ' || typname FROM pg_type
WHERE typnamespace = 'public'::regnamespace AND typtype IN ('e', 'd')
"""


@pytest.fixture
def empty_url(postgres_server: Postgres) -> Iterator[str]:
    url = postgres_server.create_database()
    yield url
    postgres_server.drop_database(url)


async def objects(url: str) -> set[str]:
    connection = await asyncpg.connect(url)
    try:
        return {row[0] for row in await connection.fetch(OBJECTS)}
    finally:
        await connection.close()


async def state(url: str) -> SchemaState:
    database = Database(url, pool_size=1, prepared_statements=True)
    try:
        return await database.schema_state()
    finally:
        await database.close()


async def revision(url: str) -> str | None:
    return (await state(url)).revision


@pytest.fixture
def upgraded_url(empty_url: str) -> str:
    schema.upgrade(empty_url)
    return empty_url


@pytest.fixture
def downgraded_url(upgraded_url: str) -> str:
    schema.downgrade(upgraded_url, "base")
    return upgraded_url


async def test_an_empty_database_is_at_no_revision(empty_url: str) -> None:
    assert await revision(empty_url) is None


async def test_upgrading_reaches_the_revision_that_the_code_expects(upgraded_url: str) -> None:
    assert await revision(upgraded_url) == migrations.newest()


async def test_upgrading_creates_every_declared_table(upgraded_url: str) -> None:
    assert {f"table {name}" for name in Base.metadata.tables} <= await objects(upgraded_url)


def test_upgrading_twice_is_harmless(upgraded_url: str) -> None:
    schema.upgrade(upgraded_url)


async def test_older_code_leaves_what_newer_code_migrated_e2(upgraded_url: str) -> None:
    """So that an older release can be rolled back to: its `migrate` runs first."""
    connection = await asyncpg.connect(upgraded_url)
    await connection.execute("UPDATE alembic_version SET version_num = '9999'")
    await connection.close()

    await asyncio.to_thread(schema.upgrade, upgraded_url)

    assert await revision(upgraded_url) == "9999"


def test_revisions_are_numbers_that_ascend_along_the_chain_e2() -> None:
    """What `serves` relies on for a revision that it does not know."""
    script = ScriptDirectory(str(MIGRATIONS))
    chain = [each.revision for each in reversed(list(script.walk_revisions()))]

    assert all(re.fullmatch(r"[0-9]{4}", each) for each in chain)
    assert chain == sorted(chain)
    assert chain[-1] == migrations.newest()


@pytest.mark.parametrize(
    ("revision", "is_served"),
    [
        (None, False),
        ("", False),
        ("0001", False),
        ("ae1027a6acf", False),
        ("9999", True),
        ("10000", True),
        (migrations.newest(), True),
    ],
)
def test_code_serves_its_own_revision_and_later_ones_e2(
    revision: str | None, is_served: bool
) -> None:
    assert migrations.serves(SchemaState(revision)) is is_served


async def test_downgrading_leaves_nothing_behind(downgraded_url: str) -> None:
    assert await objects(downgraded_url) == {"table alembic_version"}


def test_a_downgraded_database_can_be_upgraded_again(downgraded_url: str) -> None:
    schema.upgrade(downgraded_url)

    schema.check(downgraded_url)


def test_the_migrations_make_what_the_tables_declare(database_url: str) -> None:
    schema.check(database_url)


@pytest.mark.parametrize(
    "drift",
    [
        "ALTER TABLE integration_grants ADD COLUMN extra text",
        "ALTER TABLE integration_grants ALTER COLUMN last_error SET NOT NULL",
        "ALTER TABLE integration_grants ALTER COLUMN generation TYPE integer",
        "ALTER TABLE integration_grants ALTER COLUMN generation SET DEFAULT 7",
        "DROP INDEX ix_integration_grants_expires_at",
        "ALTER TABLE integration_tenant_bindings DROP CONSTRAINT"
        " uq_integration_tenant_bindings_provider_external_tenant_id",
    ],
)
async def test_the_check_sees_drift(database_url: str, sql: asyncpg.Connection, drift: str) -> None:
    await sql.execute(drift)

    with pytest.raises(CommandError):
        await asyncio.to_thread(schema.check, database_url)
