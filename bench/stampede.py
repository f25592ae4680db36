"""Stampede: many callers of several processes request an expired token at the same moment."""

import asyncio
import statistics
import time
from base64 import b64encode
from urllib.parse import urlencode, urlsplit

from bench import stage
from bench.figures import Bar, Figure, Picture, percentile
from bench.raw_http import HttpConnection
from bench.stage import QUIET, Seeded, Stage

PROCESSES, CALLERS, ROUNDS = 4, 50, 12
UPSTREAM_MS = 1000

TITLE = "Stampede"
HOW = f"""{PROCESSES} processes of the service, each with {CALLERS} callers on open connections. In
each of {ROUNDS} rounds the grant's access token expires and all {PROCESSES * CALLERS} callers
request it at the same moment; Xero takes {UPSTREAM_MS / 1000:g} s. A first round is not counted.
The baseline is the same refresh call, made directly to the sandbox between the rounds."""


async def measure() -> tuple[tuple[Figure, ...], Picture]:
    """Return the wall time of a round, relative to one direct refresh call."""
    with stage.ready(QUIET, replicas=PROCESSES) as ready:
        (grant,), bare = await ready.seed(1), await ready.seed(1 + ROUNDS)
        lines = [
            await HttpConnection.open(replica.url)
            for replica in ready.stack.replicas
            for _ in range(CALLERS)
        ]
        ready.sandbox.latency(UPSTREAM_MS)
        walls, floors, calls, tokens = [], [], [], []
        for spare in bare:
            floors.append(await _direct_refresh(ready, spare))
            seen = len(ready.sandbox.journal("token.refresh"))
            await ready.expire([grant])
            began = time.perf_counter()
            answers = await _request_all(ready, grant, lines)
            walls.append(time.perf_counter() - began)
            calls.append(len(ready.sandbox.journal("token.refresh")) - seen)
            tokens.append(len(set(answers)))
        del walls[0]  # the first refresh of each process
        for line in lines:
            await line.close()
    ratios = [wall / statistics.median(floors) for wall in walls]
    floor = f"one bare call: {statistics.median(floors):.3f} s"
    return (
        Figure(name="Refresh calls a round, most", value=max(calls), wanted=("=", 1)),
        Figure(
            name="Different tokens handed out a round, most", value=max(tokens), wanted=("=", 1)
        ),
        Figure(
            name="Wall over upstream, median",
            value=statistics.median(ratios),
            unit="x",
            floor=floor,
            wanted=("≤", 1.15),
        ),
        Figure(
            name="Wall over upstream, slowest round",
            value=max(ratios),
            unit="x",
            floor=floor,
            wanted=("≤", 1.15),
        ),
    ), Picture(
        title=f"One refresh for {PROCESSES * CALLERS} callers: time until the last has its token",
        unit="s",
        bars=(
            Bar(label="one bare call to Xero", value=statistics.median(floors), ours=False),
            Bar(label="median round", value=statistics.median(walls)),
            Bar(label="90 % of rounds", value=percentile(walls, 0.9)),
            Bar(label="slowest round", value=max(walls)),
        ),
        mark=1.15 * statistics.median(floors),
    )


async def _request_all(ready: Stage, grant: Seeded, lines: list[HttpConnection]) -> list[bytes]:
    path, headers = ready.token_request(grant.binding_id)
    answers = await asyncio.gather(*(line.request("POST", path, headers) for line in lines))
    assert {each.status for each in answers} == {200}, answers
    return [each.body for each in answers]


async def _direct_refresh(ready: Stage, grant: Seeded) -> float:
    line = await HttpConnection.open(ready.stack.sandbox)
    headers = {
        "authorization": "Basic " + b64encode(":".join(ready.basic_auth).encode()).decode(),
        "content-type": "application/x-www-form-urlencoded",
    }
    form = urlencode({"grant_type": "refresh_token", "refresh_token": grant.refresh_token})
    path = urlsplit(ready.stack.environment["XERO_TOKEN_URL"]).path
    answer = await line.request("POST", path, headers, form.encode())
    await line.close()
    assert answer.status == 200, answer.body
    return answer.seconds
