"""C2: a scrape of any worker returns the sums of all, dead ones included."""

import asyncio
import signal
from functools import partial
from pathlib import Path

import psutil
import pytest

from tests.metrics.conftest import Running, Start
from tests.metrics.scrape import Samples, value
from tests.world import until
from xero_service.settings.model import DatabaseSettings
from xero_service.store.pools import split_pool_size

REQUESTS = "xero_service_http_requests_total"
SECONDS = "xero_service_http_request_seconds_count"
PATH = "/api/integrations/xero/activity"
ROUTE = "/activity"
SHARE, _ = split_pool_size(DatabaseSettings.model_fields["database_pool_size"].default)


def counted(samples: Samples) -> tuple[float, float]:
    return (
        value(samples, REQUESTS, method="GET", route=ROUTE, status="401"),
        value(samples, SECONDS, route=ROUTE),
    )


async def many_scrapes(running: Running) -> set[tuple[float, float]]:
    return {
        counted(await running.scrape(at))
        for _ in range(10)
        for at in (running.metrics, running.api)
    }


async def asks(running: Running, times: int) -> None:
    for _ in range(times):
        assert (await running.get(running.api + PATH)).status_code == 401


async def each_worker_answers(running: Running, times: int) -> None:
    """Pause the other workers for the block."""
    workers = running.workers()
    for worker in workers:
        others = [each for each in workers if each != worker]
        for other in others:
            other.suspend()
        await asks(running, times)
        for other in others:
            other.resume()


def kept_in(directory: Path) -> list[Path]:
    return list((directory / "tmp").glob("xero-service-metrics-*"))


async def test_what_two_workers_counted_is_in_every_scrape_once_c2_o3(
    start: Start, tmp_path: Path
) -> None:
    """Their requests, their processes and their pools add up."""
    async with start("serve", "--no-upkeep", "--workers", "2") as running:
        await each_worker_answers(running, 4)

        assert await many_scrapes(running) == {(8, 8)}
        await until(partial(has_the_pools_of_both, running), within=60)
        memory = value(await running.scrape(), "process_resident_memory_bytes")
        assert memory > 1.5 * running.workers()[0].memory_info().rss
        builds = [name for name, _ in await running.scrape() if name == "xero_service_build_info"]
        assert len(builds) == 1
        (directory,) = kept_in(tmp_path)
        assert directory.stat().st_mode & 0o077 == 0

    assert kept_in(tmp_path) == [], "serve takes its directory away"


async def has_the_pools_of_both(running: Running) -> bool:
    samples = await running.scrape()
    return value(samples, "xero_service_database_pool_size", pool="transactions") == 2 * SHARE


async def test_a_worker_that_is_replaced_takes_no_count_back_and_not_the_port_away_c2(
    start: Start, tmp_path: Path
) -> None:
    async with start("serve", "--no-upkeep", "--workers", "2") as running:
        await each_worker_answers(running, 3)
        before = await running.scrape()
        files: set[str] = set()

        for number in range(1, 3):
            dead = running.workers()[0]
            dead.send_signal(signal.SIGKILL)
            await until(partial(replaced, running, dead), within=120)
            await asks(running, 1)

            assert await many_scrapes(running) == {(6 + number, 6 + number)}
            now = {path.name for path in kept_in(tmp_path)[0].iterdir()}
            assert not files or now == files, "a successor goes on in the files of the dead"
            files = now

        assert never_went_back(before, await running.scrape())


async def replaced(running: Running, dead: psutil.Process) -> bool:
    """Whether there are two again; meanwhile every scrape is answered, and complete."""
    assert counted(await running.scrape())[0] >= 6
    workers = running.workers()
    return len(workers) == 2 and dead not in workers


def never_went_back(before: Samples, after: Samples) -> bool:
    counters = [key for key in before if key[0].endswith(("_total", "_count", "_sum", "_bucket"))]
    return all(after[key] >= before[key] for key in counters)


async def test_the_port_is_there_while_no_worker_is_c2(start: Start) -> None:
    async with start("serve", "--no-upkeep", "--workers", "2") as running:
        for worker in running.workers():
            worker.send_signal(signal.SIGKILL)

        answer = await running.get(f"{running.metrics}/healthz")

        assert answer.status_code == 200, "it waited for the next worker"


@pytest.mark.soak
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_serve_takes_its_directory_away_however_it_is_ended_c2(
    start: Start, tmp_path: Path, number: signal.Signals
) -> None:
    async with start("serve", "--no-upkeep", "--workers", "2") as running:
        assert len(kept_in(tmp_path)) == 1
        running.child.process.send_signal(number)
        await asyncio.to_thread(running.child.process.wait, 30)

        assert kept_in(tmp_path) == []
