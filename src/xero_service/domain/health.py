"""The token health of a binding, for the settings page."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from xero_service.domain.bindings import Binding, BindingStatus
from xero_service.domain.grants import Grant, GrantStatus
from xero_service.domain.refresh_policy import REFRESH_TOKEN_LIFETIME, RefreshPolicy


class HealthState(StrEnum):
    """A binding's health, for the settings page."""

    HEALTHY = "healthy"
    EXPIRING = "expiring"
    RETRYING = "retrying"
    NEEDS_REAUTH = "needs_reauth"
    DISCONNECTED = "disconnected"


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
