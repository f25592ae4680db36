"""The embedded PostgreSQL: its start, its privacy and its removal."""

import asyncio
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import asyncpg
import pytest

from demo import postgres
from demo.postgres import EmbeddedPostgres


@pytest.fixture(scope="module")
def server() -> Iterator[EmbeddedPostgres]:
    with postgres.embedded(postgres.DISPOSABLE) as running:
        yield running


async def ask(url: str, query: str) -> Any:
    connection = await asyncpg.connect(url)
    try:
        return await connection.fetchval(query)
    finally:
        await connection.close()


async def do(url: str, statement: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


async def test_a_new_database_is_empty_and_reached_by_a_plain_url(server: EmbeddedPostgres) -> None:
    url = server.create_database()

    assert url.startswith("postgresql://postgres@/xero_")
    assert await ask(url, "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'") == 0


async def test_a_database_can_be_a_copy_of_another(server: EmbeddedPostgres) -> None:
    template = server.create_database("template_of_ours")
    await do(template, "CREATE TABLE kept AS SELECT 42 AS answer")

    copy = server.create_database(template="template_of_ours")

    assert await ask(copy, "SELECT answer FROM kept") == 42


async def test_a_database_with_open_connections_is_dropped(server: EmbeddedPostgres) -> None:
    url = server.create_database()
    connection = await asyncpg.connect(url)

    server.drop_database(url)

    with pytest.raises(asyncpg.InvalidCatalogNameError):
        await asyncpg.connect(url)
    connection.terminate()


async def test_the_server_speaks_utf8_and_listens_on_no_address(server: EmbeddedPostgres) -> None:
    assert await ask(server.url, "SHOW server_encoding") == "UTF8"
    assert await ask(server.url, "SHOW listen_addresses") == ""
    assert await ask(server.url, "SELECT lower('ÄÖÜ')") == "äöü"


async def test_what_was_committed_survives_a_crash() -> None:
    with postgres.embedded() as server:
        await do(server.url, "CREATE TABLE kept AS SELECT 42 AS answer")
        server.crash()
        assert not server.answers

        server.start()

        assert await ask(server.url, "SELECT answer FROM kept") == 42


def test_nothing_is_left_afterwards() -> None:
    with postgres.embedded(postgres.DISPOSABLE) as server:
        directory = Path(parse_qs(urlsplit(server.url).query)["host"][0])
        assert directory.is_dir()

    assert not directory.exists()
    assert not server.answers


def test_a_long_temporary_path_is_not_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    long = tmp_path / ("x" * 90)
    long.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(long))

    with postgres.embedded(postgres.DISPOSABLE) as server:
        assert server.answers

    assert not list(long.iterdir())


def test_root_starts_programs_that_others_cannot_reach(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgres, "open_to_others", lambda _: False)

    with postgres.embedded(postgres.DISPOSABLE) as server:
        directory = Path(parse_qs(urlsplit(server.url).query)["host"][0])

        assert (directory / "programs").exists() == (os.geteuid() == 0)
        assert server.answers


def test_the_server_of_database_url_is_used_where_it_is_named(
    monkeypatch: pytest.MonkeyPatch, server: EmbeddedPostgres
) -> None:
    monkeypatch.setenv("DATABASE_URL", server.url)

    with postgres.available() as named:
        assert named.url == server.url
        assert asyncio.run(ask(named.create_database(), "SELECT 1")) == 1

    assert server.answers
