"""Measures how late the event loop resumes a task, which is what blocks every request at once."""

import asyncio
import time
from collections.abc import Callable

from prometheus_client import Histogram

EVERY_SECONDS = 0.25


async def watch(lag: Histogram, also: Callable[[], None]) -> None:
    """Observe the lag until cancelled, and call `also` after each sample."""
    while True:
        wanted = time.monotonic() + EVERY_SECONDS
        await asyncio.sleep(EVERY_SECONDS)
        lag.observe(max(0.0, time.monotonic() - wanted))
        also()
