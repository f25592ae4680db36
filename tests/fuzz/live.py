"""A replica that answers over a socket from a thread of its own, with callers of every kind."""

import asyncio
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import uvicorn

from tests.service_api.callers import service
from tests.world import GLOBEX, Application, World
from xero_sandbox.client import SandboxClient
from xero_sandbox.samples import ACME_BOOKKEEPER, ACME_TRADING
from xero_sandbox.samples import GLOBEX as GLOBEX_TENANT
from xero_service.settings import Settings

HOUR = 3600
ORG_ID = "X-Org-Id"
Headers = Mapping[str, str]


@dataclass(frozen=True)
class Live:
    """Where the service answers, whom it knows, and what it did not foresee."""

    url: str
    binding_id: str
    grant_id: str
    callers: Mapping[str, Headers] = field(repr=False)
    heard: set[tuple[str, int]] = field(default_factory=set)


class _Server(uvicorn.Server):
    """Leaves signals to the test's process."""

    def install_signal_handlers(self) -> None:
        """Do nothing."""


@contextmanager
def live(settings: Settings, sandbox: SandboxClient) -> Iterator[Live]:
    """Serve with one organisation bound for each of two orgs."""
    started: list[Live] = []
    ready, over = threading.Event(), threading.Event()
    thread = threading.Thread(
        target=lambda: asyncio.run(_serve(settings, sandbox, started, ready, over)), daemon=True
    )
    thread.start()
    try:
        assert ready.wait(60)
        yield started[0]
    finally:
        over.set()
        thread.join(60)


async def _serve(
    settings: Settings,
    sandbox: SandboxClient,
    started: list[Live],
    ready: threading.Event,
    over: threading.Event,
) -> None:
    async with (
        Application.running(settings) as application,
        World.around(application, sandbox) as world,
    ):
        config = uvicorn.Config(
            application.app, port=0, lifespan="off", log_config=None, access_log=False
        )
        server = _Server(config)
        serving = asyncio.create_task(server.serve())
        while not server.started:  # noqa: ASYNC110 - uvicorn has no event for it
            await asyncio.sleep(0.01)
        port = server.servers[0].sockets[0].getsockname()[1]
        started.append(await _world(world, f"http://127.0.0.1:{port}"))
        ready.set()
        await asyncio.to_thread(over.wait)
        server.should_exit = True
        await serving


async def _world(world: World, url: str) -> Live:
    admin, member = await world.acme_admin(), await world.acme_member()
    binding = await admin.connects(ACME_TRADING, xero_user=ACME_BOOKKEEPER.xero_user_id)
    await (await world.globex_admin()).connects(GLOBEX_TENANT, xero_user="xero-user-2")

    def session(token: str) -> Headers:
        return {"Authorization": f"Bearer {token}"}

    async def key(**options: Any) -> str:
        return (await service(world.application, **options)).made.secret

    of_all = session(await key(org_id=None))
    return Live(
        url,
        binding["id"],
        binding["grantId"],
        {
            "anonymous": {},
            "admin": session(admin.token(lifetime_seconds=HOUR)),
            "member": session(member.token(lifetime_seconds=HOUR)),
            "key": session(await key()),
            "key of another org": session(await key(org_id=GLOBEX)),
            "key for all orgs": dict(of_all),
        },
    )
