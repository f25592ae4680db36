"""Delivers events to webhook endpoints: claims due deliveries, sends, records (design: rule 12).

At least once: a process that dies between the acknowledgement and its record leaves a claim that
expires, and the event is sent again with the same `webhook-id`.
"""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from xero_service import failpoints
from xero_service.background import BackgroundWork
from xero_service.crypto import KeyRing
from xero_service.domain import (
    AT_ONCE_PER_ENDPOINT,
    SYSTEM,
    AuditAction,
    AuditEvent,
    ClaimedDelivery,
)
from xero_service.errors import CiphertextUnreadable, IntegrationError
from xero_service.failpoints import Place
from xero_service.outbound.webhook_sender import WebhookAnswer, WebhookSender
from xero_service.services.events.delivery_signature import open_secrets, signed
from xero_service.store.database import Database
from xero_service.telemetry import Metrics, logger, scrub

CLAIM_TTL = timedelta(seconds=60)  # longer than a request and its record
GONE = "the endpoint answered 410"

log = logger(__name__)


@dataclass(slots=True)
class DeliveryService:
    """Sends due deliveries; safe in any number of replicas."""

    database: Database
    sender: WebhookSender
    keys: KeyRing
    metrics: Metrics
    background: BackgroundWork
    tasks: set[asyncio.Task[None]] = field(default_factory=set)
    claiming: asyncio.Lock = field(default_factory=asyncio.Lock)
    has_waiter: bool = False

    async def start_due(self) -> None:
        """Claim what is due and start to send it; each end claims what became due by it.

        The sending belongs to no caller: a shutdown waits for it. A call returns at once where
        another one waits to claim: that one claims what is due by then.
        """
        if self.has_waiter:
            return
        self.has_waiter = True
        async with self._turn():
            async with self.database.background_transaction() as tx:
                claimed = await tx.deliveries.claim(at_once=AT_ONCE_PER_ENDPOINT, ttl=CLAIM_TTL)
            for each in claimed:
                task = self.background.start(self._deliver(each))
                self.tasks.add(task)
                task.add_done_callback(self.tasks.discard)

    @asynccontextmanager
    async def _turn(self) -> AsyncIterator[None]:
        try:
            await self.claiming.acquire()
        finally:
            self.has_waiter = False
        try:
            yield
        finally:
            self.claiming.release()

    async def deliver_due(self) -> None:
        """Send everything that is due, and wait until it is sent."""
        await self.start_due()
        while self.tasks:
            await asyncio.wait(self.tasks)

    async def _deliver(self, claimed: ClaimedDelivery) -> None:
        failpoints.reached(Place.DELIVERY_CLAIMED)
        try:
            answer = await self._send(claimed)
            failpoints.reached(Place.DELIVERY_ANSWERED)
            await self._record(claimed, answer)
            failpoints.reached(Place.DELIVERY_RECORDED)
            await self.start_due()
        except IntegrationError as error:  # the claim expires; the next round continues
            log.warning("a delivery was not recorded", reason=error.code)

    async def _send(self, claimed: ClaimedDelivery) -> WebhookAnswer:
        try:
            secrets = open_secrets(self.keys, claimed.endpoint)
        except CiphertextUnreadable:
            return WebhookAnswer(None, "the secret of the endpoint does not open")
        headers, body = signed(secrets, claimed.event, at=datetime.now(UTC))
        return await self.sender.post(claimed.endpoint.url, headers, body)

    async def _record(self, claimed: ClaimedDelivery, answer: WebhookAnswer) -> None:
        if answer.status is not None and answer.is_acknowledged:
            await self._record_delivered(claimed, answer.status, scrub(answer.text))
        else:
            await self._record_failed(claimed, answer)

    async def _record_delivered(self, claimed: ClaimedDelivery, status: int, text: str) -> None:
        async with self.database.background_transaction() as tx:
            recorded = await tx.deliveries.record_delivered(claimed, status=status, answer=text)
            await tx.endpoints.close_circuit(claimed.endpoint.id)
        if recorded:
            self.metrics.deliveries.labels("delivered").inc()

    async def _record_failed(self, claimed: ClaimedDelivery, answer: WebhookAnswer) -> None:
        """Record a failure, and let the endpoint rest; 410 disables it instead.

        A delivery that was the endpoint's probe waits for the endpoint alone: nothing shows that
        the event is at fault.
        """
        endpoint, retry_in = claimed.endpoint, claimed.retry_after
        if retry_in is not None and (claimed.is_probe or answer.is_gone):
            retry_in = timedelta()
        async with self.database.background_transaction() as tx:
            recorded = await tx.deliveries.record_failed(
                claimed,
                retry_in=None if retry_in is None else retry_in * jitter(),
                status=answer.status,
                answer=scrub(answer.text),
            )
            if not answer.is_gone:
                await tx.endpoints.open_circuit(
                    endpoint.id,
                    retry_in=claimed.endpoint_retry_after * jitter(),
                    attempted_at=claimed.claimed_at,
                )
            elif await tx.endpoints.disable(endpoint.id, reason=GONE):
                await tx.audit.add(
                    AuditEvent(
                        SYSTEM,
                        AuditAction.WEBHOOK_DISABLED,
                        outcome="gone",
                        org_id=endpoint.org_id,
                        detail={"endpointId": str(endpoint.id)},
                    )
                )
        if recorded:
            self.metrics.deliveries.labels("parked" if retry_in is None else "failed").inc()
            log.warning(
                "a webhook was not delivered",
                endpoint_id=endpoint.id,
                event_id=claimed.event.public_id,
                status=answer.status,
                attempt=claimed.attempt,
            )


def jitter() -> float:
    """Return a factor for a pause, so that attempts that failed together do not stay together."""
    return random.uniform(0.9, 1.1)  # noqa: S311
