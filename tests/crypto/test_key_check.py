"""E3, S62: nothing is sealed with a key that is not this database's."""

import asyncio
import secrets
from contextlib import suppress
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
import uvicorn
from pydantic import SecretStr

from tests import commands
from tests.world import ACME, Application, World, until
from xero_sandbox.samples import ACME_TRADING
from xero_service.app import PREFIX
from xero_service.errors import ConfigError, ServiceBusy
from xero_service.settings import Settings

STRAY = secrets.token_hex(32)
FAULT = "ENCRYPTION_KEY opens nothing that is stored in this database"
SEALED = (
    "SELECT access_token_enc, refresh_token_enc FROM integration_grants"
    " UNION ALL SELECT token, identifier FROM verification_tokens ORDER BY 1"
)


def with_keys(settings: Settings, current: str, *previous: str) -> Settings:
    return settings.model_copy(
        update={
            "encryption_key": SecretStr(current),
            "encryption_key_previous": tuple(SecretStr(each) for each in previous),
        }
    )


@pytest.fixture
def key(settings: Settings) -> str:
    return settings.encryption_key.get_secret_value()


@pytest.fixture
async def connected(world: World) -> World:
    """A grant's tokens, a consenter's name and an attempt are stored."""
    admin = await world.acme_admin()
    await admin.connects(ACME_TRADING)
    await admin.starts()
    return world


async def status_of(application: Application, path: str) -> int:
    async with application.http() as http:
        return (await http.get(path)).status_code


async def is_taken(settings: Settings, current: str, *previous: str) -> bool:
    async with Application.running(with_keys(settings, current, *previous)) as application:
        with suppress(ConfigError):
            await application.services.database.check()
            return await status_of(application, "/readyz") == 200
    return False


@pytest.mark.parametrize(
    "arguments",
    [
        ("serve", "--port", "1"),
        ("upkeep", "--once"),
        ("keys", "create", "--name", "x", "--org", ACME, "--scope", "tokens:read"),
        ("encryption", "rewrap"),
        ("orgs", "offboard", ACME, "--yes"),
        ("doctor",),
    ],
    ids=" ".join,
)
async def test_a_wrong_key_stops_every_command_e3(
    connected: World,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    key: str,
    arguments: tuple[str, ...],
) -> None:
    before = await connected.database.fetch(SEALED)
    monkeypatch.setenv("ENCRYPTION_KEY", STRAY)
    for serving in (uvicorn, uvicorn.Server):  # where it went on, it would serve for ever
        monkeypatch.setattr(serving, "run", None)

    done = await asyncio.to_thread(commands.run, capsys, *arguments)

    assert done.code == 2
    assert FAULT in done.said
    assert STRAY not in done.said
    assert key not in done.said
    assert await connected.database.fetch(SEALED) == before


async def test_the_doctor_is_content_with_the_right_key_e3(
    connected: World, capsys: pytest.CaptureFixture[str]
) -> None:
    done = await asyncio.to_thread(commands.run, capsys, "doctor")

    assert "✓ encryption key: " in done.said


async def test_a_key_is_taken_where_nothing_is_stored_e3(world: World, settings: Settings) -> None:
    assert await is_taken(settings, STRAY)


async def test_each_step_of_a_rotation_starts_e3(
    connected: World, settings: Settings, key: str
) -> None:
    """Also a replica that starts while another has not read the new key yet."""
    assert await is_taken(settings, key)
    assert await is_taken(settings, key, STRAY)
    assert await is_taken(settings, STRAY, key)
    assert not await is_taken(settings, STRAY)

    async with Application.running(with_keys(settings, STRAY, key)) as rotating:
        await rotating.services.key_rotation.run(lambda _: None)

    assert await is_taken(settings, STRAY)
    assert not await is_taken(settings, key)


async def test_a_rewrap_that_stopped_halfway_starts_e3(
    connected: World, settings: Settings, key: str
) -> None:
    await connected.database.execute("CREATE TABLE kept AS SELECT * FROM grant_authorisations")
    async with Application.running(with_keys(settings, STRAY, key)) as rotating:
        await rotating.services.key_rotation.run(lambda _: None)
    await connected.database.execute(
        "UPDATE grant_authorisations a SET consenter_enc = kept.consenter_enc FROM kept"
        " WHERE a.id = kept.id"
    )

    assert await is_taken(settings, STRAY, key)


async def test_a_value_that_was_altered_stops_nobody_e3(
    connected: World, settings: Settings, key: str
) -> None:
    """S62: what can be opened is served."""
    await connected.database.execute(
        "UPDATE integration_grants SET access_token_enc = 'x', refresh_token_enc = 'x:y:z'"
    )

    assert await is_taken(settings, key)


async def test_a_process_with_a_wrong_key_serves_nothing_e3(
    connected: World, settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    before = await connected.database.fetch(SEALED)
    token = (await connected.acme_admin()).token()

    async with Application.running(with_keys(settings, STRAY)) as application:
        async with application.http() as http:
            start = f"{PREFIX}/start"
            started = await http.get(start, headers={"Authorization": f"Bearer {token}"})
        with pytest.raises(ServiceBusy):
            await application.services.database.fetch_one("SELECT 1")
        with pytest.raises(ServiceBusy):
            async with application.services.database.background_autocommit():
                pass
        assert await status_of(application, "/readyz") == 503
        assert await status_of(application, "/healthz") == 200

    assert (started.status_code, started.json()["code"]) == (503, "service_busy")
    assert "ENCRYPTION_KEY" not in started.text
    assert FAULT in "".join(capsys.readouterr())
    assert await connected.database.fetch(SEALED) == before


async def test_where_the_database_is_away_at_the_start_the_key_is_tried_later_e3(
    connected: World, settings: Settings, database_url: str, tmp_path: Path, key: str
) -> None:
    (directory,) = parse_qs(urlsplit(database_url).query)["host"]
    link = tmp_path / "pg"
    away = database_url.replace(directory, str(link))

    def told(current: str) -> Settings:
        given = with_keys(settings, current)
        return given.model_copy(update={"database_url": SecretStr(away)})

    async with (
        Application.running(told(key)) as right,
        Application.running(told(STRAY)) as wrong,
    ):
        assert await status_of(right, "/readyz") == await status_of(wrong, "/readyz") == 503

        link.symlink_to(directory)

        async def is_ready() -> bool:
            return await status_of(right, "/readyz") == 200

        await until(is_ready)
        assert await status_of(wrong, "/readyz") == 503
        with pytest.raises(ServiceBusy):
            async with wrong.services.database.transaction():
                pass
