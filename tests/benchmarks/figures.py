"""What was measured, as a table for people and a list for programs."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from math import isfinite
from pathlib import Path

FAR_OFF = 20  # times, which others on the machine don't make of either side of a ratio, nor of a delay


@dataclass(frozen=True)
class Figure:
    """One measured value. `floor` is what it is compared with, measured in the same run, in the same unit.

    With a floor the bar is about the ratio of the two, without one about the value. A bar is an upper limit unless
    `at_least`; a figure without one is only reported. One that `is_count` is the same on every machine. `spread` is the
    least and the most that several rounds gave, of the ratio or, without a floor, of the value.
    """

    name: str
    value: float
    unit: str
    floor: float | None = None
    bar: float | None = None
    at_least: bool = False
    is_count: bool = False
    against: str = ""
    spread: tuple[float, float] | None = None

    @property
    def ratio(self) -> float | None:
        return self.value / self.floor if self.floor else None

    @property
    def measured(self) -> float:
        """What the bar is about."""
        return self.value if self.ratio is None else self.ratio

    @property
    def met(self) -> bool | None:
        if self.bar is None:
            return None
        return self.measured >= self.bar if self.at_least else self.measured <= self.bar

    @property
    def is_nonsense(self) -> bool:
        """Whether no busy machine explains it: it is no number above 0, a count over its bar, or one many times off."""
        if not isfinite(self.measured) or self.measured < 0 or (self.measured == 0 and not self.is_count):
            return True
        if self.bar is None:
            return False
        far = 1 if self.is_count else FAR_OFF
        return self.measured < self.bar / far if self.at_least else self.measured > self.bar * far

    def __str__(self) -> str:
        return " · ".join(filter(None, self.as_row()))

    def as_data(self) -> dict[str, object]:
        data = asdict(self)
        return {
            **{name: data[name] for name in ("name", "value", "unit", "floor")},
            "ratio": self.ratio,
            "bar": self.bar,
            "met": self.met,
            "spread": self.spread,
        }

    def as_row(self) -> tuple[str, ...]:
        ratio = "" if self.ratio is None else f"{self.ratio:.2f} ×"
        spread = "–".join(f"{end:.3g}" for end in self.spread or ())
        sign = "≥" if self.at_least else "≤"
        bar = "" if self.bar is None else f"{sign} {self.bar:g}{' ×' if self.ratio is not None else ''}"
        floor = "" if self.floor is None else f"{_number(self.floor)} {self.against}"
        verdict = {None: "", True: "met", False: "missed"}[self.met]
        return (self.name, f"{_number(self.value)} {self.unit}".rstrip(), floor, ratio, spread, bar, verdict)


HEADINGS = ("what", "measured", "beside", "ratio", "rounds", "bar", "")


def middle(rounds: Iterable[Figure]) -> Figure:
    """Return the median of several rounds of the same figure, and how far apart they are.

    Others are at work on the machine: what one round is compared with was measured some seconds later.
    """
    ordered = sorted(rounds, key=lambda figure: figure.measured)
    if len(ordered) == 1:
        return ordered[0]
    return replace(ordered[len(ordered) // 2], spread=(ordered[0].measured, ordered[-1].measured))


def table(figures: Iterable[Figure]) -> str:
    rows = [HEADINGS, *(figure.as_row() for figure in figures)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEADINGS))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    lines.insert(1, "  ".join("─" * width for width in widths))
    return "\n".join(lines)


def write(figures: Iterable[Figure], path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps([figure.as_data() for figure in figures], ensure_ascii=False, indent=2) + "\n")


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1_000 else f"{value:.3g}"
