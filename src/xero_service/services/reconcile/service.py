"""Reconciling: what Xero says of a grant's tenants, written down for its bindings.

A refresh that works proves no connection: users disconnect in Xero, lose their role, and
organisations end, and nobody tells us (facts §4.6, §4.7). A tenant that Xero lists may be closed
to the user all the same, so each one that is listed is also asked for.
"""

import contextlib
from dataclasses import dataclass, field, replace
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
SHUT_OUT = "AuthenticationUnsuccessful"  # with 403; with 401 it means another thing (facts §1.10)
FORCED_EVERY = 600.0  # seconds: what goes on refusing new tokens is not mended by newer ones
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
    doubts: Throttle[UUID] = field(default_factory=lambda: Throttle(every=DOUBTED_EVERY))
    forced: Throttle[UUID] = field(default_factory=lambda: Throttle(every=FORCED_EVERY, times=2))

    def reconcile_soon(self, binding_id: UUID, grant_id: UUID) -> None:
        """Reconcile a grant in the background, because Xero refused a call for this binding.

        Once however many ask, and at most once a minute for a binding.
        """
        if self.doubts.allow(binding_id):
            _ = self.flights.join(grant_id, lambda: self._quietly(grant_id))

    async def _quietly(self, grant_id: UUID) -> None:
        with contextlib.suppress(ExternalAPIError):
            await self.reconcile(grant_id)

    async def reconcile(self, grant_id: UUID) -> None:
        """Bring the bindings of a grant up to date with Xero.

        Raises ReauthorizationRequired, ExternalAPIError or ServiceBusy.
        """
        grant = await self.tokens.refresh_if_due(await self.tokens.load_active(grant_id))
        grant, connections = await self.connections(grant)
        async with self.database.transaction() as tx:
            bound = {binding.tenant_id for binding in await tx.bindings.resting_on(grant.id)}
        if connections.is_complete:
            bound &= {connection.tenant_id for connection in connections}
        entered = {tenant_id: await self._is_let_in(grant, tenant_id) for tenant_id in bound}
        shut_out = {tenant_id for tenant_id, let_in in entered.items() if let_in is False}
        proven = {tenant_id for tenant_id, let_in in entered.items() if let_in}
        reached = tuple(c for c in connections if c.tenant_id not in shut_out)
        async with self.database.transaction() as tx:
            await record_reach(
                tx, grant, replace(connections, listed=reached), proven=proven, shut_out=shut_out
            )

    async def connections(self, grant: Grant) -> tuple[Grant, Connections]:
        """Return the connections of a grant's Xero user, and the grant whose token Xero took.

        A token that Xero refuses is renewed once by force.
        """
        try:
            return grant, await self.xero.get_tenants(self.tokens.access_token(grant))
        except XeroAccessRefused as refused:
            fresh = await self._renewed(grant, type(refused))
            if fresh is None:
                raise
            return fresh, await self.xero.get_tenants(self.tokens.access_token(fresh))

    async def _renewed(self, grant: Grant, refusal: type[XeroAccessRefused]) -> Grant | None:
        if issubclass(refusal, TokenDoubted):
            return await self.tokens.refresh_after_refusal(grant, refusal)
        if not self.forced.allow(grant.id):
            return None
        return await self.tokens.refresh_grant_single_flight(grant.id, newer_than=grant.generation)

    async def _is_let_in(self, grant: Grant, tenant_id: str) -> bool | None:
        """Tell whether Xero lets the user into a tenant; None where it does not say.

        Only its own words count: a 403 of an edge, in HTML, is not the user's trouble.
        """
        answer = await self.tokens.client(grant, tenant_id).request("GET", PROBE)
        if answer.status == 403 and error_field(answer.body, "detail") == SHUT_OUT:
            return False
        return True if answer.status == 200 else None
