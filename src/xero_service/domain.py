"""Values and rules of the business, frozen and without I/O; the words: docs/design.md."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, overload
from uuid import UUID

from xero_service.errors import BindingSuspended, NotFound, ReauthorizationRequired

PROVIDER = "xero"
ORGANISATION = "ORGANISATION"
CONNECT_AGAIN = "Connect this organisation to Xero again."


class GrantStatus(StrEnum):
    """Whether a grant's tokens may be used."""

    ACTIVE = "active"
    REVOKED = "revoked"
    REFRESH_FAILED = "refresh_failed"


class BindingStatus(StrEnum):
    """Whether a binding may be used, and if not, who has to act."""

    ACTIVE = "active"
    SUSPENDED = "suspended"
    NEEDS_REAUTH = "needs_reauth"
    REVOKED = "revoked"


class HealthState(StrEnum):
    """A binding's health in one word, for the settings page."""

    HEALTHY = "healthy"
    EXPIRING = "expiring"
    RETRYING = "retrying"
    NEEDS_REAUTH = "needs_reauth"
    DISCONNECTED = "disconnected"


class Availability(StrEnum):
    """What an org can do with a tenant that its consent reached."""

    AVAILABLE = "available"
    BOUND_HERE = "bound_here"
    UNAVAILABLE = "unavailable"


class CleanupKind(StrEnum):
    """What we still owe Xero after a disconnect."""

    REVOKE = "revoke"
    DELETE_CONNECTION = "delete_connection"


class CleanupOutcome(StrEnum):
    """How an owed cleanup ended."""

    DONE = "done"
    IMPOSSIBLE = "impossible"
    CANCELLED = "cancelled"


class Role(StrEnum):
    """What a session user may do in the active org."""

    ADMIN = "admin"
    MEMBER = "member"


# --- Principals ---------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class SessionUser:
    """A person with a verified session; `org_id` is the active organisation, if any."""

    user_id: str
    org_id: str | None
    role: Role
    impersonator: str | None = None


class Scope(StrEnum):
    """What a service key may do."""

    BINDINGS_READ = "bindings:read"
    BINDINGS_WRITE = "bindings:write"
    TOKENS_READ = "tokens:read"
    API_CALL = "api:call"
    GRANTS_REFRESH = "grants:refresh"
    ACTIVITY_READ = "activity:read"


@dataclass(frozen=True, slots=True)
class ServiceKey:
    """The credential of an internal service, without its secret; no `org_id`: all orgs."""

    id: UUID
    name: str
    org_id: str | None
    scopes: frozenset[str]
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None
    last_used_at: datetime | None
    read_at: datetime

    @property
    def is_valid(self) -> bool:
        """Whether it was neither revoked nor has expired, by the database's clock."""
        return self.revoked_at is None and (
            self.expires_at is None or self.expires_at > self.read_at
        )


@dataclass(frozen=True, slots=True)
class Actor:
    """Who did something, as the audit log keeps it."""

    kind: str  # user | service | system
    id: str
    impersonator: str | None = None
    request_id: str | None = None
    source: str | None = None


SYSTEM = Actor(kind="system", id="xero-service")
OPERATOR_PREFIX = "operator:"  # of an actor's id; the user name follows, which customers never see


# --- Tokens and grants --------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class TokenSet:
    """What Xero's token endpoint gave; `expires_in` counts from before the request was sent."""

    access_token: str = field(repr=False)
    refresh_token: str = field(repr=False)
    expires_in: timedelta
    scopes: tuple[str, ...]
    id_token: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Consent:
    """A verified answer to a code exchange: the tokens and who consented at Xero."""

    tokens: TokenSet
    xero_user_id: str
    authentication_event_id: str | None
    xero_name: str | None = field(repr=False)
    xero_email: str | None = field(repr=False)
    issued_at: datetime | None = None  # by Xero's clock, to the second


