"""Many callers, one piece of work per key; the work belongs to no caller.

A caller that gives up (its client hung up, its deadline passed) leaves the work running, and
the next caller of the same key joins it. `drain` waits for all of it at shutdown.
"""

import asyncio
import logging
import time
from collections import OrderedDict
from collections.abc import Callable, Coroutine, Hashable
from typing import Any, Generic, TypeVar

from xero_service.errors import IntegrationError

log = logging.getLogger(__name__)
K = TypeVar("K", bound=Hashable)
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


class SingleFlight(Generic[K, T]):
    """At most one task per key in this process."""

    def __init__(self, background: BackgroundWork) -> None:
        """Run flights as `background` work, so that a drain waits for them."""
        self._background = background
        self._flights: dict[K, asyncio.Task[T]] = {}

    def join(self, key: K, work: Callable[[], Coroutine[Any, Any, T]]) -> asyncio.Task[T]:
        """Return the flight of `key`, starting `work` where there is none."""
        flight = self._flights.get(key)
        if flight is None:
            flight = self._background.start(work())
            self._flights[key] = flight
            flight.add_done_callback(lambda _: self._flights.pop(key, None))
        return flight

    async def do(self, key: K, work: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """Return the flight's result; the caller's cancellation does not touch the flight."""
        return await asyncio.shield(self.join(key, work))


class Seldom(Generic[K]):
    """Says whether something is due again: so many times in so long per key, in this process."""

    def __init__(self, *, every: float, times: int = 1, at_most: int = 50_000) -> None:
        """`every`: seconds; `times`: how often in them; `at_most`: keys that are remembered."""
        self._every, self._times, self._at_most = every, times, at_most
        self._counts: OrderedDict[K, tuple[float, int]] = OrderedDict()

    def is_due(self, key: K) -> bool:
        """Tell whether it is time for `key`, and take it that it is done now if so."""
        now = time.monotonic()
        since, count = self._counts.get(key, (now, 0))
        if now - since >= self._every:
            since, count = now, 0
        if count >= self._times:
            return False
        self._counts[key] = since, count + 1
        self._counts.move_to_end(key)
        self._forget(now)
        return True

    def _forget(self, now: float) -> None:
        """Drop the keys whose time is over, which are due again anyway, and those too many."""
        while self._counts:
            since, _ = next(iter(self._counts.values()))
            if now - since < self._every and len(self._counts) <= self._at_most:
                break
            self._counts.popitem(last=False)
