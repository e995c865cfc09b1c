"""What a bench found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import attrs

from bench.contest import Course


@attrs.frozen(kw_only=True)
class Figure:
    """One number that matters. budget: what it may be at most, or at least where `at_least`; None where there is none."""

    what: str
    value: float
    unit: str = ""
    budget: float | None = None
    at_least: bool = False

    @property
    def met(self) -> bool | None:
        """Whether it keeps its budget; None without one."""
        if self.budget is None:
            return None
        return self.value >= self.budget if self.at_least else self.value <= self.budget


@attrs.frozen(kw_only=True)
class Line:
    """One contestant: medians over its turns, per thing. turns: CPU per thing of each."""

    cpu_us: float
    wall_us: float
    peak_mb: float
    turns: Sequence[float]


@attrs.frozen(kw_only=True)
class Result:
    """One run of one bench."""

    name: str
    sizes: Mapping[str, int]
    thing: str
    lines: Mapping[str, Line]
    figures: Sequence[Figure]
    notes: Sequence[str] = ()

    @property
    def kept(self) -> bool:
        """Whether no budget is exceeded."""
        return all(figure.met is not False for figure in self.figures)

    def plain(self, machine: Mapping[str, Any], versions: Mapping[str, str]) -> dict[str, Any]:
        """Give it as JSON has it."""
        return {
            "bench": self.name,
            "sizes": dict(self.sizes),
            "thing": self.thing,
            "medians": {name: attrs.asdict(line) for name, line in self.lines.items()},
            "figures": [attrs.asdict(figure) | {"met": figure.met} for figure in self.figures],
            "met": self.kept,
            "notes": list(self.notes),
            "machine": dict(machine),
            "versions": dict(versions),
        }


def lines_of(course: Course) -> dict[str, Line]:
    """Give the medians of a contest."""
    return {name: _line(course, name) for name in course.costs}


def _line(course: Course, name: str) -> Line:
    costs = course.costs[name]
    middle = sorted(cost.wall_seconds / cost.things * 1e6 for cost in costs)[len(costs) // 2]
    return Line(
        cpu_us=round(course.cpu_us(name), 3),
        wall_us=round(middle, 3),
        peak_mb=round(course.peak_mb(name), 1),
        turns=[round(cost.cpu_us, 3) for cost in costs],
    )
