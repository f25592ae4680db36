"""Figures of drills: what callers were told while an operator, or a power failure, was at work.

A drill appends one JSON object to the file that DRILL_FIGURES names, or `make images` to its own.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from bench.figures import Bar, Figure, Picture


@dataclass(frozen=True, kw_only=True)
class Drill:
    """One drill: its requests, those answered 503 with Retry-After, and those that failed."""

    drill: str
    requests: int
    busy: int
    failed: int
    slowest: float  # seconds
    grants_lost: int

    @classmethod
    def read_all(cls, path: Path) -> list[Self]:
        """Return the drills of a file, in the order in which they ran."""
        return [cls(**json.loads(line)) for line in path.read_text(encoding="utf-8").splitlines()]


def to_figures(drills: list[Drill]) -> tuple[tuple[Figure, ...], Picture]:
    """Return two figures for each drill, and a chart of the slowest answers."""
    return tuple(figure for each in drills for figure in _figures(each)), Picture(
        title="Seconds of the slowest answer in each drill",
        unit="s",
        bars=tuple(Bar(label=each.drill, value=each.slowest) for each in drills if each.requests),
    )


def _figures(drill: Drill) -> list[Figure]:
    name = drill.drill[:1].upper() + drill.drill[1:]
    lost = Figure(name=f"{name}: grants lost", value=drill.grants_lost, wanted=("=", 0))
    if not drill.requests:
        return [lost]
    told = f"of {drill.requests:,}; {drill.busy:,} answered 503 with Retry-After"
    slowest = f"slowest answer {drill.slowest:.2f} s"
    failed = f"{name}: requests that failed"
    return [
        Figure(name=failed, value=drill.failed, floor=f"{told}; {slowest}", wanted=("=", 0)),
        lost,
    ]
