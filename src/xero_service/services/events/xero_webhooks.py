"""Xero's webhooks: stores each event of a signed body once, for the org of its tenant."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field

from xero_service.domain import Binding, Event, EventKind, XeroBatch, XeroEvent, parse_batch
from xero_service.errors import MalformedRequest, NotFound, UnsupportedMediaType
from xero_service.services.events.webhook_bodies import WebhookBodies
from xero_service.services.events.xero_signature import is_signed
from xero_service.store.database import Database
from xero_service.store.transaction import Transaction
from xero_service.telemetry import Metrics, logger

log = logger(__name__)


@dataclass(frozen=True, slots=True)
class WebhookRequest:
    """A request that claims to be Xero's; `declared`: its Content-Length, if it has one."""

    parts: AsyncIterator[bytes]
    declared: int | None
    signature: bytes
    is_json: bool


@dataclass(slots=True)
class _Stored:
    """What became of the events of one webhook, for the metrics."""

    stored: int = 0
    repeated: int = 0
    unbound: int = 0
    gap: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class XeroWebhookService:
    """Receives the webhooks of our app at Xero. `keys`: the current one, then the previous one."""

    database: Database
    keys: tuple[bytes, ...] = field(repr=False)
    metrics: Metrics
    bodies: WebhookBodies = field(default_factory=WebhookBodies)

    async def receive(self, request: WebhookRequest) -> bool:
        """Commit the events of a request; return False, with nothing parsed, if it is not signed.

        Raises NotFound where no key is configured, BodyTooLarge, RequestTimeout, ServiceBusy, and
        for a signed body that is no webhook UnsupportedMediaType or MalformedRequest.
        """
        if not self.keys:
            raise NotFound
        async with self.bodies.read(request.parts, request.declared) as body:
            if not is_signed(body, request.signature, self.keys):
                return False
            if not request.is_json:
                raise UnsupportedMediaType("Send application/json.")
            try:
                batch = parse_batch(body)
            except ValueError as error:
                raise MalformedRequest("The body is not a webhook of Xero.") from error
            if batch.events:  # else it is an intent to receive
                await self._commit(batch)
        return True

    async def _commit(self, batch: XeroBatch) -> None:
        async with self.database.transaction() as tx:
            stored = await _store(tx, batch)
        for outcome in ("stored", "repeated", "unbound"):
            self.metrics.xero_events.labels(outcome).inc(getattr(stored, outcome))
        if stored.gap is not None:
            self.metrics.xero_gaps.inc()
            log.warning("Xero skipped webhook events", first=stored.gap[0], last=stored.gap[1])


async def _store(tx: Transaction, batch: XeroBatch) -> _Stored:
    """Add what is new of a batch; events of tenants that no org has bound are dropped."""
    outcome = _Stored()
    # The row stays locked until the commit: batches are stored one after another, and each gap is
    # seen once.
    progress = await tx.xero_sequence.lock()
    if batch.first is not None and progress.last is not None and batch.first > progress.last + 1:
        outcome.gap = (progress.last + 1, batch.first - 1)
        missing = {"from": outcome.gap[0], "to": outcome.gap[1]}
        await tx.events.add(Event(EventKind.XERO_GAP, data=missing))
    holders = await tx.bindings.holders({each.tenant_id for each in batch.events})
    bound = [(each, holders[each.tenant_id]) for each in batch.events if each.tenant_id in holders]
    outcome.stored = await tx.events.add(*(_to_event(*each) for each in bound))
    outcome.repeated = len(bound) - outcome.stored
    outcome.unbound = len(batch.events) - len(bound)
    if batch.last is not None:
        # Xero repeats for a day. New events with lower numbers than one of a day ago mean that
        # Xero numbers from 1 again.
        is_restart = progress.is_stale and outcome.stored > 0
        if is_restart or progress.last is None or batch.last > progress.last:
            await tx.xero_sequence.save(batch.last)
    return outcome


def _to_event(event: XeroEvent, binding: Binding) -> Event:
    return Event(
        event.kind,
        binding.org_id,
        binding.id,
        binding.tenant_id,
        event.content,
        occurred_at=event.occurred_at,
        source_key=event.source_key,
    )
