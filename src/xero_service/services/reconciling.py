"""Reconciling: what Xero says of a grant's tenants, written down for its bindings.

A refresh that works proves no connection: users disconnect in Xero, lose their role, and
organisations end, and nobody tells us (facts §4.6, §4.7). A tenant that Xero lists may be closed
to the user all the same, so each one that is listed is also asked for.
"""

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID

from xero_service.domain import Connection, Grant
from xero_service.errors import AccessRefused, ExternalAPIError
from xero_service.services.tokens import TokenService
from xero_service.singleflight import BackgroundWork, Seldom, SingleFlight
from xero_service.store.database import Database
from xero_service.store.reach import record_reach
from xero_service.telemetry import logger
from xero_service.xero.adapter import XeroAdapter

PROBE = "api.xro/2.0/Organisation"
DOUBTED_EVERY = 60.0  # seconds: a caller that repeats a refused call costs Xero no more than this

log = logger(__name__)


@dataclass(frozen=True, slots=True)
class ReconcileService:
    """Compares bindings with Xero's connections."""

    database: Database
    xero: XeroAdapter
    tokens: TokenService
    background: BackgroundWork
    flights: SingleFlight[UUID, None]
    doubts: Seldom[UUID] = field(default_factory=lambda: Seldom(every=DOUBTED_EVERY))

    def soon(self, binding_id: UUID, grant_id: UUID) -> None:
        """Reconcile a grant in the background, because Xero refused a call for this binding.

        Once however many ask, and at most once a minute for a binding.
        """
        if self.doubts.is_due(binding_id):
            _ = self.flights.join(grant_id, lambda: self._quietly(grant_id))

    async def _quietly(self, grant_id: UUID) -> None:
        with contextlib.suppress(ExternalAPIError):
            await self.reconcile(grant_id)

    async def reconcile(self, grant_id: UUID) -> None:
        """Bring the bindings of a grant up to date with Xero.

        Raises ReauthorizationRequired, ExternalAPIError or ServiceBusy.
        """
        grant = await self.tokens.usable(await self.tokens.refresher.current(grant_id))
        connections = await self.connections(grant)
        async with self.database.transaction() as tx:
            bound = {binding.tenant_id for binding in await tx.bindings.resting_on(grant.id)}
        listed = [c for c in connections if c.tenant_id in bound]
        closed = await self._closed(grant, listed)
        open_ones = [c for c in connections if c.tenant_id not in closed]
        async with self.database.transaction() as tx:
            await record_reach(tx, grant, open_ones)

    async def connections(self, grant: Grant) -> Sequence[Connection]:
        """Return the connections of a grant's Xero user; one forced refresh on a refused token."""
        try:
            return await self.xero.get_tenants(self.tokens.access_token(grant))
        except AccessRefused:
            fresh = await self.tokens.refresh_grant_single_flight(grant.id, beyond=grant.generation)
            return await self.xero.get_tenants(self.tokens.access_token(fresh))

    async def _closed(self, grant: Grant, listed: Sequence[Connection]) -> set[str]:
        """Return the tenants that Xero lists but does not let the user into."""
        closed: set[str] = set()
        access_token = self.tokens.access_token(grant)
        for connection in listed:
            client = self.xero.get_api_client(access_token, connection.tenant_id)
            answer = await client.request("GET", PROBE)
            if answer.status == 403:
                closed.add(connection.tenant_id)
        return closed
