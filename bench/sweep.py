"""Sweep: the time for upkeep to refresh 10,000 due grants, relative to the bare calls."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from bench import sampling, stage
from bench.figures import Bar, Figure, Picture
from bench.stage import QUIET, Stage
from demo.processes import Child
from demo.stack import SERVICE
from xero_service.xero import oauth
from xero_service.xero.http import HttpClient
from xero_service.xero.oauth import XeroEndpoints

GRANTS, FEW, GRANTS_FOR_TWO, BARE = 10_000, 1_000, 3_000, 2_000
AT_ONCE, UPSTREAM_MS, POOL = 32, 200, 10
DAYS_OLD = 50  # past the 45 after which upkeep renews a refresh token

TITLE = "Sweep"
HOW = f"""{GRANTS:,} grants whose refresh tokens are {DAYS_OLD} days old, a Xero that takes
{UPSTREAM_MS} ms, and `xero-service upkeep` as a process of its own with its {AT_ONCE} refreshes at
a time and a pool of {POOL}. The clock runs from the first claim to the last commit. The floor is a
loop of {AT_ONCE} workers that makes {BARE:,} of the same calls by the service's own OAuth client,
with no database behind it, half of them before the sweep and half after; its wall is scaled up.
Then {FEW:,} grants with one process, for its memory, and {GRANTS_FOR_TWO:,} with two processes."""


@dataclass(frozen=True)
class Swept:
    """The result of one sweep."""

    seconds: float
    connections: int
    peak_mib: float


async def measure() -> tuple[tuple[Figure, ...], Picture]:
    """Return the sweep's pace beside that of the bare loop, its connections and its memory."""
    settings = {**QUIET, "DATABASE_POOL_SIZE": str(POOL)}
    with stage.ready(settings) as ready:
        ready.stack.replicas[0].child.stop()
        ready.sandbox.latency(UPSTREAM_MS)
        spare = [at["refreshToken"] for at in ready.sandbox.seed(BARE)]
        few = await _sweep(ready, FEW)
        before = await _bare_loop(ready, spare[: BARE // 2])
        many = await _sweep(ready, GRANTS)
        after = await _bare_loop(ready, spare[BARE // 2 :])
        two = await _sweep(ready, GRANTS_FOR_TWO, processes=2)
        calls = sum(use["presented"] > 1 for use in ready.sandbox.token_uses())
    bare = (before + after) * GRANTS / BARE
    bare_rate, rate = GRANTS / bare, GRANTS / many.seconds
    two_rate = GRANTS_FOR_TWO / two.seconds
    return (
        Figure(
            name=f"Wall over the bare loop's, {GRANTS:,} grants, one process",
            value=many.seconds / bare,
            unit="x",
            floor=f"{many.seconds:.1f} s over {bare:.1f} s",
            wanted=("≤", 1.5),
        ),
        Figure(
            name="The same for two processes, each grant's share of the wall",
            value=bare_rate / two_rate,
            unit="x",
            floor=f"{two_rate:.0f}/s over {bare_rate:.0f}/s of the bare loop,"
            f" which is {AT_ONCE} at a time",
        ),
        Figure(
            name="Connections used, most, one process",
            value=many.connections,
            floor=f"pool: {POOL}",
            wanted=("≤", POOL),
        ),
        Figure(
            name="Connections used, most, two processes",
            value=two.connections,
            floor=f"two pools of {POOL}",
            wanted=("≤", 2 * POOL),
        ),
        Figure(
            name=f"Peak memory, {GRANTS:,} grants over {FEW:,}",
            value=many.peak_mib / few.peak_mib,
            unit="x",
            floor=f"{many.peak_mib:.0f} MiB over {few.peak_mib:.0f} MiB",
            wanted=("≤", 1.1),
        ),
        Figure(name="Refresh tokens sent more than once", value=calls, wanted=("=", 0)),
    ), Picture(
        title=f"Refreshes a second, Xero taking {UPSTREAM_MS} ms",
        unit="/s",
        bars=(
            Bar(label=f"bare loop, {AT_ONCE} at a time", value=bare_rate, ours=False),
            Bar(label="one upkeep process", value=rate),
            Bar(label="two upkeep processes", value=two_rate),
        ),
        mark=bare_rate / 1.5,
    )


async def _sweep(ready: Stage, count: int, *, processes: int = 1) -> Swept:
    """Create grants, let upkeep refresh them, and delete them again; return the result."""
    seeded = await ready.seed(count, days_old=DAYS_OLD)
    async with (
        sampling.connections(ready) as connections,
        _upkeep(ready, processes) as children,
        sampling.memory(*(child.pid for child in children)) as memory,
        ready.connect() as database,
    ):
        while await database.fetchval(
            "SELECT count(*) FROM integration_grants WHERE generation = 1"
        ):
            assert all(child.running for child in children), children[0].output()
            await asyncio.sleep(0.25)
        seconds = await database.fetchval(
            "SELECT extract(epoch FROM max(updated_at) - min(refresh_token_issued_at))"
            " FROM integration_grants"
        )
        assert await database.fetchval("SELECT count(*) FROM integration_grants") == len(seeded)
    async with ready.connect() as database:
        await database.execute("DELETE FROM integration_tenant_bindings")
        await database.execute("DELETE FROM integration_grants")
    # Without this function's own connection, which is not of the pool.
    return Swept(float(seconds), connections.at_once - 1, memory.peak)


@asynccontextmanager
async def _upkeep(ready: Stage, processes: int) -> AsyncIterator[list[Child]]:
    environment = {**ready.stack.environment, "UPKEEP_INTERVAL_SECONDS": "1"}
    children = [
        Child.start(
            "Upkeep",
            [SERVICE, "upkeep"],
            log=ready.stack.directory / f"upkeep-{number}.log",
            env=environment,
            cwd=ready.stack.directory,
        )
        for number in range(processes)
    ]
    ready.stack.children.extend(children)
    yield children
    for child in children:
        child.stop(grace=30)


async def _bare_loop(ready: Stage, refresh_tokens: list[str]) -> float:
    """Make the refresh calls without the service; return the seconds."""
    settings = ready.stack.environment
    xero = XeroEndpoints(
        authorize_url="",
        token_url=settings["XERO_TOKEN_URL"],
        revocation_url="",
        issuer="",
        api_url="",
        client_id=settings["XERO_CLIENT_ID"],
        client_secret=settings["XERO_CLIENT_SECRET"],
        redirect_uri="",
        scopes=(),
    )
    left = iter(refresh_tokens)
    async with HttpClient(timeout=30) as client:

        async def worker(left: Iterator[str]) -> None:
            for refresh_token in left:
                _ = await oauth.refresh(xero, client, refresh_token)

        began = time.perf_counter()
        await asyncio.gather(*(worker(left) for _ in range(AT_ONCE)))
        return time.perf_counter() - began
