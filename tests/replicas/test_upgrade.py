"""R32: an upgrade across migrations and the way back, under load, with old and new code at once."""

import asyncio
import re
import signal
from collections.abc import Iterator
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path

import httpx
import pytest

from demo.postgres import Postgres
from demo.stack import SERVICE, Replica
from tests.concurrency.conftest import StartReplica
from tests.people import Person
from tests.replicas import older_release
from tests.replicas.balancer import Balancer
from tests.replicas.load import Call, Load, record
from tests.world import ACME, ACME_ADMIN, World, until
from xero_sandbox.samples import ACCOUNTANT, ACME_SERVICES, ACME_TRADING
from xero_service.api.application import PREFIX

pytestmark = pytest.mark.soak


@pytest.fixture(scope="module")
def older(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The `xero-service` of the last release."""
    commit = older_release.last_release()
    if commit is None:
        pytest.skip("the history of this checkout does not reach the last release")
    return older_release.build(commit, tmp_path_factory.mktemp("older"))


@pytest.fixture
def direct_url(postgres_server: Postgres, older: str, tmp_path: Path) -> Iterator[str]:
    """A database that the last release migrated."""
    url = postgres_server.create_database()
    older_release.run(older, "migrate", environment={"DATABASE_URL": url}, directory=tmp_path)
    yield url
    postgres_server.drop_database(url)


async def test_an_upgrade_and_the_way_back_fail_no_request_and_lose_no_grant_r32(
    world: World,
    older: str,
    replica: StartReplica,
    process_environment: dict[str, str],
    tmp_path: Path,
) -> None:
    process_environment["DRAIN_NOTICE_SECONDS"] = "5"  # as in production: the balancer may be slow
    command = partial(older_release.run, environment=process_environment, directory=tmp_path)

    async with AsyncExitStack() as stack:
        balancer = await stack.enter_async_context(Balancer.running())
        http = await stack.enter_async_context(
            httpx.AsyncClient(transport=balancer, base_url="http://balancer", timeout=30)
        )

        async def started(program: str) -> Replica:
            running = await stack.enter_async_context(replica(program=(program,)))
            balancer.add(running.url)
            return running

        async def replace(old: list[Replica], program: str) -> list[Replica]:
            new = []
            for each in old:
                new.append(await started(program))
                each.child.process.send_signal(signal.SIGTERM)
                await asyncio.to_thread(each.child.process.wait, 60)
                balancer.remove(each.url)
            return new

        running = [await started(older), await started(older)]
        browser = await stack.enter_async_context(
            httpx.AsyncClient(base_url=running[0].url, trust_env=False, timeout=30)
        )
        admin = Person(ACME_ADMIN, ACME, world.sandbox, browser, "http://localhost:8000")
        fresh = await admin.connects(ACME_TRADING)
        ageing = await admin.connects(ACME_SERVICES, xero_user=ACCOUNTANT.xero_user_id)
        made = await asyncio.to_thread(
            command, older, "keys", "create", "--name", "billing", "--org", ACME,
            "--scope", "tokens:read", "--scope", "api:call",
        )  # fmt: skip
        found = re.search(r"xsk_\S+", made)
        assert found is not None
        headers = {"Authorization": f"Bearer {found[0]}"}
        path = f"{PREFIX}/bindings/{{}}/{{}}".format
        calls = [
            partial(http.post, path(each["id"], "token"), headers=headers)
            for each in (fresh, ageing)
        ]
        organisation = path(fresh["id"], "api/api.xro/2.0/Organisation")
        calls.append(partial(within_xero_limits, partial(http.get, organisation, headers=headers)))
        ages = asyncio.create_task(grow_old(world, ageing["grantId"]))
        stack.callback(ages.cancel)

        async with Load.of(calls, pause=0.2) as load:
            await until(partial(tokens_change, load))
            await asyncio.to_thread(command, SERVICE, "migrate")
            running = await replace(running, SERVICE)  # up
            running = await replace(running, older)  # and back down
            await asyncio.to_thread(command, older, "migrate")
            running = await replace(running, SERVICE)

        ages.cancel()
        await asyncio.wait([ages])
        assert load.failures == [], load.summary()
        lost = 2 - len(await world.grants("active"))
        record("upgrade, rollback, upgrade", load, grants_lost=lost)
        assert lost == 0


async def tokens_change(load: Load) -> bool:
    return len(load.tokens) > 2


async def within_xero_limits(call: Call) -> httpx.Response:
    """Make a call a second later: a tenant has sixty a minute."""
    await asyncio.sleep(1)
    return await call()


async def grow_old(world: World, grant_id: str) -> None:
    """Let a refresh be under way again and again."""
    while True:
        await world.ages(grant_id, expires_in="1 minute")
        await asyncio.sleep(0.5)
