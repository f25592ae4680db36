"""Slow callers: memory and the latency of /healthz with 200 callers that hold connections."""

import asyncio
import statistics
import sys
import time

import psutil

from bench import stage
from bench.figures import Bar, Figure, Picture
from bench.slow_clients import CALLERS, KINDS
from bench.stage import IMPORTING_US, QUIET, Stage
from demo.processes import Child
from demo.stack import LOOPBACK, Replica

SECONDS = 12.0
PAUSE_SECONDS = 0.02
MIB = 2**20

TITLE = "Slow callers"
HOW = f"""One worker of the service, and {CALLERS} connections from another process that
for {SECONDS:g} s each send: nothing; half of a request head; endless headers, 16 KiB at a time,
with a new connection after each refusal; a body at 100 bytes a second. At the same time `/healthz`
is requested, on a new connection each time, and resident memory is sampled. Idle: the same without
them."""


async def measure() -> tuple[tuple[Figure, ...], Picture]:
    """Return the memory and the latency for each kind of slow caller."""
    seen: dict[str, tuple[float, float]] = {}
    with stage.ready() as ready:
        replica = ready.serve(**QUIET)
        await _sample(replica)  # warm
        idle_milliseconds, idle_memory = await _sample(replica)
        for kind in KINDS:
            callers = _callers(ready, kind, replica)
            while len(psutil.Process(replica.child.pid).net_connections()) < CALLERS / 2:
                assert callers.running, callers.output()
                await asyncio.sleep(0.1)
            seen[kind] = await _sample(replica)
            callers.stop(grace=2)
    grown = max(memory for _, memory in seen.values()) - idle_memory
    figures = [
        Figure(
            name=f"p99 of /healthz: {kind}",
            value=milliseconds,
            unit="ms",
            floor=f"idle: {idle_milliseconds:.0f} ms",
            wanted=("≤", 100),
        )
        for kind, (milliseconds, _) in seen.items()
    ]
    memory = Figure(
        name="Memory above idle, at most",
        value=grown,
        unit="MiB",
        floor=f"idle: {idle_memory:.0f} MiB",
        wanted=("≤", 40),
    )
    bars = [Bar(label=kind, value=milliseconds) for kind, (milliseconds, _) in seen.items()]
    return (memory, *figures), Picture(
        title=f"p99 of /healthz in milliseconds beside {CALLERS} slow callers",
        unit="ms",
        bars=(Bar(label="idle", value=idle_milliseconds, ours=False), *bars),
        mark=100,
    )


def _callers(ready: Stage, kind: str, replica: Replica) -> Child:
    return Child.start(
        "Slow callers",
        [sys.executable, "-m", "bench.slow_clients", kind, _port(replica)],
        log=ready.stack.directory / f"callers-{kind.replace(' ', '-')}.log",
        env={**ready.stack.environment, **IMPORTING_US},
        cwd=ready.stack.directory,
    )


async def _sample(replica: Replica) -> tuple[float, float]:
    """Return the p99 of /healthz in milliseconds and the maximum of memory in MiB."""
    process, until = psutil.Process(replica.child.pid), time.monotonic() + SECONDS
    milliseconds, memory = [], 0.0
    while (began := time.monotonic()) < until:
        reader, writer = await asyncio.open_connection(LOOPBACK, int(_port(replica)))
        writer.write(b"GET /healthz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
        assert b" 200 " in await reader.read()
        writer.close()
        milliseconds.append((time.monotonic() - began) * 1000)
        memory = max(memory, process.memory_info().rss / MIB)
        await asyncio.sleep(PAUSE_SECONDS)
    return statistics.quantiles(milliseconds, n=100)[98], memory


def _port(replica: Replica) -> str:
    return replica.url.rpartition(":")[2]
