"""The tables of notices: mails that were sent, unsubscribes, and the key of their hashes."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, func, text
from sqlalchemy.orm import Mapped, mapped_column

from xero_service.store.base import Base


class NoticeRow(Base):
    """What one person was told about one binding; a mail is due where `told` is out of date."""

    __tablename__ = "notices"

    binding_id: Mapped[UUID] = mapped_column(
        ForeignKey("integration_tenant_bindings.id", ondelete="CASCADE"), primary_key=True
    )
    recipient: Mapped[str] = mapped_column(primary_key=True)  # see domain.ClaimedNotice
    is_xero_user: Mapped[bool]
    told: Mapped[list[str]] = mapped_column(server_default=text("'{}'::text[]"))
    mailed_at: Mapped[datetime | None]
    attempts: Mapped[int] = mapped_column(server_default="0")  # claimed; grows for ever
    failures: Mapped[int] = mapped_column(server_default="0")  # the step of the schedule
    next_attempt_at: Mapped[datetime] = mapped_column(server_default=func.now())
    claimed_until: Mapped[datetime | None]


class UnsubscribeRow(Base):
    """An address, as its keyed hash, that gets no more mail of one kind."""

    __tablename__ = "notice_unsubscribes"

    address_hash: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(primary_key=True)
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())


class NoticeKeyRow(Base):
    """The one secret, sealed, from which the keys of hashes and links are derived."""

    __tablename__ = "notice_keys"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    secret_enc: Mapped[str]
