"""A grant: one Xero user's consent with its token set, and the lease on its refresh token."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from xero_service.domain.refresh_policy import RefreshPolicy
from xero_service.errors import ReauthorizationRequired

PROVIDER = "xero"
CONNECT_AGAIN = "Connect this organisation to Xero again."


class GrantStatus(StrEnum):
    """Whether a grant's tokens may be used."""

    ACTIVE = "active"
    REVOKED = "revoked"
    REFRESH_FAILED = "refresh_failed"


@dataclass(frozen=True, slots=True)
class TokenSet:
    """A response of Xero's token endpoint; `expires_in` counts from before the request was sent."""

    access_token: str = field(repr=False)
    refresh_token: str = field(repr=False)
    expires_in: timedelta
    scopes: tuple[str, ...]
    id_token: str | None = field(default=None, repr=False)


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
    verdict_held_at: datetime | None  # since when Xero refuses it and nobody is told
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
