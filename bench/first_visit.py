"""First visit: load time, download size and layout shift of the page on a slow connection."""

import asyncio
import json
import os
import statistics
from pathlib import Path

from bench import stage
from bench.figures import Bar, Figure, Picture
from demo import programs
from demo.stack import BUILT_PAGE, ROOT

VISITS = 5

TITLE = "The first visit"
HOW = f"""Chromium opens the settings page from the service, {VISITS} times with an empty cache. The
browser throttles the connection to 1.6 Mb/s with 150 ms of latency and the processor to a quarter.
The time is that of the largest contentful paint; the size is that on the network, with headers.
Medians. The layout shift is the largest sum (CLS) of a visit, which goes on until a person has
signed in and the connections are shown. Browser, service and PostgreSQL share the machine."""


async def measure() -> tuple[tuple[Figure, ...], Picture]:
    """Return the largest contentful paint, the size of the download and the layout shift."""
    if not BUILT_PAGE.is_dir():
        build = await asyncio.create_subprocess_exec("npm", "--prefix", "frontend", "run", "build")
        assert await build.wait() == 0
    with stage.ready(page=BUILT_PAGE) as ready:
        address = f"{ready.stack.replicas[0].url}/settings/integrations"
        visits = await _visit(address)
    seconds = statistics.median(visit["milliseconds"] for visit in visits) / 1000
    kilobytes = statistics.median(visit["bytes"] for visit in visits) / 1000
    return (
        Figure(name="Largest contentful paint", value=seconds, unit="s", wanted=("≤", 3)),
        Figure(name="Downloaded", value=kilobytes, unit="kB", wanted=("≤", 150)),
        Figure(name="Layout shift", value=max(each["shift"] for each in visits), wanted=("=", 0)),
    ), Picture(
        title="Seconds until the largest contentful paint, slow line and processor",
        unit="s",
        bars=tuple(
            Bar(label=f"visit {number}", value=visit["milliseconds"] / 1000)
            for number, visit in enumerate(visits, start=1)
        ),
        mark=3,
    )


async def _visit(address: str) -> list[dict[str, float]]:
    browser = await asyncio.create_subprocess_exec(
        "node",
        str(Path(ROOT, "bench", "first_visit.mjs")),
        address,
        str(VISITS),
        env={**os.environ, "CHROMIUM": str(programs.chromium())},
        stdout=asyncio.subprocess.PIPE,
    )
    output, _ = await browser.communicate()
    assert browser.returncode == 0
    visits: list[dict[str, float]] = json.loads(output)
    return visits
