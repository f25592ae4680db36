"""Callers that read tokens and call Xero through nginx, all the while that a drill runs."""

import os
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

import httpx
from compose import ORIGIN, CheckFailed
from journey import API, Connected

PAUSE = 0.05
CALL_PAUSE = 1.5  # a tenant has sixty calls a minute
CUT = "a response of Xero was cut"
# What the service answers within a second where no connection gets free (R14). On a machine short
# of CPU that says nothing about the drill; no other failure is excused by the machine.
BUSY = "service_busy: All database connections are in use."
STARVED = 4  # processes that want to run for each CPU, averaged over a minute
MOST_BUSY = 1 / 500  # of the requests


@dataclass
class Answers:
    """What the callers were told during a drill."""

    statuses: Counter[int] = field(default_factory=Counter)
    codes: Counter[str] = field(default_factory=Counter)  # of the failures, by problem
    failures: list[str] = field(default_factory=list)
    without_retry_after: int = 0
    slowest: float = 0.0
    load: float = 0.0  # the machine's, for each CPU, at most

    def __str__(self) -> str:
        told = ", ".join(
            f"{count} answers {status}" for status, count in sorted(self.statuses.items())
        )
        codes = ", ".join(f"{count} {code}" for code, count in sorted(self.codes.items()))
        machine = f"; load {self.load:.0f} for each CPU" if self.load > STARVED else ""
        return f"{told}{f' ({codes})' if codes else ''}; slowest {self.slowest:.2f} s{machine}"

    def figures(self) -> dict[str, object]:
        """Return what `bench.drill_figures` reads."""
        failed = sum(status not in {200, 503} for status in self.statuses.elements())
        return {
            "requests": self.statuses.total(),
            "busy": self.statuses[503],
            "failed": max(failed, self.without_retry_after),
            "slowest": round(self.slowest, 3),
        }

    def record(self, response: httpx.Response | None, seconds: float, error: str = "") -> None:
        """Add an answer; none, where the connection failed, counts as 0."""
        status = response.status_code if response is not None else 0
        self.statuses[status] += 1
        self.slowest = max(self.slowest, seconds)
        self.load = max(self.load, os.getloadavg()[0] / (os.cpu_count() or 1))
        if response is not None and response.is_success:
            return
        self.codes[CUT if error == CUT else _code(response)] += 1
        self.failures.append(error or f"{status} {response.text if response is not None else ''}")
        if response is None or "retry-after" not in response.headers:
            self.without_retry_after += 1

    def require_none_failed(self, *, but_cut: int = 0) -> None:
        """Raise CheckFailed where a request failed.

        `but_cut`: so many responses of Xero may be cut. They are streamed, so that nginx cannot ask
        another replica for the rest.
        """
        excused = min(self.codes[CUT], but_cut)
        if self.load > STARVED and self.codes[BUSY] <= self.statuses.total() * MOST_BUSY:
            excused += self.codes[BUSY]
        if len(self.failures) > excused:
            raise CheckFailed(f"{len(self.failures)} failed: {self}; {self.failures[:3]}")

    def require_only_busy(self) -> None:
        """Raise CheckFailed where a request failed other than by 503 with Retry-After."""
        others = {status for status in self.statuses if status not in {200, 503}}
        if others or self.without_retry_after:
            raise CheckFailed(f"not only 503 with Retry-After: {self}; {self.failures[:3]}")


def _code(response: httpx.Response | None) -> str:
    """Return the code and the detail of a problem, of which one code may have several."""
    if response is None:
        return "no answer"
    with suppress(ValueError, KeyError, TypeError):
        problem = response.json()
        return f"{problem['code']}: {problem['detail']}"
    return "not a problem"


@contextmanager
def load(connected: Connected) -> Iterator[Answers]:
    """Call over and over until the block ends."""
    answers, over, lock = Answers(), threading.Event(), threading.Lock()

    def repeat(method: str, path: str, pause: float) -> None:
        with httpx.Client(base_url=ORIGIN, timeout=60, trust_env=False) as http:
            while not over.is_set():
                began = time.monotonic()
                response, error = None, ""
                try:
                    with http.stream(method, path, headers=connected.headers) as arriving:
                        error = CUT if path == call else "a token's response was cut"
                        arriving.read()
                    response, error = arriving, ""
                except httpx.TransportError as caught:
                    error = error or repr(caught)
                with lock:
                    answers.record(response, time.monotonic() - began, error)
                over.wait(pause)

    callers = [
        threading.Thread(target=repeat, args=("POST", f"{API}/bindings/{each}/token", PAUSE))
        for each in connected.bindings * 2
    ]
    call = f"{API}/bindings/{connected.bindings[0]}/api/api.xro/2.0/Organisation"
    callers.append(threading.Thread(target=repeat, args=("GET", call, CALL_PAUSE)))
    for each in callers:
        each.start()
    try:
        yield answers
    finally:
        over.set()
        for each in callers:
            each.join()
