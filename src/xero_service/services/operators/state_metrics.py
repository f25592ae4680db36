"""Gauges of what the database holds, so that every replica says the same, whoever did the work."""

import asyncio
import time
from dataclasses import dataclass, field

from xero_service.store.database import Database
from xero_service.telemetry import Metrics, logger

FRESH_FOR_SECONDS = 2.0  # however many scrape, and however often
PATIENCE_SECONDS = 2.0  # a scrape must not wait for the database: it tells of much else

log = logger(__name__)


@dataclass(slots=True)
class StateMetrics:
    """Reads the gauges of state for a scrape."""

    database: Database
    metrics: Metrics
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    next_at: float = 0.0

    async def measure(self) -> None:
        """Read the gauges, at most every two seconds; what cannot be read keeps its last value."""
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
