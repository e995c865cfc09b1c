"""docs/configuration.md names every key, with its default and meaning, as the declarations have them."""

from __future__ import annotations

import json
from pathlib import Path

import attrs

from alertd.config.kinds import Declared
from alertd.config.schema import declared_keys

_PAGE = Path(__file__).resolve().parents[2] / "docs" / "configuration.md"


def _default(declared: Declared) -> str:
    if declared.default is attrs.NOTHING:
        return "required"
    if declared.default in (None, ""):
        return ""
    return f"`{declared.default if isinstance(declared.default, str) else json.dumps(declared.default)}`"


def row(declared: Declared) -> str:
    """Give a key's line of the page's tables."""
    return f"| `{declared.path}` | {_default(declared)} | {declared.doc.replace('|', '/')} |"


def test_every_key_is_documented_as_it_is_declared() -> None:
    lines = set(_PAGE.read_text(encoding="utf-8").splitlines())

    missing = [row(declared) for declared in declared_keys() if row(declared) not in lines]

    assert missing == [], "put these lines into the page"


def test_no_key_is_documented_that_is_not_there() -> None:
    known = {row(declared) for declared in declared_keys()}
    written_down = [line for line in _PAGE.read_text(encoding="utf-8").splitlines() if line.startswith("| `")]

    assert [line for line in written_down if line not in known] == []
