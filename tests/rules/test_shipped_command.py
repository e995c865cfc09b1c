"""The tests of the shipped rules, through the command line: all pass, and none of them would pass a wrong expectation."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path

import pytest

from alertd.cli.program import run
from alertd.model.duration import format_duration, parse_duration
from alertd.rules.shipped import builtin_rules

FOLDER = builtin_rules()[0].parent
FILES = sorted((FOLDER / "tests").glob("*.yaml"))
_EXPECTED = re.compile(r"^      - \{at: (?P<at>[0-9dhms]+), receiver: .*$", re.MULTILINE)
TELLING = [path for path in FILES if _EXPECTED.search(path.read_text(encoding="utf-8"))]


def test_the_shipped_rules_pass_their_tests(capsys: pytest.CaptureFixture[str]) -> None:
    assert len(TELLING) > len(FILES) / 2
    assert run(["test", *map(str, FILES)]) == 0
    assert "FAIL" not in capsys.readouterr().out


def _taken_away(line: str, at: str) -> str:
    return ""


def _twice(line: str, at: str) -> str:
    return f"{line}\n{line}"


def _a_step_later(line: str, at: str) -> str:
    step = parse_duration(at) + timedelta(minutes=5)
    return line.replace(f"at: {at},", f"at: {format_duration(step)},", 1)


@pytest.mark.parametrize("path", TELLING, ids=lambda path: path.stem)
@pytest.mark.parametrize(
    ("change", "said"),
    [
        pytest.param(_taken_away, "+ found", id="taken away"),
        pytest.param(_twice, "did not come", id="added"),
        pytest.param(_a_step_later, "at is", id="a step later"),
    ],
)
def test_a_wrong_expectation_of_theirs_fails(
    path: Path, change: object, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The first notification each file expects, changed: exit code 1, with the reason."""
    text = path.read_text(encoding="utf-8")
    expected = _EXPECTED.search(text)
    assert expected is not None
    line, at = expected.group(), expected["at"]
    wrong = tmp_path / path.name
    files = re.sub(r"\.\./(\w+\.yaml)", lambda found: str(FOLDER / found.group(1)), text)
    wrong.write_text(files.replace(line, change(line, at), 1), encoding="utf-8")  # type: ignore[operator]

    assert run(["test", str(wrong)]) == 1
    assert said in capsys.readouterr().out
