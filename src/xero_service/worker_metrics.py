"""Metrics of all workers of one `serve`, added up: whichever is asked answers for all of them.

Each worker keeps its values in memory-mapped files of a directory that they share. The files belong
to a slot, not to a process: the worker that replaces a dead one takes its slot and counts on from
its values, so that no counter goes back, none is counted twice, and nothing has to be cleared away.
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
    """Make the directory that so many workers share, and remove it afterwards; one needs none.

    Raises ConfigError where none can be made.
    """
    if workers == 1:
        yield None
        return
    try:
        made = TemporaryDirectory(prefix="xero-service-metrics-")
    except OSError as error:
        raise ConfigError(
            "Several workers keep their metrics in a temporary directory, and none can be made. "
            "Let TMPDIR name a directory that can be written, or serve with one worker."
        ) from error
    with made, _locked(made.name):
        yield Path(made.name)


@contextmanager
def _locked(directory: str) -> Iterator[None]:
    """Lock the directory: systemd-tmpfiles, which removes old files, passes by one that is."""
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def join(directory: Path) -> "AllWorkers":
    """Keep this process's values in `directory`, and return what adds up those of all workers.

    For metrics that are made from now on: before the first.
    """
    lock, slot = _free_slot(directory)
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(directory)
    in_files = values.MultiProcessValue(lambda: slot)  # type: ignore[no-untyped-call]
    values.ValueClass = in_files
    return AllWorkers(directory, lock)


class AllWorkers(Collector):
    """Reads the files of every worker that there is or was, and holds this worker's slot."""

    def __init__(self, directory: Path, lock: BinaryIO) -> None:
        """`lock`: of the slot, which the process has as long as it is open."""
        self._directory, self._lock = directory, lock

    def collect(self) -> Iterable[Metric]:
        """Return each metric's sum, or for a gauge what its mode says."""
        # A file is empty while it is being made.
        files = [str(path) for path in self._directory.glob("*.db") if path.stat().st_size]
        found: Iterable[Metric] = MultiProcessCollector.merge(files)  # type: ignore[no-untyped-call]
        return found


def _free_slot(directory: Path) -> tuple[BinaryIO, int]:
    """Take the lowest slot that no living worker has; the kernel frees it at the worker's end."""
    for slot in count():
        lock = (directory / f"slot-{slot}").open("ab")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.close()
        else:
            return lock, slot
    raise AssertionError  # count() does not end
