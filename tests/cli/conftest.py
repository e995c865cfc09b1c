"""A way to run commands within the process, with their own streams and folder."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import attrs
import pytest

from alertd.cli.program import run


@attrs.frozen
class Outcome:
    """What a command left: exit code and streams."""

    code: int
    out: str
    err: str


@pytest.fixture
def alertd(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Outcome]:
    """Run commands in an empty folder, without anything in the environment that matters to them."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("ALERTD_CONFIG", raising=False)

    def call(*arguments: str) -> Outcome:
        capsys.readouterr()
        code = run(arguments)
        streams = capsys.readouterr()
        return Outcome(code, streams.out, streams.err)

    return call
