"""What the service still has to revoke or delete at Xero."""

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID


class CleanupKind(StrEnum):
    """The request to Xero that a remote cleanup makes."""

    REVOKE = "revoke"
    DELETE_CONNECTION = "delete_connection"


class CleanupOutcome(StrEnum):
    """How a remote cleanup ended."""

    DONE = "done"
    IMPOSSIBLE = "impossible"
    CANCELLED = "cancelled"


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
