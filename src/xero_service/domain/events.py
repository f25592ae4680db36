"""Events: facts about bindings that other systems receive, and which change makes which event."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Self
from uuid import UUID, uuid4

from xero_service.domain.bindings import Binding, BindingStatus

XERO_PREFIX = "xero."
ID_PREFIX = "evt_"
FINGERPRINT_BITS = 16  # of an event's random id
_FINGERPRINT = (1 << FINGERPRINT_BITS) - 1
_XERO_KIND = re.compile(r"xero(\.[a-z0-9_-]+){1,2}(\.\*)?")


class EventKind(StrEnum):
    """The kinds that this service makes; those of Xero's webhooks are `xero.<category>.<type>`."""

    BINDING_CONNECTED = "binding.connected"
    BINDING_REPOINTED = "binding.repointed"
    BINDING_RENAMED = "binding.renamed"
    BINDING_EXPIRING = "binding.expiring"
    BINDING_NEEDS_REAUTH = "binding.needs_reauth"
    BINDING_RECOVERED = "binding.recovered"
    BINDING_PERMISSIONS_MISSING = "binding.permissions_missing"
    BINDING_SUSPENDED = "binding.suspended"
    BINDING_RESUMED = "binding.resumed"
    BINDING_DISCONNECTED = "binding.disconnected"
    XERO_GAP = "xero.gap"


@dataclass(frozen=True, slots=True)
class Event:
    """An event to add; `data` holds no token, no name and no e-mail address (S58).

    Without `org_id` only endpoints of all orgs receive it. `occurred_at`: None for now, by the
    database's clock. `source_key`: an event from outside with the key of an earlier one is
    not added again.
    """

    kind: str
    org_id: str | None = None
    binding_id: UUID | None = None
    tenant_id: str | None = None
    data: Mapping[str, Any] = field(default_factory=dict)
    occurred_at: datetime | None = None
    source_key: str | None = None
    id: UUID = field(default_factory=uuid4)


@dataclass(frozen=True, order=True, slots=True)
class EventCursor:
    """A position and the fingerprint of the event there; clients get both as one number.

    A database that went back gives positions anew, to other events. The number stays below 2**53,
    which JavaScript reads exactly.
    """

    position: int
    fingerprint: int

    @classmethod
    def at(cls, position: int, event_id: UUID) -> Self:
        """Return the cursor of an event: what follows has higher positions."""
        return cls(position, event_id.int & _FINGERPRINT)

    @classmethod
    def of(cls, number: int) -> Self:
        """Return the cursor in a client's number; 0 is before every event."""
        return cls(number >> FINGERPRINT_BITS, number & _FINGERPRINT)

    @property
    def number(self) -> int:
        """The number that clients store and send."""
        return self.position << FINGERPRINT_BITS | self.fingerprint


@dataclass(frozen=True, slots=True)
class StoredEvent:
    """An event as it is stored; `position`: its place in the order that pollers read."""

    position: int
    id: UUID
    occurred_at: datetime
    kind: str
    org_id: str | None
    binding_id: UUID | None
    tenant_id: str | None
    data: Mapping[str, Any]

    @property
    def cursor(self) -> EventCursor:
        """The cursor after which the next event follows."""
        return EventCursor.at(self.position, self.id)

    @property
    def public_id(self) -> str:
        """The id that receivers see: `evt_…`."""
        return f"{ID_PREFIX}{self.id.hex}"

    def to_json(self) -> dict[str, Any]:
        """Return the event as receivers and pollers get it."""
        at = self.occurred_at.astimezone(UTC).isoformat(timespec="microseconds")
        return {
            "id": self.public_id,
            "kind": self.kind,
            "occurredAt": at.replace("+00:00", "Z"),
            "orgId": self.org_id,
            "bindingId": None if self.binding_id is None else str(self.binding_id),
            "tenantId": self.tenant_id,
            "data": dict(self.data),
        }


def check_kind(kind: str) -> str:
    """Return a kind, or the beginning of kinds as `binding.*`; raises ValueError for others."""
    known = {*EventKind, "binding.*", "xero.*"}
    if kind in known or _XERO_KIND.fullmatch(kind):
        return kind
    raise ValueError("is no kind of event")


def binding_event(kind: EventKind, binding: Binding, **data: Any) -> Event:
    """Return an event about a binding."""
    return Event(kind, binding.org_id, binding.id, binding.tenant_id, data)


# What of a binding is over: also `expiring` and `permissions_missing` (store/binding_warnings.py).
_DATA = {EventKind.BINDING_RECOVERED: {"after": "needs_reauth"}}


def change_events(before: Binding | None, after: Binding) -> tuple[Event, ...]:
    """Return the events of a change of a binding, in order; `before`: None for a new one.

    Every statement that writes a binding's status, grant or name derives its events here.
    """
    return tuple(
        binding_event(kind, after, **_DATA.get(kind, {})) for kind in _kinds(before, after)
    )


def _kinds(before: Binding | None, after: Binding) -> Iterator[EventKind]:
    old = BindingStatus.REVOKED if before is None else before.status
    new = after.status
    if new is BindingStatus.REVOKED:
        if old is not BindingStatus.REVOKED:
            yield EventKind.BINDING_DISCONNECTED
        return
    if before is None or old is BindingStatus.REVOKED:
        yield EventKind.BINDING_CONNECTED
    else:
        if before.grant_id != after.grant_id:
            yield EventKind.BINDING_REPOINTED
        if before.tenant_name != after.tenant_name:
            yield EventKind.BINDING_RENAMED
    if old is BindingStatus.SUSPENDED and new is not BindingStatus.SUSPENDED:
        yield EventKind.BINDING_RESUMED
    if old is not new and new is BindingStatus.SUSPENDED:
        yield EventKind.BINDING_SUSPENDED
    if old is not new and new is BindingStatus.NEEDS_REAUTH:
        yield EventKind.BINDING_NEEDS_REAUTH
    if old is BindingStatus.NEEDS_REAUTH and new is BindingStatus.ACTIVE:
        yield EventKind.BINDING_RECOVERED
