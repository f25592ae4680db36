"""Suspended tenants: what an operator switched off stays off, whichever org binds it.

Who writes a binding's status need not think of it. The database itself records the tenant of a
binding that is suspended, and while the tenant is on record writes `suspended` for any other
status but `revoked` (migration 0006).
"""

from uuid import UUID

from sqlalchemy import and_, delete, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from xero_service.domain import PROVIDER
from xero_service.store.tables import BindingRow, SuspendedTenantRow


class Suspensions:
    """The table `suspended_tenants`."""

    def __init__(self, connection: AsyncConnection) -> None:
        """Work inside the caller's transaction."""
        self._connection = connection

    async def tenant_of(self, reference: UUID) -> str | None:
        """Return the suspended tenant with this id, or of the binding with this id.

        That is the binding which an org has or had last, or the one by which it was suspended.
        """
        found: str | None = await self._connection.scalar(
            select(SuspendedTenantRow.external_tenant_id)
            .outerjoin(
                BindingRow,
                and_(
                    BindingRow.provider == SuspendedTenantRow.provider,
                    BindingRow.external_tenant_id == SuspendedTenantRow.external_tenant_id,
                ),
            )
            .where(
                SuspendedTenantRow.provider == PROVIDER,
                or_(
                    BindingRow.id == reference,
                    SuspendedTenantRow.binding_id == reference,
                    SuspendedTenantRow.external_tenant_id == str(reference),
                ),
            )
        )
        return found

    async def lift(self, tenant_id: str) -> bool:
        """End a tenant's suspension; False where there is none."""
        lifted = await self._connection.scalar(
            delete(SuspendedTenantRow)
            .where(
                SuspendedTenantRow.provider == PROVIDER,
                SuspendedTenantRow.external_tenant_id == tenant_id,
            )
            .returning(SuspendedTenantRow.external_tenant_id)
        )
        return lifted is not None
