"""The limits that Xero last reported for tenants, for display; the rate limiter is elsewhere."""

from collections.abc import Collection, Mapping
from datetime import timedelta

from sqlalchemy import case, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from xero_service.domain import Limits
from xero_service.store.grants import NOW
from xero_service.store.tables import CallBudgetRow

DAY, MINUTE = timedelta(days=1), timedelta(minutes=1)


class TenantLimits:
    """The table `call_budgets`, read only."""

    def __init__(self, connection: AsyncConnection) -> None:
        """Work inside the caller's transaction."""
        self._connection = connection

    async def of(self, tenant_ids: Collection[str]) -> Mapping[str, Limits]:
        """Return the reported limits of these tenants, without those of a window that is over."""
        reported_at = CallBudgetRow.learned_at
        rows = await self._connection.execute(
            select(
                CallBudgetRow.tenant_id,
                case(
                    (reported_at > NOW - DAY, func.greatest(CallBudgetRow.day_remaining, 0))
                ).label("day"),
                case((reported_at > NOW - MINUTE, CallBudgetRow.minute_remaining)).label("minute"),
            ).where(CallBudgetRow.tenant_id.in_(tenant_ids))
        )
        return {row.tenant_id: Limits(row.day, row.minute) for row in rows}
