"""What import-linter cannot see: the pure core is told the time, it never asks."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

_PACKAGE = Path(__file__).resolve().parents[1] / "alertd"
_PURE = [
    *(path for folder in ("model", "rules", "alerts", "render") for path in (_PACKAGE / folder).rglob("*.py")),
    *(_PACKAGE / "notify").glob("*.py"),
    _PACKAGE / "diff.py",
]
_CLOCKS = {"now", "utcnow", "today", "time", "time_ns", "monotonic", "perf_counter"}


def _asked(tree: ast.AST) -> Iterator[str]:
    """Give the calls of a module that read a clock, such as ``datetime.now()``."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in _CLOCKS:
            owner = ast.unparse(node.func.value)
            if owner in {"datetime", "date", "time", "datetime.datetime", "datetime.date"}:
                yield f"line {node.lineno}: {owner}.{node.func.attr}"


@pytest.mark.parametrize(
    "path", [pytest.param(path, id=path.relative_to(_PACKAGE).as_posix()) for path in sorted(_PURE)]
)
def test_the_pure_core_reads_no_clock(path: Path) -> None:
    assert list(_asked(ast.parse(path.read_text(encoding="utf-8")))) == []


def test_the_search_finds_what_it_looks_for() -> None:
    assert list(_asked(ast.parse("import datetime\nx = datetime.datetime.now()"))) == ["line 2: datetime.datetime.now"]