@dataclass(frozen=True, slots=True)
class RefreshPolicy:
    """When tokens are renewed, and how long a refresh may hold its lease; defaults: `Settings`.

    The rules of freshness take datetimes, or a statement's columns with the database's clock as
    `now`: PostgreSQL and Python evaluate the same definition.
    """

    margin: timedelta
    refresh_token_max_age: timedelta
    lease: timedelta

    def is_inside_margin(self, expires_at: Any, *, now: Any) -> Any:
        """Whether an access token expires so soon that callers would have to wait."""
        return expires_at < now + self.margin

    def is_old(self, refresh_token_issued_at: Any, *, now: Any) -> Any:
        """Whether a refresh token has gone unused for so long that it is replaced."""
        return refresh_token_issued_at < now - self.refresh_token_max_age

    @property
    def deadline(self) -> timedelta:
        """How long after its claim a refresh may keep those who wait: less than its lease."""
        return self.lease * 5 / 6

    @property
    def attempt_stays_open(self) -> timedelta:
        """How long another holder's unanswered attempt forbids calling a grant dead."""
        return max(3 * self.lease, timedelta(seconds=60))


# Unused refresh tokens live 60 days; each rotation starts the count anew (facts §2.4).
REFRESH_TOKEN_LIFETIME = timedelta(days=60)


@dataclass(frozen=True, slots=True)
class Grant:
    """One Xero user's consent with its sealed token set, as read at `read_at`.

    `read_at` is the database's clock, the only one that freshness is judged by.
    """

    id: UUID
    org_id: str
    xero_user_id: str
    status: GrantStatus
    generation: int
    scopes: tuple[str, ...]
    access_token_enc: str | None = field(repr=False)
    refresh_token_enc: str | None = field(repr=False)
    refresh_token_issued_at: datetime
    expires_at: datetime
    lease_until: datetime | None
    refresh_sent_at: datetime | None
    refresh_failures: int
    next_refresh_at: datetime | None
    last_error: str | None
    read_at: datetime

    def require_active(self) -> None:
        """Raise ReauthorizationRequired unless its tokens may be used."""
        if self.status is not GrantStatus.ACTIVE:
            raise ReauthorizationRequired(CONNECT_AGAIN)

    def valid_for(self) -> timedelta:
        """How long the access token still works; negative once it expired."""
        return self.expires_at - self.read_at

    def needs_refresh(self, policy: RefreshPolicy) -> bool:
        """Whether the access token is inside the margin, or the refresh token is old."""
        return bool(
            policy.is_inside_margin(self.expires_at, now=self.read_at)
            or policy.is_old(self.refresh_token_issued_at, now=self.read_at)
        )

    def is_leased(self) -> bool:
        """Whether somebody held the lease when this was read."""
        return self.lease_until is not None and self.lease_until >= self.read_at

    def backs_off_for(self) -> timedelta:
        """How long to wait before Xero is asked again; zero or less: now."""
        if self.next_refresh_at is None:
            return timedelta()
        return self.next_refresh_at - self.read_at


@dataclass(frozen=True, slots=True)
class RefreshLease:
    """The right to spend a grant's refresh token: who, and on which generation."""

    grant: Grant
    holder: UUID
    claimed_at: datetime  # the database's clock, before anything was sent
    takes_over: bool = False  # an earlier attempt on this generation has no answer yet


# --- Tenants and bindings -----------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Connection:
    """Xero's own record that a Xero user linked a tenant to our app."""

    connection_id: str
    tenant_id: str
    tenant_type: str
    tenant_name: str
    auth_event_id: str | None
    created_at: datetime | None
    updated_at: datetime | None


@dataclass(frozen=True, slots=True)
class Connections(Sequence[Connection]):
    """What Xero lists for one Xero user: one connection per tenant, in no particular order.

    `ids` are those of every entry. `is_complete` is False where an entry could not be read: then
    a tenant that is absent has not been shown to be disconnected.
    """

    listed: tuple[Connection, ...]
    ids: frozenset[str]
    is_complete: bool

    @overload
    def __getitem__(self, index: int) -> Connection: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[Connection, ...]: ...
    def __getitem__(self, index: int | slice) -> Connection | tuple[Connection, ...]:
        """Return one connection, or some."""
        return self.listed[index]

    def __len__(self) -> int:
        """Return how many tenants are connected."""
        return len(self.listed)


