"""Bindings: which tenant is linked to which org; a session caller's reads always name the org."""

from typing import Any
from uuid import UUID

from sqlalchemy import Select, delete, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from xero_service.domain import PROVIDER, Binding, BindingStatus, BoundGrant, Connection
from xero_service.store.grants import COLUMNS as GRANT_COLUMNS
from xero_service.store.grants import NOW, Fields, to_grant
from xero_service.store.tables import BindingRow, GrantRow, SuspendedTenantRow

COLUMNS = (
    BindingRow.id.label("binding_id"),
    BindingRow.clerk_org_id.label("binding_org_id"),
    BindingRow.external_tenant_id,
    BindingRow.external_tenant_name,
    BindingRow.tenant_type,
    BindingRow.connection_id,
    BindingRow.active_grant_id,
    BindingRow.status.label("binding_status"),
    BindingRow.created_at.label("binding_created_at"),
    BindingRow.updated_at.label("binding_updated_at"),
)
BOUND_COLUMNS = (*COLUMNS, GrantRow.last_used_at, *GRANT_COLUMNS)


def to_binding(row: Fields) -> Binding:
    """Return the binding in a row that has `COLUMNS`, whichever driver read it."""
    return Binding(
        id=row["binding_id"],
        org_id=row["binding_org_id"],
        tenant_id=row["external_tenant_id"],
        tenant_name=row["external_tenant_name"],
        tenant_type=row["tenant_type"],
        connection_id=row["connection_id"],
        grant_id=row["active_grant_id"],
        status=BindingStatus(row["binding_status"]),
        created_at=row["binding_created_at"],
        updated_at=row["binding_updated_at"],
    )


def to_bound_grant(row: Fields) -> BoundGrant:
    """Return the binding and its grant in a row that has `BOUND_COLUMNS`."""
    return BoundGrant(to_binding(row), to_grant(row), row["last_used_at"])


def _of_tenant(tenant_id: str) -> Select[*tuple[Any, ...]]:
    return select(*COLUMNS).where(
        BindingRow.provider == PROVIDER, BindingRow.external_tenant_id == tenant_id
    )


