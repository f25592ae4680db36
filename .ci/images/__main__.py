"""Builds the images, runs the compose file, walks the journey and the drills. Called by `run`."""

import json
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT)]  # the tests know how to build the last release

import drills  # noqa: E402
import journey  # noqa: E402
from compose import CheckFailed, Project, docker  # noqa: E402
from load import Answers  # noqa: E402

BEGAN = time.monotonic()
FIGURES: list[dict[str, object]] = []


def step(text: str) -> None:
    """Print a line with the seconds since the start."""
    print(f"[{time.monotonic() - BEGAN:4.0f} s] {text}", flush=True)


def main(work: Path) -> None:
    """Run everything in `work`; raises CheckFailed."""
    compose = Project(work)
    try:
        check(compose)
    except CheckFailed:
        (work / "compose.log").write_text(compose("logs", "--no-color", "--timestamps"))
        step(f"failed; the log of all containers is {work / 'compose.log'}")
        raise
    finally:
        compose("down", "--volumes", "--timeout", "60")


def check(compose: Project) -> None:
    """Build, start, walk the journey and do each drill."""
    step("build the images")
    compose("build", "api", "web", timeout=1800)
    compose("build", "sandbox")
    older = drills.build_older_image(compose.work)
    print("  " + docker("images", "--format", "{{.Repository}} {{.Size}}", "xero-service*").strip())
    if older:
        step("start the last release with two replicas, and walk the journey")
        start = ("up", "-d", "--wait", "--no-build", "--scale", "api=2")
        compose(*start, "api", "web", "sandbox", image=older)
        connected = journey.walk(compose)
        drill(
            "upgrade, roll back, upgrade",
            partial(drills.upgrade_and_back, compose, connected, older=older),
        )
        up_and_wait(compose)
    else:
        step("no upgrade drill: the history of this checkout does not reach the last release")
        up_and_wait(compose)
        connected = journey.walk(compose)
    compose("exec", "-T", "api", "xero-service", "doctor")
    for name, run in (
        ("rolling restart of two replicas", drills.rolling_restart),
        ("SIGKILL of one of two replicas", drills.kill_one),
        ("memory limit of 256 MiB", drills.hold_memory_limit),
        ("restart of PostgreSQL", drills.restart_database),
    ):
        drill(name, partial(run, compose, connected))
    drills.require_no_grant_lost(compose)
    save_figures(compose.work)
    step("done: every drill passed, and no grant was lost")


def up_and_wait(compose: Project) -> None:
    """Start everything: `up --wait` succeeds, with the services that end by themselves."""
    step("docker compose up --wait")
    compose("up", "-d", "--wait", "--no-build", "--scale", "api=2")


def drill(name: str, run: Callable[[], Answers]) -> None:
    """Run a drill, print what its callers were told, and keep it for `make bench NAME=images`."""
    step(name)
    answers = run()
    print(f"  {answers}", flush=True)
    FIGURES.append({"drill": name, **answers.figures()})


def save_figures(work: Path) -> None:
    """Write the figures of the drills, one a line, after no grant was lost in any of them."""
    lines = (json.dumps({**each, "grants_lost": 0}) + "\n" for each in FIGURES)
    (work / "figures.jsonl").write_text("".join(lines))


if __name__ == "__main__":
    try:
        main(Path(sys.argv[1]))
    except CheckFailed as failure:
        print(failure, file=sys.stderr)
        sys.exit(1)
