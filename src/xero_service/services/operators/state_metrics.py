"""Gauges of state, read from the database, and of this process's pools, for a scrape."""

import asyncio
import time
from dataclasses import dataclass

from xero_service.background import BackgroundWork
from xero_service.domain import BindingStatus, GrantStatus, HoldReason
from xero_service.store.database import Database
from xero_service.telemetry import Metrics, logger

FRESH_FOR_SECONDS = 2.0  # limits the reads, however many scrapes there are
PATIENCE_SECONDS = 2.0  # of a scrape with the database: it has other metrics to report
READ_SECONDS = 10.0  # then a read is given up
# A read passes over whole tables: 0.65 s with 200,000 grants. The next is due after fifty times
# its duration, so that the reads occupy a fiftieth of one connection.
PAUSE_AFTER_READ = 50.0

log = logger(__name__)


@dataclass(slots=True)
class StateMetrics:
    """Updates the gauges before a scrape."""

    database: Database
    metrics: Metrics
    background: BackgroundWork
    reading: asyncio.Task[None] | None = None
    next_at: float = 0.0

    async def measure(self) -> None:
        """Update the gauges, at most every two seconds; on an error they keep their last values."""
        self.measure_process()
        if self.reading is None and time.monotonic() >= self.next_at:
            self.reading = self.background.start(self._update())
        if self.reading is not None:
            await asyncio.wait({self.reading}, timeout=PATIENCE_SECONDS)

    async def _update(self) -> None:
        began, pause = time.monotonic(), FRESH_FOR_SECONDS
        try:
            async with asyncio.timeout(READ_SECONDS):
                await self._read()
            pause = max(pause, PAUSE_AFTER_READ * (time.monotonic() - began))
        except Exception as error:
            log.warning("the gauges of state are out of date", reason=type(error).__name__)
        finally:
            self.next_at, self.reading = time.monotonic() + pause, None

    def measure_process(self) -> None:
        """Update the metrics of this process: its CPU time and its connection pools."""
        self.metrics.cpu.measure()
        for name, use in self.database.pool_use().items():
            self.metrics.pools.use(name, use)

    async def _read(self) -> None:
        gauges = self.metrics.state
        async with self.database.transaction() as tx:
            found = await tx.state.read()
            oldest_undelivered = await tx.deliveries.oldest_pending_seconds()
            notices_failing = await tx.notices.failing()
        for grant_status in GrantStatus:
            gauges.grants.set(grant_status, found.grants.get(grant_status, 0))
        for binding_status in BindingStatus:
            gauges.bindings.set(binding_status, found.bindings.get(binding_status, 0))
        gauges.retrying.set(found.retrying)
        gauges.held.set(found.held)
        for reason in HoldReason:
            gauges.hold.set(reason, found.hold_reason == reason)
        gauges.oldest_refresh_token.set(found.oldest_refresh_token)
        gauges.cleanups.set(found.cleanups)
        gauges.oldest_cleanup.set(found.oldest_cleanup)
        gauges.keys.set(found.keys)
        gauges.expiring_keys.set(found.expiring_keys)
        gauges.limits.set("day", found.day_remaining)
        gauges.limits.set("minute", found.minute_remaining)
        gauges.oldest_undelivered.set(oldest_undelivered)
        gauges.notices_failing.set(notices_failing)
        gauges.read_at.set(time.time())
