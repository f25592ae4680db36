"""The database goes away in the middle of things and comes back."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from typing import Any

import asyncpg
import pytest
from sqlalchemy import text

from demo import postgres
from demo.postgres import DISPOSABLE, EmbeddedPostgres
from tests.people import Person
from tests.service_api.callers import service
from tests.world import ACME, ACME_ADMIN, Application, Hold, until
from tests.xero_webhooks import signed
from xero_sandbox.client import SandboxClient
from xero_sandbox.samples import ACME_TRADING
from xero_service.settings import Settings
from xero_service.store import schema
from xero_service.store.rate_limits import CONCURRENT_CALLS


@pytest.fixture(scope="module")
def fragile_server() -> Iterator[EmbeddedPostgres]:
    """A server of one's own, to take down."""
    with postgres.embedded(DISPOSABLE) as server:
        yield server


@pytest.fixture
def database_url(fragile_server: EmbeddedPostgres) -> str:
    url = fragile_server.create_database()
    schema.upgrade(url)
    return url


@pytest.fixture
async def admin(application: Application, sandbox: SandboxClient) -> AsyncIterator[Person]:
    async with application.http() as http:
        yield Person(ACME_ADMIN, ACME, sandbox, http, application.settings.frontend_url)


@pytest.fixture
def server(fragile_server: EmbeddedPostgres) -> Iterator[EmbeddedPostgres]:
    yield fragile_server
    if not fragile_server.answers:
        fragile_server.start()


async def test_a_callback_lands_even_while_the_database_is_away(
    admin: Person, server: EmbeddedPostgres
) -> None:
    callback = await admin.allows(ACME_TRADING)
    server.crash()

    landing = await admin.lands(callback)

    assert dict(landing.query) == {"error": "exchange_failed"}
    assert admin.sandbox.journal("token") == []


async def test_a_callback_that_could_not_be_served_can_be_repeated(
    admin: Person, server: EmbeddedPostgres
) -> None:
    callback = await admin.allows(ACME_TRADING)
    server.crash()
    await admin.lands(callback)
    server.start()

    landing = await admin.lands(callback)

    assert landing.grant_id


async def test_a_set_that_came_while_the_database_was_away_is_kept_and_saved_r6(
    admin: Person, server: EmbeddedPostgres
) -> None:
    callback = await admin.allows(ACME_TRADING)
    hold = Hold(admin.sandbox, admin.sandbox.fault("token.code", "hold", when="after"))

    async with asyncio.TaskGroup() as tasks:
        landed = tasks.create_task(admin.lands(callback))
        await hold.reached()
        server.crash()
        await hold.release()
        await asyncio.to_thread(server.start)

    assert landed.result().grant_id
    assert len(admin.sandbox.journal("token.code")) == 1


async def test_a_rotated_set_that_came_while_the_database_was_away_is_kept_and_saved_r6(
    admin: Person, settings: Settings, server: EmbeddedPostgres
) -> None:
    await expired(admin, settings)
    hold = Hold(admin.sandbox, admin.sandbox.fault("token.refresh", "hold", when="after"))

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(admin.refreshes())
        await hold.reached()
        server.crash()
        await hold.release()
        await asyncio.to_thread(server.start)

    # A caller waits for 25 s at most, and a server may take longer to recover: the set is saved
    # in either case, and no caller needs another refresh.
    await until(lambda: saved(settings))
    assert (await admin.refreshes())["success"]
    assert len(admin.sandbox.journal("token.refresh")) == 1
    assert [use["presented"] for use in admin.sandbox.token_uses()] == [1, 0]


async def test_a_webhook_of_xero_is_not_acknowledged_and_kept_once_when_repeated_r34(
    application: Application, admin: Person, server: EmbeddedPostgres
) -> None:
    await admin.connects(ACME_TRADING)
    key, body = (
        signed.key_of(application.settings),
        signed.batch(1, signed.xero_event(ACME_TRADING)),
    )
    server.crash()
    refused = await signed.send(admin.http, body, key)
    await asyncio.to_thread(server.start)

    async def accepted() -> bool:
        return (await signed.send(admin.http, body, key)).status_code == 200

    await until(accepted)
    await accepted()
    async with application.services.database.transaction() as tx:
        kept = await tx.connection.scalar(text("SELECT count(*) FROM events WHERE kind ~ '^xero'"))

    assert (refused.status_code, refused.json()["code"]) == (503, "service_busy")
    assert int(refused.headers["retry-after"]) > 0
    assert kept == 1


