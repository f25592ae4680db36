"""A world with two orgs' bindings, and a client that sends as Xero does."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from tests.world import Application, World
from tests.xero_webhooks import signed
from xero_sandbox.client import SandboxClient
from xero_sandbox.samples import ACME_SERVICES, ACME_TRADING
from xero_sandbox.samples import GLOBEX as GLOBEX_TENANT


@pytest.fixture
async def world(
    application: Application, sandbox: SandboxClient, direct_url: str
) -> AsyncIterator[World]:
    async with World.around(application, sandbox, direct_url) as found:
        yield found


@dataclass(frozen=True)
class FromXero:
    """What Xero's servers do: they send signed bodies to our address."""

    http: httpx.AsyncClient
    key: str

    async def sends(self, first: int, *events: dict[str, Any], **headers: str) -> httpx.Response:
        return await signed.send(self.http, signed.batch(first, *events), self.key, **headers)

    async def sends_body(self, body: bytes, **headers: str) -> httpx.Response:
        return await signed.send(self.http, body, self.key, **headers)


@pytest.fixture
async def xero(application: Application) -> AsyncIterator[FromXero]:
    async with application.http() as http:
        yield FromXero(http, signed.key_of(application.settings))


@dataclass(frozen=True)
class Bound:
    """Bindings of two orgs: two tenants of one, and one of the other."""

    trading: dict[str, Any]
    services: dict[str, Any]
    globex: dict[str, Any]


@pytest.fixture
async def bound(world: World) -> Bound:
    acme, globex = await world.acme_admin(), await world.globex_admin()
    return Bound(
        await acme.connects(ACME_TRADING),
        await acme.connects(ACME_SERVICES),
        await globex.connects(GLOBEX_TENANT, xero_user="xero-user-2"),
    )
