"""Gauges read from the database, so that every replica reports the same value."""

import asyncio
import time
from dataclasses import dataclass, field

from xero_service.store.database import Database
from xero_service.telemetry import Metrics, logger

FRESH_FOR_SECONDS = 2.0  # limits the reads, however many scrapes there are
PATIENCE_SECONDS = 2.0  # for the database: a scrape has other metrics to report

log = logger(__name__)


@dataclass(slots=True)
class StateMetrics:
    """Updates the gauges before a scrape."""

    database: Database
    metrics: Metrics
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    next_at: float = 0.0

    async def measure(self) -> None:
        """Update the gauges, at most every two seconds; on an error they keep their last values."""
        async with self.lock:
            if time.monotonic() < self.next_at:
                return
            try:
                async with asyncio.timeout(PATIENCE_SECONDS):
                    await self._read()
            except Exception as error:
                log.warning("the gauges of state are out of date", reason=type(error).__name__)
            self.next_at = time.monotonic() + FRESH_FOR_SECONDS

    async def _read(self) -> None:
        async with self.database.transaction() as tx:
            self.metrics.pending_cleanups.set(await tx.cleanups.count_pending())
