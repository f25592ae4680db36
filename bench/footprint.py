"""Footprint: the memory of an idle worker, and the time until it is ready."""

import asyncio
import compileall
import statistics
import sys
import time
from pathlib import Path

import psutil

from bench import stage
from bench.figures import Bar, Figure, Picture
from bench.stage import IMPORTING_US, Stage
from demo import ports
from demo.processes import Child
from demo.stack import LOOPBACK, SERVICE
from xero_service import cli

STARTS = 9
IDLE_SECONDS = 2.0
MIB = 2**20
LONGEST_START = 2.5
"""Starts of a bare FastAPI application, measured in the same run."""

TITLE = "Footprint"
HOW = f"""In turns, {STARTS} times each: one worker of the service and a bare FastAPI application
(one route, the same server) are started; the clock runs from the start of the process to the
first 200 of `/readyz`, which asks the database, and memory is what is resident
{IDLE_SECONDS:g} s later. The service's modules are compiled, as an installed package's are.
Medians."""


async def measure() -> tuple[tuple[Figure, ...], Picture]:
    """Return memory and start time beside those of a bare FastAPI application."""
    ours, bare = [], []
    compileall.compile_dir(Path(cli.__file__).parents[1], quiet=1)
    with stage.ready() as ready:
        ready.stack.replicas[0].child.stop()
        for _ in range(STARTS):
            ours.append(await _start_server(ready, [SERVICE, "serve", "--port"]))
            bare.append(await _start_server(ready, [sys.executable, "-m", "bench.bare_app"]))
    (our_seconds, our_memory), (bare_seconds, bare_memory) = _medians(ours), _medians(bare)
    return (
        Figure(
            name="Idle memory of one worker",
            value=our_memory,
            unit="MiB",
            floor=f"bare FastAPI: {bare_memory:.0f} MiB",
            wanted=("≤", 120),
        ),
        Figure(
            name="Ready after",
            value=our_seconds,
            unit="s",
            floor=f"bare FastAPI: {bare_seconds:.2f} s",
        ),
        Figure(
            name="Start over the bare application's",
            value=our_seconds / bare_seconds,
            unit="x",
            floor=f"{our_seconds:.2f} s over {bare_seconds:.2f} s",
            wanted=("≤", LONGEST_START),
        ),
    ), Picture(
        title="Seconds from the start of the process until it is ready",
        unit="s",
        bars=(
            Bar(label="bare FastAPI application", value=bare_seconds, ours=False),
            Bar(label="the service", value=our_seconds),
        ),
        mark=LONGEST_START * bare_seconds,
    )


async def _start_server(ready: Stage, command: list[str]) -> tuple[float, float]:
    """Start a server, with its port as last argument; return seconds until ready, and idle MiB."""
    port = ports.free()
    began = time.monotonic()  # the kernel's start time is off by up to a second
    child = Child.start(
        "A server",
        [*command, str(port)],
        log=ready.stack.directory / f"started-{port}.log",
        env={**ready.stack.environment, **IMPORTING_US},
        cwd=ready.stack.directory,
    )
    while not await _is_ready(port):
        assert child.running, child.output()
        await asyncio.sleep(0.005)
    seconds = time.monotonic() - began
    await asyncio.sleep(IDLE_SECONDS)
    memory = psutil.Process(child.pid).memory_info().rss / MIB
    child.stop(grace=5)
    return seconds, memory


async def _is_ready(port: int) -> bool:
    try:
        reader, writer = await asyncio.open_connection(LOOPBACK, port)
    except OSError:
        return False
    writer.write(b"GET /readyz HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")
    said = await reader.read(64)
    writer.close()
    return b" 200 " in said


def _medians(found: list[tuple[float, float]]) -> tuple[float, float]:
    return (
        statistics.median(seconds for seconds, _ in found),
        statistics.median(memory for _, memory in found),
    )
