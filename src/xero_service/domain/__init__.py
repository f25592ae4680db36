"""Domain types and rules, immutable and without I/O; glossary: docs/design.md."""

from xero_service.domain.audit import AuditAction, AuditEvent
from xero_service.domain.bindings import Availability, Binding, BindingStatus, BoundGrant
from xero_service.domain.connections import ORGANISATION, Connection, Connections, Limits
from xero_service.domain.consents import Authorisation, Consent, Consenter, PendingConsent
from xero_service.domain.database_marks import (
    AuditPosition,
    DatabaseIdentity,
    DatabaseMark,
    RenewalProgress,
)
from xero_service.domain.events import (
    Event,
    EventCursor,
    EventKind,
    StoredEvent,
    binding_event,
    change_events,
    check_kind,
)
from xero_service.domain.grants import (
    CONNECT_AGAIN,
    PROVIDER,
    Grant,
    GrantStatus,
    RefreshLease,
    TokenSet,
)
from xero_service.domain.health import Health, HealthState, health
from xero_service.domain.notices import PAUSE_AFTER_NOTICE, ClaimedNotice, NoticeKind
from xero_service.domain.permissions import Permissions
from xero_service.domain.principals import (
    OPERATOR_PREFIX,
    SYSTEM,
    Actor,
    Role,
    Scope,
    ServiceKey,
    SessionUser,
)
from xero_service.domain.refresh_policy import REFRESH_TOKEN_LIFETIME, RefreshPolicy
from xero_service.domain.remote_cleanups import Cleanup, CleanupKind, CleanupOutcome
from xero_service.domain.verdicts import HoldReason, Verdict, VerdictHold, retry_after_refusal
from xero_service.domain.webhooks import (
    AT_ONCE_PER_ENDPOINT,
    RETRY_AFTER,
    SECRETS_OVERLAP,
    ClaimedDelivery,
    Delivery,
    DeliveryState,
    Endpoint,
)
from xero_service.domain.xero_webhooks import XeroBatch, XeroEvent, parse_batch

__all__ = [
    "AT_ONCE_PER_ENDPOINT",
    "CONNECT_AGAIN",
    "OPERATOR_PREFIX",
    "ORGANISATION",
    "PAUSE_AFTER_NOTICE",
    "PROVIDER",
    "REFRESH_TOKEN_LIFETIME",
    "RETRY_AFTER",
    "SECRETS_OVERLAP",
    "SYSTEM",
    "Actor",
    "AuditAction",
    "AuditEvent",
    "AuditPosition",
    "Authorisation",
    "Availability",
    "Binding",
    "BindingStatus",
    "BoundGrant",
    "ClaimedDelivery",
    "ClaimedNotice",
    "Cleanup",
    "CleanupKind",
    "CleanupOutcome",
    "Connection",
    "Connections",
    "Consent",
    "Consenter",
    "DatabaseIdentity",
    "DatabaseMark",
    "Delivery",
    "DeliveryState",
    "Endpoint",
    "Event",
    "EventCursor",
    "EventKind",
    "Grant",
    "GrantStatus",
    "Health",
    "HealthState",
    "HoldReason",
    "Limits",
    "NoticeKind",
    "PendingConsent",
    "Permissions",
    "RefreshLease",
    "RefreshPolicy",
    "RenewalProgress",
    "Role",
    "Scope",
    "ServiceKey",
    "SessionUser",
    "StoredEvent",
    "TokenSet",
    "Verdict",
    "VerdictHold",
    "XeroBatch",
    "XeroEvent",
    "binding_event",
    "change_events",
    "check_kind",
    "health",
    "parse_batch",
    "retry_after_refusal",
]
