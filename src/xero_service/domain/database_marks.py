"""Whether the database went back: compares what it says with what this process remembers.

A database that was restored to a point in time has a new timeline, and lacks the newest rows. A
standby that was promoted has a new timeline, too, and lacks rows only if it had not received them.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class DatabaseIdentity:
    """A PostgreSQL cluster, and the timeline on which it writes."""

    system_identifier: str
    timeline: int


@dataclass(frozen=True, slots=True)
class AuditPosition:
    """An event of the audit log: its id and its time, since a lost event's id is used again."""

    id: int
    occurred_at: datetime


@dataclass(frozen=True, slots=True)
class DatabaseMark:
    """What the database has stored: its identity when last seen, and when it went back."""

    identity: DatabaseIdentity | None = None
    restored_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class RenewalProgress:
    """The active grants after the database went back.

    `saved`: renewed since; `refused`: held; `unreachable`: not renewed yet, of which `under_way`
    are being renewed now.
    """

    saved: int
    refused: int
    unreachable: int
    under_way: int


class Course(StrEnum):
    """What happened to the database since this process, or any before it, last used it."""

    SAME = "same"
    NEW = "new"  # no identity was stored
    MOVED = "moved"  # another timeline or cluster, and nothing that this process knows is lost
    WENT_BACK = "went_back"
    NOTICED = "noticed"  # it went back, and another process was the first to notice


@dataclass(frozen=True, slots=True)
class Observation:
    """A database as this process finds it.

    `remembered`: whether it has the committed audit events that this process knows; None where
    this process knows none. `known_restored_at`: the mark's, when this process last looked.
    """

    identity: DatabaseIdentity | None  # None where the role may not read it
    mark: DatabaseMark
    remembered: bool | None
    known_restored_at: datetime | None

    @property
    def course(self) -> Course:
        """What happened to the database."""
        if self.remembered is False:
            return Course.NOTICED if self._was_noticed else Course.WENT_BACK
        if self.identity is None or self.identity == self.mark.identity:
            return Course.SAME
        if self.mark.identity is None:
            return Course.NEW
        return Course.MOVED if self.remembered else Course.WENT_BACK

    @property
    def _was_noticed(self) -> bool:
        noticed, known = self.mark.restored_at, self.known_restored_at
        return noticed is not None and (known is None or noticed > known)
