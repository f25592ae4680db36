"""The things of a journey: the application, the database, Xero, and people to walk it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Literal, Self
from uuid import UUID

import asyncpg
import httpx
from fastapi import FastAPI

from tests.people import Person as Person
from xero_sandbox.client import SandboxClient
from xero_service.app import create_app
from xero_service.settings import Settings
from xero_service.wiring import Services

ACME, GLOBEX = "org_acme", "org_globex"
ACME_ADMIN, ACME_MEMBER = "user_acme_admin", "user_acme_member"
GLOBEX_ADMIN, ACCOUNTANT = "user_globex_admin", "user_accountant"


@dataclass(frozen=True)
class Application:
    """One replica of the service inside this process."""

    app: FastAPI
    settings: Settings

    @property
    def services(self) -> Services:
        services = self.app.state.services
        assert isinstance(services, Services)
        return services

    @classmethod
    @asynccontextmanager
    async def running(cls, settings: Settings) -> AsyncIterator[Self]:
        app = create_app(settings, upkeep=False)
        async with app.router.lifespan_context(app):
            yield cls(app, settings)

    def http(self) -> httpx.AsyncClient:
        """A client with cookies of its own: a browser, or a program."""
        return httpx.AsyncClient(
            transport=httpx.ASGITransport(self.app),
            base_url=self.settings.public_url,
            timeout=60,
        )


async def until(true: Callable[[], Awaitable[object]], *, within: float = 60) -> None:
    """Wait for something that is about to happen."""
    async with asyncio.timeout(within):
        while not await true():  # noqa: ASYNC110 - it happens in the database or at Xero
            await asyncio.sleep(0.01)


@dataclass(frozen=True)
class Hold:
    """Requests that Xero keeps until a test lets them go."""

    sandbox: SandboxClient
    id: int

    async def reached(self, count: int = 1) -> None:
        """Return once so many requests are there, while the service goes on working."""
        await asyncio.to_thread(self.sandbox.wait_until_held, self.id, count, timeout=20)

    async def release(self) -> None:
        await asyncio.to_thread(self.sandbox.release, self.id)


@dataclass
class World:
    """A service, its database, Xero, and people."""

    application: Application
    sandbox: SandboxClient
    database: asyncpg.Connection
    stack: AsyncExitStack = field(repr=False)

    @classmethod
    @asynccontextmanager
    async def around(
        cls, application: Application, sandbox: SandboxClient, direct_url: str | None = None
    ) -> AsyncIterator[Self]:
        """`direct_url`: of the database, where the service is given another way to it."""
        url = direct_url or application.settings.database_url.get_secret_value()
        async with AsyncExitStack() as stack:
            database = await asyncpg.connect(url)
            stack.push_async_callback(database.close)
            yield cls(application, sandbox, database, stack)

    @property
    def services(self) -> Services:
        return self.application.services

    async def person(
        self, person_id: str, org_id: str | None, *, at: Application | None = None
    ) -> Person:
        """Somebody with a browser of their own, talking to one replica."""
        application = at or self.application
        http = await self.stack.enter_async_context(application.http())
        return Person(person_id, org_id, self.sandbox, http, application.settings.frontend_url)

    def hold(
        self, kind: str, *, when: Literal["before", "after"] = "before", times: int | None = 1
    ) -> Hold:
        """Keep the next requests of a kind at Xero, before or after they had their effect."""
        return Hold(self.sandbox, self.sandbox.fault(kind, "hold", when=when, times=times))

    async def acme_admin(self) -> Person:
        return await self.person(ACME_ADMIN, ACME)

    async def globex_admin(self) -> Person:
        return await self.person(GLOBEX_ADMIN, GLOBEX)

    async def acme_member(self) -> Person:
        return await self.person(ACME_MEMBER, ACME)

    async def accountant(self, org_id: str) -> Person:
        return await self.person(ACCOUNTANT, org_id)

    async def grant(self, grant_id: str | UUID) -> asyncpg.Record:
        row = await self.database.fetchrow(
            "SELECT * FROM integration_grants WHERE id = $1", UUID(str(grant_id))
        )
        assert row is not None
        return row

    async def ages(self, grant_id: str, *, expires_in: str = "2 minutes", days: int = 0) -> None:
        """Make a grant's tokens old, as time would."""
        await self.database.execute(
            "UPDATE integration_grants SET expires_at = now() + $2::text::interval,"
            " refresh_token_issued_at = now() - make_interval(days => $3) WHERE id = $1",
            UUID(grant_id),
            expires_in,
            days,
        )

    async def grants(self, status: str = "active") -> list[asyncpg.Record]:
        rows: list[asyncpg.Record] = await self.database.fetch(
            "SELECT * FROM integration_grants WHERE status = $1 ORDER BY created_at", status
        )
        return rows

    async def cleanups(self) -> list[tuple[str, str | None]]:
        """What was owed to Xero, and how it ended."""
        rows = await self.database.fetch(
            "SELECT kind, outcome FROM remote_cleanups ORDER BY created_at, id"
        )
        return [(row["kind"], row["outcome"]) for row in rows]

    async def revoked(self) -> bool:
        """Whether a binding has ended here, whatever Xero says."""
        found = await self.database.fetchval(
            "SELECT count(*) FROM integration_tenant_bindings WHERE status = 'revoked'"
        )
        return bool(found)

    async def settled(self) -> bool:
        """Whether nothing is owed to Xero any more."""
        return all(outcome for _, outcome in await self.cleanups())

    async def hurries(self) -> None:
        """Let every pause between two attempts be over, as time would."""
        await self.database.execute("UPDATE integration_grants SET next_refresh_at = NULL")
        await self.database.execute("UPDATE remote_cleanups SET next_attempt_at = now()")

    async def audited(self, action: str) -> list[asyncpg.Record]:
        rows: list[asyncpg.Record] = await self.database.fetch(
            "SELECT * FROM audit_events WHERE action = $1 ORDER BY id", action
        )
        return rows

    def presented(self) -> list[int]:
        """How often each refresh token that Xero ever issued was presented, oldest first."""
        return [use["presented"] for use in self.sandbox.token_uses()]

    def calls(self, kind: str) -> list[dict[str, Any]]:
        """What reached Xero, of one kind."""
        return self.sandbox.journal(kind)
