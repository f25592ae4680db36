"""Behind PgBouncer every statement may find another session of the server (R23)."""

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator

import pytest
from sqlalchemy import text

from demo.postgres import Postgres
from demo.stack import ROOT
from tests.pgbouncer import bouncer
from tests.pgbouncer.bouncer import Bouncer
from xero_service.store.database import Database

CALLERS, READS = 12, 25
STORE = ["tests/store/test_claiming.py"]
TOKENS = ["tests/journeys/test_refreshing.py"]
ALL = ["tests/store", "tests/journeys", "tests/concurrency", "tests/service_api/test_tokens.py"]


@pytest.fixture(scope="module")
def pooled(postgres_server: Postgres) -> Iterator[Bouncer]:
    with bouncer.running(postgres_server.url) as running:
        yield running


@pytest.fixture
async def database(direct_url: str, pooled: Bouncer) -> AsyncIterator[Database]:
    opened = Database(pooled.url_of(direct_url), pool_size=CALLERS, prepared_statements=False)
    yield opened
    await opened.close()


async def test_statements_of_many_callers_do_not_meet_in_a_session_r23(database: Database) -> None:
    """On the driver, in transactions and in single statements, of more callers than sessions."""
    sessions = set()

    async def ask(caller: int) -> None:
        for turn in range(READS):
            word = f"{caller} {turn}"
            row = await database.fetch_one("SELECT $1::text || '!' AS word", word)
            assert row is not None
            assert row["word"] == f"{word}!"
            async with database.transaction() as tx:
                found = await tx.connection.execute(
                    text("SELECT CAST(:turn AS int) + 1, pg_backend_pid()"), {"turn": turn}
                )
                number, session = found.one()
            assert number == turn + 1
            sessions.add(session)
            async with database.background_autocommit() as tx:
                asked = text("SELECT CAST(:turn AS int) + 2")
                assert await tx.connection.scalar(asked, {"turn": turn}) == turn + 2

    await asyncio.gather(*map(ask, range(CALLERS)))

    assert 1 < len(sessions) < CALLERS


def through_pgbouncer(*paths: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *paths],
        cwd=ROOT,
        env={**os.environ, "PGBOUNCER": "1"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]


def test_tests_of_store_and_tokens_pass_through_pgbouncer_r23() -> None:
    through_pgbouncer(*STORE, *TOKENS)


@pytest.mark.soak
def test_all_tests_of_store_and_tokens_pass_through_pgbouncer_r23() -> None:
    through_pgbouncer(*ALL)
