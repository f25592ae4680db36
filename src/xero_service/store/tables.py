"""The tables (docs/design.md, "Data"), as SQLAlchemy declares them; migrations create them."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    ForeignKey,
    Identity,
    Index,
    UniqueConstraint,
    false,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, TIMESTAMP
from sqlalchemy.orm import Mapped, mapped_column

from xero_service.store.base import Base as Base
from xero_service.store.event_tables import DeliveryRow as DeliveryRow
from xero_service.store.event_tables import EndpointRow as EndpointRow
from xero_service.store.event_tables import EventRow as EventRow
from xero_service.store.event_tables import XeroSequenceRow as XeroSequenceRow
from xero_service.store.notice_tables import NoticeKeyRow as NoticeKeyRow
from xero_service.store.notice_tables import NoticeRow as NoticeRow
from xero_service.store.notice_tables import UnsubscribeRow as UnsubscribeRow
from xero_service.store.restore_tables import DatabaseMarkRow as DatabaseMarkRow
from xero_service.store.restore_tables import VerdictHoldRow as VerdictHoldRow


class GrantRow(Base):
    """One Xero user's consent and its token set, sealed; null once erased."""

    __tablename__ = "integration_grants"
    __table_args__ = (
        CheckConstraint("status IN ('active', 'revoked', 'refresh_failed')", name="status"),
        Index(
            "uq_integration_grants_one_active",
            "provider",
            "xero_user_id",
            unique=True,
            postgresql_where=text("status = 'active'"),
        ),
        Index("ix_integration_grants_superseded_by", "superseded_by"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    authorised_by_clerk_user_id: Mapped[str]
    clerk_org_id: Mapped[str] = mapped_column(index=True)
    provider: Mapped[str] = mapped_column(server_default="xero")
    access_token_enc: Mapped[str | None]
    refresh_token_enc: Mapped[str | None]
    refresh_token_issued_at: Mapped[datetime]
    expires_at: Mapped[datetime] = mapped_column(index=True)
    status: Mapped[str] = mapped_column(server_default="active")
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now())
    last_used_at: Mapped[datetime | None]
    xero_user_id: Mapped[str]
    scopes: Mapped[list[str]]
    generation: Mapped[int] = mapped_column(server_default="1")
    lease_holder: Mapped[UUID | None]
    lease_until: Mapped[datetime | None]
    refresh_sent_at: Mapped[datetime | None]
    refresh_sent_by: Mapped[UUID | None]
    refresh_failures: Mapped[int] = mapped_column(server_default="0")
    next_refresh_at: Mapped[datetime | None]
    last_error: Mapped[str | None]
    superseded_by: Mapped[UUID | None] = mapped_column(ForeignKey("integration_grants.id"))
    picked_at: Mapped[datetime | None]
    doubted_at: Mapped[datetime | None]
    doubted_generation: Mapped[int | None]
    refresh_failing_since: Mapped[datetime | None]
    check_claimed_at: Mapped[datetime | None]
    verdict_held_at: Mapped[datetime | None]


class BindingRow(Base):
    """One tenant linked to one org."""

    __tablename__ = "integration_tenant_bindings"
    __table_args__ = (
        CheckConstraint(
            "status IN ('active', 'suspended', 'revoked', 'needs_reauth')", name="status"
        ),
        UniqueConstraint("provider", "external_tenant_id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    clerk_org_id: Mapped[str] = mapped_column(index=True)
    provider: Mapped[str] = mapped_column(server_default="xero")
    external_tenant_id: Mapped[str]
    external_tenant_name: Mapped[str]
    active_grant_id: Mapped[UUID] = mapped_column(ForeignKey("integration_grants.id"), index=True)
    status: Mapped[str] = mapped_column(server_default="active")
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now())
    connection_id: Mapped[str | None]
    tenant_type: Mapped[str] = mapped_column(server_default="ORGANISATION")
    last_checked_at: Mapped[datetime | None]
    expiring_since: Mapped[datetime | None]  # see store/binding_warnings.py
    missing_scopes: Mapped[list[str] | None]
    suspended_at: Mapped[
        datetime | None
    ]  # written by the previous release only; see SuspendedTenantRow


class SuspendedTenantRow(Base):
    """A tenant that an operator suspended, for every org that binds it, until it is resumed."""

    __tablename__ = "suspended_tenants"

    provider: Mapped[str] = mapped_column(primary_key=True)
    external_tenant_id: Mapped[str] = mapped_column(primary_key=True)
    suspended_at: Mapped[datetime] = mapped_column(server_default=func.now())
    binding_id: Mapped[UUID | None]  # the binding that was suspended; its row may be deleted


class AuthorisationRow(Base):
    """One consent by an org: who started it, which tenants it reached, who consented."""

    __tablename__ = "grant_authorisations"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    grant_id: Mapped[UUID] = mapped_column(ForeignKey("integration_grants.id"), index=True)
    clerk_org_id: Mapped[str] = mapped_column(index=True)
    clerk_user_id: Mapped[str]
    authentication_event_id: Mapped[str | None]
    tenant_ids: Mapped[list[str] | None]
    matched_event: Mapped[bool] = mapped_column(Boolean, server_default=false())
    first_selected_at: Mapped[datetime | None]
    consenter_enc: Mapped[str | None]
    created_at: Mapped[datetime]
    issued_at: Mapped[datetime | None]  # by Xero's clock


class CleanupRow(Base):
    """A revocation or deletion that Xero must confirm after a disconnect."""

    __tablename__ = "remote_cleanups"
    __table_args__ = (
        CheckConstraint("kind IN ('revoke', 'delete_connection')", name="kind"),
        CheckConstraint("outcome IN ('done', 'impossible', 'cancelled')", name="outcome"),
        Index(
            "ix_remote_cleanups_owed", "next_attempt_at", postgresql_where=text("done_at IS NULL")
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    kind: Mapped[str]
    org_id: Mapped[str]
    grant_id: Mapped[UUID] = mapped_column(ForeignKey("integration_grants.id"), index=True)
    binding_id: Mapped[UUID | None] = mapped_column(index=True)
    xero_user_id: Mapped[str] = mapped_column(index=True)
    tenant_id: Mapped[str | None]
    connection_id: Mapped[str | None]
    attempts: Mapped[int] = mapped_column(server_default="0")
    next_attempt_at: Mapped[datetime] = mapped_column(server_default=func.now())
    outcome: Mapped[str | None]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    done_at: Mapped[datetime | None]


class VerificationTokenRow(Base):
    """One authorisation attempt: hashed nonce, sealed payload until consumed, then its result."""

    __tablename__ = "verification_tokens"

    identifier: Mapped[str] = mapped_column(primary_key=True)
    token: Mapped[str | None]
    browser_hash: Mapped[str]
    expires: Mapped[datetime] = mapped_column(index=True)
    consumed_at: Mapped[datetime | None]
    landing: Mapped[str | None]
    grant_id: Mapped[UUID | None]


class AuditEventRow(Base):
    """One event of the append-only log: the database refuses UPDATE, DELETE and TRUNCATE."""

    __tablename__ = "audit_events"
    __table_args__ = (
        Index("ix_audit_events_org_id_id", "org_id", "id"),
        Index("ix_audit_events_occurred_at", "occurred_at"),
        Index(
            "uq_audit_events_token_issued",
            "actor_id",
            "binding_id",
            "grant_id",
            text("(detail ->> 'generation')"),
            text("coalesce(source, '')"),
            unique=True,
            postgresql_where=text("action = 'token.issued'"),
        ),
    )

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    occurred_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())
    org_id: Mapped[str | None]
    actor_kind: Mapped[str]
    actor_id: Mapped[str]
    action: Mapped[str]
    outcome: Mapped[str]
    binding_id: Mapped[UUID | None]
    grant_id: Mapped[UUID | None]
    tenant_id: Mapped[str | None]
    request_id: Mapped[str | None]
    source: Mapped[str | None]
    detail: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'::jsonb"))


class ServiceKeyRow(Base):
    """The credential of an internal service: only the secret's hash is kept."""

    __tablename__ = "service_keys"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    name: Mapped[str]
    secret_hash: Mapped[str] = mapped_column(unique=True)
    org_id: Mapped[str | None]  # null: all orgs
    scopes: Mapped[list[str]]
    expires_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]
    last_used_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())


class LeaseRow(Base):
    """A named lease that one process holds at a time; the only name today is the code exchange."""

    __tablename__ = "leases"

    name: Mapped[str] = mapped_column(primary_key=True)
    holder: Mapped[UUID | None]
    lease_until: Mapped[datetime | None]


class CallBudgetRow(Base):
    """The rate limiter's state of one tenant, shared by all replicas.

    Unlogged: the write-ahead log would make each proxied call wait for the disk.
    """

    __tablename__ = "call_budgets"
    __table_args__ = {"prefixes": ["UNLOGGED"]}  # noqa: RUF012 - SQLAlchemy reads it as declared

    tenant_id: Mapped[str] = mapped_column(primary_key=True)
    recent_calls: Mapped[list[datetime]] = mapped_column(
        ARRAY(TIMESTAMP(timezone=True)), server_default=text("'{}'::timestamptz[]")
    )
    slots: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'::jsonb"))
    cool_down_until: Mapped[datetime | None]
    day_remaining: Mapped[int | None]
    minute_remaining: Mapped[int | None]
    learned_at: Mapped[datetime | None]


class ReplicaRow(Base):
    """A process of the service, from its first announcement until it stops or falls silent."""

    __tablename__ = "replicas"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    host: Mapped[str]
    version: Mapped[str]
    code: Mapped[str]
    started_at: Mapped[datetime] = mapped_column(server_default=func.now())
    seen_at: Mapped[datetime] = mapped_column(server_default=func.now())