async def expired(admin: Person, settings: Settings) -> dict[str, Any]:
    """A binding whose access token has expired."""
    binding = await admin.connects(ACME_TRADING)
    await run(settings, "UPDATE integration_grants SET expires_at = now()")
    return binding


async def run(settings: Settings, statement: str) -> Any:
    connection = await asyncpg.connect(settings.database_url.get_secret_value())
    try:
        return await connection.fetchval(statement)
    finally:
        await connection.close()


async def generation(settings: Settings) -> int:
    return int(await run(settings, "SELECT generation FROM integration_grants"))


async def saved(settings: Settings) -> bool:
    """Whether the rotated set is in the database."""
    return await generation(settings) == 2


@pytest.mark.usefixtures("hasty")
async def test_a_rotated_set_that_cannot_be_saved_is_given_to_nobody_r6(
    application: Application, admin: Person, settings: Settings, server: EmbeddedPostgres
) -> None:
    binding = await expired(admin, settings)
    billing = await service(application)
    hold = Hold(admin.sandbox, admin.sandbox.fault("token.refresh", "hold", when="after"))

    async with billing.http:
        asked = asyncio.create_task(billing.token(binding["id"]))
        await hold.reached()
        server.crash()
        await hold.release()
        answer = await asked
        assert answer.status_code == 503
        assert int(answer.headers["retry-after"]) >= 1
        assert "accessToken" not in answer.text

        await asyncio.to_thread(server.start)
        await until(lambda: saved(settings))
        assert (await billing.token(binding["id"])).status_code == 200
    assert len(admin.sandbox.journal("token.refresh")) == 1


async def test_a_process_that_ends_while_the_database_is_away_saves_the_set_first_r6(
    admin: Person, settings: Settings, server: EmbeddedPostgres
) -> None:
    """A fast restart of the server during a deployment: the drain waits for it."""
    await expired(admin, settings)
    hold = Hold(admin.sandbox, admin.sandbox.fault("token.refresh", "hold", when="after"))
    ending = AsyncExitStack()
    leaving = await ending.enter_async_context(Application.running(settings))

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(leaving.services.tokens.proactive_refresh_for_org(ACME))
        await hold.reached()
        server.stop()
        ended = tasks.create_task(ending.aclose())
        await hold.release()
        await asyncio.wait([ended], timeout=0.5)
        assert not ended.done()
        await asyncio.to_thread(server.start)

    assert await generation(settings) == 2
    assert [use["presented"] for use in admin.sandbox.token_uses()] == [1, 0]


async def test_a_tenants_slots_are_usable_again_soon_after_the_database_is_back(
    application: Application, admin: Person, settings: Settings, server: EmbeddedPostgres
) -> None:
    """Calls that ended meanwhile do not keep their slots for the two minutes of a crashed one."""
    binding = await admin.connects(ACME_TRADING)
    billing = await service(application)
    hold = Hold(admin.sandbox, admin.sandbox.fault("api", "hold", times=CONCURRENT_CALLS))

    async with billing.http:
        calls = [asyncio.create_task(billing.calls(binding["id"])) for _ in range(CONCURRENT_CALLS)]
        await hold.reached(CONCURRENT_CALLS)
        server.stop()
        await hold.release()
        answers = await asyncio.gather(*calls)
        await asyncio.to_thread(server.start)

        async def all_are_free() -> bool:
            return await run(settings, "SELECT slots = '{}' FROM call_budgets") is True

        await until(all_are_free)
        answers.append(await billing.calls(binding["id"]))

    assert [answer.status_code for answer in answers] == [200] * (CONCURRENT_CALLS + 1)


async def test_everything_else_says_503_while_the_database_is_away(
    admin: Person, server: EmbeddedPostgres
) -> None:
    server.crash()

    response = await admin.get("/bindings")

    assert response.status_code == 503
    assert response.json()["code"] == "service_busy"
    assert "retry-after" in response.headers
    assert (await admin.http.get("/healthz")).status_code == 200
    assert (await admin.http.get("/readyz")).status_code == 503
