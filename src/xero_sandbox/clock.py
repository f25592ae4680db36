"""The one clock that decides every time on the Xero side."""

import time
from datetime import UTC, datetime


class Clock:
    """Real time plus an offset; frozen, it moves only when told to."""

    def __init__(self) -> None:
        self.offset = 0.0
        self._frozen_at: float | None = None

    def now(self) -> float:
        """Seconds since the epoch, as Xero would see them."""
        return (time.time() if self._frozen_at is None else self._frozen_at) + self.offset

    @property
    def frozen(self) -> bool:
        """Whether time stands still between two advances."""
        return self._frozen_at is not None

    def advance(self, seconds: float) -> None:
        """Move forward (or back) from wherever the clock is."""
        self.offset += seconds

    def freeze(self) -> None:
        """Stop here, so that a boundary can be tested to the second."""
        if self._frozen_at is None:
            self._frozen_at = time.time()

    def thaw(self) -> None:
        """Run again, keeping the offset."""
        self._frozen_at = None

    def reset(self) -> None:
        """Show real time again."""
        self.offset = 0.0
        self._frozen_at = None


def to_datetime(seconds: float) -> datetime:
    """Turn clock seconds into an aware datetime."""
    return datetime.fromtimestamp(seconds, UTC)
