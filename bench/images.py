"""Images: the drills of `make images`, on containers and behind the shipped nginx."""

import asyncio

from bench.drill_figures import Drill, to_figures
from bench.figures import Figure, Picture
from demo.processes import LaunchError
from demo.stack import ROOT, STATE

TITLE = "Drills with containers"
HOW = """`make images`: the repository's Dockerfile and compose file on a real container engine, two
replicas of the API behind the shipped nginx, each container with 256 MiB. Callers read tokens and
call Xero through nginx all the time. A request counts as failed unless it was answered 200, or 503
with Retry-After, which only the restart of PostgreSQL may cause, and waiting for a database
connection on a machine short of CPU (a load over 4 for each)."""


async def measure() -> tuple[tuple[Figure, ...], Picture]:
    """Run `make images`; raises LaunchError where there is no engine or a drill fails."""
    work = STATE / "images"
    process = await asyncio.create_subprocess_exec(ROOT / ".ci/images/run", work, cwd=ROOT)
    if await process.wait():
        raise LaunchError("The drills with containers did not run to their end; see above.")
    return to_figures(Drill.read_all(work / "figures.jsonl"))
