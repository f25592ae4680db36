"""O2: each replica announces its code, and old code does not work on a schema past it."""

import asyncio
import signal
from importlib import metadata
from pathlib import Path

import pytest

from demo.stack import SERVICE
from tests import commands
from tests.concurrency.conftest import StartReplica
from tests.world import Application, World, until
from xero_service.errors import ConfigError, ServiceBusy
from xero_service.settings import Settings
from xero_service.store import migrations

TOO_NEW = "UPDATE alembic_version SET oldest_code = '9999'"
PLAIN_AGAIN = "UPDATE alembic_version SET oldest_code = '0001'"


@pytest.mark.parametrize("options", [("--no-upkeep",), ("--workers", "2")])
async def test_a_replica_is_announced_from_its_start_to_its_end(
    world: World, replica: StartReplica, options: tuple[str, ...]
) -> None:
    """O2: so that a contract migration waits for it; each worker is a process of its own."""
    workers = 2 if "--workers" in options else 1
    query = "SELECT version, code FROM replicas WHERE id <> $1"
    here = world.services.replicas.replica.id

    async with replica(*options) as running:

        async def are_announced() -> bool:
            return len(await world.database.fetch(query, here)) == workers

        await until(are_announced)
        found = {tuple(row) for row in await world.database.fetch(query, here)}
        running.child.process.send_signal(signal.SIGTERM)
        await asyncio.to_thread(running.child.process.wait, 60)

    assert found == {(metadata.version("xero-service"), migrations.newest())}
    assert await world.database.fetch(query, here) == []


async def test_upkeep_is_announced_too(
    world: World, process_environment: dict[str, str], tmp_path: Path
) -> None:
    """O2."""
    process = await asyncio.create_subprocess_exec(
        SERVICE, "upkeep", env=process_environment, cwd=tmp_path
    )
    here = world.services.replicas.replica.id

    async def count() -> int:
        found = await world.database.fetchval("SELECT count(*) FROM replicas WHERE id <> $1", here)
        return int(found)

    try:
        await until(count, within=60)
    finally:
        process.terminate()
        await process.wait()
    assert await count() == 0


async def test_a_replica_too_old_for_its_database_is_not_ready(world: World) -> None:
    """O2: a contract migration removed what it uses."""
    async with world.application.http() as http:
        await world.database.execute(TOO_NEW)
        outdated = await http.get("/readyz")
        await world.database.execute(PLAIN_AGAIN)
        ready = await http.get("/readyz")

    assert (outdated.status_code, outdated.json()["code"]) == (503, "code_outdated")
    assert int(outdated.headers["retry-after"]) >= 1
    assert ready.status_code == 200


async def test_code_too_old_for_its_database_does_not_start_and_changes_nothing(
    world: World, settings: Settings
) -> None:
    """O2: a rollback past a contract migration."""
    await world.database.execute(TOO_NEW)
    try:
        async with Application.running(settings) as application:
            with pytest.raises(ConfigError, match="too old for its database"):
                await application.services.database.check()
            with pytest.raises(ServiceBusy):
                async with application.services.database.transaction():
                    pass
    finally:
        await world.database.execute(PLAIN_AGAIN)


@pytest.mark.parametrize("command", [("serve", "--port", "1"), ("keys", "list"), ("upkeep",)])
async def test_a_command_of_code_too_old_for_its_database_ends_with_the_reason(
    world: World,
    environment: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    command: tuple[str, ...],
) -> None:
    """O2: it exits with 2, as for any other wrong configuration."""
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    await world.database.execute(TOO_NEW)
    try:
        ended = await asyncio.to_thread(commands.run, capsys, *command)
    finally:
        await world.database.execute(PLAIN_AGAIN)

    assert ended.code == 2
    assert "This code is too old for its database" in ended.said
    assert "only code that carries 9999 works there" in ended.said
