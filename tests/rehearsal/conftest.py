"""What the tests of rehearsals share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from alertd.rehearsal.engine import Rehearsal
from alertd.rehearsal.file import read_file
from alertd.rehearsal.runner import known
from alertd.rehearsal.verdict import Verdict, judge

RULES = """
groups:
  - name: small
    rules:
      - alert: Paused
        when: status.code == "Paused"
        annotations: {summary: "{{ job.id }} is paused"}
      - alert: Quarantined
        when: status.code == "Quarantine"
        severity: critical
      - alert: Changed
        event: changed(status.code)
        severity: info
"""

Write = Callable[[str], Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write a file of tests beside its rules, and give its path."""

    def writing(text: str) -> Path:
        (tmp_path / "rules.yaml").write_text(RULES, encoding="utf-8")
        path = tmp_path / "small.test.yaml"
        path.write_text(text, encoding="utf-8")
        return path

    return writing


@pytest.fixture
def play(write: Write) -> Callable[..., object]:
    """Play the only test of a file and give the verdict; `text` is what stands under `tests: [{name: it, ...}]`."""

    async def playing(text: str) -> Verdict:
        body = "\n".join(f"    {line}" for line in text.strip("\n").splitlines())
        file = read_file(write(f"rule_files: [rules.yaml]\ntests:\n  - name: it\n{body}\n"))
        script = file.scripts[0]
        return judge(script, await Rehearsal(script, file.setting).play(), known(script, file.setting))

    return playing
