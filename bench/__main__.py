"""`make bench`: measure all, or what is named, and write docs/benchmarks.md."""

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
    "first_visit",
)
KEPT = STATE / "bench"


def main() -> int:
    """Measure, keep what was found, and write the document from all that is kept."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=main.__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(NAMES)}")
    named = parser.parse_args().names
    if unknown := set(named) - set(NAMES):
        parser.error(f"there is no {', '.join(sorted(unknown))}")
    KEPT.mkdir(parents=True, exist_ok=True)
    try:
        for name in named or NAMES:
            keep(name, measured(name))
    except LaunchError as error:
        print(f"\n{error}", file=sys.stderr)
        return 1
    report.write(ROOT / "docs", kept(NAMES))
    print("\nWritten to docs/benchmarks.md.")
    return 0


def measured(name: str) -> Outcome:
    """Run one benchmark and say what it found."""
    print(f"\n▸ {name}", flush=True)
    module = importlib.import_module(f"bench.{name}")
    began, busy_before = time.monotonic(), os.getloadavg()[0]
    figures, picture = asyncio.run(module.measure())
    for figure in figures:
        verdict = {True: "met", False: "missed", None: ""}[figure.met]
        said = (quantity(figure.value, figure.unit), figure.floor, figure.target, verdict)
        print(f"  {figure.name}: " + " · ".join(filter(None, said)), flush=True)
    return Outcome(
        title=module.TITLE,
        how=module.HOW,
        figures=figures,
        picture=picture,
        measured_at=datetime.now(UTC).isoformat(timespec="minutes"),
        seconds=round(time.monotonic() - began, 1),
        busy_before=round(busy_before, 1),
    )


def keep(name: str, outcome: Outcome) -> None:
    """Keep an outcome, so that one benchmark can be repeated without the others."""
    path = KEPT / f"{name}.json"
    path.write_text(json.dumps(outcome.to_json(), ensure_ascii=False, indent=1), encoding="utf-8")


def kept(names: Sequence[str]) -> dict[str, Outcome]:
    """Return what was found last, in order; what another version kept is not read."""
    found = {}
    for name in names:
        path = KEPT / f"{name}.json"
        if path.exists():
            with suppress(TypeError, KeyError):
                found[name] = Outcome.from_json(json.loads(path.read_text(encoding="utf-8")))
    return found


if __name__ == "__main__":
    sys.exit(main())
