"""`make bench`: runs all benchmarks, or the named ones, and writes docs/benchmarks.md."""

import argparse
import asyncio
import importlib
import json
import os
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

from bench import report
from bench.figures import Outcome, quantity
from demo.processes import LaunchError
from demo.stack import ROOT, STATE

NAMES = (
    "stampede",
    "slow_xero",
    "sweep",
    "recovery",
    "token_reads",
    "footprint",
    "client",
    "proxy",
    "slow_callers",
    "events",
    "first_visit",
)
# Longer than benchmarks, and run only where they are named.
DRILLS = ("drills", "images")
ALL = (*NAMES, *DRILLS)
SAVED = STATE / "bench"


def main() -> int:
    """Run benchmarks, save their results, and write the report from all saved results."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=main.__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(ALL)}")
    chosen = parser.parse_args().names
    if unknown := set(chosen) - set(ALL):
        parser.error(f"unknown benchmark: {', '.join(sorted(unknown))}")
    SAVED.mkdir(parents=True, exist_ok=True)
    try:
        for name in chosen or NAMES:
            save(name, run_benchmark(name))
    except LaunchError as error:
        print(f"\n{error}", file=sys.stderr)
        return 1
    report.write(ROOT / "docs", {name: module(name).TITLE for name in ALL}, load_saved(ALL))
    print("\nWritten to docs/benchmarks.md.")
    return 0


def module(name: str) -> Any:
    """Return the module of a benchmark."""
    return importlib.import_module(f"bench.{name}")


def run_benchmark(name: str) -> Outcome:
    """Run one benchmark, print its figures and return its result."""
    print(f"\n▸ {name}", flush=True)
    benchmark = module(name)
    began, busy_before = time.monotonic(), os.getloadavg()[0]
    figures, picture = asyncio.run(benchmark.measure())
    for figure in figures:
        verdict = {True: "met", False: "missed", None: ""}[figure.met]
        parts = (quantity(figure.value, figure.unit), figure.floor, figure.target, verdict)
        print(f"  {figure.name}: " + " · ".join(filter(None, parts)), flush=True)
    return Outcome(
        title=benchmark.TITLE,
        how=benchmark.HOW,
        figures=figures,
        picture=picture,
        measured_at=datetime.now(UTC).isoformat(timespec="minutes"),
        seconds=round(time.monotonic() - began, 1),
        busy_before=round(busy_before, 1),
    )


def save(name: str, outcome: Outcome) -> None:
    """Save a result, so that one benchmark can be repeated without the others."""
    path = SAVED / f"{name}.json"
    path.write_text(json.dumps(outcome.to_json(), ensure_ascii=False, indent=1), encoding="utf-8")


def load_saved(names: Sequence[str]) -> dict[str, Outcome]:
    """Return the saved results, in order; those of an incompatible version are left out."""
    outcomes = {}
    for name in names:
        path = SAVED / f"{name}.json"
        if path.exists():
            with suppress(TypeError, KeyError):
                outcomes[name] = Outcome.from_json(json.loads(path.read_text(encoding="utf-8")))
    return outcomes


if __name__ == "__main__":
    sys.exit(main())
