"""An operator's questions, answered by the dashboard's queries alone on a real Prometheus."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from demo import ports, programs
from demo.processes import Child
from tests.metrics.conftest import Running, Start
from tests.repository import ROOT
from tests.service_api.callers import Service, service
from tests.world import World, until
from xero_sandbox.samples import ACCOUNTANT, ACME_SERVICES, ACME_TRADING
from xero_service.domain import HoldReason

OBSERVABILITY = ROOT / "deploy/observability"
Answer = Mapping[str, float]
HELD = "C"  # the query of "Grants by status" for those whose verdict is held


@dataclass(frozen=True)
class Dashboard:
    """The panels, each read as Grafana reads it."""

    prometheus: str
    panels: Mapping[str, list[dict[str, Any]]]

    async def read(self, title: str) -> Answer:
        """Return the panel's values now, each by the values of its labels."""
        found: dict[str, float] = {}
        for target in self.panels[title]:
            for each in await self._query(target["expr"]):
                labels = " ".join(each["metric"][name] for name in sorted(each["metric"]))
                found[f"{target['refId']} {labels}".strip()] = float(each["value"][1])
        return found

    async def _query(self, expression: str) -> list[dict[str, Any]]:
        async with httpx.AsyncClient(trust_env=False, timeout=60) as http:
            answer = await http.get(f"{self.prometheus}/api/v1/query", params={"query": expression})
        assert answer.status_code == 200, answer.text
        found: list[dict[str, Any]] = answer.json()["data"]["result"]
        return found

    async def alerts(self, name: str, **labels: str) -> None:
        """Wait a minute at most until the alert fires with these labels."""

        async def fires() -> bool:
            await asyncio.sleep(0.5)
            firing = await self._query(f'ALERTS{{alertname="{name}", alertstate="firing"}}')
            return any(labels.items() <= each["metric"].items() for each in firing)

        await until(fires, within=60)

    async def shows(self, title: str, label: str, *, over: float) -> None:
        """Wait a minute at most until the panel has a value over a limit, by its label."""

        async def seen() -> bool:
            await asyncio.sleep(0.5)  # Prometheus has to scrape in between
            found = await self.read(title)
            return any(label in name and value > over for name, value in found.items())

        await until(seen, within=60)


@asynccontextmanager
async def prometheus_of(*running: Running, directory: Path) -> AsyncIterator[Dashboard]:
    """Scrape these processes every two seconds, with the shipped rules."""
    targets = [each.metrics.removeprefix("http://") for each in running]
    job = {"job_name": "xero-service", "static_configs": [{"targets": targets}]}
    configuration = {
        "global": {"scrape_interval": "2s", "evaluation_interval": "2s"},
        "rule_files": [str(OBSERVABILITY / "rules.yml")],
        "scrape_configs": [job],
    }
    (directory / "prometheus.yml").write_text(yaml.safe_dump(configuration))
    port = ports.free()
    child = Child.start(
        "prometheus",
        [
            str(programs.prometheus() / "prometheus"),
            f"--config.file={directory / 'prometheus.yml'}",
            f"--storage.tsdb.path={directory / 'tsdb'}",
            f"--web.listen-address=127.0.0.1:{port}",
        ],
        log=directory / "prometheus.log",
        env={},
        cwd=directory,
    )
    address = f"http://127.0.0.1:{port}"
    dashboard = json.loads((OBSERVABILITY / "dashboard.json").read_text())
    panels = {
        panel["title"]: panel["targets"] for panel in dashboard["panels"] if panel["type"] != "row"
    }
    try:
        await asyncio.to_thread(child.wait_until_answering, f"{address}/-/ready")
        yield Dashboard(address, panels)
    finally:
        await asyncio.to_thread(child.stop, grace=10)


@asynccontextmanager
async def traffic(caller: Service, binding_id: str, at: str, every: float) -> AsyncIterator[None]:
    """Read a token and call the API in turns until the block ends."""

    async def call() -> None:
        headers = {"Authorization": f"Bearer {caller.made.secret}", "Accept": "application/json"}
        path = f"{at}/api/integrations/xero/bindings/{binding_id}"
        async with httpx.AsyncClient(trust_env=False, timeout=60, headers=headers) as http:
            while True:
                await http.post(f"{path}/token")
                await http.get(f"{path}/api/api.xro/2.0/Organisation")
                await asyncio.sleep(every)

    calling = asyncio.create_task(call())
    try:
        yield
    finally:
        calling.cancel()
        await asyncio.wait({calling})


@pytest.mark.soak
async def test_each_trouble_is_seen_within_a_minute_and_names_its_cause_o3(
    world: World, start: Start, process_environment: dict[str, str], tmp_path: Path
) -> None:
    process_environment["UPKEEP_INTERVAL_SECONDS"] = "1"
    admin = await world.acme_admin()
    trading = await admin.connects(ACME_TRADING)
    idle = await admin.connects(ACME_SERVICES, xero_user=ACCOUNTANT.xero_user_id)
    quiet = await service(world.application, name="quiet")
    loud = await service(world.application, name="loud")
    async with (
        start("serve", "--no-upkeep") as api,
        start("upkeep") as upkeep,
        prometheus_of(api, upkeep, directory=tmp_path) as dashboard,
        traffic(quiet, trading["id"], api.api, every=3),
    ):
        await dashboard.shows("Calls to Xero a second by area", "api", over=0)
        await dashboard.shows("Token reads: 50th, 90th and 99th percentile", "", over=0)
        await nothing_is_wrong(dashboard)

        world.sandbox.fault("api", "slow", seconds=3, times=None)
        await dashboard.shows("Xero's time to answer, 90th percentile", "api", over=2)
        token_reads = await dashboard.read("Token reads: 50th, 90th and 99th percentile")
        assert token_reads["A"] < 1, "it is Xero and not the service"
        world.sandbox.clear_faults()

        async with traffic(loud, trading["id"], api.api, every=0.02):
            await dashboard.shows("Service keys beyond their limits", key(loud), over=0)
            busiest = await dashboard.read("Busiest service keys")
            assert max(busiest, key=lambda name: busiest[name]).endswith(key(loud))

        await asyncio.to_thread(upkeep.child.kill)
        await dashboard.shows("Upkeep: longest since a step ended", "", over=20)
        await dashboard.shows("Since each step last ended", "refresh", over=20)

        await world.ages(idle["grantId"], days=55)
        await dashboard.shows("Oldest refresh token", "", over=54.9)

        async with world.services.database.transaction() as tx:
            await tx.verdict_hold.lock()
            await tx.verdict_hold.begin(HoldReason.DATABASE_RESTORED)
        await world.database.execute("UPDATE integration_grants SET verdict_held_at = now()")
        await dashboard.shows("Grants by status", HELD, over=0)
        await dashboard.alerts("VerdictsHeld", reason="database_restored")

        for title in dashboard.panels:
            await dashboard.read(title)


async def nothing_is_wrong(dashboard: Dashboard) -> None:
    """No panel that names a trouble does so before it is there."""
    assert await dashboard.read("Service keys beyond their limits") == {}
    assert all(value < 2 for value in (await dashboard.read("Oldest refresh token")).values())
    assert (await dashboard.read("Grants by status"))[HELD] == 0
    longest = await dashboard.read("Upkeep: longest since a step ended")
    assert all(value < 20 for value in longest.values())
    slow = await dashboard.read("Xero's time to answer, 90th percentile")
    assert all(not value > 2 for value in slow.values())


def key(caller: Service) -> str:
    return str(caller.made.key.id)
