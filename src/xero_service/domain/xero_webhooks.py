"""Xero's webhooks: the batch in a body, and what identifies and names its events (facts §9)."""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from xero_service.domain.events import XERO_PREFIX

LARGEST_SEQUENCE = 2**63 - 1
_NOT_IN_A_KIND = re.compile(r"[^a-z0-9_-]+")
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")  # in text of PostgreSQL


@dataclass(frozen=True, slots=True)
class XeroEvent:
    """One of Xero's events, as Xero sent it; `sequence`: its number, if the batch has numbers."""

    content: Mapping[str, Any]
    sequence: int | None

    @property
    def tenant_id(self) -> str:
        """The tenant, or an empty text."""
        tenant_id = self.content.get("tenantId")
        return tenant_id if isinstance(tenant_id, str) else ""

    @property
    def kind(self) -> str:
        """`xero.<category>.<type>` in lower case, for categories that Xero adds later, too."""
        category, event_type = (
            _NOT_IN_A_KIND.sub("-", str(self.content.get(name) or "unknown").lower())[:40]
            for name in ("eventCategory", "eventType")
        )
        return f"{XERO_PREFIX}{category}.{event_type}"

    @property
    def occurred_at(self) -> datetime | None:
        """When it happened, or None if Xero's time (UTC, without a zone) cannot be read."""
        try:
            time = datetime.fromisoformat(str(self.content.get("eventDateUtc")))
            return time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)
        except (ValueError, OverflowError):
            return None

    @property
    def source_key(self) -> str:
        """What identifies the event, however often Xero repeats it: its number and its content.

        The number alone would take an event for a repetition after Xero numbered from 1 again; the
        content alone would take two changes within a millisecond for one.
        """
        content = json.dumps(self.content, sort_keys=True, separators=(",", ":"))
        return f"xero:{self.sequence}:{hashlib.sha256(content.encode()).hexdigest()}"


@dataclass(frozen=True, slots=True)
class XeroBatch:
    """The events of one webhook; `first` and `last` are None where the numbers are unusable."""

    events: tuple[XeroEvent, ...]
    first: int | None
    last: int | None


def parse_batch(body: bytes) -> XeroBatch:
    """Return the batch in a body; unknown fields stay in the events.

    Raises ValueError for a body that is no JSON object with a list of objects in `events`.
    """
    try:
        found = json.loads(body, parse_constant=_refuse_constant)
        events = found["events"]
        if not isinstance(events, list) or not all(isinstance(each, dict) for each in events):
            raise ValueError("`events` is no list of objects")
        events = [_storable(each) for each in events]
    except (KeyError, TypeError, RecursionError) as error:
        raise ValueError("the body has no readable `events`") from error
    first, last = found.get("firstEventSequence"), found.get("lastEventSequence")
    if not (_is_sequence(first) and _is_sequence(last) and events and first <= last):
        first = last = None
    return XeroBatch(
        tuple(
            XeroEvent(each, None if first is None else first + place)
            for place, each in enumerate(events)
        ),
        first,
        last,
    )


def _is_sequence(value: Any) -> bool:
    return type(value) is int and 0 < value < LARGEST_SEQUENCE


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON")


def _storable(value: Any) -> Any:
    """Return a JSON value in which PostgreSQL can store every text."""
    if isinstance(value, str):
        return _UNSTORABLE.sub("\N{REPLACEMENT CHARACTER}", value)
    if isinstance(value, list):
        return [_storable(each) for each in value]
    if isinstance(value, dict):
        return {_storable(name): _storable(each) for name, each in value.items()}
    return value
