"""The tables that protect grants after the database went back; one row each."""

from datetime import datetime

from sqlalchemy import CheckConstraint, text
from sqlalchemy.dialects.postgresql import ARRAY, TIMESTAMP
from sqlalchemy.orm import Mapped, mapped_column

from xero_service.store.base import Base


class VerdictHoldRow(Base):
    """Whether verdicts are held; its lock serializes all verdicts, over all replicas."""

    __tablename__ = "verdict_hold"
    __table_args__ = (
        CheckConstraint("reason IN ('many_refused', 'database_restored')", name="reason"),
    )

    provider: Mapped[str] = mapped_column(primary_key=True)
    held_since: Mapped[datetime | None]  # null: no hold
    reason: Mapped[str | None]
    released_at: Mapped[datetime | None]
    ended_at: Mapped[list[datetime]] = mapped_column(  # the grants that ended lately
        ARRAY(TIMESTAMP(timezone=True)), server_default=text("'{}'::timestamptz[]")
    )


class DatabaseMarkRow(Base):
    """Which database, and which timeline of it, the service last used."""

    __tablename__ = "database_mark"

    provider: Mapped[str] = mapped_column(primary_key=True)
    system_identifier: Mapped[str | None]
    timeline: Mapped[int | None]
    restored_at: Mapped[datetime | None]  # when it was noticed that the database went back
    renew_issued_before: Mapped[datetime | None]  # refresh tokens issued before are due
