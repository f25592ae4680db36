"""Memory, CPU and open files of the processes that one scrape reports."""

import os
import time
from collections.abc import Callable, Iterable, Iterator
from functools import partial

from prometheus_client import CollectorRegistry, Counter, Metric, ProcessCollector
from prometheus_client.registry import Collector


def this_process() -> tuple[int, ...]:
    """Return the id of this process alone."""
    return (os.getpid(),)


class CpuTime:
    """The counter of CPU time, to which each worker adds its own."""

    def __init__(self, registry: CollectorRegistry) -> None:
        """Register the metric under its standard name."""
        self._total = Counter(
            "process_cpu_seconds_total",
            "Total user and system CPU time spent in seconds.",
            registry=registry,
        )
        self._counted = 0.0

    def measure(self) -> None:
        """Add what this process has used since the last time."""
        used = time.process_time()
        self._total.inc(used - self._counted)
        self._counted = used


class Processes(Collector):
    """The gauges `process_…` from /proc, added up over all workers; the start is the newest's."""

    def __init__(self, pids: Callable[[], Iterable[int]]) -> None:
        """`pids`: returns the ids of the processes."""
        self._pids = pids

    def collect(self) -> Iterator[Metric]:
        """Yield each metric once; none where there is no /proc."""
        families: dict[str, Metric] = {}
        for pid in self._pids():
            for family in ProcessCollector(pid=partial(int, pid), registry=None).collect():
                if family.type == "counter":  # CpuTime: a dead worker's would be missing
                    continue
                known = families.setdefault(family.name, family)
                if known is not family:
                    _merge(known, family)
        yield from families.values()


def _merge(known: Metric, other: Metric) -> None:
    (mine,), (theirs,) = known.samples, other.samples
    is_start = known.name == "process_start_time_seconds"
    value = max(mine.value, theirs.value) if is_start else mine.value + theirs.value
    known.samples = [mine._replace(value=value)]
