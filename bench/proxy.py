"""API proxy: the latency that it adds to a call, and the throughput of large downloads."""

import asyncio
import statistics
import time

import httpx

from bench import reference_servers, sampling, stage
from bench.figures import Bar, Figure, Picture, percentile
from bench.raw_http import HttpConnection
from bench.stage import Seeded, Stage
from xero_service.app import PREFIX

BINDINGS, CALLS_EACH = 40, 50  # Xero allows 60 calls a minute
DOWNLOADS, MEBIBYTES = 7, 20
SETTLED_SECONDS = 2.0

STRAIGHT, OURS, LEAST = "straight", "ours", "least"

TITLE = "API proxy"
HOW = f"""One caller, in turns: a call straight to the sandbox; the same call through the proxy,
which checks key, binding and path, takes a turn in the tenant's rate budget, and adds the token;
and through a minimal proxy (Starlette, asyncpg, AES-GCM, the service's HTTP client, and nothing
else: no key, no org, no status, no rate limit, no log), which is what one more process, one read
and one more call cost on this machine. {BINDINGS} bindings with {CALLS_EACH} calls each, because a
binding has 60 a minute. Then {DOWNLOADS} downloads of {MEBIBYTES} MiB each way by httpx, in turns,
from a server that sends nothing else; memory is that of the service's process, before and at most
during them."""


async def measure() -> tuple[tuple[Figure, ...], Picture]:
    """Return milliseconds added by the proxy, throughput and memory."""
    with stage.ready() as ready:
        took = await _calls(ready, await ready.seed(BINDINGS))
        (grant,) = await ready.seed(1)
        files = reference_servers.start(ready.stack, "downloads")
        replica = ready.serve(XERO_API_URL=files.url)
        await asyncio.sleep(SETTLED_SECONDS)  # it loads what calls need only now
        path, headers = ready.token_request(grant.binding_id)
        target = f"/api.xro/2.0/{MEBIBYTES}"
        ways = {
            "direct": files.url + target,
            "proxied": replica.url + path.removesuffix("/token") + "/api" + target,
        }
        speeds: dict[str, list[float]] = {"direct": [], "proxied": []}
        async with (
            httpx.AsyncClient(headers=headers, trust_env=False) as client,
            sampling.memory(replica.child.pid) as memory,
        ):
            for number in range(DOWNLOADS + 1):
                for name, url in ways.items():
                    speed = await _download(client, url)
                    if number:  # the first of each warms up
                        speeds[name].append(speed)
    speed, floor = statistics.median(speeds["proxied"]), statistics.median(speeds["direct"])
    medians = {way: statistics.median(each) for way, each in took.items()}
    p99s = {way: percentile(each, 0.99) for way, each in took.items()}
    added = {way: median - medians[STRAIGHT] for way, median in medians.items()}
    return (
        Figure(
            name="Added to a call, median",
            value=added[OURS],
            unit="ms",
            floor=f"{medians[OURS]:.2f} ms over {medians[STRAIGHT]:.2f} ms direct;"
            f" a minimal proxy adds {added[LEAST]:.2f} ms",
        ),
        Figure(
            name="The same over what a minimal proxy adds",
            value=added[OURS] / added[LEAST],
            unit="x",
            floor=f"minimal proxy: {added[LEAST]:.2f} ms",
            wanted=("≤", 1.35),
        ),
        Figure(
            name="Added to a call, p99",
            value=p99s[OURS] - p99s[STRAIGHT],
            unit="ms",
            floor=f"{p99s[OURS]:.1f} ms over {p99s[STRAIGHT]:.1f} ms direct;"
            f" a minimal proxy: {p99s[LEAST]:.1f} ms",
        ),
        Figure(
            name=f"Throughput of a {MEBIBYTES} MiB download over direct",
            value=speed / floor,
            unit="x",
            floor=f"{speed:.0f} MiB/s over {floor:.0f} MiB/s",
            wanted=("≥", 0.8),
        ),
        Figure(
            name="Memory above idle during downloads",
            value=memory.peak - memory.first,
            unit="MiB",
            floor=f"idle: {memory.first:.0f} MiB",
            wanted=("≤", 30),
        ),
    ), Picture(
        title="One call to Xero's API: direct, through a minimal proxy, through the service",
        unit="ms",
        bars=(
            Bar(label="direct, median", value=medians[STRAIGHT], ours=False),
            Bar(label="minimal proxy, median", value=medians[LEAST], ours=False),
            Bar(label="the service, median", value=medians[OURS]),
            Bar(label="direct, p99", value=p99s[STRAIGHT], ours=False),
            Bar(label="minimal proxy, p99", value=p99s[LEAST], ours=False),
            Bar(label="the service, p99", value=p99s[OURS]),
        ),
    )


async def _download(client: httpx.AsyncClient, url: str) -> float:
    """Download a file with httpx; return MiB a second."""
    began, size = time.perf_counter(), 0
    async with client.stream("GET", url) as answer:
        assert answer.status_code == 200, await answer.aread()
        async for piece in answer.aiter_raw():
            size += len(piece)
    assert size == MEBIBYTES * sampling.MIB
    return MEBIBYTES / (time.perf_counter() - began)


async def _calls(ready: Stage, bindings: list[Seeded]) -> dict[str, list[float]]:
    """Return the milliseconds of calls: direct, through the proxy, through the minimal proxy."""
    lines = {
        STRAIGHT: await HttpConnection.open(ready.stack.sandbox),
        OURS: await HttpConnection.open(ready.stack.replicas[0].url),
        LEAST: await HttpConnection.open(reference_servers.start(ready.stack, "minimal_proxy").url),
    }
    took: dict[str, list[float]] = {way: [] for way in lines}
    resource = "api.xro/2.0/Organisation"
    for number in range(CALLS_EACH + 1):
        for at, binding in enumerate(bindings):
            _, key = ready.token_request(binding.binding_id)
            own = {
                "authorization": f"Bearer {binding.access_token}",
                "xero-tenant-id": binding.tenant_id,
            }
            path = f"{PREFIX}/bindings/{binding.binding_id}/api/{resource}"
            asked = {STRAIGHT: (f"/api/{resource}", own), OURS: (path, key), LEAST: (path, {})}
            first = at % len(lines)  # each comes first equally often
            for way in [*lines][first:] + [*lines][:first]:
                path_of_it, headers = asked[way]
                accepting = {**headers, "accept": "application/json"}
                answer = await lines[way].request("GET", path_of_it, accepting)
                assert answer.status == 200, answer
                if number:  # the first round warms up
                    took[way].append(answer.seconds * 1000)
    return took
