"""An org with one connected organisation, and services that use it."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import asyncpg
import pytest

from tests.service_api.callers import Service, service
from tests.world import Application, Person, World
from xero_sandbox.samples import ACME_TRADING
from xero_service.settings import Settings

SCOPES = "openid profile email offline_access accounting.settings.read accounting.contacts"


@pytest.fixture
def environment(environment: dict[str, str]) -> dict[str, str]:
    """The consents here cover writing contacts and invoices, and no payments."""
    return environment | {"XERO_SCOPES": f"{SCOPES} accounting.invoices"}


@dataclass(frozen=True)
class Connected:
    """A binding of org_acme's and its grant."""

    world: World
    admin: Person
    binding: dict[str, Any]

    @property
    def id(self) -> str:
        return str(self.binding["id"])

    @property
    def grant_id(self) -> str:
        return str(self.binding["grantId"])

    async def ages(self, expires_in: str) -> None:
        await self.world.ages(self.grant_id, expires_in=expires_in)

    async def status(self) -> str:
        found = await self.world.database.fetchval(
            "SELECT status FROM integration_tenant_bindings WHERE id::text = $1", self.id
        )
        return str(found)

    async def is_revoked(self) -> bool:
        return await self.status() == "revoked"

    async def needs_reauth(self) -> bool:
        return await self.status() == "needs_reauth"


@pytest.fixture
async def connected(world: World) -> Connected:
    admin = await world.acme_admin()
    return Connected(world, admin, await admin.connects(ACME_TRADING))


@pytest.fixture
async def billing(application: Application) -> AsyncIterator[Service]:
    """A service of org_acme's with every scope."""
    found = await service(application)
    async with found.http:
        yield found


@pytest.fixture
async def replica(settings: Settings) -> AsyncIterator[Application]:
    """A second replica on the same database."""
    async with Application.running(settings) as running:
        yield running


@pytest.fixture
def statements(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every statement that is sent on connections opened from now on."""
    sent: list[str] = []
    connect = asyncpg.connect

    def note(record: asyncpg.connection.LoggedQuery) -> None:
        sent.append(record.query)

    async def connected(*arguments: Any, **options: Any) -> Any:
        connection = await connect(*arguments, **options)
        connection.add_query_logger(note)
        return connection

    monkeypatch.setattr(asyncpg, "connect", connected)
    return sent
