"""Drills: replicas replaced, a release back and forth, the database restarted, lost, restored."""

import asyncio
import os
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.drill_figures import Drill, to_figures
from bench.figures import Figure, Picture
from demo.processes import LaunchError
from demo.stack import ROOT

DRILLS = (
    "tests/replicas/test_rolling_restart.py::test_a_rolling_restart_under_load_fails_no_request_r24[1-1]",
    "tests/replicas/test_upgrade.py",
    "tests/replicas/test_database_restarts.py",
    "tests/recovery/test_failover.py::test_a_failover_under_load_loses_no_grant_r31[refresh_answered-4-1-synchronous]",
    "tests/recovery/test_failover.py::test_a_failover_under_load_loses_no_grant_r31[refresh_answered-4-1-asynchronous]",
    "tests/recovery/test_restore.py",
)

TITLE = "Drills"
HOW = """The tests of these drills, with real processes of the service and a PostgreSQL of their
own, while callers read tokens all the time and refreshes are under way. A request counts as failed
unless it was answered 200, or 503 with Retry-After while the database was away. A grant is lost
where Xero does not accept its stored refresh token once every grace is over. In the failovers the
primary is killed, one refresh was killed before it, and three wait for Xero's answer meanwhile; the
asynchronous standby lacks the last rotations. The restore is a base backup with archived WAL, 29
minutes after the rotations that it lost."""


async def measure() -> tuple[tuple[Figure, ...], Picture]:
    """Run the tests; raises LaunchError where one of them fails."""
    with TemporaryDirectory() as directory:
        path = Path(directory, "figures.jsonl")
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "pytest", "-q", "-m", "soak or not soak", *DRILLS),
            cwd=ROOT,
            env={**os.environ, "DRILL_FIGURES": str(path)},
        )
        if await process.wait():
            raise LaunchError("A drill has failed; its output is above.")
        return to_figures(Drill.read_all(path))
