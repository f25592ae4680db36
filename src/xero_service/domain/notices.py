"""Notices: mail to the people who can help a binding, and which problems it has reported."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from xero_service.domain.webhooks import RETRY_AFTER

PAUSE_AFTER_NOTICE = timedelta(days=1)  # between two mails about one binding to one person


class NoticeKind(StrEnum):
    """What a mail is about; a person unsubscribes from each kind on its own."""

    NEEDS_REAUTH = "needs_reauth"
    EXPIRING = "expiring"
    PERMISSIONS_MISSING = "permissions_missing"
    RECOVERED = "recovered"


# What can be wrong with a binding, the worst first.
PROBLEMS = (NoticeKind.NEEDS_REAUTH, NoticeKind.EXPIRING, NoticeKind.PERMISSIONS_MISSING)


@dataclass(frozen=True, slots=True)
class ClaimedNotice:
    """A mail that this process may send: the binding's problems differ from those told.

    `recipient` is a Xero user's id (`is_xero_user`), or the keyed hash of an address in
    NOTICES_TO: no address is stored.
    """

    binding_id: UUID
    org_id: str
    tenant_name: str = field(repr=False)
    recipient: str
    is_xero_user: bool
    present: frozenset[NoticeKind]
    told: frozenset[NoticeKind]
    attempt: int
    failures: int
    mailed_at: datetime | None

    @property
    def kind(self) -> NoticeKind:
        """Return the worst problem that no mail has reported; else that a reported one is over."""
        new = (each for each in PROBLEMS if each in self.present and each not in self.told)
        return next(new, NoticeKind.RECOVERED)

    @property
    def over(self) -> frozenset[NoticeKind]:
        """The problems that were told and are over."""
        return self.told - self.present

    @property
    def told_after(self) -> frozenset[NoticeKind]:
        """The problems that the recipient knows of once this mail is sent."""
        known = self.told & self.present
        return known if self.kind is NoticeKind.RECOVERED else known | {self.kind}

    @property
    def retry_after(self) -> timedelta | None:
        """The pause after one more failure; None: the mail is given up."""
        return RETRY_AFTER[self.failures] if self.failures < len(RETRY_AFTER) else None
