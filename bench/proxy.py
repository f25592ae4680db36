"""What the API proxy adds to a call, and whether a large download passes at full speed."""

import statistics
import time

import httpx

from bench import served, stage, watching
from bench.figures import Bar, Figure, Picture, percentile
from bench.lines import Line
from bench.stage import Seeded, Stage
from xero_service.app import PREFIX

BINDINGS, CALLS_EACH = 40, 50  # a binding has 60 calls a minute, and no more
DOWNLOADS, MEBIBYTES = 7, 20

TITLE = "API proxy"
HOW = f"""One caller on one connection, in turns: a call straight to the sandbox, and the same call
through the proxy, which checks key, binding and path, takes a turn in the tenant's rate budget,
and adds the token. {BINDINGS} bindings with {CALLS_EACH} calls each, because a binding has 60 a
minute. Then {DOWNLOADS} downloads of {MEBIBYTES} MiB each way by httpx, in turns, from a server
that sends nothing else; memory is that of the service's process, before and at most during them."""


async def measure() -> tuple[tuple[Figure, ...], Picture]:
    """Return milliseconds added by the proxy, throughput and memory."""
    with stage.ready() as ready:
        direct, proxied = await _calls(ready, await ready.seed(BINDINGS))
        (grant,) = await ready.seed(1)
        files = served.started(ready.stack, "downloads")
        replica = ready.serve(XERO_API_URL=files.url)
        path, headers = ready.token_request(grant.binding_id)
        target = f"/api.xro/2.0/{MEBIBYTES}"
        ways = {
            "direct": files.url + target,
            "proxied": replica.url + path.removesuffix("/token") + "/api" + target,
        }
        speeds: dict[str, list[float]] = {"direct": [], "proxied": []}
        async with (
            httpx.AsyncClient(headers=headers, trust_env=False) as client,
            watching.memory(replica.child.pid) as memory,
        ):
            for number in range(DOWNLOADS + 1):
                for name, url in ways.items():
                    speed = await _downloaded(client, url)
                    if number:  # the first of each warms it
                        speeds[name].append(speed)
    speed, floor = statistics.median(speeds["proxied"]), statistics.median(speeds["direct"])
    medians = statistics.median(direct), statistics.median(proxied)
    p99s = percentile(direct, 0.99), percentile(proxied, 0.99)
    return (
        Figure(
            name="Added to a call, median",
            value=medians[1] - medians[0],
            unit="ms",
            floor=f"{medians[1]:.2f} ms over {medians[0]:.2f} ms direct",
            wanted=("≤", 2),
        ),
        Figure(
            name="Added to a call, p99",
            value=p99s[1] - p99s[0],
            unit="ms",
            floor=f"{p99s[1]:.1f} ms over {p99s[0]:.1f} ms direct",
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
        title="One call to Xero's API, straight and through the proxy",
        unit="ms",
        bars=(
            Bar(label="direct, median", value=medians[0], ours=False),
            Bar(label="through the proxy, median", value=medians[1]),
            Bar(label="direct, p99", value=p99s[0], ours=False),
            Bar(label="through the proxy, p99", value=p99s[1]),
        ),
    )


async def _downloaded(client: httpx.AsyncClient, url: str) -> float:
    """Download a file as a Python service would; return MiB a second."""
    began, size = time.perf_counter(), 0
    async with client.stream("GET", url) as answer:
        assert answer.status_code == 200, await answer.aread()
        async for piece in answer.aiter_raw():
            size += len(piece)
    assert size == MEBIBYTES * watching.MIB
    return MEBIBYTES / (time.perf_counter() - began)


async def _calls(ready: Stage, bindings: list[Seeded]) -> tuple[list[float], list[float]]:
    """Return the milliseconds of calls made straight, and through the proxy."""
    straight = await Line.open(ready.stack.sandbox)
    through = await Line.open(ready.stack.replicas[0].url)
    resource = "api.xro/2.0/Organisation"
    took: tuple[list[float], list[float]] = [], []
    for number in range(CALLS_EACH + 1):
        for binding in bindings:
            _, key = ready.token_request(binding.binding_id)
            own = {
                "authorization": f"Bearer {binding.access_token}",
                "xero-tenant-id": binding.tenant_id,
                "accept": "application/json",
            }
            path = f"{PREFIX}/bindings/{binding.binding_id}/api/{resource}"
            answers = (
                await straight.ask("GET", f"/api/{resource}", own),
                await through.ask("GET", path, {**key, "accept": "application/json"}),
            )
            assert {each.status for each in answers} == {200}, answers
            for kept, answer in zip(took, answers, strict=True):
                if number:  # the first round warms both
                    kept.append(answer.seconds * 1000)
    return took
