"""Xero's rate limits: fixed windows per tenant and for the whole app (facts §7)."""

import hashlib
import math
from collections import Counter
from dataclasses import dataclass
from typing import Literal

from xero_sandbox.clock import Clock
from xero_sandbox.switches import Switches

MINUTE, DAY = 60, 24 * 60 * 60

Problem = Literal["minute", "day", "concurrent", "appminute"]


@dataclass(frozen=True)
class RateLimitStatus:
    """The calls left after this request, and the limit that refuses it, if any."""

    day: int
    minute: int
    app_minute: int
    problem: Problem | None = None
    retry_after: int | None = None

    def headers(self) -> dict[str, str]:
        """Return the rate limit headers of an API response, with those of a 429 if refused."""
        found = {
            "X-DayLimit-Remaining": str(self.day),
            "X-MinLimit-Remaining": str(self.minute),
            "X-AppMinLimit-Remaining": str(self.app_minute),
        }
        if self.problem:
            found["X-Rate-Limit-Problem"] = self.problem
        if self.retry_after is not None:
            found["Retry-After"] = str(self.retry_after)
        return found


class RateLimits:
    """Counters of API calls; each tenant's windows start at an offset of their own."""

    def __init__(self, clock: Clock, switches: Switches) -> None:
        self._clock = clock
        self._switches = switches
        self._in_flight: Counter[str] = Counter()
        self._windows: dict[tuple[str, int], tuple[int, int]] = {}

    def reset(self) -> None:
        """Clear every window; requests in flight stay counted."""
        self._windows.clear()

    def acquire(self, tenant_id: str) -> RateLimitStatus:
        """Count a call unless a limit refuses it; each call not refused needs a `release`."""
        problem = self._problem(tenant_id)
        if problem is None:
            self._in_flight[tenant_id] += 1
            for window in self._windows_of(tenant_id):
                self._windows[window] = (self._index(*window), self._used(*window) + 1)
        return self._status(tenant_id, problem)

    def release(self, tenant_id: str) -> None:
        """Count a call as finished."""
        self._in_flight[tenant_id] -= 1

    def app_minute_left(self) -> int:
        """Return the calls left in the app's minute, which a 403 also shows (facts §1.10)."""
        return max(0, self._switches.app_minute_limit - self._used("", MINUTE))

    def _problem(self, tenant_id: str) -> Problem | None:
        switches = self._switches
        if not switches.rate_limits:
            return None
        if self._in_flight[tenant_id] >= switches.concurrent_limit:
            return "concurrent"
        if self._used(tenant_id, DAY) >= switches.day_limit:
            return "day"
        if self._used(tenant_id, MINUTE) >= switches.minute_limit:
            return "minute"
        return "appminute" if self.app_minute_left() == 0 else None

    def _status(self, tenant_id: str, problem: Problem | None) -> RateLimitStatus:
        window = {"minute": MINUTE, "day": DAY}.get(problem or "")
        return RateLimitStatus(
            day=max(0, self._switches.day_limit - self._used(tenant_id, DAY)),
            minute=max(0, self._switches.minute_limit - self._used(tenant_id, MINUTE)),
            app_minute=self.app_minute_left(),
            problem=problem,
            retry_after=None if window is None else self._until_next(tenant_id, window),
        )

    @staticmethod
    def _windows_of(tenant_id: str) -> tuple[tuple[str, int], ...]:
        return (tenant_id, MINUTE), (tenant_id, DAY), ("", MINUTE)

    def _used(self, owner: str, length: int) -> int:
        index, used = self._windows.get((owner, length), (-1, 0))
        return used if index == self._index(owner, length) else 0

    def _index(self, owner: str, length: int) -> int:
        return int((self._clock.now() + _shift(owner, length)) // length)

    def _until_next(self, owner: str, length: int) -> int:
        return math.ceil(length - (self._clock.now() + _shift(owner, length)) % length)


def _shift(owner: str, length: int) -> int:
    return int.from_bytes(hashlib.sha256(owner.encode()).digest()[:4]) % length
