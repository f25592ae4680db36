"""The tables of events, of the endpoints that receive them, and of their deliveries."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Identity, Index, func, text
from sqlalchemy.orm import Mapped, mapped_column

from xero_service.store.base import Base


class EventRow(Base):
    """An event for other systems; `position` is its place in the order that pollers read."""

    __tablename__ = "events"
    __table_args__ = (
        Index("ix_events_org_id_position", "org_id", "position"),
        Index(
            "uq_events_source_key",
            "source_key",
            unique=True,
            postgresql_where=text("source_key IS NOT NULL"),
        ),
    )

    position: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    id: Mapped[UUID] = mapped_column(unique=True)
    occurred_at: Mapped[datetime]
    recorded_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())
    kind: Mapped[str]
    org_id: Mapped[str | None]  # null: for endpoints of all orgs only
    binding_id: Mapped[UUID | None]
    tenant_id: Mapped[str | None]
    data: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'::jsonb"))
    source_key: Mapped[str | None]  # of an event from outside, which may arrive several times


class EndpointRow(Base):
    """A URL that receives events; its circuit is open while `next_attempt_at` is ahead."""

    __tablename__ = "webhook_endpoints"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    url: Mapped[str]
    org_id: Mapped[str | None]  # null: all orgs
    kinds: Mapped[list[str]]  # empty: all kinds
    secret_enc: Mapped[str]
    previous_secret_enc: Mapped[str | None]
    previous_secret_until: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    disabled_at: Mapped[datetime | None]
    disabled_reason: Mapped[str | None]
    failures: Mapped[int] = mapped_column(server_default="0")  # in a row, of the endpoint
    next_attempt_at: Mapped[datetime | None]


class DeliveryRow(Base):
    """One event for one endpoint; deliveries of a `lane` (a binding) are made in order."""

    __tablename__ = "webhook_deliveries"
    __table_args__ = (
        CheckConstraint("state IN ('pending', 'delivered', 'parked')", name="state"),
        Index("ix_webhook_deliveries_event_position", "event_position"),
        Index(
            "ix_webhook_deliveries_lanes",
            "endpoint_id",
            "lane",
            "event_position",
            postgresql_where=text("state = 'pending'"),
        ),
    )

    # No foreign key: its check would lock the endpoint's row in every transaction with an event.
    endpoint_id: Mapped[UUID] = mapped_column(primary_key=True)
    event_position: Mapped[int] = mapped_column(
        ForeignKey("events.position", ondelete="CASCADE"), primary_key=True
    )
    lane: Mapped[UUID]
    state: Mapped[str] = mapped_column(server_default="pending")
    attempts: Mapped[int] = mapped_column(server_default="0")  # claimed; grows for ever
    failures: Mapped[int] = mapped_column(server_default="0")  # the step of the schedule
    next_attempt_at: Mapped[datetime] = mapped_column(server_default=func.now())
    claimed_until: Mapped[datetime | None]
    last_attempt_at: Mapped[datetime | None]
    last_status: Mapped[int | None]  # null: no answer
    last_answer: Mapped[str | None]


class XeroSequenceRow(Base):
    """How far Xero's webhooks have come; one row, whose lock lets one batch in after another."""

    __tablename__ = "xero_webhook_sequence"

    provider: Mapped[str] = mapped_column(primary_key=True)
    last_sequence: Mapped[int | None]  # null before the first event
    advanced_at: Mapped[datetime] = mapped_column(server_default=func.now())
