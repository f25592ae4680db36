"""A process is killed after Xero rotated and before we saved: who comes next is served soon."""

import asyncio
import statistics
import time
from datetime import timedelta

from bench import stage
from bench.figures import Bar, Figure, Picture
from bench.lines import Line
from bench.stage import Seeded, Stage

KILLS = 5
LEASE_SECONDS, TIMEOUT_SECONDS = 4.0, 2.0

TITLE = "Recovery"
HOW = f"""The lease is {LEASE_SECONDS:g} s here (30 s by default). A reader of an expired grant
reaches one process of the service; the sandbox rotates the tokens and keeps its answer; the
process gets SIGKILL. That is the worst moment: Xero's new refresh token reached nobody. From the
kill on a reader asks another process until it is served. {KILLS} kills, each of a new process,
each on a grant of its own, upkeep as by default."""


async def measure() -> tuple[tuple[Figure, ...], Picture]:
    """Return how long after the kill the next reader had a token, and how many grants were lost."""
    settings = {
        "REFRESH_LEASE_SECONDS": f"{LEASE_SECONDS:g}",
        "XERO_TIMEOUT_SECONDS": f"{TIMEOUT_SECONDS:g}",
    }
    with stage.ready(settings) as ready:
        grants = await ready.seed(KILLS, expires_in=timedelta(minutes=-1))
        waits = [await _killed_and_served(ready, grant) for grant in grants]
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
            floor=f"of {KILLS} kills; every other place to die is in `tests/crashes`",
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


async def _killed_and_served(ready: Stage, grant: Seeded) -> float:
    """Kill a process at the worst moment; return the seconds until a reader was served."""
    doomed, survivor = ready.stack.start_replica(), ready.stack.replicas[0]
    path, headers = ready.token_request(grant.binding_id)
    held = ready.sandbox.fault("token.refresh", "hold", when="after")
    line = await Line.open(doomed.url)
    asked = asyncio.create_task(line.ask("POST", path, headers))
    await asyncio.to_thread(ready.sandbox.wait_until_held, held)
    doomed.child.kill()
    killed_at = time.perf_counter()
    ready.sandbox.clear_faults()
    await asyncio.gather(asked, return_exceptions=True)
    reader = await Line.open(survivor.url)
    while (answer := await reader.ask("POST", path, headers)).status != 200:
        assert answer.status == 503, answer.body
        await asyncio.sleep(0.05)
    await reader.close()
    return time.perf_counter() - killed_at
