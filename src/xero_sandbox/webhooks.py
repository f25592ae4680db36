"""Xero's webhooks: the app's subscription, intent to receive, deliveries and retries (facts §9)."""

import asyncio
import secrets
from contextlib import suppress

import httpx

from xero_sandbox.clock import Clock, to_datetime
from xero_sandbox.config import SandboxConfig
from xero_sandbox.switches import Switches
from xero_sandbox.webhook_delivery import (
    Delivery,
    Outcome,
    Purpose,
    Subscription,
    http_client,
    post,
)
from xero_sandbox.webhook_events import Batch, EventOrder, EventQueue, payload


class Webhooks:
    """Sends events to the one receiver of the app. A task of the event loop makes the attempts."""

    def __init__(self, config: SandboxConfig, clock: Clock, switches: Switches) -> None:
        self._config = config
        self._clock = clock
        self._switches = switches
        self.subscription = Subscription()
        self.queue = EventQueue(clock, switches)
        self.deliveries: list[Delivery] = []
        self._task: asyncio.Task[None] | None = None
        self._wake = asyncio.Event()
        self._settled = asyncio.Event()

    async def reset(self) -> None:
        """Stop sending; remove the subscription, the events and the deliveries."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
            self._task = None
        self.subscription = Subscription()
        self.queue.reset()
        self.deliveries.clear()

    def subscribe(self, url: str, key: str | None = None) -> None:
        """Set the receiver's address and the key; intent to receive must be validated then."""
        self.subscription = Subscription(url, key or secrets.token_urlsafe(64), "intent_required")

    async def unsubscribe(self) -> None:
        """Remove the subscription; a later one starts its numbering at 1."""
        deliveries = list(self.deliveries)
        await self.reset()
        self.deliveries = deliveries

    def emit(self, orders: list[EventOrder]) -> tuple[int, int] | None:
        """Queue events, and send them while the subscription is active.

        Returns their first and last sequence number, or None where there is no receiver. Events
        are kept for 31 days while the subscription is not active.
        """
        if self.subscription.status == "none":
            return None
        now, api_url = self._clock.now(), f"{self._config.base_url}/api"
        numbers = self.queue.add([order.at(now, api_url) for order in orders])
        self.wake()
        return numbers

    async def validate_intent(self) -> None:
        """Send intent to receive: empty webhooks, half of them wrongly signed.

        All must be answered right before the subscription is active. Waiting events follow.
        """
        subscription = self.subscription
        subscription.problem = None
        async with http_client() as http:
            for attempt, correctly_signed in enumerate((True, False, True, False), start=1):
                body = payload([], 0, 0, secrets.token_urlsafe(15))
                signature = subscription.sign(body if correctly_signed else body + b" ")
                expected = 200 if correctly_signed else 401
                outcome = await post(http, subscription.url, body, signature, expected=expected)
                self._record("intent", attempt, None, outcome, correctly_signed=correctly_signed)
                subscription.problem = subscription.problem or outcome.problem
        if subscription.problem is None:
            subscription.status = "active"
            self.queue.start_again()
            self.wake()
        elif subscription.status != "disabled":
            subscription.status = "intent_required"

    def wake(self) -> None:
        """Look for a batch that is due, as after a change of the clock."""
        self._settled.clear()
        self._wake.set()
        if self._task is None:
            self._task = asyncio.create_task(self._run())

    async def settle(self, *, timeout_seconds: float) -> bool:
        """Wait until no batch is due now; return False on timeout."""
        self.wake()
        with suppress(TimeoutError):
            async with asyncio.timeout(timeout_seconds):
                await self._settled.wait()
        return self._settled.is_set()

    async def _run(self) -> None:
        async with http_client() as http:
            while True:
                self._wake.clear()
                while self.subscription.status == "active" and (batch := self.queue.due()):
                    await self._attempt(http, batch)
                self._settled.set()
                await self._wait_for_work()

    async def _wait_for_work(self) -> None:
        """Return after `wake`, or at the time of the next retry while the clock runs."""
        at = None if self.subscription.status != "active" else self.queue.next_attempt_at()
        delay = None if at is None or self._clock.frozen else max(0.0, at - self._clock.now())
        with suppress(TimeoutError):
            async with asyncio.timeout(delay):
                await self._wake.wait()

    async def _attempt(self, http: httpx.AsyncClient, batch: Batch) -> None:
        if batch.first_attempt_at is None:
            batch.first_attempt_at = self._clock.now()
        problem = await self._send(http, batch)
        if problem is not None:
            if not self.queue.refused(batch):
                self.subscription.status = "disabled"
                self.subscription.problem = f"Disabled after 24 hours of retries. {problem}"
            return
        self.queue.accepted(batch)
        if self._switches.webhook_repeat:
            await self._send(http, batch)

    async def _send(self, http: httpx.AsyncClient, batch: Batch) -> str | None:
        """Send a batch once; return what is wrong with the answer, if anything is."""
        batch.attempts += 1
        subscription, body = self.subscription, batch.body()
        outcome = await post(http, subscription.url, body, subscription.sign(body))
        self._record("events", batch.attempts, batch, outcome, correctly_signed=True)
        return outcome.problem

    def _record(
        self,
        purpose: Purpose,
        attempt: int,
        batch: Batch | None,
        outcome: Outcome,
        *,
        correctly_signed: bool,
    ) -> None:
        self.deliveries.append(
            Delivery(
                n=len(self.deliveries) + 1,
                at=to_datetime(self._clock.now()).isoformat(),
                purpose=purpose,
                attempt=attempt,
                first=batch.first if batch else 0,
                last=batch.last if batch else 0,
                tenant_ids=sorted(
                    {each.body["tenantId"] for each in batch.events} if batch else ()
                ),
                correctly_signed=correctly_signed,
                status=outcome.status,
                problem=outcome.problem,
            )
        )
