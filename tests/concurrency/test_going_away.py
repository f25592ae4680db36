"""Callers and processes that go away during a refresh: it completes and is saved (R5)."""

import asyncio
import signal
import subprocess
from pathlib import Path

import httpx
import pytest

from demo.processes import Child
from demo.stack import SERVICE
from tests.concurrency.conftest import StartReplica
from tests.people import Person
from tests.world import World, until
from xero_sandbox.samples import ACME_TRADING

ENDED_BY_SIGTERM = -signal.SIGTERM  # the server ends by the signal itself, once it has drained


async def expired(world: World, admin: Person) -> str:
    binding = await admin.connects(ACME_TRADING)
    await world.ages(binding["grantId"], expires_in="-1 minute")
    return str(binding["grantId"])


async def asks_for_a_refresh(url: str, token: str) -> httpx.Response:
    async with httpx.AsyncClient(base_url=url, timeout=40, trust_env=False) as client:
        return await client.post(
            "/api/integrations/xero/refresh", headers={"Authorization": f"Bearer {token}"}
        )


async def test_a_client_that_hangs_up_does_not_stop_the_refresh_r5(
    world: World, replica: StartReplica
) -> None:
    admin = await world.acme_admin()
    grant_id = await expired(world, admin)
    hold = world.hold("token.refresh", when="after")

    async with replica("--no-upkeep") as service:
        request = asyncio.create_task(asks_for_a_refresh(service.url, admin.token()))
        await hold.reached()
        request.cancel()  # closes the socket
        await asyncio.wait([request])
        assert (await world.grant(grant_id))["generation"] == 1
        await hold.release()

        async def saved() -> bool:
            return bool((await world.grant(grant_id))["generation"] == 2)

        await until(saved)

    assert len(world.calls("token.refresh")) == 1
    assert (await world.grant(grant_id))["lease_holder"] is None


async def test_sigterm_during_a_refresh_waits_until_it_is_saved_r5(
    world: World, replica: StartReplica
) -> None:
    admin = await world.acme_admin()
    grant_id = await expired(world, admin)
    hold = world.hold("token.refresh", when="after")

    async with replica("--no-upkeep") as service:
        request = asyncio.create_task(asks_for_a_refresh(service.url, admin.token()))
        await hold.reached()
        service.child.process.send_signal(signal.SIGTERM)
        await until(lambda: refuses(service.url))
        await hold.release()
        answer = await request
        code = await asyncio.to_thread(service.child.process.wait, 40)

    assert answer.json()["refreshedCount"] == 1
    assert code == ENDED_BY_SIGTERM
    grant = await world.grant(grant_id)
    assert (grant["generation"], grant["lease_holder"]) == (2, None)
    assert len(world.calls("token.refresh")) == 1


async def test_sigterm_during_a_refresh_of_upkeep_waits_until_it_is_saved_r5(
    world: World, replica: StartReplica
) -> None:
    admin = await world.acme_admin()
    binding = await admin.connects(ACME_TRADING)
    await world.ages(binding["grantId"], expires_in="20 minutes", days=50)
    hold = world.hold("token.refresh", when="after")

    async with replica() as service:
        await hold.reached()
        service.child.process.send_signal(signal.SIGTERM)
        await until(lambda: refuses(service.url))
        await hold.release()
        code = await asyncio.to_thread(service.child.process.wait, 40)

    assert code == ENDED_BY_SIGTERM
    grant = await world.grant(binding["grantId"])
    assert (grant["generation"], grant["lease_holder"]) == (2, None)
    assert len(world.calls("token.refresh")) == 1


async def test_sigterm_during_a_refresh_of_the_upkeep_command_waits_until_it_is_saved_r5(
    world: World, process_environment: dict[str, str], tmp_path: Path
) -> None:
    admin = await world.acme_admin()
    binding = await admin.connects(ACME_TRADING)
    await world.ages(binding["grantId"], expires_in="20 minutes", days=50)
    hold = world.hold("token.refresh", when="after")
    log = tmp_path / "upkeep.log"

    worker = Child.start("Upkeep", [SERVICE, "upkeep"], log=log, env=process_environment)
    try:
        await hold.reached()
        worker.process.send_signal(signal.SIGTERM)
        with pytest.raises(subprocess.TimeoutExpired):
            await asyncio.to_thread(worker.process.wait, 0.5)
        await hold.release()
        code = await asyncio.to_thread(worker.process.wait, 40)
    finally:
        worker.kill()

    assert code == 0, worker.output()
    grant = await world.grant(binding["grantId"])
    assert (grant["generation"], grant["lease_holder"]) == (2, None)
    assert len(world.calls("token.refresh")) == 1


async def refuses(url: str) -> bool:
    """Whether the process takes no new connections: it has heard the signal."""
    async with httpx.AsyncClient(trust_env=False, timeout=2) as client:
        try:
            await client.get(f"{url}/healthz")
        except httpx.TransportError:
            return True
    return False
