"""A binding: one tenant linked to one org, and whether it may be used."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from xero_service.domain.grants import CONNECT_AGAIN, Grant
from xero_service.errors import BindingSuspended, NotFound, ReauthorizationRequired


class BindingStatus(StrEnum):
    """Whether a binding may be used, and why not."""

    ACTIVE = "active"
    SUSPENDED = "suspended"
    NEEDS_REAUTH = "needs_reauth"
    REVOKED = "revoked"


class Availability(StrEnum):
    """Whether an org can bind a tenant that its consent reached."""

    AVAILABLE = "available"
    BOUND_HERE = "bound_here"
    UNAVAILABLE = "unavailable"


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
    last_checked_at: datetime | None


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
