"""Write down what Xero's list of connections says of a grant: its consents and its bindings."""

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
    """Fix what each new consent reached, and bring the bindings up to date.

    Bindings that needed a person are active again where a new consent reaches their tenant, or
    where access is `proven`: that Xero lists a tenant is no proof (facts §4.7). Active ones whose
    tenant the grant does not reach need a person (design: rule 1): Xero does not list it, or has
    `shut_out` its user. Absence from an incomplete list says nothing. Nothing is written where
    the grant was superseded or ended meanwhile: the connections were then read too early.
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
            await tx.audit.add(
                AuditEvent(
                    actor=SYSTEM,
                    action=AuditAction.BINDING_RESTORED
                    if restored
                    else AuditAction.BINDING_ACCESS_LOST,
                    org_id=binding.org_id,
                    binding_id=binding.id,
                    grant_id=grant.id,
                    tenant_id=binding.tenant_id,
                )
            )


def reached_by(authorisation: Authorisation, connections: Connections) -> tuple[list[str], bool]:
    """Return the tenants of a consent, and whether they carry its event.

    A consent in which nothing new was connected leaves no trace at Xero (facts §4.2): then all
    that the Xero user has connected counts, and the second value is False.
    """
    organisations = [c for c in connections if c.tenant_type == ORGANISATION]
    marked = [
        c.tenant_id
        for c in organisations
        if authorisation.event_id is not None and c.auth_event_id == authorisation.event_id
    ]
    return (marked, True) if marked else ([c.tenant_id for c in organisations], False)
