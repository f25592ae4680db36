"""Use cases of operators: list across orgs, suspend and resume, disconnect, offboard, retry."""

from dataclasses import dataclass
from uuid import UUID

from xero_service.domain import (
    Actor,
    AuditAction,
    AuditEvent,
    Binding,
    BindingStatus,
    BoundGrant,
    Endpoint,
    Grant,
    GrantStatus,
    Permissions,
    ServiceKey,
)
from xero_service.errors import NotFound
from xero_service.services.disconnect.service import Disconnected, DisconnectService
from xero_service.services.events.endpoints import EndpointService
from xero_service.services.service_keys.keys import KeyService
from xero_service.services.tokens.service import TokenService
from xero_service.store.database import Database
from xero_service.store.transaction import Transaction


@dataclass(frozen=True, slots=True)
class Resumed:
    """A tenant that is no longer suspended, and its binding, revoked or not, if any."""

    tenant_id: str
    binding: Binding | None


@dataclass(frozen=True, slots=True)
class Offboarded:
    """What an offboarding ended: bindings, service keys, and endpoints of webhooks."""

    bindings: tuple[Disconnected, ...]
    keys: tuple[ServiceKey, ...]
    endpoints: tuple[Endpoint, ...]


@dataclass(frozen=True, slots=True)
class OperatorService:
    """Operators' commands; they work across orgs, and each change is audited."""

    database: Database
    tokens: TokenService
    disconnects: DisconnectService
    keys: KeyService
    webhooks: EndpointService
    required_scopes: tuple[str, ...]

    async def bindings(self, org_id: str | None) -> tuple[Binding, ...]:
        """Return the bindings of one org or of all; revoked ones only of suspended tenants."""
        async with self.database.transaction() as tx:
            return await tx.bindings.all(org_id)

    async def grants(self, org_id: str | None) -> tuple[Grant, ...]:
        """Return the grants of one org or of all, superseded ones left out."""
        async with self.database.transaction() as tx:
            return await tx.grants.all(org_id=org_id)

    async def permissions(self, org_id: str | None) -> tuple[tuple[Binding, Permissions], ...]:
        """Return the bindings in use, of one org or of all, with their grants' permissions."""
        async with self.database.transaction() as tx:
            bindings = await tx.bindings.all(org_id)
            # A binding may rest on the consent that another org's admin gave.
            scopes = {each.id: each.scopes for each in await tx.grants.all(org_id=None)}
        return tuple(
            (each, Permissions.of(scopes.get(each.grant_id, ()), self.required_scopes))
            for each in bindings
            if each.status is not BindingStatus.REVOKED
        )

    async def suspend(self, actor: Actor, binding_id: UUID) -> Binding:
        """Suspend a binding and its tenant until they are resumed; raises NotFound.

        The suspension stays whatever its org does, and whichever org binds the tenant.
        """
        async with self.database.transaction() as tx:
            seen = await tx.bindings.find(binding_id)
            binding = await tx.bindings.lock(binding_id, seen.org_id) if seen else None
            if binding is None or binding.status is BindingStatus.REVOKED:
                raise NotFound("No such binding.")
            await tx.bindings.suspend(binding_id)
            await tx.audit.add(AuditEvent.of_binding(actor, AuditAction.BINDING_SUSPENDED, binding))
        return binding

    async def resume(self, actor: Actor, reference: UUID) -> Resumed:
        """Resume a suspended tenant and its binding; raises NotFound.

        `reference`: the id of the binding that was suspended, of the tenant's present binding,
        revoked or not, or Xero's id of the tenant.
        """
        async with self.database.transaction() as tx:
            tenant_id = await tx.suspensions.tenant_of(reference)
            if tenant_id is None:
                raise NotFound("No such suspended binding or Xero organisation.")
            bound = await self._lock_tenant(tx, tenant_id)
            if not await tx.suspensions.lift(tenant_id):
                raise NotFound("It is resumed already.")
            # An org may have bound it for the first time while this waited for the suspension.
            bound = bound or await self._lock_tenant(tx, tenant_id)
            if bound and bound.binding.status is BindingStatus.SUSPENDED:
                alive = bound.grant.status is GrantStatus.ACTIVE
                await tx.bindings.resume(bound.binding.id, grant_is_alive=alive)
            binding = bound.binding if bound else None
            action = AuditAction.BINDING_RESUMED
            await tx.audit.add(
                AuditEvent.of_binding(actor, action, binding)
                if binding
                else AuditEvent(actor, action, tenant_id=tenant_id)
            )
        return Resumed(tenant_id, binding)

    async def _lock_tenant(self, tx: Transaction, tenant_id: str) -> BoundGrant | None:
        """Lock the grant, then the binding of a tenant: the same order everywhere."""
        while (seen := await tx.bindings.of_tenant(tenant_id)) is not None:
            grant = await tx.grants.lock(seen.grant_id)
            binding = await tx.bindings.lock_tenant(tenant_id)
            if binding is not None and grant is not None and binding.grant_id == grant.id:
                return BoundGrant(binding, grant, None)
        return None

    async def binding(self, binding_id: UUID) -> Binding:
        """Return a binding of any org, revoked or not; raises NotFound."""
        async with self.database.transaction() as tx:
            binding = await tx.bindings.find(binding_id)
        if binding is None:
            raise NotFound("No such binding.")
        return binding

    async def disconnect(self, actor: Actor, binding_id: UUID) -> Disconnected:
        """Disconnect a binding of any org; raises NotFound."""
        binding = await self.binding(binding_id)
        return await self.disconnects.disconnect(binding_id, binding.org_id, actor)

    async def offboard(self, actor: Actor, org_id: str) -> Offboarded:
        """Revoke the service keys of an org, disable its endpoints, disconnect its bindings.

        Events of the disconnects reach endpoints of all orgs; the org's own keep them pending.
        Idempotent: a repetition continues where it was interrupted.
        """
        revoked = await self.keys.revoke_of_org(actor, org_id)
        disabled = await self.webhooks.disable_of_org(actor, org_id)
        ended = [
            await self.disconnects.disconnect(binding.id, org_id, actor)
            for binding in await self.bindings(org_id)
            if binding.status is not BindingStatus.REVOKED
        ]
        return Offboarded(tuple(ended), revoked, disabled)

    async def retry(self, grant_id: UUID) -> Grant:
        """Refresh a grant now, ignoring its backoff; raises NotFound or as a refresh does."""
        async with self.database.transaction() as tx:
            grant = await tx.grants.get(grant_id)
            if grant is None or not await tx.grants.forget_backoff(grant_id):
                raise NotFound("No such grant with tokens.")
        return await self.tokens.refresh_grant_single_flight(grant_id, newer_than=grant.generation)
