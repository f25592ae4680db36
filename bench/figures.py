"""What a measurement says: figures, each beside its target and its floor, and bars to look at."""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal, Self


@dataclass(frozen=True, kw_only=True)
class Figure:
    """One number; `floor` says in words what stands beside it, `wanted` bounds it if anything."""

    name: str
    value: float
    unit: str = ""
    floor: str = ""
    wanted: tuple[Literal["≤", "≥", "="], float] | None = None

    @property
    def met(self) -> bool | None:
        """Whether the target is met; None where there is none."""
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
    """One bar of a picture; `ours` tells the service from what it is compared with."""

    label: str
    value: float
    ours: bool = True


@dataclass(frozen=True, kw_only=True)
class Picture:
    """Bars of one unit; `mark` is the target, drawn across them."""

    title: str
    unit: str
    bars: tuple[Bar, ...]
    mark: float | None = None


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What one benchmark found."""

    title: str
    how: str
    figures: tuple[Figure, ...]
    picture: Picture
    measured_at: str
    seconds: float
    busy_before: float  # the load average of the minute before

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON would hold it."""
        return asdict(self)

    @classmethod
    def from_json(cls, kept: dict[str, Any]) -> Self:
        """Read what `to_json` returned."""
        picture = kept.pop("picture")
        bars = tuple(Bar(**bar) for bar in picture.pop("bars"))
        figures = tuple(
            Figure(**{**each, "wanted": tuple(each["wanted"]) if each["wanted"] else None})
            for each in kept.pop("figures")
        )
        return cls(figures=figures, picture=Picture(bars=bars, **picture), **kept)


def quantity(value: float, unit: str) -> str:
    """Return a number with as many digits as say something, and its unit."""
    if value == int(value) or abs(value) >= 100:
        number = f"{value:,.0f}"
    elif abs(value) >= 10:
        number = f"{value:.1f}"
    else:
        number = f"{value:.2f}"
    return f"{number} {unit}".strip()


def percentile(values: Sequence[float], share: float) -> float:
    """Return the smallest value that `share` (0 to 1) of all do not exceed."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]
