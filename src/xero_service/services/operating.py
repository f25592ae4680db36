"""What operators do: look across orgs, suspend and resume, end, and try again."""

from dataclasses import dataclass
from uuid import UUID

from xero_service.domain import Actor, AuditEvent, Binding, BindingStatus, Grant, GrantStatus
from xero_service.errors import NotFound
from xero_service.services.disconnect import Disconnected, DisconnectService
from xero_service.services.tokens import TokenService
from xero_service.store.database import Database


@dataclass(frozen=True, slots=True)
class OperatorService:
    """Commands of the operators; no org bounds them, and each change is audited."""

    database: Database
    tokens: TokenService
    disconnects: DisconnectService

    async def bindings(self, org_id: str | None) -> tuple[Binding, ...]:
        """Return the bindings of one org or of all, revoked ones left out."""
        async with self.database.transaction() as tx:
            return await tx.bindings.everywhere(org_id)

    async def grants(self, org_id: str | None) -> tuple[Grant, ...]:
        """Return the grants of one org or of all, superseded ones left out."""
        async with self.database.transaction() as tx:
            return await tx.grants.all(org_id=org_id)

    async def suspend(self, actor: Actor, binding_id: UUID) -> Binding:
        """Switch a binding off until it is resumed, whatever its org does; raises NotFound."""
        async with self.database.transaction() as tx:
            seen = await tx.bindings.find(binding_id)
            binding = await tx.bindings.lock(binding_id, seen.org_id) if seen else None
            if binding is None or binding.status is BindingStatus.REVOKED:
                raise NotFound("No such binding.")
            await tx.bindings.suspend(binding_id)
            await tx.audit.add(_event(actor, "binding.suspended", binding))
        return binding

    async def resume(self, actor: Actor, binding_id: UUID) -> Binding:
        """Switch a suspended binding on again; raises NotFound."""
        async with self.database.transaction() as tx:
            seen = await tx.bindings.find(binding_id)
            if seen is None:
                raise NotFound("No such suspended binding.")
            grant = await tx.grants.lock(seen.grant_id)
            binding = await tx.bindings.lock(binding_id, seen.org_id)
            if binding is None or binding.status is not BindingStatus.SUSPENDED:
                raise NotFound("No such suspended binding.")
            alive = grant is not None and grant.status is GrantStatus.ACTIVE
            await tx.bindings.resume(binding_id, grant_is_alive=alive)
            await tx.audit.add(_event(actor, "binding.resumed", binding))
        return binding

    async def disconnect(self, actor: Actor, binding_id: UUID) -> Disconnected:
        """End a binding of any org; raises NotFound."""
        async with self.database.transaction() as tx:
            binding = await tx.bindings.find(binding_id)
        if binding is None:
            raise NotFound("No such binding.")
        return await self.disconnects.disconnect(binding_id, binding.org_id, actor)

    async def offboard(self, actor: Actor, org_id: str) -> tuple[Disconnected, ...]:
        """End every binding of an org that leaves."""
        ended = [
            await self.disconnects.disconnect(binding.id, org_id, actor)
            for binding in await self.bindings(org_id)
        ]
        return tuple(ended)

    async def retry(self, grant_id: UUID) -> Grant:
        """Refresh a grant now, whatever its backoff; raises NotFound or as a refresh does."""
        async with self.database.transaction() as tx:
            grant = await tx.grants.get(grant_id)
            if grant is None or not await tx.grants.forget_backoff(grant_id):
                raise NotFound("No such grant with tokens.")
        return await self.tokens.refresh_grant_single_flight(grant_id, beyond=grant.generation)


def _event(actor: Actor, action: str, binding: Binding) -> AuditEvent:
    return AuditEvent(
        actor,
        action,
        org_id=binding.org_id,
        binding_id=binding.id,
        grant_id=binding.grant_id,
        tenant_id=binding.tenant_id,
    )
