"""O2: an upgrade breaks no replica, and what older code uses is removed only after it has ended."""

import asyncio
import re
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import asyncpg
import pytest
from typer.testing import CliRunner

from demo.postgres import Postgres
from tests.store.newer_code import CONTRACT, EXPAND, add_migration, newer_code
from tests.world import until
from xero_service.cli import app
from xero_service.errors import CodeOutdated, ServiceBusy
from xero_service.store import migrations, schema
from xero_service.store.database import Database
from xero_service.store.migrations import SchemaState

VERSIONS = Path(__file__).parents[2] / "migrations" / "versions"


@pytest.fixture
def empty_url(postgres_server: Postgres) -> Iterator[str]:
    url = postgres_server.create_database()
    yield url
    postgres_server.drop_database(url)


@pytest.fixture
def url(empty_url: str) -> str:
    """A database that this code migrated."""
    schema.upgrade(empty_url)
    return empty_url


@pytest.fixture
def newer(url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The directory of the migrations of newer code, which this process is from now on."""
    with newer_code(tmp_path, monkeypatch) as directory:
        yield directory


async def state(url: str) -> SchemaState:
    database = Database(url, pool_size=1, prepared_statements=True)
    try:
        return await database.schema_state()
    finally:
        await database.close()


async def announced(url: str, code: str, *, seconds_ago: int = 0) -> None:
    connection = await asyncpg.connect(url)
    await connection.execute(
        "INSERT INTO replicas (id, host, version, code, seen_at)"
        " VALUES ($1, 'api-7', '0.1.0', $2, clock_timestamp() - make_interval(secs => $3))",
        uuid4(),
        code,
        seconds_ago,
    )
    await connection.close()


def run_migrate(url: str, monkeypatch: pytest.MonkeyPatch, *options: str) -> tuple[int, str]:
    monkeypatch.setenv("DATABASE_URL", url)
    result = CliRunner().invoke(app, ["migrate", *options])
    if isinstance(result.exception, ServiceBusy):
        return 1, str(result.exception)
    assert result.exception is None, result.exception
    return 0, result.output


@pytest.mark.parametrize("path", sorted(VERSIONS.glob("*.py")), ids=lambda path: path.stem)
def test_every_migration_declares_the_oldest_code_that_works_after_it(path: Path) -> None:
    """O2: see migrations/script.py.mako."""
    declared = re.findall(r'^oldest_code = "([0-9]{4})"$', path.read_text(), re.MULTILINE)

    assert len(declared) == 1
    assert declared[0] <= path.name[:4]
    assert declared[0] in {each.revision for each in migrations.carried()}


async def test_the_database_records_which_code_works_on_it(url: str, newer: Path) -> None:
    """O2: for code that does not know the migrations that were applied."""
    before = await state(url)
    await asyncio.to_thread(schema.upgrade, url, with_contracts=True)

    assert before == SchemaState(migrations.carried()[-3].revision, "0001")
    assert await state(url) == SchemaState(CONTRACT, CONTRACT)


async def test_migrate_leaves_a_contract_migration_until_it_is_asked_for(
    url: str, newer: Path
) -> None:
    """O2: code of both releases works on the schema in between."""
    await asyncio.to_thread(schema.upgrade, url)
    between = await state(url)
    await asyncio.to_thread(schema.upgrade, url, with_contracts=True)

    assert between == SchemaState(EXPAND, "0001")
    assert migrations.serves(between)
    assert (await state(url)).revision == CONTRACT


async def test_a_new_database_gets_the_contract_migrations_at_once(
    empty_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with newer_code(tmp_path, monkeypatch):
        await asyncio.to_thread(schema.upgrade, empty_url)

    assert (await state(empty_url)).revision == CONTRACT


async def test_a_migration_after_a_contract_migration_brings_it_along(
    url: str, newer: Path
) -> None:
    """O2: an operator may skip a release, and never run `--contract`."""
    add_migration(
        newer, "9003", follows=CONTRACT, oldest_code="0001", change="ADD COLUMN other text"
    )
    migrations.carried.cache_clear()

    await asyncio.to_thread(schema.upgrade, url)

    assert await state(url) == SchemaState("9003", CONTRACT)


@pytest.mark.parametrize("options", [("--contract",), ("--contract", "--check")])
async def test_a_contract_migration_is_refused_while_a_replica_with_older_code_runs(
    url: str, newer: Path, monkeypatch: pytest.MonkeyPatch, options: tuple[str, ...]
) -> None:
    """O2: it would break that replica; the refusal names it."""
    older = migrations.carried()[-3].revision
    await announced(url, older)

    code, printed = await asyncio.to_thread(run_migrate, url, monkeypatch, *options)

    assert code == 1
    assert f"replicas with older code run: api-7 (version 0.1.0, {older})" in printed
    assert (await state(url)).revision == older


async def test_additive_migrations_are_applied_whatever_runs(url: str, newer: Path) -> None:
    """O2."""
    await announced(url, "0001")

    await asyncio.to_thread(schema.upgrade, url)

    assert (await state(url)).revision == EXPAND


async def test_a_replica_that_fell_silent_or_has_newer_code_holds_up_nothing(
    url: str, newer: Path
) -> None:
    """O2: a killed process cannot say that it has ended."""
    await announced(url, "0001", seconds_ago=91)
    await announced(url, CONTRACT)

    await asyncio.to_thread(schema.upgrade, url, with_contracts=True)

    assert (await state(url)).revision == CONTRACT


async def test_a_migration_that_met_a_deadlock_is_applied_again(url: str, newer: Path) -> None:
    """O2, R32: a caller's transaction may lock two tables in the other order."""
    path = newer / "versions" / f"{EXPAND}_test.py"
    second = "    op.execute('ALTER TABLE leases ADD COLUMN extra text')\n"
    path.write_text(path.read_text().replace("\n\n\ndef down", f"\n{second}\n\ndef down"))
    caller, other = await asyncpg.connect(url), await asyncpg.connect(url)
    # A session looks for a deadlock once, so long after it began to wait, and ends if there is one.
    # The caller must be waiting by then, and look later than the migration.
    name = await other.fetchval("SELECT quote_ident(current_database())")
    await other.execute(f"ALTER DATABASE {name} SET deadlock_timeout = '4s'")
    await caller.execute("SET deadlock_timeout = '1min'")
    await caller.execute("BEGIN; SELECT * FROM leases")
    printed = list[str]()
    upgrade = asyncio.create_task(asyncio.to_thread(schema.upgrade, url, progress=printed.append))

    async def waits() -> bool:
        query = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
        return bool(await other.fetchval(f"{query} AND query LIKE 'ALTER TABLE leases%'"))

    await until(waits)
    await caller.execute("SELECT count(*) FROM integration_grants")
    await caller.execute("COMMIT")
    await upgrade

    assert (await state(url)).revision == EXPAND
    assert any("deadlock" in line for line in printed)
    await caller.close()
    await other.close()


async def test_migrate_says_what_it_applies(
    empty_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """O2: an operator sees which migration takes its time."""
    _, printed = await asyncio.to_thread(run_migrate, empty_url, monkeypatch)

    said = re.findall(r"^Applying (\d{4}): (.+) …$", printed, re.MULTILINE)
    assert said == [(each.revision, each.summary) for each in migrations.carried()]


async def test_check_says_what_would_be_done_and_does_nothing(
    url: str, newer: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """O2."""
    before = await state(url)

    code, printed = await asyncio.to_thread(run_migrate, url, monkeypatch, "--check")

    assert code == 0
    assert f"{EXPAND}: Test {EXPAND}\n    integration_grants (about 0 rows, " in printed
    assert "ACCESS EXCLUSIVE, for a moment\n" in printed
    assert f"{CONTRACT}: Test {CONTRACT}\n    left for `migrate --contract`" in printed
    assert await state(url) == before


async def test_check_says_when_nothing_is_pending(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, printed = await asyncio.to_thread(run_migrate, url, monkeypatch, "--check")

    assert printed.endswith("Nothing to apply.\n")


@pytest.mark.parametrize(
    ("change", "warns"),
    [
        ("ALTER COLUMN last_error SET NOT NULL", True),
        ("ALTER COLUMN generation TYPE integer", True),
        ("ADD CONSTRAINT positive CHECK (generation > 0)", True),
        ("ADD CONSTRAINT positive CHECK (generation > 0) NOT VALID", False),
        ("ADD COLUMN another text", False),
        ("ADD COLUMN another text; CREATE INDEX another ON integration_grants (another)", True),
        (
            "ADD COLUMN another text;"
            " CREATE INDEX CONCURRENTLY another ON integration_grants (another)",
            False,
        ),
        ("ADD COLUMN another text; UPDATE integration_grants SET another = ''", True),
    ],
)
async def test_check_warns_of_a_lock_that_lasts_on_a_big_table(
    url: str, newer: Path, monkeypatch: pytest.MonkeyPatch, change: str, warns: bool
) -> None:
    """O2: callers would wait while the table is read; a lock for a moment is harmless."""
    first, *more = change.split("; ")
    add_migration(newer, EXPAND, follows="0000", oldest_code="0001", change=first)
    path = newer / "versions" / f"{EXPAND}_test.py"
    statements = "".join(f"    op.execute({each!r})\n" for each in more)
    text = path.read_text().replace('"0000"', f'"{migrations.carried()[-3].revision}"')
    path.write_text(text.replace("\n\n\ndef downgrade", f"\n{statements}\n\ndef downgrade"))
    connection = await asyncpg.connect(url)
    await connection.execute(
        "UPDATE pg_class SET reltuples = 2000000 WHERE relname = 'integration_grants'"
    )
    await connection.close()

    _, printed = await asyncio.to_thread(run_migrate, url, monkeypatch, "--check")

    assert "about 2,000,000 rows" in printed
    assert ("! big: callers may wait" in printed) is warns


@pytest.mark.parametrize(
    ("oldest_code", "is_outdated"),
    [(None, False), ("0001", False), (migrations.newest(), False), ("9999", True)],
)
def test_code_older_than_the_schema_allows_does_not_serve(
    oldest_code: str | None, is_outdated: bool
) -> None:
    """O2."""
    schema_state = SchemaState("9999", oldest_code)

    assert migrations.serves(schema_state) is not is_outdated
    if is_outdated:
        with pytest.raises(CodeOutdated):
            migrations.require(schema_state)
