"""Domain types and rules, immutable and without I/O; glossary: docs/design.md."""

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
    """Whether a binding may be used, and why not."""

    ACTIVE = "active"
    SUSPENDED = "suspended"
    NEEDS_REAUTH = "needs_reauth"
    REVOKED = "revoked"


class HealthState(StrEnum):
    """A binding's health, for the settings page."""

    HEALTHY = "healthy"
    EXPIRING = "expiring"
    RETRYING = "retrying"
    NEEDS_REAUTH = "needs_reauth"
    DISCONNECTED = "disconnected"


class Availability(StrEnum):
    """Whether an org can bind a tenant that its consent reached."""

    AVAILABLE = "available"
    BOUND_HERE = "bound_here"
    UNAVAILABLE = "unavailable"


class CleanupKind(StrEnum):
    """The request to Xero that a remote cleanup makes."""

    REVOKE = "revoke"
    DELETE_CONNECTION = "delete_connection"


class CleanupOutcome(StrEnum):
    """How a remote cleanup ended."""

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
        """Whether the key is neither revoked nor expired, by the database's clock."""
        return self.revoked_at is None and (
            self.expires_at is None or self.expires_at > self.read_at
        )


@dataclass(frozen=True, slots=True)
class Actor:
    """The principal of an audit event: a user, a service key or the system."""

    kind: str  # user | service | system
    id: str
    impersonator: str | None = None
    request_id: str | None = None
    source: str | None = None


SYSTEM = Actor(kind="system", id="xero-service")
OPERATOR_PREFIX = "operator:"  # of an actor's id, before the user name, which customers never see


# --- Tokens and grants --------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class TokenSet:
    """A response of Xero's token endpoint; `expires_in` counts from before the request was sent."""

    access_token: str = field(repr=False)
    refresh_token: str = field(repr=False)
    expires_in: timedelta
    scopes: tuple[str, ...]
    id_token: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Consent:
    """The verified result of a code exchange: the tokens and the Xero user who consented."""

    tokens: TokenSet
    xero_user_id: str
    authentication_event_id: str | None
    xero_name: str | None = field(repr=False)
    xero_email: str | None = field(repr=False)
    issued_at: datetime | None = None  # by Xero's clock, to the second


@dataclass(frozen=True, slots=True)
class RefreshPolicy:
    """When tokens are refreshed, and how long a refresh may hold its lease; defaults: `Settings`.

    `is_inside_margin` and `is_old` take datetimes, or columns of a statement with the database's
    clock as `now`: Python and PostgreSQL evaluate one definition.
    """

    margin: timedelta
    refresh_token_max_age: timedelta
    lease: timedelta

    def is_inside_margin(self, expires_at: Any, *, now: Any) -> Any:
        """Whether an access token expires so soon that callers would have to wait."""
        return expires_at < now + self.margin

    def is_old(self, refresh_token_issued_at: Any, *, now: Any) -> Any:
        """Whether a refresh token has been unused for longer than its maximum age."""
        return refresh_token_issued_at < now - self.refresh_token_max_age

    @property
    def deadline(self) -> timedelta:
        """How long after the claim callers wait for a refresh: less than its lease."""
        return self.lease * 5 / 6

    @property
    def attempt_stays_open(self) -> timedelta:
        """How long another holder's unanswered attempt prevents a grant from being marked dead."""
        return max(3 * self.lease, timedelta(seconds=60))


# A refresh token expires 60 days after the rotation that issued it (facts §2.4).
REFRESH_TOKEN_LIFETIME = timedelta(days=60)


@dataclass(frozen=True, slots=True)
class Grant:
    """One Xero user's consent with its sealed token set, as read at `read_at`.

    `read_at` is the time of the read by the database's clock, which decides freshness.
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
        """Raise ReauthorizationRequired unless the grant is active."""
        if self.status is not GrantStatus.ACTIVE:
            raise ReauthorizationRequired(CONNECT_AGAIN)

    def valid_for(self) -> timedelta:
        """Return the remaining lifetime of the access token; negative once it has expired."""
        return self.expires_at - self.read_at

    def needs_refresh(self, policy: RefreshPolicy) -> bool:
        """Whether the access token is inside the margin, or the refresh token is old."""
        return bool(
            policy.is_inside_margin(self.expires_at, now=self.read_at)
            or policy.is_old(self.refresh_token_issued_at, now=self.read_at)
        )

    def is_leased(self) -> bool:
        """Whether the lease was held when the grant was read."""
        return self.lease_until is not None and self.lease_until >= self.read_at

    def backs_off_for(self) -> timedelta:
        """Return the time until the next refresh is allowed; zero or less: now."""
        if self.next_refresh_at is None:
            return timedelta()
        return self.next_refresh_at - self.read_at


@dataclass(frozen=True, slots=True)
class RefreshLease:
    """The right of a holder to spend the refresh token of a grant's generation."""

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

    `ids` are the connection ids of all entries. `is_complete` is False if an entry could not be
    parsed: then absence from the list does not prove that a tenant is disconnected.
    """

    listed: tuple[Connection, ...]
    ids: frozenset[str]
    is_complete: bool

    @overload
    def __getitem__(self, index: int) -> Connection: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[Connection, ...]: ...
    def __getitem__(self, index: int | slice) -> Connection | tuple[Connection, ...]:
        """Return the connection at an index, or a slice."""
        return self.listed[index]

    def __len__(self) -> int:
        """Return how many tenants are connected."""
        return len(self.listed)


@dataclass(frozen=True, slots=True)
class Authorisation:
    """One consent by an org: who started it and what it reached.

    `tenant_ids` is None until the connections are fetched. If no connection carries the consent's
    event (all were connected before), `matched_event` is False and only the session user who
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
        """Return the tenants of this consent that `user_id` may list and select.

        Other users of the org may do so after the first selection by the user who consented, and
        never if no connection carries the consent's event.
        """
        if self.tenant_ids is None:
            return frozenset()
        if user_id == self.user_id or (self.matched_event and self.used):
            return frozenset(self.tenant_ids)
        return frozenset()


@dataclass(frozen=True, slots=True)
class Consenter:
    """The org's session user who connected a binding, and the Xero user of its grant."""

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
    """A binding and the grant that it rests on; `last_used_at`: of the grant."""

    binding: Binding
    grant: Grant
    last_used_at: datetime | None

    def require_usable(self) -> None:
        """Raise unless the binding may be used; every use of its token checks this.

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
    """Return the health of a binding; its status takes precedence over its tokens."""
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
    """The remaining calls within Xero's limits for a tenant, as last reported; None: unknown."""

    day_remaining: int | None = None
    minute_remaining: int | None = None


@dataclass(frozen=True, slots=True)
class Cleanup:
    """A remote cleanup: a revocation or deletion that Xero must confirm."""

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
