"""The table of commands: a new one is a new line here, and a module with a click command in it."""

from __future__ import annotations

from typing import NamedTuple


class Entry(NamedTuple):
    """A command. target: ``module:attribute`` within this package. summary: its line in `alertd --help`."""

    name: str
    target: str
    summary: str


COMMANDS = (
    Entry("check", "check:check", "Everything that can be wrong without a network."),
    Entry("init", "init:init", "Write a commented starter configuration."),
    Entry("routes", "routes:routes", "Which receivers hear of an alert."),
    Entry("version", "version:version", "The version, and what it runs on."),
)
