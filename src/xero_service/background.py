"""Background tasks that outlive the request that started them; shutdown drains them."""

import asyncio
import logging
import time
from collections.abc import Coroutine
from typing import Any, TypeVar

from xero_service.errors import IntegrationError

log = logging.getLogger(__name__)
T = TypeVar("T")


class BackgroundWork:
    """The background tasks of a process; they run until they end or `drain` cancels them."""

    def __init__(self) -> None:
        """Start without tasks."""
        self._tasks: set[asyncio.Task[Any]] = set()

    def __len__(self) -> int:
        return len(self._tasks)

    def start(self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        """Run `work` as a task that a caller's cancellation does not cancel."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._on_done)
        return task

    def _on_done(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if task.cancelled():
            return
        # Retrieved here, because no waiter may be left to do so.
        error = task.exception()
        if error is not None and not isinstance(error, IntegrationError):
            log.error("background work failed", exc_info=error)

    async def drain(self, timeout: float) -> None:  # noqa: ASYNC109 - a bound, not a cancel scope
        """Wait `timeout` seconds at most until no task is left, then cancel the rest.

        Tasks that are started meanwhile are waited for, too.
        """
        deadline = time.monotonic() + timeout
        while self._tasks and (left := deadline - time.monotonic()) > 0:
            await asyncio.wait(self._tasks, timeout=left)
        late = list(self._tasks)
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)
