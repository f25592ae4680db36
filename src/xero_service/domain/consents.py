"""A consent: what the code exchange returns, and what an org's consent reached."""

from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from xero_service.domain.grants import TokenSet


@dataclass(frozen=True, slots=True)
class Consent:
    """The verified result of a code exchange: the tokens and the Xero user who consented."""

    tokens: TokenSet
    xero_user_id: str
    authentication_event_id: str | None
    xero_name: str | None = field(repr=False)
    xero_email: str | None = field(repr=False)
    issued_at: datetime | None = None  # by Xero's clock, to the second


@dataclass(frozen=True, slots=True)
class Authorisation:
    """One consent by an org: who started it and what it reached.

    `tenant_ids` is None until the connections are fetched. If no connection carries the consent's
    event (all were connected before), `matched_event` is False and only the session user who
    consented may choose among `tenant_ids` (design: rule 2).
    """

    id: UUID
    grant_id: UUID
    org_id: str
    user_id: str
    event_id: str | None
    tenant_ids: tuple[str, ...] | None
    matched_event: bool
    used: bool

    def offers_to(self, user_id: str) -> frozenset[str]:
        """Return the tenants of this consent that `user_id` may list and select.

        Other users of the org may do so after the first selection by the user who consented, and
        never if no connection carries the consent's event.
        """
        if self.tenant_ids is None:
            return frozenset()
        if user_id == self.user_id or (self.matched_event and self.used):
            return frozenset(self.tenant_ids)
        return frozenset()


@dataclass(frozen=True, slots=True)
class Consenter:
    """The org's session user who connected a binding, and the Xero user of its grant."""

    user_id: str
    xero_name: str | None = field(repr=False)
    xero_email: str | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class PendingConsent:
    """A consent from which its session user has not chosen a tenant yet."""

    grant_id: UUID
    authorised_at: datetime
