"""The command line: one module per command, loaded when it is asked for, so that `alertd --help` stays quick."""

from __future__ import annotations

from alertd.cli.program import main

__all__ = ["main"]
