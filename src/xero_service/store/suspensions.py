"""The tenants that an operator suspended, for every org that binds them.

Code that writes a binding's status need not consider them. Triggers (migration 0006) record the
tenant of a binding that is suspended, and while the tenant is recorded replace any other status but
`revoked` by `suspended`.
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
        """Return the suspended tenant of a tenant id or a binding id.

        The binding is the tenant's present or last one, or the one that was suspended.
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
