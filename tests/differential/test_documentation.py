"""docs/alertmanager-differences.md names the differences that the comparison finds, no more and no less."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from alertd.config import Secrets, parse_config
from alertd.errors import ConfigError
from tests.differential.difference import Difference
from tests.differential.examples import EXAMPLES, Example

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "alertmanager-differences.md").read_text(encoding="utf-8")


def test_the_page_names_every_difference_and_no_other() -> None:
    section = PAGE.partition("## What alertd does otherwise")[2].partition("\n## ")[0]

    assert re.findall(r"^### (.+)$", section, re.MULTILINE) == [difference.value for difference in Difference]


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.difference.name)
def test_the_page_shows_what_happens(example: Example) -> None:
    section = PAGE.partition(f"### {example.difference.value}\n")[2].partition("\n##")[0]

    assert example.table in section


def test_the_configuration_that_was_moved_is_one() -> None:
    before, after = re.findall(r"```yaml\n(.+?)```", PAGE, re.DOTALL)

    assert parse_config(after, directory=ROOT, secrets=Secrets.IGNORE).warnings == ()
    with pytest.raises(ConfigError, match="did you mean `matchers`"):
        parse_config(before, directory=ROOT, secrets=Secrets.IGNORE)


@pytest.mark.parametrize("page", ["README.md", "docs/configuration.md"])
def test_it_is_found(page: str) -> None:
    assert "alertmanager-differences.md" in (ROOT / page).read_text(encoding="utf-8")
