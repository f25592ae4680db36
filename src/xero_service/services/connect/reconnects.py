"""Reconnect one binding: a consent that is meant for it rests it on the new grant at once."""

import asyncio
from dataclasses import dataclass
from uuid import UUID

from xero_service.background import BackgroundWork
from xero_service.domain import Binding, BindingStatus, Role, SessionUser
from xero_service.errors import (
    IntegrationError,
    NotFound,
    TenantBoundElsewhere,
    TenantNotAccessible,
)
from xero_service.services.connect.code_exchange import Initiator
from xero_service.services.connect.tenants import SelectedTenant, TenantsService
from xero_service.store.database import Database
from xero_service.store.transaction import Transaction
from xero_service.telemetry import logger
from xero_service.timeouts import RECONNECT_WAIT_SECONDS

log = logger(__name__)


@dataclass(frozen=True, slots=True)
class ReconnectService:
    """Selects a binding's own tenant on behalf of the user who consented for it."""

    database: Database
    tenants: TenantsService
    background: BackgroundWork

    async def finish(
        self, initiator: Initiator, grant_id: UUID, binding_id: UUID
    ) -> dict[str, str]:
        """Rest the binding on the new grant; return the query that tells the frontend the result.

        `unreached` names the binding where the consent does not reach its tenant, or where the
        binding has ended meanwhile: it still needs a person. Where Xero does not answer in time,
        the frontend offers the choice as after any consent.
        """
        choice = {"action": "select_tenant", "grantId": str(grant_id)}
        work = self.background.start(self._select(initiator, grant_id, binding_id))
        try:
            async with asyncio.timeout(RECONNECT_WAIT_SECONDS):
                await asyncio.shield(work)
        except (NotFound, TenantNotAccessible, TenantBoundElsewhere):
            return choice | {"unreached": str(binding_id)}
        except (TimeoutError, IntegrationError) as error:
            log.warning("a binding could not be reconnected", reason=_code(error))
            return choice
        return {"action": "reconnected", "bindingId": str(binding_id)}

    async def _select(
        self, initiator: Initiator, grant_id: UUID, binding_id: UUID
    ) -> SelectedTenant:
        async with self.database.transaction() as tx:
            binding = await require_binding(tx, binding_id, initiator.org_id)
        user = SessionUser(initiator.user_id, initiator.org_id, Role.ADMIN)
        return await self.tenants.select(user, initiator.actor, grant_id, binding.tenant_id)


async def require_binding(tx: Transaction, binding_id: UUID, org_id: str) -> Binding:
    """Return a binding of the org that has not ended; raises NotFound."""
    bound = await tx.bindings.get(binding_id, org_id)
    if bound is None or bound.binding.status is BindingStatus.REVOKED:
        raise NotFound
    return bound.binding


def _code(error: Exception) -> str:
    return error.code if isinstance(error, IntegrationError) else "timeout"
