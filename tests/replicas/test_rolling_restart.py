"""R24: replicas are replaced one after another under load, and no request fails.

The balancer in front is asked for no more than any balancer does: look at /readyz now and then,
and try another replica where a connection is refused.
"""

import asyncio
import signal
from contextlib import AsyncExitStack
from functools import partial

import httpx
import pytest

from demo.stack import Replica
from tests.concurrency.conftest import StartReplica
from tests.replicas.balancer import Balancer
from tests.replicas.load import Load, record
from tests.service_api.callers import service
from tests.world import World, until
from xero_sandbox.samples import ACCOUNTANT, ACME_SERVICES, ACME_TRADING


async def replaced(old: Replica, new: Replica, balancer: Balancer) -> None:
    """Bring a new replica in, and let an old one go."""
    balancer.add(new.url)
    old.child.process.send_signal(signal.SIGTERM)
    await asyncio.to_thread(old.child.process.wait, 30)
    balancer.remove(old.url)


async def keeps_growing_old(world: World, grant_id: str) -> None:
    """Let a refresh be under way nearly all the time."""
    while True:
        await world.ages(grant_id, expires_in="1 minute")
        await asyncio.sleep(0.3)


@pytest.mark.parametrize(
    ("replicas", "rounds"), [(1, 1), pytest.param(2, 10, marks=pytest.mark.soak)]
)
async def test_a_rolling_restart_under_load_fails_no_request_r24(
    world: World,
    replica: StartReplica,
    process_environment: dict[str, str],
    replicas: int,
    rounds: int,
) -> None:
    process_environment["DRAIN_NOTICE_SECONDS"] = "1"
    admin = await world.acme_admin()
    fresh = await admin.connects(ACME_TRADING)
    ageing = await admin.connects(ACME_SERVICES, xero_user=ACCOUNTANT.xero_user_id)
    world.sandbox.latency(200)

    async with AsyncExitStack() as stack:
        balancer = await stack.enter_async_context(Balancer.running())
        http = httpx.AsyncClient(transport=balancer, base_url="http://balancer", timeout=30)
        billing = await service(world.application, http=http)
        calls = [partial(billing.token, binding["id"]) for binding in (fresh, ageing)] * 3
        grows_old = asyncio.create_task(keeps_growing_old(world, ageing["grantId"]))
        stack.callback(grows_old.cancel)
        running = [await stack.enter_async_context(replica()) for _ in range(replicas)]
        for each in running:
            balancer.add(each.url)

        loads = []
        for _ in range(rounds):
            new = [await stack.enter_async_context(replica()) for _ in running]
            async with Load.of(calls, pause=0.05) as load:
                await until(partial(refreshes_are_under_way, load))
                for one, another in zip(running, new, strict=True):
                    await replaced(one, another, balancer)
            running = new
            loads.append(load)

            assert load.failures == [], load.summary()
    lost = len(await world.grants("refresh_failed"))
    record("rolling restart", *loads, grants_lost=lost)
    assert lost == 0


async def refreshes_are_under_way(load: Load) -> bool:
    """Whether callers have seen one grant renewed again and again."""
    return len(load.tokens) > 3


@pytest.mark.parametrize(
    "impatient", [signal.SIGTERM, pytest.param(signal.SIGINT, marks=pytest.mark.soak)]
)
async def test_the_notice_is_given_at_readyz_and_a_second_signal_cuts_it_short_r24(
    replica: StartReplica, process_environment: dict[str, str], impatient: signal.Signals
) -> None:
    process_environment["DRAIN_NOTICE_SECONDS"] = "300"

    async with (
        replica("--no-upkeep") as leaving,
        httpx.AsyncClient(base_url=leaving.url, trust_env=False) as http,
    ):
        before = await http.get("/healthz")
        leaving.child.process.send_signal(signal.SIGTERM)

        async def says_so() -> bool:
            return (await http.get("/readyz")).status_code == 503

        await until(says_so)
        meanwhile = await http.get("/healthz")
        leaving.child.process.send_signal(impatient)
        await asyncio.to_thread(leaving.child.process.wait, 20)

    assert (before.status_code, before.headers.get("connection")) == (200, None)
    assert (meanwhile.status_code, meanwhile.headers["connection"]) == (200, "close")
