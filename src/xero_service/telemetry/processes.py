"""Memory, CPU and open files of the processes that one scrape reports, from /proc."""

import os
from collections.abc import Callable, Iterable, Iterator
from functools import partial

from prometheus_client import Metric, ProcessCollector
from prometheus_client.registry import Collector


def this_process() -> tuple[int, ...]:
    """Return the id of this process alone."""
    return (os.getpid(),)


class Processes(Collector):
    """The `process_…` metrics, added up over all workers; the start is the newest worker's.

    A worker that ends takes its CPU time with it, which `rate()` takes for a reset.
    """

    def __init__(self, pids: Callable[[], Iterable[int]]) -> None:
        """`pids`: returns the ids of the processes."""
        self._pids = pids

    def collect(self) -> Iterator[Metric]:
        """Yield each metric once; none where there is no /proc."""
        families: dict[str, Metric] = {}
        for pid in self._pids():
            for family in ProcessCollector(pid=partial(int, pid), registry=None).collect():
                known = families.setdefault(family.name, family)
                if known is not family:
                    _merge(known, family)
        yield from families.values()


def _merge(known: Metric, other: Metric) -> None:
    (mine,), (theirs,) = known.samples, other.samples
    is_start = known.name == "process_start_time_seconds"
    value = max(mine.value, theirs.value) if is_start else mine.value + theirs.value
    known.samples = [mine._replace(value=value)]
