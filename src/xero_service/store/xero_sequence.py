"""The sequence number of Xero's newest webhook event: one row for our app at Xero."""

from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from xero_service.domain import PROVIDER
from xero_service.store.grants import NOW
from xero_service.store.tables import XeroSequenceRow

STALE_AFTER = timedelta(hours=24)  # how long Xero repeats a webhook (facts §9)


@dataclass(frozen=True, slots=True)
class SequenceProgress:
    """The highest number received, None before the first; `is_stale`: unchanged for a day."""

    last: int | None
    is_stale: bool


class XeroSequence:
    """The table `xero_webhook_sequence`."""

    def __init__(self, connection: AsyncConnection) -> None:
        """Work inside the caller's transaction."""
        self._connection = connection

    async def lock(self) -> SequenceProgress:
        """Return the progress, locked until the transaction ends."""
        own_row = insert(XeroSequenceRow).values(provider=PROVIDER)
        found = await self._connection.execute(
            # An update that changes nothing returns and locks the row, also another replica's.
            own_row.on_conflict_do_update(
                index_elements=[XeroSequenceRow.provider], set_={"provider": PROVIDER}
            ).returning(
                XeroSequenceRow.last_sequence,
                (XeroSequenceRow.advanced_at < NOW - STALE_AFTER).label("is_stale"),
            )
        )
        row = found.one()
        return SequenceProgress(row.last_sequence, row.is_stale)

    async def save(self, last: int) -> None:
        """Store the highest number received."""
        await self._connection.execute(
            update(XeroSequenceRow)
            .where(XeroSequenceRow.provider == PROVIDER)
            .values(last_sequence=last, advanced_at=NOW)
        )
