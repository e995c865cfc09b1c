"""docs/cli.md describes every command with all its options, and none that is not there."""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from alertd.cli.registry import COMMANDS

_PAGE = (Path(__file__).resolve().parents[2] / "docs" / "cli.md").read_text(encoding="utf-8")


def _commands() -> Iterator[tuple[str, click.Command]]:
    for entry in COMMANDS:
        module, _, attribute = entry.target.partition(":")
        command: click.Command = getattr(importlib.import_module(f"alertd.cli.{module}"), attribute)
        if isinstance(command, click.Group):
            yield from ((f"alertd {entry.name} {name}", sub) for name, sub in command.commands.items())
        else:
            yield f"alertd {entry.name}", command


def _section(title: str) -> str:
    return _PAGE.partition(f"\n## {title}\n")[2].partition("\n## ")[0]


@pytest.mark.parametrize(
    ("name", "command"), list(_commands()), ids=lambda value: value if isinstance(value, str) else ""
)
def test_a_command_is_described_with_all_its_options(name: str, command: click.Command) -> None:
    section = _section(name)
    options = {max(parameter.opts, key=len) for parameter in command.params if isinstance(parameter, click.Option)}

    assert section, f"no section `## {name}`"
    assert {option for option in options - {"--debug"} if f"{option}" not in section} == set()


def test_no_command_is_described_that_is_not_there() -> None:
    titles = set(re.findall(r"^## (alertd .+)$", _PAGE, re.MULTILINE))

    assert titles - {name for name, _ in _commands()} == set()
