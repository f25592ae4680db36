"""Per-key throttle of events in this process."""

import time
from collections import OrderedDict
from collections.abc import Hashable
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)


class Throttle(Generic[K]):
    """Allows at most `times` events per `every` seconds and key, in this process."""

    def __init__(self, *, every: float, times: int = 1, at_most: int = 50_000) -> None:
        """`every`: seconds; `times`: events in that period; `at_most`: keys that are remembered."""
        self._every, self._times, self._at_most = every, times, at_most
        self._counts: OrderedDict[K, tuple[float, int]] = OrderedDict()

    def allow(self, key: K) -> bool:
        """Return whether an event of `key` is allowed now; one that is allowed counts."""
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
        """Drop the keys whose period is over, and the oldest beyond `at_most`."""
        while self._counts:
            since, _ = next(iter(self._counts.values()))
            if now - since < self._every and len(self._counts) <= self._at_most:
                break
            self._counts.popitem(last=False)
