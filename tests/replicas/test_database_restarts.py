"""R15: PostgreSQL is restarted under load, and what the service said stays true.

Both ways of stopping it: `fast`, which ends sessions, and `immediate`, after which it recovers
from its log as after a crash.
"""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from functools import partial
from uuid import UUID

import asyncpg
import httpx
import pytest

from demo import postgres
from demo.postgres import DISPOSABLE, EmbeddedPostgres
from tests.concurrency.conftest import StartReplica
from tests.replicas.load import Load, record
from tests.service_api.callers import Service, service
from tests.world import World, until
from xero_sandbox.samples import ACCOUNTANT, ACME_SERVICES, ACME_TRADING, DEMO_COMPANY
from xero_service.store import schema

RECOVERS_WITHIN = 5.0  # seconds
STEADY_FOR = 1.0
Stop = Callable[[EmbeddedPostgres], None]
FAST, IMMEDIATE = EmbeddedPostgres.stop, EmbeddedPostgres.crash


@pytest.fixture(scope="module")
def server() -> Iterator[EmbeddedPostgres]:
    """A server of one's own, to take down."""
    with postgres.embedded(DISPOSABLE) as server:
        yield server


@pytest.fixture
def database_url(server: EmbeddedPostgres) -> str:
    url = server.create_database()
    schema.upgrade(url)
    return url


@asynccontextmanager
async def growing_old(url: str, grant_id: str) -> AsyncIterator[None]:
    """Let a refresh be under way nearly all the time, also when the database comes back."""

    async def work() -> None:
        while True:
            with contextlib.suppress(OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
                connection = await asyncpg.connect(url)
                try:
                    await connection.execute(
                        "UPDATE integration_grants SET expires_at = now() + interval '1 minute'"
                        " WHERE id = $1",
                        UUID(grant_id),
                    )
                finally:
                    await connection.close()
            await asyncio.sleep(0.3)

    working = asyncio.create_task(work())
    try:
        yield
    finally:
        working.cancel()


async def disconnects(service: Service, binding_id: str) -> float:
    """Insist on a disconnect until it is said to be done; return that moment."""
    while True:
        answer = await service.request("POST", "/disconnect", json={"tenantBindingId": binding_id})
        if answer.is_success:
            return time.monotonic()
        assert answer.status_code == 503, answer.text


async def restarted(server: EmbeddedPostgres, stop: Stop) -> float:
    """Stop the server one way and start it; return the moment when it accepts connections."""
    await asyncio.to_thread(stop, server)
    await asyncio.to_thread(server.start)
    return time.monotonic()


async def test_postgresql_restarted_under_load_makes_no_answer_untrue_r15(
    world: World, server: EmbeddedPostgres, replica: StartReplica
) -> None:
    admin = await world.acme_admin()
    kept = await admin.connects(ACME_TRADING)
    ended = await admin.connects(ACME_SERVICES, xero_user=ACCOUNTANT.xero_user_id)
    await admin.connects(DEMO_COMPANY, xero_user=ACCOUNTANT.xero_user_id)
    url = world.application.settings.database_url.get_secret_value()
    world.sandbox.latency(100)

    async with (
        replica("--no-upkeep") as one,
        replica("--no-upkeep") as another,
        httpx.AsyncClient(base_url=one.url, timeout=30) as http,
        httpx.AsyncClient(base_url=another.url, timeout=30) as other_http,
        growing_old(url, kept["grantId"]),
    ):
        asking = [await service(world.application, http=each) for each in (http, other_http)]
        of_kept = [partial(each.token, kept["id"]) for each in asking * 3]
        of_ended = [partial(each.token, ended["id"]) for each in asking]
        async with Load.of([*of_kept, *of_ended], pause=0.1) as load:
            await until(lambda: all_served(load, len(of_kept) + len(of_ended), since=0))
            await until(partial(refreshes_are_under_way, load))
            steady = [await recovers(load, len(of_kept), await restarted(server, FAST))]
            ending = asyncio.create_task(disconnects(asking[0], ended["id"]))
            steady += [await recovers(load, len(of_kept), await restarted(server, IMMEDIATE))]
            ended_at = await ending

    assert {each.status for each in load.failures} <= {404, 503}, load.summary()
    failures = [each for each in load.failures if each.caller < len(of_kept)]
    assert not any(since < each.asked < since + STEADY_FOR for each in failures for since in steady)
    after_the_end = [e for e in load.said if e.caller >= len(of_kept) and e.asked > ended_at]
    assert 404 in {each.status for each in after_the_end} <= {404, 503}, load.summary()
    await every_token_was_true(world, url, load)
    assert max(world.presented()) == 1, "a refresh token was sent twice"
    kept_callers = Load([each for each in load.said if each.caller < len(of_kept)])
    dead = "SELECT count(*) FROM integration_grants WHERE status = 'refresh_failed'"
    lost = await value(url, dead)
    record("two restarts of PostgreSQL", kept_callers, grants_lost=lost)
    assert lost == 0


async def recovers(load: Load, callers: int, back: float) -> float:
    """Wait until every caller is served again, in time, and then see that it stays so."""
    await until(lambda: all_served(load, callers, since=back), within=RECOVERS_WITHIN)
    recovered = time.monotonic()
    # Twice as long as is judged: what is asked at the end of it must not meet the next restart.
    await asyncio.sleep(2 * STEADY_FOR)
    return recovered


async def all_served(load: Load, callers: int, *, since: float) -> bool:
    return all(load.served(caller, since=since) for caller in range(callers))


async def refreshes_are_under_way(load: Load) -> bool:
    """Whether callers have seen one grant renewed again and again."""
    return len(load.tokens) > 3


async def every_token_was_true(world: World, url: str, load: Load) -> None:
    """Xero takes each token that was handed out, and each was audited before it left."""
    async with httpx.AsyncClient(base_url=world.sandbox.base_url, trust_env=False) as xero:
        for token in load.tokens:
            headers = {"Authorization": f"Bearer {token}"}
            assert (await xero.get("/api/connections", headers=headers)).status_code == 200
    audited = await value(
        url,
        "SELECT count(DISTINCT (grant_id, detail->>'generation')) FROM audit_events"
        " WHERE action = 'token.issued'",
    )
    assert audited >= len(load.tokens)


async def value(url: str, query: str) -> int:
    connection = await asyncpg.connect(url)
    try:
        found: int = await connection.fetchval(query)
        return found
    finally:
        await connection.close()
