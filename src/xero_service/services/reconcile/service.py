"""Reconciliation: compare a grant's bindings with the connections and access that Xero reports.

A successful refresh proves no connection: users disconnect in Xero or lose their role, and
organisations end, without notice (facts §4.6, §4.7). Xero may list a tenant that refuses the user,
so each listed tenant that is bound is also probed.
"""

import asyncio
import contextlib
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from uuid import UUID

from xero_service.background import BackgroundWork
from xero_service.domain import Connections, Grant
from xero_service.errors import ExternalAPIError, TokenDoubted, XeroAccessRefused
from xero_service.services.reconcile.consent_reach import record_reach
from xero_service.services.tokens.service import TokenService
from xero_service.single_flight import SingleFlight
from xero_service.store.database import Database
from xero_service.telemetry import logger
from xero_service.throttle import Throttle
from xero_service.xero.adapter import XeroAdapter
from xero_service.xero.responses import error_field

PROBE = "api.xro/2.0/Organisation"
PROBES_AT_ONCE = 8  # of one grant; each goes to another tenant, whose limits are its own
SHUT_OUT = "AuthenticationUnsuccessful"  # with 403; with 401 it has another meaning (facts §1.10)
FORCED_EVERY = 600.0  # seconds: if Xero refuses new tokens, newer ones do not help
CHECKED_EVERY = timedelta(minutes=1)  # limits what callers who ask for checks cost Xero
DOUBTED_EVERY = 60.0  # seconds: limits what a caller that repeats a refused call costs Xero

log = logger(__name__)


@dataclass(frozen=True, slots=True)
class ReconcileService:
    """Fetches connections and updates the bindings of a grant."""

    database: Database
    xero: XeroAdapter
    tokens: TokenService
    background: BackgroundWork
    flights: SingleFlight[UUID, None]
    doubts: Throttle[UUID] = field(default_factory=lambda: Throttle(every=DOUBTED_EVERY))
    forced: Throttle[UUID] = field(default_factory=lambda: Throttle(every=FORCED_EVERY, times=2))

    def reconcile_soon(self, binding_id: UUID, grant_id: UUID) -> None:
        """Start to reconcile a grant in the background, after Xero refused a call for this binding.

        One flight per grant, and at most one a minute per binding.
        """
        if self.doubts.allow(binding_id):
            _ = self.flights.join(grant_id, lambda: self._reconcile_quietly(grant_id))

    async def _reconcile_quietly(self, grant_id: UUID) -> None:
        with contextlib.suppress(ExternalAPIError):
            await self.reconcile(grant_id)

    async def check(self, grant_id: UUID) -> None:
        """Reconcile a grant, at most once a minute over all replicas; else do nothing.

        Joins a check that this replica is making. Raises as `reconcile` does.
        """
        await self.flights.do(grant_id, lambda: self._reconcile_if_due(grant_id))

    async def _reconcile_if_due(self, grant_id: UUID) -> None:
        async with self.database.transaction() as tx:
            is_due = await tx.grants.claim_check(grant_id, every=CHECKED_EVERY)
        if is_due:
            await self.reconcile(grant_id)

    async def reconcile(self, grant_id: UUID) -> None:
        """Update the bindings of a grant from Xero's connections and a probe of each tenant.

        Raises ReauthorizationRequired, ExternalAPIError or ServiceBusy.
        """
        grant = await self.tokens.refresh_if_due(await self.tokens.load_active(grant_id))
        grant, connections = await self.fetch_connections(grant)
        async with self.database.transaction() as tx:
            bound = {binding.tenant_id for binding in await tx.bindings.resting_on(grant.id)}
        if connections.is_complete:
            bound &= {connection.tenant_id for connection in connections}
        access = await self._probe(grant, bound)
        shut_out = {tenant_id for tenant_id, granted in access.items() if granted is False}
        proven = {tenant_id for tenant_id, granted in access.items() if granted}
        reached = tuple(c for c in connections if c.tenant_id not in shut_out)
        async with self.database.transaction() as tx:
            await record_reach(
                tx, grant, replace(connections, listed=reached), proven=proven, shut_out=shut_out
            )

    async def fetch_connections(self, grant: Grant) -> tuple[Grant, Connections]:
        """Return the connections of a grant's Xero user, and the grant with the token that worked.

        If Xero refuses the token, the grant is refreshed and the request repeated once.
        """
        try:
            return grant, await self.xero.get_tenants(self.tokens.access_token(grant))
        except XeroAccessRefused as refused:
            fresh = await self._refresh_after_refusal(grant, type(refused))
            if fresh is None:
                raise
            return fresh, await self.xero.get_tenants(self.tokens.access_token(fresh))

    async def _refresh_after_refusal(
        self, grant: Grant, refusal: type[XeroAccessRefused]
    ) -> Grant | None:
        if issubclass(refusal, TokenDoubted):
            return await self.tokens.refresh_after_refusal(grant, refusal)
        if not self.forced.allow(grant.id):
            return None
        return await self.tokens.refresh_grant_single_flight(grant.id, newer_than=grant.generation)

    async def _probe(self, grant: Grant, tenant_ids: Iterable[str]) -> dict[str, bool | None]:
        """Return for each tenant whether Xero gives the user access; see `_has_access`."""
        turns = asyncio.Semaphore(PROBES_AT_ONCE)

        async def probe(tenant_id: str) -> tuple[str, bool | None]:
            async with turns:
                return tenant_id, await self._has_access(grant, tenant_id)

        return dict(await asyncio.gather(*map(probe, tenant_ids)))

    async def _has_access(self, grant: Grant, tenant_id: str) -> bool | None:
        """Return whether Xero gives the user access to a tenant; None if its answer is unclear.

        Only Xero's documented refusal counts, not a 403 in HTML from a server in front of it.
        """
        answer = await self.tokens.client(grant, tenant_id).request("GET", PROBE)
        if answer.status == 403 and error_field(answer.body, "detail") == SHUT_OUT:
            return False
        return True if answer.status == 200 else None
