"""What README and CHANGELOG claim is so."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from alertd import __version__
from alertd.cli.registry import COMMANDS
from alertd.config import Secrets, parse_config

_ROOT = Path(__file__).resolve().parents[1]
_README = (_ROOT / "README.md").read_text(encoding="utf-8")


def _yaml_blocks(page: Path) -> list[str]:
    blocks = re.findall(r"^( *)```yaml\n(.*?)^\1```", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    return [re.sub(rf"(?m)^{indent}", "", text) for indent, text in blocks]


@pytest.mark.parametrize("page", ["README.md", "docs/configuration.md"])
def test_configurations_in_the_pages_are_right(page: str, tmp_path: Path) -> None:
    texts = [text for text in _yaml_blocks(_ROOT / page) if "receivers:" in text]

    assert texts
    for text in texts:
        assert parse_config(text, directory=tmp_path, secrets=Secrets.IGNORE).warnings == ()


def test_links_lead_somewhere() -> None:
    targets = re.findall(r"\]\((?!https?:)([^)#]+)", _README)

    assert [target for target in targets if not (_ROOT / target).exists()] == []


def test_commands_that_are_named_exist() -> None:
    named = set(re.findall(r"^\| `alertd (\w[\w-]*)", _README, re.MULTILINE))

    assert named - {entry.name for entry in COMMANDS} == set()


def test_the_version_is_one() -> None:
    assert f'version = "{__version__}"' in (_ROOT / "pyproject.toml").read_text(encoding="utf-8")
