"""What people and services do in the state machine; each answer is one that the API documents."""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any

import asyncpg

from tests.people import Person
from tests.properties.invariants import BINDINGS, Invariants
from tests.properties.killable_process import Mortal
from tests.service_api.callers import Service, client_of
from tests.world import ACCOUNTANT
from xero_sandbox.client import SandboxClient, SandboxError
from xero_service.domain import SYSTEM
from xero_service.errors import NotFound

EXPECTED = {200, 201, 303, 403, 404, 409, 422, 429, 502, 503}


@dataclass
class Deeds:
    """Things to do with whichever process lives now."""

    process: Mortal
    xero: SandboxClient
    sql: asyncpg.Connection
    law: Invariants
    key: Service

    def person(self, org: str) -> Person:
        application = self.process.application
        return Person(
            ACCOUNTANT, org, self.xero, application.http(), application.settings.frontend_url
        )

    def billing(self, org: str) -> Service:
        return Service(self.key.made, client_of(self.process.application), org)

    async def binding(self, number: int) -> asyncpg.Record | None:
        rows = await self.sql.fetch(f"{BINDINGS} ORDER BY b.id")
        return rows[number % len(rows)] if rows else None

    async def connect(self, org: str, user: str, tenant: str) -> None:
        person = self.person(org)
        begun = await person.get("/start")
        assert begun.status_code in EXPECTED, begun.text
        if begun.status_code != 200:
            return
        url = begun.json()["authorizationUrl"]
        try:
            callback = self.xero.consent(url, user, [tenant])
        except SandboxError:  # connected already, or closed to this user
            callback = self.xero.consent(url, user, [])
        landing = await person.lands(callback)
        if landing.error is None:
            choice = {"grantId": landing.grant_id, "tenantId": tenant}
            answer = await person.post("/tenants/select", choice)
            assert answer.status_code in EXPECTED, answer.text

    async def refresh(self, org: str) -> None:
        answer = await self.person(org).post("/refresh")
        assert answer.status_code in EXPECTED, answer.text
        assert "internal_error" not in answer.text

    async def read(self, number: int) -> None:
        binding = await self.binding(number)
        if binding is None:
            return
        answer = await self.billing(binding["clerk_org_id"]).token(str(binding["id"]))
        assert answer.status_code in EXPECTED, answer.text
        if answer.status_code == 200:
            await self.law.hold_of_an_issue(binding["id"], answer.json()["accessToken"])

    async def disconnect(self, number: int) -> None:
        binding = await self.binding(number)
        if binding is None:
            return
        answer = await self.person(binding["clerk_org_id"]).post(
            "/disconnect", {"tenantBindingId": str(binding["id"])}
        )
        assert answer.status_code in EXPECTED, answer.text

    async def suspend(self, number: int, resume: bool) -> None:
        """An operator switches a tenant off or on again, whichever org has it."""
        binding = await self.binding(number)
        if binding is None:
            return
        operators = self.process.application.services.operators
        try:
            if resume:
                await operators.resume(SYSTEM, binding["id"])
                self.law.suspended.discard(binding["external_tenant_id"])
            else:
                await operators.suspend(SYSTEM, binding["id"])
                self.law.suspended.add(binding["external_tenant_id"])
        except NotFound:  # not suspended, or revoked
            return

    async def upkeep(self) -> None:
        await self.process.application.services.upkeep.round()

    async def during_a_refresh(
        self, org: str, hold: int, deed: Callable[[], Coroutine[Any, Any, None]]
    ) -> None:
        """Do something while a refresh of the org's, if there is one to do, is held at Xero."""
        refresh = asyncio.ensure_future(self.refresh(org))
        held = asyncio.ensure_future(self._held(hold))
        await asyncio.wait({refresh, held}, return_when=asyncio.FIRST_COMPLETED)
        held.cancel()
        acting = asyncio.ensure_future(deed())
        await asyncio.wait({acting}, timeout=0.3)  # some wait for the refresh, and some do not
        await asyncio.to_thread(self.xero.release, hold)
        await asyncio.gather(refresh, acting)

    async def _held(self, hold: int) -> None:
        while True:
            faults = await asyncio.to_thread(self.xero.faults)
            if any(fault["id"] == hold and fault["holding"] for fault in faults):
                return
            await asyncio.sleep(0.02)
