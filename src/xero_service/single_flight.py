"""Single flight: concurrent callers of one key share one task.

The task belongs to no caller: where a caller is cancelled or times out, the task goes on, and the
next caller of the same key joins it.
"""

import asyncio
from collections.abc import Callable, Coroutine, Hashable
from typing import Any, Generic, TypeVar

from xero_service.background import BackgroundWork

K = TypeVar("K", bound=Hashable)
T = TypeVar("T")


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
