"""When tokens are refreshed: the margin, the age of a refresh token, the lease."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from xero_service.timeouts import LONGEST_REFRESH_BACKOFF

# A refresh token expires 60 days after the rotation that issued it (facts §2.4).
REFRESH_TOKEN_LIFETIME = timedelta(days=60)


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

    def backoff(self, failures: int, *, fraction: float) -> timedelta:
        """Return the wait before the next refresh, after `failures` that went before this one.

        `fraction`, from 0 to 1, is drawn by the caller: full jitter over a range that doubles, so
        that a thousand grants that fail together do not retry together.
        """
        ceiling = min(2.0 ** min(failures + 1, 10), LONGEST_REFRESH_BACKOFF.total_seconds())
        return timedelta(seconds=1 + fraction * (ceiling - 1))

    @property
    def deadline(self) -> timedelta:
        """How long after the claim callers wait for a refresh: less than its lease."""
        return self.lease * 5 / 6

    @property
    def attempt_stays_open(self) -> timedelta:
        """How long another holder's unanswered attempt prevents a grant from being marked dead."""
        return max(3 * self.lease, timedelta(seconds=60))
