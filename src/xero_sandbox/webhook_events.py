"""Xero's webhook events, the queue of batches that wait to be sent, and their numbering."""

import json
import secrets
import uuid
from collections import deque
from dataclasses import dataclass, field
from typing import Any

from pydantic import Field

from xero_sandbox.clock import Clock, to_datetime
from xero_sandbox.json_model import JsonModel
from xero_sandbox.samples import ACME_TRADING
from xero_sandbox.switches import Switches

RETRY_SECONDS = 15 * 60
GIVE_UP_SECONDS = 24 * 60 * 60
KEEP_SECONDS = 31 * 24 * 60 * 60

# Categories whose events carry `data` (facts §14), with a sample Type and Status.
_WITH_DATA = {
    "CREDITNOTE": ("ACCRECCREDIT", "AUTHORISED"),
    "PREPAYMENT": ("RECEIVE-PREPAYMENT", "AUTHORISED"),
    "OVERPAYMENT": ("RECEIVE-OVERPAYMENT", "AUTHORISED"),
    "PAYMENT": ("ACCRECPAYMENT", "AUTHORISED"),
}


class EventOrder(JsonModel):
    """One event that Xero is to send, about a record of a tenant."""

    tenant_id: str = Field(
        description="The organisation; one that the app is not connected to is possible, too.",
        examples=[ACME_TRADING],
    )
    event_category: str = Field(
        default="INVOICE", description="Any category, known or not.", examples=["INVOICE"]
    )
    event_type: str = Field(default="UPDATE", description="CREATE or UPDATE.", examples=["UPDATE"])
    tenant_type: str = Field(
        default="ORGANISATION",
        description="APPLICATION for the category SUBSCRIPTION.",
        examples=["ORGANISATION"],
    )
    resource_id: str | None = Field(
        default=None, description="The record; null: a random id.", examples=[None]
    )
    data: dict[str, Any] | None = Field(
        default=None,
        description="The field `data`; null: a sample for categories that have it.",
        examples=[None],
    )

    def at(self, seconds: float, api_url: str) -> dict[str, Any]:
        """Return the event as Xero sends it."""
        resource_id = self.resource_id or str(uuid.uuid4())
        time = to_datetime(seconds)
        event: dict[str, Any] = {
            "resourceUrl": f"{api_url}/api.xro/2.0/{_resource(self.event_category)}/{resource_id}",
            "resourceId": resource_id,
            "tenantId": self.tenant_id,
            "tenantType": self.tenant_type,
            "eventCategory": self.event_category,
            "eventType": self.event_type,
            "eventDateUtc": time.strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3],
        }
        if self.data is not None:
            event["data"] = self.data
        elif self.event_category in _WITH_DATA:
            kind, status = _WITH_DATA[self.event_category]
            updated = time.strftime("%Y-%m-%dT%H:%M:%S")
            event["data"] = {"Type": kind, "Status": status, "UpdatedDateUTCString": updated}
        return event


@dataclass(frozen=True)
class Event:
    """An event with its sequence number; numbers ascend through all tenants of the app."""

    sequence: int
    at: float
    body: dict[str, Any]


@dataclass
class Batch:
    """Events that are sent together and again, as they are, until the receiver accepts them."""

    events: list[Event]
    next_attempt_at: float
    first_attempt_at: float | None = None
    attempts: int = 0
    entropy: str = field(default_factory=lambda: secrets.token_urlsafe(15))

    @property
    def first(self) -> int:
        """The sequence number of the first event."""
        return self.events[0].sequence

    @property
    def last(self) -> int:
        """The sequence number of the last event."""
        return self.events[-1].sequence

    def body(self) -> bytes:
        """Return the bytes that are signed and sent."""
        return payload([event.body for event in self.events], self.first, self.last, self.entropy)


def payload(events: list[dict[str, Any]], first: int, last: int, entropy: str) -> bytes:
    """Return the body of a webhook (facts §9)."""
    body = {
        "events": events,
        "firstEventSequence": first,
        "lastEventSequence": last,
        "entropy": entropy,
    }
    return json.dumps(body, separators=(",", ":")).encode()


class EventQueue:
    """Events in order of their numbers; the oldest batch is retried until it is accepted."""

    def __init__(self, clock: Clock, switches: Switches) -> None:
        self._clock = clock
        self._switches = switches
        self.reset()

    def reset(self) -> None:
        """Remove all events and start the numbering again at 1."""
        self.next_sequence = 1
        self._waiting: deque[Event] = deque()
        self._batches: list[Batch] = []

    def __len__(self) -> int:
        """Return the number of events that were not accepted yet."""
        return len(self._waiting) + sum(len(batch.events) for batch in self._batches)

    def add(self, bodies: list[dict[str, Any]]) -> tuple[int, int]:
        """Number the events, queue them, and return the first and the last number.

        The switch `webhookSkip` omits one number before them.
        """
        self.next_sequence += int(self._switches.webhook_skip)
        first, now = self.next_sequence, self._clock.now()
        for body in bodies:
            self._waiting.append(Event(self.next_sequence, now, body))
            self.next_sequence += 1
        return first, self.next_sequence - 1

    def due(self) -> Batch | None:
        """Return a batch to send now; new events become a batch when no earlier one is retried.

        With the switch `webhookRetries` at `independent` they do not wait for retries.
        """
        in_order = self._switches.webhook_retries == "in_order"
        for batch in self._batches[:1] if in_order else self._batches:
            if batch.next_attempt_at <= self._clock.now():
                return batch
        if not self._waiting or (in_order and self._batches):
            return None
        batch = Batch(self._take_waiting(), self._clock.now())
        self._batches.append(batch)
        return batch

    def next_attempt_at(self) -> float | None:
        """Return the time of the next retry, or None if no batch waits for one."""
        return min((batch.next_attempt_at for batch in self._batches), default=None)

    def accepted(self, batch: Batch) -> None:
        """Remove a batch that the receiver accepted."""
        self._batches.remove(batch)

    def refused(self, batch: Batch) -> bool:
        """Schedule the next attempt; return False when a day of retries has passed.

        The first retry is at once, the others are spread over the day (facts §9).
        """
        now = self._clock.now()
        assert batch.first_attempt_at is not None  # noqa: S101
        batch.next_attempt_at = now if batch.attempts == 1 else now + RETRY_SECONDS
        return now - batch.first_attempt_at < GIVE_UP_SECONDS

    def start_again(self) -> None:
        """Queue the events of all batches anew, without those older than 31 days."""
        events = [event for batch in self._batches for event in batch.events] + [*self._waiting]
        oldest = self._clock.now() - KEEP_SECONDS
        self._batches.clear()
        self._waiting = deque(
            sorted((each for each in events if each.at >= oldest), key=lambda each: each.sequence)
        )

    def _take_waiting(self) -> list[Event]:
        """Return waiting events with consecutive numbers, as many as one batch may have."""
        taken = [self._waiting.popleft()]
        while (
            self._waiting
            and self._waiting[0].sequence == taken[-1].sequence + 1
            and len(taken) < self._switches.webhook_batch_limit
        ):
            taken.append(self._waiting.popleft())
        return taken


def _resource(category: str) -> str:
    words = {"CREDITNOTE": "CreditNote", "BANKTRANSACTION": "BankTransaction"}
    return f"{words.get(category, category.capitalize())}s"
