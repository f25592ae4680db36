"""Who calls: session users, service keys, and the actor of an audit event."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID


class Role(StrEnum):
    """What a session user may do in the active org."""

    ADMIN = "admin"
    MEMBER = "member"


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
    EVENTS_READ = "events:read"


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
