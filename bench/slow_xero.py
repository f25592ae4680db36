"""Slow Xero: the latency of reads of fresh tokens while hundreds of refreshes are in flight."""

import asyncio
import json
import statistics
import sys
import time
from datetime import timedelta

from bench import sampling, stage
from bench.figures import Bar, Figure, Picture, percentile
from bench.raw_http import HttpConnection
from bench.sampling import EVERY_SECONDS
from bench.stage import QUIET, Seeded, Stage
from demo.stack import ROOT

POOL, REFRESHES, UPSTREAM_MS = 10, 500, 3000
READERS, READS_A_SECOND = 4, 60
BATCHES, IDLE_SECONDS, ASKED_WITHIN = 3, 6.0, 2.5

TITLE = "Slow Xero"
HOW = f"""One process with a pool of {POOL} database connections. {REFRESHES} callers of
another process request the tokens of {REFRESHES} expired grants within {ASKED_WITHIN:g} s. Xero
takes {UPSTREAM_MS / 1000:g} s for each refresh, so all are in flight together; {BATCHES} batches.
At the same time {READERS} connections read fresh tokens of other bindings, {READS_A_SECOND} times a
second; the baseline is the same reads without refreshes. `pg_stat_activity` is sampled every
{EVERY_SECONDS * 1000:g} ms."""


async def measure() -> tuple[tuple[Figure, ...], Picture]:
    """Return the latency of fresh reads with refreshes in flight, relative to idle."""
    with stage.ready({**QUIET, "DATABASE_POOL_SIZE": str(POOL)}) as ready:
        fresh = await ready.seed(READERS)
        expired = await ready.seed(REFRESHES * BATCHES, expires_in=timedelta(minutes=-1))
        await _reads(ready, fresh, asyncio.create_task(asyncio.sleep(1)))
        idle, _ = await _reads(ready, fresh, asyncio.create_task(asyncio.sleep(IDLE_SECONDS)))
        ready.sandbox.latency(UPSTREAM_MS)
        busy: list[float] = []
        in_flight, refused, statuses = [], 0, set[int]()
        async with sampling.connections(ready) as connections:
            for n in range(BATCHES):
                batch = expired[n * REFRESHES : (n + 1) * REFRESHES]
                asked = asyncio.create_task(_refresh_batch(ready, batch))
                took, refusals = await _reads(ready, fresh, asked)
                busy, refused = busy + took, refused + refusals
                seconds, answered = asked.result()
                in_flight.append(seconds)
                statuses |= answered
        calls = len(ready.sandbox.journal("token.refresh"))
    said = ", ".join(map(str, sorted(statuses)))
    return (
        Figure(
            name="Fresh reads while refreshes are in flight, p99",
            value=percentile(busy, 0.99),
            unit="ms",
            floor=f"idle p99: {percentile(idle, 0.99):.1f} ms",
            wanted=("≤", 100),
        ),
        Figure(
            name="The same, median",
            value=statistics.median(busy),
            unit="ms",
            floor=f"idle median: {statistics.median(idle):.1f} ms",
        ),
        Figure(name="Fresh reads refused", value=refused, floor=f"of {len(busy)}", wanted=("=", 0)),
        Figure(
            name="Longest `idle in transaction` seen",
            value=connections.idle_in_transaction * 1000,
            unit="ms",
            floor=f"{connections.samples:,} samples",
            wanted=("≤", 100),
        ),
        Figure(
            name="Connections used, most",
            value=connections.at_once,
            floor=f"pool: {POOL}",
            wanted=("≤", POOL),
        ),
        Figure(
            name="Refresh calls",
            value=calls,
            floor=f"{BATCHES} x {REFRESHES} grants; the last of a batch was answered after"
            f" {statistics.median(in_flight):.1f} s; answers: {said}",
            wanted=("≤", BATCHES * REFRESHES),
        ),
    ), Picture(
        title=f"Reads of fresh tokens with {REFRESHES} refreshes of 3 s in flight",
        unit="ms",
        bars=(
            Bar(label="median, idle", value=statistics.median(idle), ours=False),
            Bar(label="median, in flight", value=statistics.median(busy)),
            Bar(label="p99, idle", value=percentile(idle, 0.99), ours=False),
            Bar(label="p99, in flight", value=percentile(busy, 0.99)),
        ),
        mark=100,
    )


async def _reads(
    ready: Stage, fresh: list[Seeded], until: "asyncio.Task[object]"
) -> tuple[list[float], int]:
    """Read fresh tokens at a steady rate until a task ends; return milliseconds and failures."""
    took: list[float] = []
    refused: list[bool] = []
    pause = READERS / READS_A_SECOND

    async def reader(grant: Seeded) -> None:
        line = await HttpConnection.open(ready.stack.replicas[0].url)
        path, headers = ready.token_request(grant.binding_id)
        due = time.perf_counter()
        while not until.done():
            due += pause
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            answer = await line.request("POST", path, headers)
            refused.append(answer.status != 200)
            # Measured from the due time, so that a stall also counts for the reads that it delays.
            took.append((time.perf_counter() - due) * 1000)
        await line.close()

    await asyncio.gather(until, *map(reader, fresh))
    return took, sum(refused)


async def _refresh_batch(ready: Stage, batch: list[Seeded]) -> tuple[float, set[int]]:
    """Read the batch from another process; return seconds to the last response, and statuses."""
    requests = [ready.token_request(grant.binding_id) for grant in batch]
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bench.slow_xero", ready.stack.replicas[0].url),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        cwd=ROOT,
    )
    said, _ = await process.communicate(json.dumps(requests).encode())
    found = json.loads(said)
    return float(found["seconds"]), set(found["statuses"])


async def _ask(url: str, requests: list[tuple[str, dict[str, str]]]) -> None:
    """Send all requests, evenly spread, and print the result; the main of the callers' process."""
    lines = [await HttpConnection.open(url) for _ in requests]
    began = time.perf_counter()

    async def one(number: int) -> int:
        await asyncio.sleep(ASKED_WITHIN * number / len(requests))
        path, headers = requests[number]
        return (await lines[number].request("POST", path, headers)).status

    statuses = await asyncio.gather(*(one(n) for n in range(len(requests))))
    seconds = time.perf_counter() - began
    print(json.dumps({"statuses": sorted(set(statuses)), "seconds": seconds}))


if __name__ == "__main__":
    asyncio.run(_ask(sys.argv[1], json.load(sys.stdin)))
