"""What is written about rules is complete."""

from __future__ import annotations

from pathlib import Path

import pytest

from alertd.model.duration import format_duration
from alertd.rules.functions import FUNCTIONS
from alertd.rules.loader import load_rules
from alertd.rules.rule import Rule
from alertd.rules.shipped import builtin_rules

PAGE = (Path(__file__).parents[2] / "docs" / "rules.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("rule", load_rules(builtin_rules()).rules, ids=lambda rule: rule.name)
def test_every_shipped_rule_stands_there_with_its_severity_and_constants(rule: Rule) -> None:
    (row,) = [line for line in PAGE.splitlines() if line.startswith(f"| `{rule.name}` |")]

    assert f"| {rule.scope} | {rule.severity}" in row
    assert ("event" in row.split("|")[3]) == (rule.event is not None)
    for name, value in rule.params.items():
        shown = value if isinstance(value, int | float | str) else format_duration(value)
        assert f"`{name}: {shown}`" in row


def test_every_function_stands_there() -> None:
    assert [name for name in FUNCTIONS if f"{name}(" not in PAGE] == []
