"""Views of an org's bindings: the tenant, who connected it, its health and limits."""

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
    PendingConsent,
    Permissions,
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
    permissions: Permissions
    last_used_at: datetime | None


@dataclass(frozen=True, slots=True)
class OrgBindings:
    """Bindings of one org, whether any of all its bindings is active, and what is unfinished."""

    views: tuple[BindingView, ...]
    has_active: bool
    pending: PendingConsent | None


@dataclass(frozen=True, slots=True)
class BindingRecord:
    """What a `BindingView` is made of; the consenter is still sealed."""

    bound: BoundGrant
    consenter: SealedConsenter | None
    limits: Limits


@dataclass(frozen=True, slots=True)
class BindingsService:
    """Lists an org's bindings as views."""

    database: Database
    keys: KeyRing
    policy: RefreshPolicy
    required_scopes: tuple[str, ...]

    async def of_org(
        self, org_id: str, status: BindingStatus | None = None, *, user_id: str | None
    ) -> OrgBindings:
        """Return an org's bindings, all but the revoked ones or those of one status.

        `user_id`: the session user whose unfinished consent is returned too.
        """
        async with self.database.transaction() as tx:
            bound = await tx.bindings.of_org(org_id, status)
            records = await _read_records(tx, org_id, bound)
            has_active = await tx.bindings.has_active(org_id)
            pending = await tx.authorisations.pending(org_id, user_id) if user_id else None
        return OrgBindings(tuple(map(self.view, records)), has_active, pending)

    def view(self, record: BindingRecord) -> BindingView:
        """Open the consenter and rate the health; raises CiphertextUnreadable."""
        bound = record.bound
        return BindingView(
            binding=bound.binding,
            connected_by=self._open_consenter(record.consenter),
            health=health(bound.binding, bound.grant, self.policy),
            limits=record.limits,
            permissions=self._permissions(bound),
            last_used_at=bound.last_used_at,
        )

    def _permissions(self, bound: BoundGrant) -> Permissions:
        """Return the permissions of a binding; none for a revoked one, which may use nothing."""
        if bound.binding.status is BindingStatus.REVOKED:
            return Permissions()
        return Permissions.of(bound.grant.scopes, self.required_scopes)

    def _open_consenter(self, sealed: SealedConsenter | None) -> Consenter | None:
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


async def read_record(tx: Transaction, binding_id: UUID, org_id: str) -> BindingRecord:
    """Return one of the org's bindings as the transaction sees it; raises NotFound.

    For a use case that changes the binding and returns its view: the read can fail only before
    the commit, and an unreadable consenter does not prevent the commit.
    """
    bound = await tx.bindings.get(binding_id, org_id)
    if bound is None:
        raise NotFound
    (record,) = await _read_records(tx, org_id, (bound,))
    return record


async def _read_records(
    tx: Transaction, org_id: str, bound: Sequence[BoundGrant]
) -> list[BindingRecord]:
    consenters = await tx.authorisations.consenters([b.grant.id for b in bound], org_id)
    limits = await tx.limits.of({b.binding.tenant_id for b in bound})
    return [
        BindingRecord(b, consenters.get(b.grant.id), _limits_of(b.binding, limits)) for b in bound
    ]


def _limits_of(binding: Binding, known: Mapping[str, Limits]) -> Limits:
    """Return a tenant's limits; empty for a revoked binding, whose org no longer has the tenant."""
    if binding.status is BindingStatus.REVOKED:
        return Limits()
    return known.get(binding.tenant_id, Limits())