@dataclass(frozen=True, slots=True)
class Authorisation:
    """One consent by an org: who started it and what it reached.

    `tenant_ids` is None until Xero was asked. Where no connection carried the consent's event
    (all were connected before), `matched_event` is False and only the session user who
    consented may choose among `tenant_ids` (design: rule 2).
    """

    id: UUID
    grant_id: UUID
    org_id: str
    user_id: str
    event_id: str | None
    tenant_ids: tuple[str, ...] | None
    matched_event: bool
    used: bool

    def offers_to(self, user_id: str) -> frozenset[str]:
        """The tenants that this consent lets `user_id` list and select.

        Others of the org join in once the user who consented made the first selection, and
        never where the consent carried no event of its own.
        """
        if self.tenant_ids is None:
            return frozenset()
        if user_id == self.user_id or (self.matched_event and self.used):
            return frozenset(self.tenant_ids)
        return frozenset()


@dataclass(frozen=True, slots=True)
class Consenter:
    """This org's own session user and the Xero user behind a binding's grant."""

    user_id: str
    xero_name: str | None = field(repr=False)
    xero_email: str | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class Binding:
    """One tenant linked to one org, resting on a grant."""

    id: UUID
    org_id: str
    tenant_id: str
    tenant_name: str
    tenant_type: str
    connection_id: str | None
    grant_id: UUID
    status: BindingStatus
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class BoundGrant:
    """A binding together with the grant it rests on; `last_used_at`: of the grant."""

    binding: Binding
    grant: Grant
    last_used_at: datetime | None

    def require_usable(self) -> None:
        """Raise unless calls may be made for this binding: the one rule of every way to a token.

        Raises NotFound for a revoked binding, BindingSuspended, or ReauthorizationRequired.
        """
        if self.binding.status is BindingStatus.REVOKED:
            raise NotFound
        if self.binding.status is BindingStatus.SUSPENDED:
            raise BindingSuspended("An operator suspended this connection.")
        if self.binding.status is BindingStatus.NEEDS_REAUTH:
            raise ReauthorizationRequired(CONNECT_AGAIN)
        self.grant.require_active()


@dataclass(frozen=True, slots=True)
class Health:
    """A binding's token health, computed from its grant."""

    state: HealthState
    access_token_expires_at: datetime | None
    refresh_token_expires_at: datetime | None
    last_refreshed_at: datetime | None
    last_error: str | None


def health(binding: Binding, grant: Grant, policy: RefreshPolicy) -> Health:
    """Say in one word how a binding does; its status comes before its tokens."""
    if binding.status is BindingStatus.REVOKED:
        return Health(HealthState.DISCONNECTED, None, None, None, None)
    return Health(
        state=_state(binding, grant, policy),
        access_token_expires_at=grant.expires_at,
        refresh_token_expires_at=grant.refresh_token_issued_at + REFRESH_TOKEN_LIFETIME,
        last_refreshed_at=grant.refresh_token_issued_at,
        last_error=grant.last_error,
    )


def _state(binding: Binding, grant: Grant, policy: RefreshPolicy) -> HealthState:
    if binding.status is BindingStatus.NEEDS_REAUTH or grant.status is not GrantStatus.ACTIVE:
        return HealthState.NEEDS_REAUTH
    if grant.refresh_failures > 0:
        return HealthState.RETRYING
    if policy.is_old(grant.refresh_token_issued_at, now=grant.read_at):
        return HealthState.EXPIRING
    return HealthState.HEALTHY


@dataclass(frozen=True, slots=True)
class Limits:
    """What is left of Xero's limits for a tenant, as Xero last said; None where unknown."""

    day_remaining: int | None = None
    minute_remaining: int | None = None


@dataclass(frozen=True, slots=True)
class Cleanup:
    """Something still owed to Xero after a disconnect."""

    id: UUID
    kind: CleanupKind
    org_id: str
    grant_id: UUID
    xero_user_id: str
    tenant_id: str | None
    connection_id: str | None
    attempts: int
    outcome: CleanupOutcome | None


class AuditAction(StrEnum):
    """What an audit event records, as a stable code."""

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


@dataclass(frozen=True, slots=True)
class AuditEvent:
    """One line of the append-only record: who, what, with which outcome."""

    actor: Actor
    action: AuditAction
    outcome: str = "ok"
    org_id: str | None = None
    binding_id: UUID | None = None
    grant_id: UUID | None = None
    tenant_id: str | None = None
    detail: dict[str, str | int | bool | None] = field(default_factory=dict)
