"""The hold on verdicts, which are decided one at a time over all replicas."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from xero_service.domain import PROVIDER, GrantStatus, HoldReason, VerdictHold
from xero_service.domain.verdicts import COUNTED_AT_MOST
from xero_service.store.grants import NOW, READ_AT
from xero_service.store.rows import AnyRow
from xero_service.store.tables import GrantRow, VerdictHoldRow

_COLUMNS = (
    VerdictHoldRow.held_since,
    VerdictHoldRow.reason,
    VerdictHoldRow.released_at,
    VerdictHoldRow.ended_at,
    READ_AT,
)


class VerdictHolds:
    """The table `verdict_hold`."""

    def __init__(self, connection: AsyncConnection) -> None:
        """Work inside the caller's transaction."""
        self._connection = connection

    async def lock(self) -> VerdictHold:
        """Return the hold, locked until the transaction ends.

        To be locked before any grant, the same order everywhere.
        """
        own_row = insert(VerdictHoldRow).values(provider=PROVIDER)
        found = await self._connection.execute(
            # An update that changes nothing returns and locks the row, also another replica's.
            own_row.on_conflict_do_update(
                index_elements=[VerdictHoldRow.provider], set_={"provider": PROVIDER}
            ).returning(*_COLUMNS)
        )
        return _to_hold(found.one())

    async def read(self) -> VerdictHold | None:
        """Return the hold without locking it; None before the first verdict."""
        row = (await self._connection.execute(select(*_COLUMNS))).one_or_none()
        return _to_hold(row) if row else None

    async def count_active_grants(self) -> int:
        """Return the number of active grants, counted no further than `COUNTED_AT_MOST`."""
        some = (
            select(GrantRow.id)
            .where(GrantRow.status == GrantStatus.ACTIVE)
            .limit(COUNTED_AT_MOST)
            .subquery()
        )
        return int(await self._connection.scalar(select(func.count()).select_from(some)) or 0)

    async def record_end(self, hold: VerdictHold) -> None:
        """Count the end of a grant; within the hour after a release none is counted."""
        if not hold.was_released:
            await self._save(ended_at=[*hold.recent_ends, hold.read_at])

    async def begin(self, reason: HoldReason) -> None:
        """Hold verdicts from now on; a hold that stands keeps its time and takes the reason."""
        await self._save(
            held_since=func.coalesce(VerdictHoldRow.held_since, NOW), reason=reason, ended_at=[]
        )

    async def release(self) -> None:
        """End the hold."""
        await self._save(held_since=None, reason=None, released_at=NOW, ended_at=[])

    async def _save(self, *, ended_at: Sequence[datetime], **values: Any) -> None:
        await self._connection.execute(
            update(VerdictHoldRow)
            .where(VerdictHoldRow.provider == PROVIDER)
            .values(ended_at=list(ended_at), **values)
        )


def _to_hold(row: AnyRow) -> VerdictHold:
    return VerdictHold(
        held_since=row.held_since,
        reason=HoldReason(row.reason) if row.reason else None,
        released_at=row.released_at,
        ended_at=tuple(row.ended_at),
        read_at=row.read_at,
    )
