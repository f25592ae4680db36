"""What `migrate --check` says: the pending migrations, and the tables that each would lock."""

import asyncio
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from xero_service.store import migrations
from xero_service.store.connections import Connector
from xero_service.store.db_errors import translate_db_errors
from xero_service.store.migrations import Migration
from xero_service.store.pools import migration_engine
from xero_service.store.schema import require_no_older_replica

BIG_ROWS = 100_000
BIG_BYTES = 100_000_000
BRIEFLY, WHILE_READ = "for a moment", "while the whole table is read or written"

_TABLE = r'(?:ONLY )?(?:IF EXISTS )?(?P<table>"?\w+"?)'
# The first pattern that matches a statement tells what it locks (PostgreSQL, "Explicit Locking").
_LOCKS = tuple(
    (re.compile(pattern, re.IGNORECASE | re.DOTALL), mode, how_long)
    for pattern, mode, how_long in (
        (rf"CREATE (UNIQUE )?INDEX CONCURRENTLY .*? ON {_TABLE}", "no lock of writers", WHILE_READ),
        (rf"CREATE (UNIQUE )?INDEX .*? ON {_TABLE}", "SHARE", WHILE_READ),
        (
            rf"ALTER TABLE {_TABLE} .*(ALTER COLUMN \S+ (SET DATA )?TYPE|SET NOT NULL|LOGGED)",
            "ACCESS EXCLUSIVE",
            WHILE_READ,
        ),
        (rf"ALTER TABLE {_TABLE} ADD CONSTRAINT .* NOT VALID", "ACCESS EXCLUSIVE", BRIEFLY),
        (rf"ALTER TABLE {_TABLE} VALIDATE", "no lock of writers", WHILE_READ),
        (
            rf"ALTER TABLE {_TABLE} ADD CONSTRAINT .* USING INDEX",
            "ACCESS EXCLUSIVE",
            BRIEFLY,
        ),
        (rf"ALTER TABLE {_TABLE} ADD CONSTRAINT", "ACCESS EXCLUSIVE", WHILE_READ),
        (rf"ALTER TABLE {_TABLE}", "ACCESS EXCLUSIVE", BRIEFLY),
        (rf"CREATE TRIGGER .*? ON {_TABLE}", "SHARE ROW EXCLUSIVE", BRIEFLY),
        (rf"DROP TRIGGER .*? ON {_TABLE}", "ACCESS EXCLUSIVE", BRIEFLY),
        (rf"DROP TABLE {_TABLE}", "ACCESS EXCLUSIVE", BRIEFLY),
        (rf"LOCK TABLE {_TABLE}", "LOCK TABLE", BRIEFLY),
        (rf"(UPDATE|DELETE FROM) {_TABLE}", "the rows that it changes", WHILE_READ),
    )
)
_SIZE = text(
    "SELECT greatest(reltuples, 0)::bigint AS rows, pg_total_relation_size(oid) AS bytes"
    " FROM pg_class WHERE oid = to_regclass(:table)"
)


@dataclass(frozen=True, slots=True)
class Lock:
    """A lock of one statement on an existing table."""

    table: str
    mode: str
    how_long: str
    rows: int
    bytes: int

    @property
    def holds_up_callers(self) -> bool:
        """Whether callers may wait for long: the table is big, and all of it is read or written."""
        is_big = self.rows >= BIG_ROWS or self.bytes >= BIG_BYTES
        return is_big and self.how_long == WHILE_READ and not self.mode.startswith("no lock")


@dataclass(frozen=True, slots=True)
class Preview:
    """What `migrate` would do. `locks` is None where a migration decides by what it reads."""

    revision: str | None
    planned: tuple[tuple[Migration, tuple[Lock, ...] | None], ...]
    left_out: tuple[Migration, ...]


def preview(url: str, *, with_contracts: bool) -> Preview:
    """Return what `migrate` would do to a database; changes and locks nothing.

    Raises ServiceBusy for a database that is away, and where `migrate` would be refused.
    """
    with translate_db_errors():
        return asyncio.run(_preview(url, with_contracts=with_contracts))


async def _preview(url: str, *, with_contracts: bool) -> Preview:
    engine = migration_engine(Connector.to(url))
    try:
        async with engine.connect() as connection:
            has_table = await connection.scalar(
                text("SELECT to_regclass('alembic_version') IS NOT NULL")
            )
            revision = (
                await connection.scalar(text("SELECT version_num FROM alembic_version"))
                if has_table
                else None
            )
            if migrations.is_past(revision):
                return Preview(revision, (), ())
            planned = migrations.pending(revision, with_contracts=with_contracts)
            await connection.run_sync(require_no_older_replica, revision, planned)
            found = [(each, await _locks(connection, each)) for each in planned]
            everything = migrations.pending(revision, with_contracts=True)
            return Preview(revision, tuple(found), everything[len(planned) :])
    finally:
        await engine.dispose()


async def _locks(connection: AsyncConnection, migration: Migration) -> tuple[Lock, ...] | None:
    statements = _statements(migration)
    if statements is None:
        return None
    locks = list[Lock]()
    for statement in statements:
        for pattern, mode, how_long in _LOCKS:
            if (match := pattern.match(statement)) is None:
                continue
            size = (await connection.execute(_SIZE, {"table": match["table"]})).one_or_none()
            if size is not None:  # None: a table that a pending migration creates
                locks.append(Lock(match["table"], mode, how_long, size.rows, size.bytes))
            break
    return tuple(locks)


def _statements(migration: Migration) -> list[str] | None:
    """Return the SQL of a migration, None where it asks the database while it runs."""
    from alembic.operations import Operations
    from alembic.runtime.migration import MigrationContext
    from alembic.script import ScriptDirectory

    script = ScriptDirectory(str(migrations.directory())).get_revision(migration.revision)
    output = io.StringIO()
    context = MigrationContext.configure(
        dialect_name="postgresql", opts={"as_sql": True, "output_buffer": output}
    )
    try:
        with Operations.context(context):
            script.module.upgrade()
    except Exception:
        return None
    return list(_split(output.getvalue()))


def _split(sql: str) -> Iterator[str]:
    for statement in sql.split(";\n\n"):
        if statement.strip():
            yield " ".join(statement.split())