class Bindings:
    """The table `integration_tenant_bindings`."""

    def __init__(self, connection: AsyncConnection) -> None:
        """Work inside the caller's transaction."""
        self._connection = connection

    async def of_org(
        self, org_id: str, status: BindingStatus | None = None
    ) -> tuple[BoundGrant, ...]:
        """Return an org's bindings with their grants, oldest first; revoked ones only if asked."""
        wanted = BindingRow.status == status if status else BindingRow.status != "revoked"
        rows = await self._connection.execute(
            select(*BOUND_COLUMNS)
            .join(GrantRow, GrantRow.id == BindingRow.active_grant_id)
            .where(BindingRow.clerk_org_id == org_id, wanted)
            .order_by(BindingRow.created_at, BindingRow.id)
        )
        return tuple(to_bound_grant(row) for row in rows.mappings())

    async def has_active(self, org_id: str) -> bool:
        """Tell whether an org has an active binding."""
        found = await self._connection.scalar(
            select(BindingRow.id)
            .where(BindingRow.clerk_org_id == org_id, BindingRow.status == BindingStatus.ACTIVE)
            .limit(1)
        )
        return found is not None

    async def of_org_on(self, grant_id: UUID, org_id: str) -> tuple[Binding, ...]:
        """Return the org's own bindings that rest on one grant."""
        rows = await self._connection.execute(
            select(*COLUMNS).where(
                BindingRow.active_grant_id == grant_id,
                BindingRow.clerk_org_id == org_id,
                BindingRow.status != BindingStatus.REVOKED,
            )
        )
        return tuple(to_binding(row) for row in rows.mappings())

    async def get(self, binding_id: UUID, org_id: str) -> BoundGrant | None:
        """Return one of the org's bindings with its grant."""
        row = (
            (
                await self._connection.execute(
                    select(*BOUND_COLUMNS)
                    .join(GrantRow, GrantRow.id == BindingRow.active_grant_id)
                    .where(BindingRow.id == binding_id, BindingRow.clerk_org_id == org_id)
                )
            )
            .mappings()
            .one_or_none()
        )
        return to_bound_grant(row) if row else None

    async def lock(self, binding_id: UUID, org_id: str) -> Binding | None:
        """Return one of the org's bindings and keep others from changing it."""
        row = (
            (
                await self._connection.execute(
                    select(*COLUMNS)
                    .where(BindingRow.id == binding_id, BindingRow.clerk_org_id == org_id)
                    .with_for_update()
                )
            )
            .mappings()
            .one_or_none()
        )
        return to_binding(row) if row else None

    async def of_tenant(self, tenant_id: str) -> Binding | None:
        """Return whichever org's binding of this tenant: for operators."""
        row = (await self._connection.execute(_of_tenant(tenant_id))).mappings().one_or_none()
        return to_binding(row) if row else None

    async def lock_tenant(self, tenant_id: str) -> Binding | None:
        """Return whichever org's binding of this tenant, locked: to judge, not to show."""
        found = await self._connection.execute(_of_tenant(tenant_id).with_for_update())
        row = found.mappings().one_or_none()
        return to_binding(row) if row else None

    async def holders(self, tenant_ids: set[str]) -> dict[str, Binding]:
        """Return the bindings that are not revoked of these tenants, of any org: to judge."""
        rows = await self._connection.execute(
            select(*COLUMNS).where(
                BindingRow.provider == PROVIDER,
                BindingRow.external_tenant_id.in_(tenant_ids),
                BindingRow.status != BindingStatus.REVOKED,
            )
        )
        return {row["external_tenant_id"]: to_binding(row) for row in rows.mappings()}

    async def create(
        self, binding_id: UUID, org_id: str, grant_id: UUID, connection: Connection
    ) -> bool:
        """Insert a binding; False where somebody else bound the tenant at the same instant."""
        created = await self._connection.scalar(
            insert(BindingRow)
            .values(
                id=binding_id,
                clerk_org_id=org_id,
                provider=PROVIDER,
                external_tenant_id=connection.tenant_id,
                external_tenant_name=connection.tenant_name,
                tenant_type=connection.tenant_type,
                connection_id=connection.connection_id,
                active_grant_id=grant_id,
                status=BindingStatus.ACTIVE,
                last_checked_at=NOW,
            )
            .on_conflict_do_nothing(
                constraint="uq_integration_tenant_bindings_provider_external_tenant_id"
            )
            .returning(BindingRow.id)
        )
        return created is not None

    async def repoint(self, binding_id: UUID, grant_id: UUID, connection: Connection) -> None:
        """Let a binding rest on a grant that was just seen to reach its tenant; it is usable then.

        Unless its tenant is suspended (see `Suspensions`), as in every other way to a status.
        The grant that it leaves counts as unused from now on.
        """
        left = select(BindingRow.active_grant_id).where(
            BindingRow.id == binding_id, BindingRow.active_grant_id != grant_id
        )
        await self._connection.execute(
            update(GrantRow).where(GrantRow.id == left.scalar_subquery()).values(updated_at=NOW)
        )
        await self._connection.execute(
            update(BindingRow)
            .where(BindingRow.id == binding_id)
            .values(
                active_grant_id=grant_id,
                external_tenant_name=connection.tenant_name,
                tenant_type=connection.tenant_type,
                connection_id=connection.connection_id,
                status=BindingStatus.ACTIVE,
                updated_at=NOW,
                last_checked_at=NOW,
            )
        )

    async def delete(self, binding_id: UUID) -> None:
        """Remove a revoked binding, so that the tenant can be bound anew by another org."""
        await self._connection.execute(
            delete(BindingRow).where(
                BindingRow.id == binding_id, BindingRow.status == BindingStatus.REVOKED
            )
        )

    async def revoke(self, binding_id: UUID) -> None:
        """End a binding; that its tenant is suspended is kept."""
        await self._set_status(binding_id, BindingStatus.REVOKED)

    async def resting_on(self, grant_id: UUID) -> tuple[Binding, ...]:
        """Return the bindings of all orgs that rest on a grant, locked in a fixed order."""
        rows = await self._connection.execute(
            select(*COLUMNS)
            .where(
                BindingRow.active_grant_id == grant_id,
                BindingRow.status != BindingStatus.REVOKED,
            )
            .order_by(BindingRow.id)
            .with_for_update()
        )
        return tuple(to_binding(row) for row in rows.mappings())

    async def change_status(
        self, grant_id: UUID, *, old: BindingStatus, new: BindingStatus
    ) -> tuple[Binding, ...]:
        """Move the bindings of a grant from one status to another; return those that moved.

        They count as unchecked: should the grant come back to life, upkeep looks at them at once.
        """
        rows = await self._connection.execute(
            update(BindingRow)
            .where(BindingRow.active_grant_id == grant_id, BindingRow.status == old)
            .values(status=new, updated_at=NOW, last_checked_at=None)
            .returning(*COLUMNS)
        )
        return tuple(to_binding(row) for row in rows.mappings())

    async def record_reached(
        self, binding: Binding, connection: Connection | None, *, restores: bool
    ) -> BindingStatus:
        """Store what Xero's connections say of one binding; return the status it now has.

        Reached: renamed where Xero renamed it, and, where that `restores`, active again if a
        person was needed. Not reached: an active binding needs a person.
        """
        status = binding.status
        values: dict[str, Any] = {"last_checked_at": NOW}
        if connection is None:
            status = BindingStatus.NEEDS_REAUTH if status is BindingStatus.ACTIVE else status
        else:
            if restores and status is BindingStatus.NEEDS_REAUTH:
                status = BindingStatus.ACTIVE
            values |= {
                "external_tenant_name": connection.tenant_name,
                "connection_id": connection.connection_id,
            }
        if status is not binding.status:
            values |= {"status": status, "updated_at": NOW}
        await self._connection.execute(
            update(BindingRow).where(BindingRow.id == binding.id).values(**values)
        )
        return status

    async def all(self, org_id: str | None) -> tuple[Binding, ...]:
        """Return the bindings of one org or of all that are not revoked: for operators.

        And revoked ones whose tenant is suspended: until an operator resumes them, nobody can.
        """
        suspended = select(SuspendedTenantRow.external_tenant_id).where(
            SuspendedTenantRow.provider == BindingRow.provider,
            SuspendedTenantRow.external_tenant_id == BindingRow.external_tenant_id,
        )
        rows = await self._connection.execute(
            select(*COLUMNS)
            .where(
                or_(BindingRow.status != BindingStatus.REVOKED, suspended.exists()),
                *([BindingRow.clerk_org_id == org_id] if org_id is not None else []),
            )
            .order_by(BindingRow.clerk_org_id, BindingRow.created_at)
        )
        return tuple(to_binding(row) for row in rows.mappings())

    async def find(self, binding_id: UUID) -> Binding | None:
        """Return a binding of any org: for operators."""
        row = (
            (await self._connection.execute(select(*COLUMNS).where(BindingRow.id == binding_id)))
            .mappings()
            .one_or_none()
        )
        return to_binding(row) if row else None

    async def suspend(self, binding_id: UUID) -> None:
        """Switch a binding off, and with it its tenant for whichever org binds it."""
        await self._set_status(binding_id, BindingStatus.SUSPENDED)

    async def resume(self, binding_id: UUID, *, grant_is_alive: bool) -> None:
        """Switch a suspended binding on again, as far as its grant allows.

        Upkeep then asks Xero at once whether the tenant is still reached.
        """
        alive = BindingStatus.ACTIVE if grant_is_alive else BindingStatus.NEEDS_REAUTH
        await self._set_status(binding_id, alive, suspended_at=None, last_checked_at=None)

    async def _set_status(self, binding_id: UUID, status: BindingStatus, **also: Any) -> None:
        await self._connection.execute(
            update(BindingRow)
            .where(BindingRow.id == binding_id)
            .values(status=status, updated_at=NOW, **also)
        )
