"""Record which tenants a grant's consents reached, and update its bindings accordingly."""

from collections.abc import Collection

from xero_service.domain import (
    ORGANISATION,
    SYSTEM,
    AuditAction,
    AuditEvent,
    Authorisation,
    BindingStatus,
    Connections,
    Grant,
    GrantStatus,
)
from xero_service.store.transaction import Transaction


async def record_reach(
    tx: Transaction,
    grant: Grant,
    connections: Connections,
    *,
    proven: Collection[str] = (),
    shut_out: Collection[str] = (),
) -> None:
    """Record what each new consent reached, and set the status of the grant's bindings.

    A binding becomes active if a new consent reaches its tenant, or if the tenant is `proven` to
    give access: that Xero lists it is no proof (facts §4.7). It becomes `needs_reauth` if Xero does
    not list the tenant or has `shut_out` its user (design: rule 1). Absence from an incomplete
    list changes nothing. Nothing is written if the grant was superseded or ended meanwhile: the
    connections were then read too early.
    """
    locked = await tx.grants.lock(grant.id)
    if locked is None or locked.status is not GrantStatus.ACTIVE:
        return
    unread = await tx.authorisations.unread(grant.id)
    for authorisation in unread:
        tenant_ids, matched = reached_by(authorisation, connections)
        await tx.authorisations.record_reach(
            authorisation.id, tenant_ids=tenant_ids, matched_event=matched
        )
        await tx.cleanups.cancel_deletions(grant.xero_user_id, tenant_ids)
    by_tenant = {connection.tenant_id: connection for connection in connections}
    for binding in await tx.bindings.resting_on(grant.id):
        if not connections.is_complete and binding.tenant_id not in {*by_tenant, *shut_out}:
            continue
        status = await tx.bindings.record_reached(
            binding,
            by_tenant.get(binding.tenant_id),
            restores=bool(unread) or binding.tenant_id in proven,
        )
        if status is not binding.status:
            restored = status is BindingStatus.ACTIVE
            action = AuditAction.BINDING_RESTORED if restored else AuditAction.BINDING_ACCESS_LOST
            await tx.audit.add(AuditEvent.of_binding(SYSTEM, action, binding))


def reached_by(authorisation: Authorisation, connections: Connections) -> tuple[list[str], bool]:
    """Return the tenants that a consent reached, and whether they carry its event.

    A consent that connected nothing new leaves no event at Xero (facts §4.2): then all tenants of
    the Xero user count as reached, and the second value is False.
    """
    organisations = [c for c in connections if c.tenant_type == ORGANISATION]
    marked = [
        c.tenant_id
        for c in organisations
        if authorisation.event_id is not None and c.auth_event_id == authorisation.event_id
    ]
    return (marked, True) if marked else ([c.tenant_id for c in organisations], False)
