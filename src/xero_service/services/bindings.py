"""What an org sees of its bindings: the tenant, who connected it, and its health."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from xero_service.crypto import KeyRing
from xero_service.domain import (
    Binding,
    BindingStatus,
    BoundGrant,
    Consenter,
    Health,
    Limits,
    RefreshPolicy,
    health,
)
from xero_service.errors import NotFound
from xero_service.store.authorisations import SealedConsenter
from xero_service.store.database import Database
from xero_service.store.transaction import Transaction


@dataclass(frozen=True, slots=True)
class BindingView:
    """A binding as its org sees it."""

    binding: Binding
    connected_by: Consenter | None
    health: Health
    limits: Limits
    last_used_at: datetime | None


@dataclass(frozen=True, slots=True)
class BindingsService:
    """Lists and describes an org's bindings."""

    database: Database
    keys: KeyRing
    policy: RefreshPolicy

    async def of_org(
        self, org_id: str, status: BindingStatus | None = None
    ) -> tuple[BindingView, ...]:
        """Return an org's bindings; revoked ones only if that status is asked for."""
        async with self.database.transaction() as tx:
            bound = await tx.bindings.of_org(org_id, status)
            return await self._described(tx, org_id, bound)

    async def has_active(self, org_id: str) -> bool:
        """Tell whether the org has a binding that can be used, whatever is listed."""
        async with self.database.transaction() as tx:
            return await tx.bindings.has_active(org_id)

    async def get(self, binding_id: UUID, org_id: str) -> BindingView:
        """Return one of the org's bindings; raises NotFound."""
        async with self.database.transaction() as tx:
            bound = await tx.bindings.get(binding_id, org_id)
            if bound is None:
                raise NotFound
            (view,) = await self._described(tx, org_id, (bound,))
            return view

    async def _described(
        self, tx: Transaction, org_id: str, bound: Sequence[BoundGrant]
    ) -> tuple[BindingView, ...]:
        consenters = await tx.authorisations.consenters([b.grant.id for b in bound], org_id)
        limits = await tx.limits.of({b.binding.tenant_id for b in bound})
        return tuple(
            BindingView(
                binding=each.binding,
                connected_by=self._open(consenters.get(each.grant.id)),
                health=health(each.binding, each.grant, self.policy),
                limits=_limits(each.binding, limits),
                last_used_at=each.last_used_at,
            )
            for each in bound
        )

    def _open(self, sealed: SealedConsenter | None) -> Consenter | None:
        if sealed is None:
            return None
        name = email = None
        if sealed.consenter_enc is not None:
            name, email = json.loads(
                self.keys.decrypt_token(
                    sealed.consenter_enc, f"{sealed.authorisation_id}:consenter_enc"
                )
            )
        return Consenter(sealed.user_id, name, email)


def _limits(binding: Binding, known: Mapping[str, Limits]) -> Limits:
    """Show a tenant's limits to the org that holds it now, and to no former one."""
    if binding.status is BindingStatus.REVOKED:
        return Limits()
    return known.get(binding.tenant_id, Limits())
