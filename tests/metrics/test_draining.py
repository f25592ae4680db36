"""C2: the metrics port stays open until the last request ends; its /readyz returns 503."""

import asyncio
import signal

import httpx
import pytest

from tests.metrics.conftest import Running, Start
from tests.service_api.callers import service
from tests.world import World, until
from xero_sandbox.samples import ACME_TRADING


async def leaves_and_says_so(running: Running, number: signal.Signals) -> None:
    running.child.process.send_signal(number)

    async def says_so() -> bool:
        return (await running.get(f"{running.metrics}/readyz")).status_code == 503

    await until(says_so, within=60)
    assert (await running.get(f"{running.metrics}/healthz")).status_code == 200
    await running.scrape()


@pytest.mark.parametrize(
    ("workers", "number"),
    [
        pytest.param("1", signal.SIGTERM, marks=pytest.mark.soak),
        ("1", signal.SIGINT),
        ("2", signal.SIGTERM),
    ],
)
async def test_a_server_that_has_closed_its_port_tells_so_until_the_last_answer_c2(
    world: World, start: Start, workers: str, number: signal.Signals
) -> None:
    admin = await world.acme_admin()
    binding = await admin.connects(ACME_TRADING)
    await world.ages(binding["grantId"], expires_in="-1 minute")
    async with (
        start("serve", "--no-upkeep", "--workers", workers) as running,
        httpx.AsyncClient(base_url=running.api, trust_env=False, timeout=60) as http,
    ):
        billing = await service(world.application, http=http)
        hold = world.hold("token.refresh")
        under_way = asyncio.create_task(billing.token(binding["id"]))
        await hold.reached()

        await leaves_and_says_so(running, number)
        await until(lambda: refused(running.api), within=60)
        await leaves_and_says_so_still(running)
        await hold.release()

        assert (await under_way).status_code == 200
        await asyncio.to_thread(running.child.process.wait, 60)


async def test_upkeep_tells_so_until_its_last_refresh_is_saved_c2(
    world: World, start: Start, process_environment: dict[str, str]
) -> None:
    process_environment["UPKEEP_INTERVAL_SECONDS"] = "0.2"
    admin = await world.acme_admin()
    binding = await admin.connects(ACME_TRADING)
    async with start("upkeep") as running:
        hold = world.hold("token.refresh", when="after")
        await world.ages(binding["grantId"], days=46)
        await hold.reached()

        await leaves_and_says_so(running, signal.SIGTERM)
        await hold.release()

        assert await asyncio.to_thread(running.child.process.wait, 60) == 0
    assert (await world.grant(binding["grantId"]))["generation"] == 2


async def leaves_and_says_so_still(running: Running) -> None:
    assert (await running.get(f"{running.metrics}/readyz")).status_code == 503
    assert (await running.get(f"{running.metrics}/healthz")).status_code == 200


async def refused(address: str) -> bool:
    try:
        # A supervisor keeps the port of its workers open: nobody answers there any more.
        async with httpx.AsyncClient(trust_env=False, timeout=1) as http:
            await http.get(f"{address}/healthz")
    except httpx.TransportError:
        return True
    return False
