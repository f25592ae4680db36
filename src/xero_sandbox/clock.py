"""The adjustable clock of the Xero side: token lifetimes and rate limit windows follow it."""

import time
from datetime import UTC, datetime


class Clock:
    """Real time plus an offset. While frozen, only `advance` moves it."""

    def __init__(self) -> None:
        self.offset = 0.0
        self._frozen_at: float | None = None

    def now(self) -> float:
        """Return the seconds since the epoch by this clock."""
        return (time.time() if self._frozen_at is None else self._frozen_at) + self.offset

    @property
    def frozen(self) -> bool:
        """Whether the clock is stopped."""
        return self._frozen_at is not None

    def advance(self, seconds: float) -> None:
        """Move the clock forward, or back if `seconds` is negative."""
        self.offset += seconds

    def freeze(self) -> None:
        """Stop the clock, so that a test can check a boundary to the second."""
        if self._frozen_at is None:
            self._frozen_at = time.time()

    def thaw(self) -> None:
        """Start the clock again and keep the offset."""
        self._frozen_at = None

    def reset(self) -> None:
        """Return to real time."""
        self.offset = 0.0
        self._frozen_at = None


def to_datetime(seconds: float) -> datetime:
    """Convert seconds since the epoch to an aware datetime in UTC."""
    return datetime.fromtimestamp(seconds, UTC)
