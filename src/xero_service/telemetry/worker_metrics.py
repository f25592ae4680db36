"""Sums the metrics of all workers of one `serve`, so that a scrape of any worker returns all.

Each worker keeps its values in memory-mapped files in a shared directory. A file belongs to a slot,
not to a process: the worker that replaces a dead one acquires its slot and continues its counters.
So no counter decreases, none is counted twice, and no file has to be removed.
"""

import fcntl
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import BinaryIO

from prometheus_client import Metric, values
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from xero_service.errors import ConfigError


@contextmanager
def directory_for(workers: int) -> Iterator[Path | None]:
    """Create the shared directory for a block; None for a single worker, which needs none.

    Raises ConfigError where it cannot be created.
    """
    if workers == 1:
        yield None
        return
    try:
        created = TemporaryDirectory(prefix="xero-service-metrics-")
    except OSError as error:
        raise ConfigError(
            "Several workers keep their metrics in a temporary directory, and none can be made. "
            "Let TMPDIR name a directory that can be written, or serve with one worker."
        ) from error
    with created, _locked(created.name):
        yield Path(created.name)


@contextmanager
def _locked(directory: str) -> Iterator[None]:
    """Lock the directory, so that systemd-tmpfiles does not remove its files as old."""
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def join(directory: Path) -> "AllWorkers":
    """Keep this process's values in `directory`; return the collector of all workers' values.

    Applies to metrics that are created later, so it must run before the first.
    """
    lock, slot = _free_slot(directory)
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(directory)
    in_files = values.MultiProcessValue(lambda: slot)  # type: ignore[no-untyped-call]
    values.ValueClass = in_files
    return AllWorkers(directory, lock)


class AllWorkers(Collector):
    """Sums the files of all present and past workers, and holds this worker's slot."""

    def __init__(self, directory: Path, lock: BinaryIO) -> None:
        """`lock`: the lock file of the slot, which the process holds while the file is open."""
        self._directory, self._lock = directory, lock

    def pids(self) -> Iterator[int]:
        """Yield the process ids of the workers; one may have ended."""
        for slot in self._directory.glob("slot-*"):
            if pid := slot.read_text():
                yield int(pid)

    def collect(self) -> Iterable[Metric]:
        """Return each metric's sum; a gauge is merged by its `multiprocess_mode`."""
        # A file is empty while it is being created.
        files = [str(path) for path in self._directory.glob("*.db") if path.stat().st_size]
        found: Iterable[Metric] = MultiProcessCollector.merge(files)  # type: ignore[no-untyped-call]
        return found


def _free_slot(directory: Path) -> tuple[BinaryIO, int]:
    """Lock the lowest free slot; the kernel releases the lock when the process ends."""
    for slot in count():
        lock = (directory / f"slot-{slot}").open("ab")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.close()
        else:
            lock.truncate(0)
            lock.write(str(os.getpid()).encode())
            lock.flush()
            return lock, slot
    raise AssertionError  # count() does not end
