"""C2: as docker-compose.yml has it, `serve --no-upkeep` and `upkeep`; each is scraped."""

import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

import httpx
import psutil

from tests.concurrency.conftest import StartReplica
from tests.concurrency.conftest import replica as replica
from tests.metrics.conftest import Running, Start
from tests.metrics.scrape import series, value
from tests.world import World, until
from xero_sandbox.samples import ACCOUNTANT, ACME_SERVICES, ACME_TRADING

ALARMS = "xero_service_operator_alarms_total"
OWED = "xero_service_remote_cleanups_owed"
FINISHED = "xero_service_upkeep_step_finished_timestamp_seconds"
STUCK = str(Path(__file__).with_name("stuck.py"))


def alarms(running: Running) -> Callable[[], Awaitable[float]]:
    async def raised() -> float:
        return value(await running.scrape(), ALARMS, kind="invalid_client")

    return raised


def owes(running: Running, at: str) -> Callable[[], Awaitable[bool]]:
    async def one() -> bool:
        return value(await running.scrape(at), OWED) == 1

    return one


async def test_the_alerts_that_readme_names_fire_in_the_compose_layout_c2(
    world: World, start: Start, process_environment: dict[str, str]
) -> None:
    process_environment["UPKEEP_INTERVAL_SECONDS"] = "0.2"
    admin = await world.acme_admin()
    ending = await admin.connects(ACME_TRADING)
    ageing = await admin.connects(ACME_SERVICES, xero_user=ACCOUNTANT.xero_user_id)
    async with start("serve", "--no-upkeep", "--workers", "2") as api, start("upkeep") as upkeep:
        for each in (api, upkeep):
            fresh = await each.scrape()
            assert value(fresh, OWED) == 0
            assert series(fresh, ALARMS)[frozenset({("kind", "invalid_client")})] == 0

        world.sandbox.fault("revocation", "503", times=None)
        world.sandbox.fault("token.refresh", "invalid_client", times=None)
        await admin.disconnects(ending["id"])
        await world.ages(ageing["grantId"], days=46)

        await until(alarms(upkeep), within=60)
        for running, at in ((upkeep, upkeep.metrics), (api, api.metrics), (api, api.api)):
            await until(owes(running, at), within=60)
        assert value(await upkeep.scrape(), "xero_service_refreshes_total", outcome="rotated") == 0
        assert set(series(await upkeep.scrape(), FINISHED)) > set()
        assert set(series(await api.scrape(), FINISHED)) == set()


async def test_every_process_says_how_it_is_and_nothing_else_on_its_metrics_port_c2(
    start: Start,
) -> None:
    async with start("serve", "--no-upkeep") as api, start("upkeep") as upkeep:
        for each in (api, upkeep):
            alive = await each.get(f"{each.metrics}/healthz")
            ready = await each.get(f"{each.metrics}/readyz")
            other = [
                await each.get(each.metrics + path)
                for path in ("/", "/docs", "/openapi.json", "/api/integrations/xero/bindings")
            ]

            assert (alive.status_code, alive.json()) == (200, {"status": "ok"})
            assert (ready.status_code, ready.json()["status"]) == (200, "ready")
            assert [answer.status_code for answer in other] == [404] * 4
            assert all(answer.json()["requestId"] for answer in other)
            assert [
                await each.head(each.metrics + path) for path in ("/healthz", "/readyz", "/metrics")
            ] == [200] * 3
            requests = series(await each.scrape(), "xero_service_http_requests_total")
            assert not any(requests.values()), "what asks here does not use the API"


async def test_without_metrics_port_a_process_opens_its_own_port_alone_c2(
    replica: StartReplica,
) -> None:
    async with replica("--no-upkeep") as running:
        connections = psutil.Process(running.child.pid).net_connections("inet")
        listening = [each for each in connections if each.status == psutil.CONN_LISTEN]

    assert [each.laddr.port for each in listening] == [int(running.url.rpartition(":")[2])]


async def test_upkeep_whose_event_loop_is_stuck_does_not_say_that_it_is_alive_c2(
    start: Start, tmp_path: Path
) -> None:
    async with start("upkeep", program=(sys.executable, STUCK)) as upkeep:
        assert (await upkeep.get(f"{upkeep.metrics}/healthz")).status_code == 200

        (tmp_path / "stuck").touch()

        async def silent() -> bool:
            async with httpx.AsyncClient(trust_env=False, timeout=0.5) as http:
                try:
                    await http.get(f"{upkeep.metrics}/healthz")
                except httpx.TransportError:
                    return True
                return False

        await until(silent)
        upkeep.child.kill()
