"""Two hundred callers that waste connections: memory, and how soon /healthz answers meanwhile."""

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
HOW = f"""One worker of the service, and {CALLERS} connections from another process for
{SECONDS:g} s each: they send nothing; half a head; heads that never end, 16 KiB at a time, each
opened anew once it was refused; a body at 100 bytes a second. Meanwhile `/healthz` is asked on a
connection of its own each time, and resident memory is read. Idle: the same without them."""


async def measure() -> tuple[tuple[Figure, ...], Picture]:
    """Return the memory and the latency under each kind of caller."""
    seen: dict[str, tuple[float, float]] = {}
    with stage.ready() as ready:
        replica = ready.serve(**QUIET)
        await _watched(replica)  # warm
        idle_milliseconds, idle_memory = await _watched(replica)
        for kind in KINDS:
            callers = _callers(ready, kind, replica)
            while len(psutil.Process(replica.child.pid).net_connections()) < CALLERS / 2:
                assert callers.running, callers.output()
                await asyncio.sleep(0.1)
            seen[kind] = await _watched(replica)
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


async def _watched(replica: Replica) -> tuple[float, float]:
    """Return the p99 of /healthz in milliseconds, and the most memory, of some seconds."""
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
