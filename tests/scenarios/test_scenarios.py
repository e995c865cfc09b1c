"""Every scenario in this folder, played: what people are told, and when.

Expectations were worked out by hand from the design; docs/testing.md lists which scenario is where.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from alertd.rehearsal.engine import Rehearsal
from alertd.rehearsal.file import RehearsalFile, read_file
from alertd.rehearsal.report import report
from alertd.rehearsal.runner import known
from alertd.rehearsal.script import Script
from alertd.rehearsal.verdict import judge

FOLDER = Path(__file__).parent
FILES = [read_file(path) for path in sorted(FOLDER.glob("*.yaml"))]


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("file", "script"),
    [
        pytest.param(file, script, id=f"{Path(file.path).stem}: {script.name}")
        for file in FILES
        for script in file.scripts
    ],
)
async def test_scenario(file: RehearsalFile, script: Script) -> None:
    course = await Rehearsal(script, file.setting).play()

    verdict = judge(script, course, known(script, file.setting))

    assert verdict.passed, "\n".join(report(verdict, file.path))
