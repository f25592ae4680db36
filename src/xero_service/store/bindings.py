"""The bindings of tenants to orgs; every read for a session user is limited to its org."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import chain
from typing import Any
from uuid import UUID

from sqlalchemy import Select, Text, any_, cast, delete, or_, select, update
from sqlalchemy.dialects.postgresql import ARRAY, insert
from sqlalchemy.ext.asyncio import AsyncConnection

from xero_service.domain import (
    PROVIDER,
    Binding,
    BindingStatus,
    BoundGrant,
    Connection,
    change_events,
)
from xero_service.store.events import Events
from xero_service.store.grants import COLUMNS as GRANT_COLUMNS
from xero_service.store.grants import NOW, to_grant
from xero_service.store.rows import Fields, fetch_row
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
    BindingRow.last_checked_at,
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
        last_checked_at=row["last_checked_at"],
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

    def __init__(self, connection: AsyncConnection, events: Events) -> None:
        """Work inside the caller's transaction, and add its events there."""
        self._connection = connection
        self._events = events

    async def _change(self, *where: Any, **values: Any) -> tuple[Binding, ...]:
        """Update bindings, add the events of what changed, and return them as they are now.

        Every change of a status, grant or name is made here or in `create`, so that none is
        without its event (design: rule 12). The returned row is what the database's triggers made
        of it: they keep a binding of a suspended tenant suspended.
        """
        if values.get("status") is BindingStatus.NEEDS_REAUTH:
            values["expiring_since"] = None  # the worse news replaces the warning
        old = (
            select(
                BindingRow.id,
                BindingRow.status.label("old_status"),
                BindingRow.active_grant_id.label("old_grant_id"),
                BindingRow.external_tenant_name.label("old_name"),
            )
            .where(*where)
            .order_by(BindingRow.id)
            .with_for_update()
            .subquery("old")
        )
        rows = await self._connection.execute(
            update(BindingRow)
            .where(BindingRow.id == old.c.id)
            .values(**values)
            .returning(*COLUMNS, old.c.old_status, old.c.old_grant_id, old.c.old_name)
        )
        changed = tuple(map(_to_change, rows.mappings()))
        self._events.defer(*chain.from_iterable(change_events(*each) for each in changed))
        return tuple(after for _, after in changed)

    async def of_org(
        self, org_id: str, status: BindingStatus | None = None
    ) -> tuple[BoundGrant, ...]:
        """Return an org's bindings with their grants, oldest first; by default not revoked."""
        wanted = BindingRow.status == status if status else BindingRow.status != "revoked"
        rows = await self._connection.execute(
            select(*BOUND_COLUMNS)
            .join(GrantRow, GrantRow.id == BindingRow.active_grant_id)
            .where(BindingRow.clerk_org_id == org_id, wanted)
            .order_by(BindingRow.created_at, BindingRow.id)
        )
        return tuple(to_bound_grant(row) for row in rows.mappings())

    async def has_active(self, org_id: str) -> bool:
        """Return whether an org has an active binding."""
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
        return await fetch_row(
            self._connection,
            select(*BOUND_COLUMNS)
            .join(GrantRow, GrantRow.id == BindingRow.active_grant_id)
            .where(BindingRow.id == binding_id, BindingRow.clerk_org_id == org_id),
            to_bound_grant,
        )

    async def lock(self, binding_id: UUID, org_id: str) -> Binding | None:
        """Return one of the org's bindings, locked until the transaction ends."""
        return await fetch_row(
            self._connection,
            select(*COLUMNS)
            .where(BindingRow.id == binding_id, BindingRow.clerk_org_id == org_id)
            .with_for_update(),
            to_binding,
        )

    async def of_tenant(self, tenant_id: str) -> Binding | None:
        """Return the binding of this tenant, of any org: for operators."""
        return await fetch_row(self._connection, _of_tenant(tenant_id), to_binding)

    async def lock_tenant(self, tenant_id: str) -> Binding | None:
        """Return the binding of this tenant, of any org, locked: not to be shown to a user."""
        return await fetch_row(
            self._connection, _of_tenant(tenant_id).with_for_update(), to_binding
        )

    async def holders(self, tenant_ids: set[str]) -> dict[str, Binding]:
        """Return these tenants' bindings that are not revoked, of any org: not to be shown."""
        rows = await self._connection.execute(
            select(*COLUMNS).where(
                BindingRow.provider == PROVIDER,
                BindingRow.external_tenant_id == any_(cast(sorted(tenant_ids), ARRAY(Text))),
                BindingRow.status != BindingStatus.REVOKED,
            )
        )
        return {row["external_tenant_id"]: to_binding(row) for row in rows.mappings()}

    async def create(
        self, binding_id: UUID, org_id: str, grant_id: UUID, connection: Connection
    ) -> bool:
        """Insert a binding; False where the tenant has one, as after a concurrent insert."""
        created = await self._connection.execute(
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
            .returning(*COLUMNS)
        )
        row = created.mappings().one_or_none()
        if row is None:
            return False
        self._events.defer(*change_events(None, to_binding(row)))
        return True

    async def repoint(self, binding_id: UUID, grant_id: UUID, connection: Connection) -> None:
        """Move a binding to a grant that reaches its tenant, and make it active.

        The database keeps it suspended where its tenant is (see `Suspensions`). The time for which
        the previous grant counts as unused starts now.
        """
        left = select(BindingRow.active_grant_id).where(
            BindingRow.id == binding_id, BindingRow.active_grant_id != grant_id
        )
        await self._connection.execute(
            update(GrantRow).where(GrantRow.id == left.scalar_subquery()).values(updated_at=NOW)
        )
        await self._change(
            BindingRow.id == binding_id,
            active_grant_id=grant_id,
            external_tenant_name=connection.tenant_name,
            tenant_type=connection.tenant_type,
            connection_id=connection.connection_id,
            status=BindingStatus.ACTIVE,
            updated_at=NOW,
            last_checked_at=NOW,
        )

    async def move(self, superseded: Sequence[UUID], grant_id: UUID) -> None:
        """Move the bindings of superseded grants to the grant that replaced them."""
        await self._change(
            BindingRow.active_grant_id.in_(superseded),
            BindingRow.status != BindingStatus.REVOKED,
            active_grant_id=grant_id,
        )

    async def delete(self, binding_id: UUID) -> None:
        """Remove a revoked binding, so that the tenant can be bound anew by another org."""
        await self._connection.execute(
            delete(BindingRow).where(
                BindingRow.id == binding_id, BindingRow.status == BindingStatus.REVOKED
            )
        )

    async def revoke(self, binding_id: UUID) -> None:
        """Revoke a binding; a suspension of its tenant stays."""
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
        """Change the status of a grant's bindings from `old` to `new`; return those that changed.

        They count as unchecked, so that upkeep checks them at once if the grant becomes active.
        """
        return await self._change(
            BindingRow.active_grant_id == grant_id,
            BindingRow.status == old,
            status=new,
            updated_at=NOW,
            last_checked_at=None,
        )

    async def record_reached(
        self, binding: Binding, connection: Connection | None, *, restores: bool
    ) -> BindingStatus:
        """Store a check of one binding against Xero's connections; return its new status.

        With a `connection` the binding takes its name and id, and changes from `needs_reauth` to
        `active` if `restores`. Without one an active binding changes to `needs_reauth`.
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
        await self._change(BindingRow.id == binding.id, **values)
        return status

    async def all(self, org_id: str | None) -> tuple[Binding, ...]:
        """Return the bindings, of one org or of all, that are in use or suspended: for operators.

        A revoked binding is included while its tenant is suspended, so that it can be resumed.
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
        return await fetch_row(
            self._connection, select(*COLUMNS).where(BindingRow.id == binding_id), to_binding
        )

    async def suspend(self, binding_id: UUID) -> None:
        """Suspend a binding, and thereby its tenant for every org that binds it."""
        await self._set_status(binding_id, BindingStatus.SUSPENDED)

    async def resume(self, binding_id: UUID, *, grant_is_alive: bool) -> None:
        """Resume a suspended binding: active if its grant is, else `needs_reauth`.

        It counts as unchecked, so that upkeep checks at once whether Xero still reaches it.
        """
        alive = BindingStatus.ACTIVE if grant_is_alive else BindingStatus.NEEDS_REAUTH
        await self._set_status(binding_id, alive, suspended_at=None, last_checked_at=None)

    async def _set_status(self, binding_id: UUID, status: BindingStatus, **also: Any) -> None:
        await self._change(BindingRow.id == binding_id, status=status, updated_at=NOW, **also)


def _to_change(row: Fields) -> tuple[Binding, Binding]:
    """Return a binding before and after a change."""
    after = to_binding(row)
    before = replace(
        after,
        status=BindingStatus(row["old_status"]),
        grant_id=row["old_grant_id"],
        tenant_name=row["old_name"],
    )
    return before, after
