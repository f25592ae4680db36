"""R32: a migration, which is one transaction, locks at most one existing table against callers.

One that held a table and waited for another met a caller that read both in the other order.
PostgreSQL failed the caller, which was the first to notice the deadlock.
"""

import asyncio
from collections.abc import Iterator

import asyncpg
import pytest

from demo.postgres import Postgres
from xero_service.store import migrations, schema

# Alembic records the revision as the last statement of a migration's transaction.
RECORD_LOCKS = """
    CREATE TABLE known AS SELECT oid FROM pg_class WHERE relkind = 'r';
    CREATE TABLE locked (revision text, tables text[]);
    CREATE FUNCTION record_locks() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        INSERT INTO locked
        SELECT NEW.version_num, array_agg(DISTINCT relation::regclass::text)
        FROM pg_locks JOIN known ON known.oid = relation
        WHERE pid = pg_backend_pid()
          AND mode IN ('ShareLock', 'ShareRowExclusiveLock', 'ExclusiveLock', 'AccessExclusiveLock')
          AND relation >= 16384;  -- not the catalogue
        INSERT INTO known SELECT oid FROM pg_class WHERE relkind = 'r' EXCEPT TABLE known;
        RETURN NULL;
    END $$;
    CREATE TRIGGER record_locks AFTER UPDATE OF version_num ON alembic_version
    FOR EACH ROW EXECUTE FUNCTION record_locks();
    """


@pytest.fixture
def url_at_first_revision(postgres_server: Postgres) -> Iterator[str]:
    url = postgres_server.create_database()
    schema.upgrade(url)
    schema.downgrade(url, "0001")
    yield url
    postgres_server.drop_database(url)


async def test_a_migration_locks_at_most_one_existing_table_against_callers_r32(
    url_at_first_revision: str,
) -> None:
    connection = await asyncpg.connect(url_at_first_revision)
    await connection.execute(RECORD_LOCKS)
    await asyncio.to_thread(schema.upgrade, url_at_first_revision)
    locked = dict(await connection.fetch("SELECT revision, tables FROM locked"))
    await connection.close()

    assert set(locked) == {each.revision for each in migrations.carried()} - {"0001"}
    assert {revision: tables for revision, tables in locked.items() if len(tables or ()) > 1} == {}
    assert locked["0020"] == ["integration_grants"], "the locks of a migration are seen"
