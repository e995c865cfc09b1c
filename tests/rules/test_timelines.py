"""The shipped rules over days and weeks: the files of `rules/tests`, one test each, as `alertd test` runs them."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from alertd.cli.test import test as command
from alertd.rules.loader import builtin_rules

FOLDER = Path(__file__).resolve().parents[2] / "rules" / "tests"
FILES = sorted(FOLDER.glob("*.yaml"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_timelines(path: Path) -> None:
    result = CliRunner().invoke(command, [str(path)], standalone_mode=False)

    assert result.exception is None
    assert result.return_value == 0, result.output
    assert "\n0 tests" not in result.output


def test_every_file_of_rules_has_timelines() -> None:
    assert {path.name for path in builtin_rules()} == {path.name for path in FILES}
