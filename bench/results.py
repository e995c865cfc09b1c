"""bench/RESULTS.md: all benches of one run, and what stands beside them that no program knows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import attrs

from bench.result import Result
from bench.table import about, figures, lines, markdown

FILE = Path(__file__).with_name("RESULTS.md")
_REMARKS = Path(__file__).with_name("remarks")
_HEAD = """\
# Results

Written by `make bench`; the budgets are those the design sets. CPU is user and system time of the contestant's process on a core of its own, servers
have the other; contestants take turns, and a ratio is the median over turns that stood side by side. Memory is the peak of the process.
"""


@attrs.frozen(kw_only=True)
class Taken:
    """A result with what it was taken on."""

    result: Result
    machine: Mapping[str, Any]
    versions: Mapping[str, str]


def write(taken: Taken, order: Sequence[str], *, file: Path = FILE) -> None:
    """Put a chapter into the file in place of what it said of that bench before. order: the names of all benches."""
    chapters = _chapters(file.read_text(encoding="utf-8")) if file.exists() else {}
    chapters[taken.result.name] = _chapter(taken)
    missing = [f"`{name}`" for name in order if name not in chapters]
    told = [f"Not taken yet: {', '.join(missing)}.\n"] if missing else []
    there = [chapters[name] for name in order if name in chapters]
    file.write_text("\n".join([_HEAD, *told, *there]), encoding="utf-8")


def _chapters(text: str) -> dict[str, str]:
    """Give what the file says of each bench; what no bench is named for is left out."""
    _, *parts = text.split("\n## ")
    return {part.partition("\n")[0]: f"## {part.rstrip()}\n" for part in parts}


def _chapter(taken: Taken) -> str:
    result = taken.result
    sizes = ", ".join(f"{number:,} {name}" for name, number in result.sizes.items())
    remarks = _REMARKS / f"{result.name}.md"
    parts = [
        f"## {result.name}\n",
        f"{sizes}.\n",
        f"{markdown(figures(result))}\n",
        f"{markdown(lines(result))}\n",
        "".join(f"- {note}\n" for note in result.notes),
        remarks.read_text(encoding="utf-8") if remarks.exists() else "",
        f"<sub>{about(taken.machine, taken.versions)}</sub>\n",
    ]
    return "\n".join(part for part in parts if part.strip())
