"""The page on a slow line: when a first visitor sees it, and what that downloads."""

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
HOW = f"""Chromium opens the settings page as the service serves it, {VISITS} times with an empty
cache, on a line of 1.6 Mb/s with 150 ms of latency and a processor made four times slower, both by
the browser's own throttling. The clock runs until the largest contentful paint; bytes are those on
the wire, heads included. Medians. The browser, the service and PostgreSQL share the machine."""


async def measure() -> tuple[tuple[Figure, ...], Picture]:
    """Return when the page is seen, and the bytes that it took."""
    if not BUILT_PAGE.is_dir():
        build = await asyncio.create_subprocess_exec("npm", "--prefix", "frontend", "run", "build")
        assert await build.wait() == 0
    with stage.ready(page=BUILT_PAGE) as ready:
        address = f"{ready.stack.replicas[0].url}/settings/integrations"
        visits = await _visited(address)
    seconds = statistics.median(visit["milliseconds"] for visit in visits) / 1000
    kilobytes = statistics.median(visit["bytes"] for visit in visits) / 1000
    return (
        Figure(name="Largest contentful paint", value=seconds, unit="s", wanted=("≤", 3)),
        Figure(name="Downloaded", value=kilobytes, unit="kB", wanted=("≤", 150)),
    ), Picture(
        title="Seconds until the largest contentful paint, slow line and processor",
        unit="s",
        bars=tuple(
            Bar(label=f"visit {number}", value=visit["milliseconds"] / 1000)
            for number, visit in enumerate(visits, start=1)
        ),
        mark=3,
    )


async def _visited(address: str) -> list[dict[str, float]]:
    visiting = await asyncio.create_subprocess_exec(
        "node",
        str(Path(ROOT, "bench", "first_visit.mjs")),
        address,
        str(VISITS),
        env={**os.environ, "CHROMIUM": str(programs.chromium())},
        stdout=asyncio.subprocess.PIPE,
    )
    said, _ = await visiting.communicate()
    assert visiting.returncode == 0
    visits: list[dict[str, float]] = json.loads(said)
    return visits
