"""When verdicts are held. A verdict is Xero's `invalid_grant` to a refresh, which ends a grant.

One refused grant is its customer's doing. Many at once have one cause, such as a restored database
or a fault of Xero's, and asking all those customers to connect again would be wrong.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

VERDICT_HELD: Final = "verdict_held"  # the `last_error` of a grant whose verdict is held
WINDOW: Final = timedelta(minutes=10)  # grants that end within it are counted together
ALWAYS_BELIEVED: Final = 3  # within the window: a few customers may leave at the same moment
SHARE: Final = 0.05  # of the active grants, within the window
# Beyond so many grants the share stays what it is for them, 100 grants: no cause ends more
# customers than that in ten minutes, and counting stays cheap.
COUNTED_AT_MOST: Final = 2000
NOT_AGAIN_FOR: Final = timedelta(hours=1)  # after a release, in which the held grants may end
# A held grant is tried again, because a fault of Xero's may be over; the wait doubles.
FIRST_RETRY: Final = timedelta(minutes=1)
LONGEST_RETRY: Final = timedelta(minutes=15)


class HoldReason(StrEnum):
    """Why verdicts are held."""

    MANY_REFUSED = "many_refused"
    DATABASE_RESTORED = "database_restored"


class Verdict(StrEnum):
    """What becomes of a grant that Xero refused."""

    ENDED = "ended"
    HELD = "held"
    UNDECIDED = "undecided"  # a newer set exists or may arrive


@dataclass(frozen=True, slots=True)
class VerdictHold:
    """Whether verdicts are held, as read at `read_at` by the database's clock.

    `ended_at`: the times at which grants ended lately.
    """

    held_since: datetime | None
    reason: HoldReason | None
    released_at: datetime | None
    ended_at: tuple[datetime, ...]
    read_at: datetime

    @property
    def stands(self) -> bool:
        """Whether verdicts are held now."""
        return self.held_since is not None

    @property
    def was_released(self) -> bool:
        """Whether an operator has released verdicts so lately that no share begins a hold."""
        return self.released_at is not None and self.released_at > self.read_at - NOT_AGAIN_FOR

    @property
    def recent_ends(self) -> tuple[datetime, ...]:
        """The times in `ended_at` that are within the window."""
        return tuple(each for each in self.ended_at if each > self.read_at - WINDOW)

    @property
    def may_begin(self) -> bool:
        """Whether one more end may be too many, depending on the number of active grants."""
        return (
            not self.stands and not self.was_released and len(self.recent_ends) >= ALWAYS_BELIEVED
        )

    def would_begin(self, *, active: int) -> bool:
        """Whether one more end would be too many, with so many grants still active."""
        ended = len(self.recent_ends)
        limit = max(ALWAYS_BELIEVED, SHARE * min(active + ended, COUNTED_AT_MOST))
        return self.may_begin and ended + 1 > limit


def retry_after_refusal(failures: int, *, fraction: float) -> timedelta:
    """Return the wait before a held grant is tried again, after `failures` before this one.

    `fraction`, from 0 to 1, is drawn by the caller, so that grants do not retry together.
    """
    longest = min(FIRST_RETRY * 2.0 ** min(failures, 10), LONGEST_RETRY)
    return longest * (1 + fraction) / 2
