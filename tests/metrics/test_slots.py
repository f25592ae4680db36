"""C2: a worker that replaces a killed one acquires its slot and files."""

import random
import subprocess
import sys
import time
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from tests.metrics import counting
from xero_service.telemetry.worker_metrics import AllWorkers


def counted(directory: Path) -> dict[str, float]:
    """Return the sums of all workers, from outside of them."""
    registry = CollectorRegistry()
    with (directory / "reader").open("ab") as lock:
        registry.register(AllWorkers(directory, lock))
        samples = [sample for metric in registry.collect() for sample in metric.samples]
    return {f"{each.name} {sorted(each.labels.items())}": each.value for each in samples}


def events(samples: dict[str, float]) -> float:
    return sum(value for name, value in samples.items() if name.startswith("events_total"))


@pytest.mark.parametrize("kills", [5, pytest.param(100, marks=pytest.mark.soak)])
def test_no_count_is_lost_or_doubled_or_goes_back_c2(tmp_path: Path, kills: int) -> None:
    written = (tmp_path / "written").open("ab")

    def start() -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [sys.executable, counting.__file__, str(tmp_path)], stdout=written.fileno()
        )

    workers = [start(), start()]
    last: dict[str, float] = {}
    for _ in range(kills):
        until = time.monotonic() + random.uniform(0.2, 1)  # noqa: S311
        while time.monotonic() < until or events(last) == 0:
            now = counted(tmp_path)
            assert all(now[name] >= was for name, was in last.items())
            last = now
        dead = workers.pop(0)
        dead.kill()
        dead.wait()
        workers.append(start())
    for worker in workers:
        worker.kill()
        worker.wait()
    written.close()

    # Each may have been killed between counting and writing, or between two of the counts.
    killed = kills + len(workers)
    found = (tmp_path / "written").stat().st_size
    assert found <= events(counted(tmp_path)) <= found + killed
    assert len(list(tmp_path.glob("*.db"))) <= 2 * len(workers)
