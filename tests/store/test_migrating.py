"""E7: migrations of one database run one at a time and block other sessions briefly."""

import ast
import asyncio
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest

from demo.environment import without_service_variables
from demo.postgres import Postgres
from tests.world import until
from xero_service.errors import ServiceBusy
from xero_service.store import schema

MIGRATIONS = Path(__file__).parents[2] / "migrations"
COMMAND = Path(sys.executable).with_name("xero-service")
SETS_A_LOCK_TIMEOUT = "op.execute(\"SET LOCAL lock_timeout = '5s'\")"
BEFORE_RETENTION = "0006"


@pytest.fixture
def empty_url(postgres_server: Postgres) -> Iterator[str]:
    url = postgres_server.create_database()
    yield url
    postgres_server.drop_database(url)


@pytest.fixture
def older_url(empty_url: str) -> str:
    schema.upgrade(empty_url)
    schema.downgrade(empty_url, BEFORE_RETENTION)
    return empty_url


def migrating(url: str, directory: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [COMMAND, "migrate"],
        env={**without_service_variables(os.environ), "DATABASE_URL": url},
        cwd=directory,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.parametrize(
    "path", sorted((MIGRATIONS / "versions").glob("*.py")), ids=lambda path: path.stem
)
def test_every_migration_sets_a_lock_timeout_first(path: Path) -> None:
    """E7: a migration that waits for a lock makes every later caller wait behind it."""
    functions = {
        node.name: ast.unparse(node.body[0])
        for node in ast.parse(path.read_text()).body
        if isinstance(node, ast.FunctionDef) and node.name in {"upgrade", "downgrade"}
    }

    expected = ast.unparse(ast.parse(SETS_A_LOCK_TIMEOUT))
    assert functions == {"upgrade": expected, "downgrade": expected}


def test_a_new_migration_begins_with_a_lock_timeout() -> None:
    """E7."""
    template = (MIGRATIONS / "script.py.mako").read_text()

    for function in ("upgrade", "downgrade"):
        assert f"def {function}() -> None:\n    {SETS_A_LOCK_TIMEOUT}\n" in template


def test_several_processes_that_migrate_at_once_all_end_well(
    empty_url: str, tmp_path: Path
) -> None:
    """E7: each replica of a rollout may run it."""
    running = [migrating(empty_url, tmp_path) for _ in range(3)]

    ended = [process.communicate(timeout=120) for process in running]

    assert [process.returncode for process in running] == [0, 0, 0], ended
    schema.check(empty_url)


async def test_a_second_migration_waits_for_the_first(empty_url: str, tmp_path: Path) -> None:
    """E7: and says that it waits."""
    first = await asyncpg.connect(empty_url)
    await first.execute("BEGIN; SELECT pg_advisory_xact_lock(x'7865726F'::bigint)")
    second = migrating(empty_url, tmp_path)
    assert second.stderr is not None
    waiting = await asyncio.to_thread(second.stderr.readline)

    assert "another migration of this database is running" in waiting
    assert await first.fetchval("SELECT to_regclass('audit_events')") is None
    await first.execute("COMMIT")
    await asyncio.to_thread(second.communicate, timeout=120)
    assert second.returncode == 0
    await first.close()


@pytest.mark.parametrize("mode", ["ACCESS EXCLUSIVE", "SHARE UPDATE EXCLUSIVE"])
async def test_a_table_in_use_ends_a_migration_that_can_be_repeated(
    older_url: str, tmp_path: Path, mode: str
) -> None:
    """E7: with a message, and not a traceback."""
    other = await asyncpg.connect(older_url)
    await other.execute(f"BEGIN; LOCK TABLE audit_events IN {mode} MODE")

    process = migrating(older_url, tmp_path)
    printed, said = await asyncio.to_thread(process.communicate, timeout=120)

    assert process.returncode == 1
    assert "The database is at" not in printed
    assert "was in use for too long" in said
    assert "Run `xero-service migrate` again" in said
    assert "Traceback" not in said
    await other.execute("ROLLBACK")
    await asyncio.to_thread(schema.upgrade, older_url)
    await asyncio.to_thread(schema.check, older_url)
    await other.close()


async def test_an_index_whose_build_was_cut_short_is_built_anew(older_url: str) -> None:
    """E4: a concurrent build that fails leaves an index behind that nothing uses."""
    writer = await asyncpg.connect(older_url)
    await writer.execute(
        "BEGIN; INSERT INTO audit_events (actor_kind, actor_id, action, outcome)"
        " VALUES ('system', 'x', 'y', 'ok')"
    )
    building = asyncio.create_task(asyncio.to_thread(schema.upgrade, older_url))
    other = await asyncpg.connect(older_url)

    async def left_behind() -> bool:
        return bool(await other.fetchval("SELECT count(*) FROM pg_index WHERE NOT indisvalid"))

    async def cut() -> bool:
        return bool(
            await other.fetchval(
                "SELECT pg_cancel_backend(pid) FROM pg_stat_activity"
                " WHERE query LIKE 'CREATE INDEX CONCURRENTLY%' AND datname = current_database()"
            )
        )

    await until(left_behind, within=60)
    await until(cut, within=60)
    with pytest.raises(ServiceBusy):
        await building
    await writer.execute("COMMIT")
    assert await left_behind()

    await asyncio.to_thread(schema.upgrade, older_url)

    assert not await left_behind()
    await asyncio.to_thread(schema.check, older_url)
    await writer.close()
    await other.close()


async def test_events_are_written_while_their_index_is_built(older_url: str) -> None:
    """E4: a build that locked writers out would stop the issue of tokens meanwhile."""
    reader = await asyncpg.connect(older_url)
    await reader.execute("BEGIN; LOCK TABLE audit_events IN ROW EXCLUSIVE MODE")
    building = asyncio.create_task(asyncio.to_thread(schema.upgrade, older_url))
    writer = await asyncpg.connect(older_url)

    async def waits() -> bool:
        return bool(
            await writer.fetchval(
                "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
                " AND query LIKE 'CREATE INDEX CONCURRENTLY%' AND datname = current_database()"
            )
        )

    await until(waits, within=60)
    await writer.execute(
        "SET lock_timeout = '1s'; INSERT INTO audit_events"
        " (actor_kind, actor_id, action, outcome) VALUES ('system', 'x', 'y', 'ok')"
    )
    await reader.execute("COMMIT")
    await building
    await writer.close()
    await reader.close()
