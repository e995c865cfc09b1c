"""Results for people: tables on a terminal, and in Markdown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bench.result import Figure, Result

_Cells = Sequence[Sequence[str]]


def plain(result: Result) -> str:
    """Give a result as tables of plain text."""
    sizes = ", ".join(f"{name} {number:,}" for name, number in result.sizes.items())
    parts = [f"{result.name}: {sizes}", *_aligned(lines(result)), "", *_aligned(figures(result))]
    return "\n".join([*parts, *(f"- {note}" for note in result.notes)])


def lines(result: Result) -> _Cells:
    """Give what contestants cost, with a head."""
    head = [f"per {result.thing}", "CPU", "wall", "peak memory"]
    rows = [[name, _us(one.cpu_us), _us(one.wall_us), f"{one.peak_mb:,.0f} MB"] for name, one in result.lines.items()]
    return [head, *rows] if rows else []


def figures(result: Result) -> _Cells:
    """Give what was found against what was to be kept, with a head."""
    head = ["figure", "found", "budget", ""]
    rows = [[one.what, _number(one.value, one.unit), _budget(one), _verdict(one)] for one in result.figures]
    return [head, *rows] if rows else []


def markdown(cells: _Cells) -> str:
    """Give a Markdown table; the first row is the head."""
    if not cells:
        return ""
    head, *rows = cells
    return "\n".join(f"| {' | '.join(row)} |" for row in (head, ["---", *["---:"] * (len(head) - 1)], *rows))


def about(machine: Mapping[str, Any], versions: Mapping[str, str]) -> str:
    """Say in a line what it was taken on."""
    load = "/".join(str(one) for one in machine["load"])
    named = ", ".join(f"{name} {version}" for name, version in versions.items())
    return f"{machine['processor']}, {machine['cores']} cores, {machine['memory_gb']} GB, {machine['system']}, load {load}; {named}"


def _aligned(cells: _Cells) -> list[str]:
    if not cells:
        return []
    widths = [max(len(row[place]) for row in cells) for place in range(len(cells[0]))]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in cells]


def _us(value: float) -> str:
    return f"{value:,.2f} us"


def _number(value: float, unit: str) -> str:
    digits = 0 if value >= 1_000 else 1 if value >= 100 else 2  # noqa: PLR2004 - three digits say enough
    return f"{value:,.{digits}f} {unit}".strip()


def _budget(figure: Figure) -> str:
    if figure.budget is None:
        return ""
    return f"{'>=' if figure.at_least else '<='} {figure.budget:,g} {figure.unit}".strip()


def _verdict(figure: Figure) -> str:
    return {True: "met", False: "NOT met", None: ""}[figure.met]
