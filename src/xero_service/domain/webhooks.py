"""Webhook endpoints and deliveries: who receives which events, and when an attempt is repeated."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from xero_service.domain.events import StoredEvent

# After the first failure, the second, and so on; then the delivery is parked.
RETRY_AFTER = (
    timedelta(seconds=5),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=5),
    timedelta(hours=10),
    timedelta(hours=14),
    timedelta(hours=20),
    timedelta(hours=24),
)
AT_ONCE_PER_ENDPOINT = 8
SECRETS_OVERLAP = timedelta(hours=24)  # the replaced secret signs, too


class DeliveryState(StrEnum):
    """How far a delivery is."""

    PENDING = "pending"
    DELIVERED = "delivered"
    PARKED = "parked"  # given up, until an operator delivers it again


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A URL that receives events of one org or of all, of some kinds or of all."""

    id: UUID
    url: str
    org_id: str | None
    kinds: tuple[str, ...]
    secret_enc: str = field(repr=False)
    previous_secret_enc: str | None = field(repr=False)
    created_at: datetime
    disabled_at: datetime | None
    disabled_reason: str | None
    failures: int
    next_attempt_at: datetime | None


@dataclass(frozen=True, slots=True)
class ClaimedDelivery:
    """An attempt that this process may make; its outcome is recorded for `attempt` alone."""

    endpoint: Endpoint
    event: StoredEvent
    attempt: int
    failures: int
    claimed_at: datetime

    @property
    def is_probe(self) -> bool:
        """Whether the endpoint failed last, so that this is its one attempt of this step."""
        return self.endpoint.failures > 0

    @property
    def retry_after(self) -> timedelta | None:
        """The pause after one more failure; None: the delivery is parked."""
        steps = len(RETRY_AFTER)
        return RETRY_AFTER[self.failures] if self.failures < steps else None

    @property
    def endpoint_retry_after(self) -> timedelta:
        """The pause of the endpoint after one more failure in a row."""
        return RETRY_AFTER[min(self.endpoint.failures, len(RETRY_AFTER) - 1)]


@dataclass(frozen=True, slots=True)
class Delivery:
    """A delivery as an operator sees it."""

    endpoint_id: UUID
    event_id: str
    kind: str
    org_id: str | None
    binding_id: UUID | None
    state: DeliveryState
    attempts: int
    next_attempt_at: datetime | None
    last_attempt_at: datetime | None
    last_status: int | None
    last_answer: str | None
