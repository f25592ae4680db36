"""Token reads: the rate and latency under load, relative to an empty route and a minimal reader."""

import asyncio
import statistics

from bench import load, reference_servers, stage
from bench.figures import Bar, Figure, Picture
from bench.load import CONNECTIONS, Load
from bench.raw_http import HttpConnection
from bench.stage import Stage
from demo.stack import LOOPBACK

ROUNDS, SECONDS = 5, 3.0
ROUNDS_WITH_TWO = 2
SERVICE, EMPTY, MINIMAL = "token read", "empty route", "minimal reader"

TITLE = "Token reads"
HOW = f"""One uvicorn worker of the service, {CONNECTIONS} connections, all security, logs and
metrics on. Alternating, {ROUNDS} times {SECONDS:g} s each: `POST /bindings/{{id}}/token`; an empty
route with the same middleware in the same process, first in its route table; and a minimal reader
of the same row (Starlette, asyncpg, AES-GCM; no key, org, status, audit or log). Then the same with
two workers, which share two cores with PostgreSQL and the load generator. Medians."""


async def measure() -> tuple[tuple[Figure, ...], Picture]:
    """Return rates and latencies, relative to the empty route and the minimal reader."""
    with stage.ready() as ready:
        ready.stack.replicas[0].child.stop()
        one = await _alternate(ready, workers=1, rounds=ROUNDS)
        two = await _alternate(ready, workers=2, rounds=ROUNDS_WITH_TWO)
    empty_rate = f"empty route: {one[EMPTY].per_second:,.0f}/s"
    minimal_rate = f"minimal reader: {one[MINIMAL].per_second:,.0f}/s"
    return (
        Figure(
            name="Token reads a second, one worker",
            value=one[SERVICE].per_second,
            unit="/s",
            floor=f"{empty_rate}; {minimal_rate}",
        ),
        Figure(
            name="Over the empty route's rate",
            value=one[SERVICE].per_second / one[EMPTY].per_second,
            unit="x",
            floor=empty_rate,
            wanted=("≥", 0.6),
        ),
        Figure(
            name="Over the minimal reader's rate",
            value=one[SERVICE].per_second / one[MINIMAL].per_second,
            unit="x",
            floor=minimal_rate,
            wanted=("≥", 0.75),
        ),
        Figure(
            name="p99 over the empty route's p99",
            value=one[SERVICE].p99 / one[EMPTY].p99,
            unit="x",
            floor=f"{one[SERVICE].p99:.1f} ms over {one[EMPTY].p99:.1f} ms;"
            f" minimal reader: {one[MINIMAL].p99:.1f} ms",
            wanted=("≤", 3),
        ),
        Figure(
            name="Token reads that failed",
            value=one[SERVICE].failed + two[SERVICE].failed,
            floor="of all, with one worker and with two",
            wanted=("=", 0),
        ),
        Figure(
            name="Token reads a second, two workers",
            value=two[SERVICE].per_second,
            unit="/s",
            floor=f"empty route: {two[EMPTY].per_second:,.0f}/s;"
            f" minimal reader: {two[MINIMAL].per_second:,.0f}/s",
        ),
        Figure(
            name="Two workers over one",
            value=two[SERVICE].per_second / one[SERVICE].per_second,
            unit="x",
            floor=f"empty route: {two[EMPTY].per_second / one[EMPTY].per_second:.2f} x",
        ),
    ), Picture(
        title=f"Answers a second at {CONNECTIONS} connections",
        unit="/s",
        bars=tuple(
            Bar(
                label=f"{name}, {workers} worker{'s' if workers > 1 else ''}",
                value=found[name].per_second,
                ours=name == SERVICE,
            )
            for workers, found in ((1, one), (2, two))
            for name in (EMPTY, MINIMAL, SERVICE)
        ),
    )


async def _alternate(ready: Stage, *, workers: int, rounds: int) -> dict[str, Load]:
    """Load the three servers alternately; return the medians of each."""
    (grant,) = await ready.seed(1)
    path, headers = ready.token_request(grant.binding_id)
    whole = reference_servers.start(ready.stack, "with_empty_route", workers=workers)
    minimal = reference_servers.start(ready.stack, "minimal_reader", workers=workers)
    urls = {
        EMPTY: whole.url + reference_servers.EMPTY,
        MINIMAL: minimal.url + path,
        SERVICE: whole.url + path,
    }
    found: dict[str, list[Load]] = {name: [] for name in urls}
    await _warm(whole.url, path, headers)
    for url in urls.values():
        _load(ready, url, headers, 1)
    for _ in range(rounds):
        for name, url in urls.items():
            found[name].append(_load(ready, url, headers, SECONDS))
    for replica in (whole, minimal):
        replica.child.stop()
    return {name: _median(loads) for name, loads in found.items()}


async def _warm(url: str, path: str, headers: dict[str, str]) -> None:
    """Send a few requests first, so that each process opens its database connections."""
    for _ in range(20):
        lines = [await HttpConnection.open(url) for _ in range(4)]
        await asyncio.gather(*(line.request("POST", path, headers) for line in lines))
        for line in lines:
            await line.close()


def _load(ready: Stage, url: str, headers: dict[str, str], seconds: float) -> Load:
    url = url.replace("localhost", LOOPBACK)
    return load.run(url, headers, method="POST", seconds=seconds, directory=ready.stack.directory)


def _median(loads: list[Load]) -> Load:
    return Load(
        statistics.median(each.per_second for each in loads),
        statistics.median(each.p50 for each in loads),
        statistics.median(each.p99 for each in loads),
        sum(each.failed for each in loads),
    )
