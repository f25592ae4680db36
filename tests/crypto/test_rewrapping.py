"""S40: a key is rotated while everybody works, however often the work is cut short."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack

import pytest
from typer.testing import CliRunner

from tests.service_api.callers import service
from tests.world import ACME, GLOBEX, Application, World
from xero_sandbox.samples import ACME_TRADING
from xero_sandbox.samples import GLOBEX as GLOBEX_TENANT
from xero_service.cli import app as commands
from xero_service.crypto import KeyRing
from xero_service.services import key_rotation
from xero_service.settings import Settings
from xero_service.store.ciphertexts import SEALED

NEW = secrets.token_hex(32)


def told(monkeypatch: pytest.MonkeyPatch, **keys: str) -> Settings:
    """The configuration after an operator changed the keys."""
    for name, value in keys.items():
        monkeypatch.setenv(name, value)
    return Settings(_env_file=None)


@pytest.fixture
def old(settings: Settings) -> str:
    return settings.encryption_key.get_secret_value()


@pytest.fixture
def rotating(settings: Settings, old: str, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Step 1 of the runbook: the new key writes, the old one reads."""
    return told(monkeypatch, ENCRYPTION_KEY=NEW, ENCRYPTION_KEY_PREVIOUS=old)


@pytest.fixture
async def filled(world: World, monkeypatch: pytest.MonkeyPatch) -> World:
    """Two orgs connected and an attempt open, all sealed with the old key; small batches."""
    monkeypatch.setattr(key_rotation, "BATCH", 1)
    await (await world.acme_admin()).connects(ACME_TRADING)
    await (await world.globex_admin()).connects(GLOBEX_TENANT, xero_user="xero-user-2")
    await (await world.acme_admin()).starts()
    return world


@pytest.fixture
async def replica(filled: World, rotating: Settings) -> AsyncIterator[Application]:
    async with Application.running(rotating) as running:
        yield running


async def opened_by(world: World, key: str) -> tuple[int, int]:
    """How many sealed values there are, and how many of them this key alone opens."""
    ring, total, current = KeyRing(bytes.fromhex(key)), 0, 0
    async with world.services.database.transaction() as tx:
        for where in SEALED:
            for each in await tx.ciphertexts.batch(where, after=None, limit=1000):
                total += 1
                current += ring.is_current(each.text, where.context(each.key))
    return total, current


async def test_readers_and_writers_go_on_through_a_rotation(
    filled: World, replica: Application, old: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """S40: step by step as SECURITY.md has it; a rewrap is killed midway and run again."""
    bindings = {
        ACME: (await (await filled.acme_admin()).bindings())[ACME_TRADING],
        GLOBEX: (await (await filled.globex_admin()).bindings())[GLOBEX_TENANT],
    }
    readers = [await service(replica, org_id=org_id) for org_id in bindings]
    stop, answers = asyncio.Event(), list[int]()

    async def read() -> None:
        while not stop.is_set():
            for reader, binding in zip(readers, bindings.values(), strict=True):
                answers.append((await reader.token(binding["id"])).status_code)
                answers.append((await reader.calls(binding["id"])).status_code)
            await filled.ages(bindings[ACME]["grantId"])  # so that some of it is refreshed
            await asyncio.sleep(0)

    reading = asyncio.create_task(read())
    with pytest.raises(RuntimeError):
        await replica.services.key_rotation.run(killed_after(2))
    total, current = await opened_by(filled, NEW)
    assert 0 < current < total

    await replica.services.key_rotation.run(lambda _: None)
    stop.set()
    await reading

    assert set(answers) == {200}
    assert len(answers) >= 4
    total, current = await opened_by(filled, NEW)
    assert current == total >= 7
    async with AsyncExitStack() as stack:
        alone = told(monkeypatch, ENCRYPTION_KEY=NEW, ENCRYPTION_KEY_PREVIOUS="")
        last = await stack.enter_async_context(Application.running(alone))
        for org_id, binding in bindings.items():
            key = await service(last, org_id=org_id)
            assert (await key.token(binding["id"])).status_code == 200
            assert (await key.calls(binding["id"])).status_code == 200


def killed_after(batches: int) -> Callable[[int], None]:
    """Progress until the process dies."""
    seen: list[int] = []

    def progress(done: int) -> None:
        seen.append(done)
        if len(seen) == batches:
            raise RuntimeError("killed")

    return progress


async def test_a_value_that_no_key_opens_is_named_and_stops_nothing(
    filled: World, rotating: Settings
) -> None:
    """S39, S40: the exit code says that the old key must not go yet."""
    row = (await filled.grants())[0]
    await filled.database.execute(
        "UPDATE integration_grants SET access_token_enc = refresh_token_enc WHERE id = $1",
        row["id"],
    )

    done = await asyncio.to_thread(CliRunner().invoke, commands, ["encryption", "rewrap"])

    assert done.exit_code == 1
    assert f"No key opens integration_grants.access_token_enc of {row['id']}." in done.stderr
    total, current = await opened_by(filled, NEW)
    assert current == total - 1
    assert f"Sealed {current} secrets anew." in done.stdout


async def test_a_rewrap_that_is_repeated_has_nothing_to_do(
    filled: World, rotating: Settings
) -> None:
    """S40."""
    first = await asyncio.to_thread(CliRunner().invoke, commands, ["encryption", "rewrap"])
    again = await asyncio.to_thread(CliRunner().invoke, commands, ["encryption", "rewrap"])

    assert (first.exit_code, again.exit_code) == (0, 0)
    assert "Sealed 0 secrets anew." in again.stdout


async def test_without_the_old_key_a_rewrap_touches_nothing(
    filled: World, old: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """S40: an operator who forgot step 1 loses nothing."""
    told(monkeypatch, ENCRYPTION_KEY=NEW)

    done = await asyncio.to_thread(CliRunner().invoke, commands, ["encryption", "rewrap"])

    assert done.exit_code == 1
    total, current = await opened_by(filled, old)
    assert current == total
