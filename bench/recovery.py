"""Recovery: the time until the next token read after a process was killed during a refresh."""

import asyncio
import statistics
import time
from datetime import timedelta

from bench import stage
from bench.figures import Bar, Figure, Picture
from bench.raw_http import HttpConnection
from bench.stage import Seeded, Stage

KILLS = 5
LEASE_SECONDS, TIMEOUT_SECONDS = 4.0, 2.0

TITLE = "Recovery"
HOW = f"""The lease is {LEASE_SECONDS:g} s here (30 s by default). A caller reads
the token of an expired grant from one process of the service; the sandbox rotates the tokens and
holds its response; the process gets SIGKILL. That is the worst moment, because the new refresh
token is lost. From the kill on, a caller polls another process until it returns a token. {KILLS}
kills, each of a new process and with a grant of its own; upkeep runs with its defaults."""


async def measure() -> tuple[tuple[Figure, ...], Picture]:
    """Return the time from the kill to the next successful read, and the number of lost grants."""
    settings = {
        "REFRESH_LEASE_SECONDS": f"{LEASE_SECONDS:g}",
        "XERO_TIMEOUT_SECONDS": f"{TIMEOUT_SECONDS:g}",
    }
    with stage.ready(settings) as ready:
        grants = await ready.seed(KILLS, expires_in=timedelta(minutes=-1))
        waits = [await _kill_and_time_next_read(ready, grant) for grant in grants]
        async with ready.connect() as database:
            alive = await database.fetchval(
                "SELECT count(*) FROM integration_grants"
                " WHERE status = 'active' AND generation = 2 AND expires_at > now()"
            )
    floor = f"lease: {LEASE_SECONDS:g} s"
    return (
        Figure(
            name="Next reader served after, median",
            value=statistics.median(waits),
            unit="s",
            floor=floor,
            wanted=("≤", LEASE_SECONDS + 1),
        ),
        Figure(
            name="Next reader served after, slowest",
            value=max(waits),
            unit="s",
            floor=floor,
            wanted=("≤", LEASE_SECONDS + 1),
        ),
        Figure(
            name="Grants lost",
            value=KILLS - alive,
            floor=f"of {KILLS} kills; `tests/crashes` kills at every other place",
            wanted=("=", 0),
        ),
    ), Picture(
        title="Seconds from the kill until the next reader has a token",
        unit="s",
        bars=(
            Bar(label="the lease", value=LEASE_SECONDS, ours=False),
            *(Bar(label=f"kill {n}", value=wait) for n, wait in enumerate(waits, 1)),
        ),
        mark=LEASE_SECONDS + 1,
    )


async def _kill_and_time_next_read(ready: Stage, grant: Seeded) -> float:
    """Kill a process during a refresh; return the seconds until the next successful read."""
    killed, survivor = ready.stack.start_replica(), ready.stack.replicas[0]
    path, headers = ready.token_request(grant.binding_id)
    held = ready.sandbox.fault("token.refresh", "hold", when="after")
    line = await HttpConnection.open(killed.url)
    interrupted = asyncio.create_task(line.request("POST", path, headers))
    await asyncio.to_thread(ready.sandbox.wait_until_held, held)
    killed.child.kill()
    killed_at = time.perf_counter()
    ready.sandbox.clear_faults()
    await asyncio.gather(interrupted, return_exceptions=True)
    reader = await HttpConnection.open(survivor.url)
    while (answer := await reader.request("POST", path, headers)).status != 200:
        assert answer.status == 503, answer.body
        await asyncio.sleep(0.05)
    await reader.close()
    return time.perf_counter() - killed_at
