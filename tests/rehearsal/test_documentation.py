"""What docs/testing.md shows is what happens."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from alertd.cli.program import run
from alertd.rehearsal import file as format_of_files
from alertd.rehearsal import notation

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "testing.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)


@pytest.fixture
def sample(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The page's first test, beside the shipped rules."""
    path = tmp_path / "quarantine.test.yaml"
    text = blocks("yaml")[0].replace("../quarantine.yaml", (ROOT / "rules" / "quarantine.yaml").as_posix())
    path.write_text(text, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return path


def test_the_first_test_passes(sample: Path) -> None:
    assert run(["test", sample.name]) == 0


def test_a_failure_looks_as_shown(sample: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sample.write_text(sample.read_text().replace("{at: 35m", "{at: 40m"))

    assert run(["test", sample.name]) == 1
    assert capsys.readouterr().out.splitlines()[:-1] == blocks("console")[1].splitlines()


@pytest.mark.parametrize("key", [*format_of_files._TEST_KEYS, *notation.STATES, *notation._LISTS, *notation._JOB_KEYS])
def test_every_key_is_documented(key: str) -> None:
    assert re.search(rf"\b{key}\b", PAGE)
