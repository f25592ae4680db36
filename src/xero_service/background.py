"""Tasks that outlive the request that started them; `drain` waits for them at shutdown."""

import asyncio
import logging
import time
from collections.abc import Coroutine
from typing import Any, TypeVar

from xero_service.errors import IntegrationError

log = logging.getLogger(__name__)
T = TypeVar("T")


class BackgroundWork:
    """Tasks that outlive the request that caused them, until they end or `drain` gives up."""

    def __init__(self) -> None:
        """Start with nothing under way."""
        self._tasks: set[asyncio.Task[Any]] = set()

    def __len__(self) -> int:
        return len(self._tasks)

    def start(self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        """Run `work` as a task that nobody's cancellation reaches."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if task.cancelled():
            return
        # Looked at here, because every waiter may have left.
        error = task.exception()
        if error is not None and not isinstance(error, IntegrationError):
            log.error("background work failed", exc_info=error)

    async def drain(self, timeout: float) -> None:  # noqa: ASYNC109 - a bound, not a cancel scope
        """Wait until all is done, at most `timeout` seconds, then cancel what is left.

        Work that other work starts meanwhile is waited for, too.
        """
        deadline = time.monotonic() + timeout
        while self._tasks and (left := deadline - time.monotonic()) > 0:
            await asyncio.wait(self._tasks, timeout=left)
        late = list(self._tasks)
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)
