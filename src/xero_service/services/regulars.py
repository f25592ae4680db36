"""Who was let through to Xero a moment ago: a guess that saves a round trip, never a right."""

import time
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import NamedTuple
from uuid import UUID

REGULAR_FOR_SECONDS = 60.0
AT_MOST = 10_000


class Regular(NamedTuple):
    """A caller and what it calls by; the fingerprint is that of its whole key."""

    key_fingerprint: str
    org_id: str | None
    binding_id: UUID


@dataclass(frozen=True, slots=True)
class Regulars:
    """Callers of the last minute and their tenants, in this process.

    Whoever is refused is forgotten, so that it costs a tenant one turn at most.
    """

    seen: OrderedDict[Regular, tuple[str, float]] = field(default_factory=OrderedDict, repr=False)

    def tenant_of(self, regular: Regular) -> str | None:
        """Return the tenant that a caller was let through to in the last minute, if it was."""
        tenant_id, at = self.seen.get(regular, (None, 0.0))
        return tenant_id if time.monotonic() - at < REGULAR_FOR_SECONDS else None

    def note(self, regular: Regular, tenant_id: str) -> None:
        """Remember that a caller was let through."""
        self.seen[regular] = tenant_id, time.monotonic()
        self.seen.move_to_end(regular)
        if len(self.seen) > AT_MOST:
            self.seen.popitem(last=False)

    def forget(self, regular: Regular) -> None:
        """Expect nothing of a caller any more."""
        self.seen.pop(regular, None)
