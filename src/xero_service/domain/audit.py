"""The audit log: its actions and its events."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Self
from uuid import UUID

from xero_service.domain.bindings import Binding
from xero_service.domain.principals import Actor


class AuditAction(StrEnum):
    """The stable code of what an audit event records."""

    CONNECT_STARTED = "connect.started"
    CONNECT_REFUSED = "connect.refused"
    GRANT_CONNECTED = "grant.connected"
    GRANT_SUPERSEDED = "grant.superseded"
    GRANT_REFRESHED = "grant.refreshed"
    GRANT_REFRESH_FAILED = "grant.refresh_failed"
    GRANT_UNUSED = "grant.unused"
    BINDING_SELECTED = "binding.selected"
    BINDING_SUSPENDED = "binding.suspended"
    BINDING_RESUMED = "binding.resumed"
    BINDING_ACCESS_LOST = "binding.access_lost"
    BINDING_RESTORED = "binding.restored"
    BINDING_DISCONNECTED = "binding.disconnected"
    REMOTE_REVOKE = "remote.revoke"
    REMOTE_DELETE_CONNECTION = "remote.delete_connection"
    TOKEN_ISSUED = "token.issued"
    ACCESS_DENIED = "access.denied"
    KEY_CREATED = "key.created"
    KEY_REVOKED = "key.revoked"
    WEBHOOK_CREATED = "webhook.created"
    WEBHOOK_ROTATED = "webhook.rotated"
    WEBHOOK_DISABLED = "webhook.disabled"
    WEBHOOK_ENABLED = "webhook.enabled"
    WEBHOOK_REDELIVERED = "webhook.redelivered"
    WEBHOOK_TESTED = "webhook.tested"
    VERDICTS_HELD = "verdicts.held"
    VERDICTS_RELEASED = "verdicts.released"
    DATABASE_RESTORED = "database.restored"


@dataclass(frozen=True, slots=True)
class AuditEvent:
    """An event of the append-only audit log: actor, action, outcome and objects."""

    actor: Actor
    action: AuditAction
    outcome: str = "ok"
    org_id: str | None = None
    binding_id: UUID | None = None
    grant_id: UUID | None = None
    tenant_id: str | None = None
    detail: dict[str, str | int | bool | None] = field(default_factory=dict)

    @classmethod
    def of_binding(
        cls, actor: Actor, action: AuditAction, binding: Binding, **detail: str | int | bool | None
    ) -> Self:
        """Return an event about a binding: its org, its grant and its tenant too."""
        return cls(
            actor,
            action,
            org_id=binding.org_id,
            binding_id=binding.id,
            grant_id=binding.grant_id,
            tenant_id=binding.tenant_id,
            detail=detail,
        )
