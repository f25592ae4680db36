"""The result of a benchmark: figures with targets and baselines, and a bar chart."""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal, Self


@dataclass(frozen=True, kw_only=True)
class Figure:
    """One number; `floor` describes the baseline, and `wanted` is the target, if there is one."""

    name: str
    value: float
    unit: str = ""
    floor: str = ""
    wanted: tuple[Literal["≤", "≥", "="], float] | None = None

    @property
    def met(self) -> bool | None:
        """Whether the target is met; None if there is none."""
        if self.wanted is None:
            return None
        bound = self.wanted[1]
        return {"≤": self.value <= bound, "≥": self.value >= bound, "=": self.value == bound}[
            self.wanted[0]
        ]

    @property
    def target(self) -> str:
        """The target in words."""
        return f"{self.wanted[0]} {quantity(self.wanted[1], self.unit)}" if self.wanted else ""


@dataclass(frozen=True, kw_only=True)
class Bar:
    """One bar of a chart; `ours` is false for a baseline."""

    label: str
    value: float
    ours: bool = True


@dataclass(frozen=True, kw_only=True)
class Picture:
    """A bar chart in one unit; `mark` is the target, drawn as a line."""

    title: str
    unit: str
    bars: tuple[Bar, ...]
    mark: float | None = None


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """The result of one benchmark."""

    title: str
    how: str
    figures: tuple[Figure, ...]
    picture: Picture
    measured_at: str
    seconds: float
    busy_before: float  # the load average of the minute before

    def to_json(self) -> dict[str, Any]:
        """Return the result as a JSON object."""
        return asdict(self)

    @classmethod
    def from_json(cls, saved: dict[str, Any]) -> Self:
        """Return the result that `to_json` was called on."""
        picture = saved.pop("picture")
        bars = tuple(Bar(**bar) for bar in picture.pop("bars"))
        figures = tuple(
            Figure(**{**each, "wanted": tuple(each["wanted"]) if each["wanted"] else None})
            for each in saved.pop("figures")
        )
        return cls(figures=figures, picture=Picture(bars=bars, **picture), **saved)


def quantity(value: float, unit: str) -> str:
    """Return a number with its significant digits and unit."""
    if value == int(value) or abs(value) >= 100:
        number = f"{value:,.0f}"
    elif abs(value) >= 10:
        number = f"{value:.1f}"
    else:
        number = f"{value:.2f}"
    return f"{number} {unit}".strip()


def percentile(values: Sequence[float], share: float) -> float:
    """Return the smallest value that a `share` (0 to 1) of the values does not exceed."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]
