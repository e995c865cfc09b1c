"""Runs the tests of a file, one after the other, each over a store of its own."""

from __future__ import annotations

import re
import time

import attrs

from alertd.rehearsal.engine import Rehearsal
from alertd.rehearsal.file import RehearsalFile
from alertd.rehearsal.script import Script
from alertd.rehearsal.setting import Setting
from alertd.rehearsal.verdict import Known, Verdict, judge


@attrs.frozen(kw_only=True)
class Result:
    """What became of one test. seconds: how long it took, in real time."""

    verdict: Verdict
    seconds: float


@attrs.frozen(kw_only=True)
class FileResult:
    """What became of a file's tests, in the order of the file."""

    path: str
    results: tuple[Result, ...]


async def run_file(file: RehearsalFile, chosen: re.Pattern[str] | None = None) -> FileResult:
    """Run the tests of a file whose names match `chosen`, somewhere in them; all of them if it is null."""
    scripts = [script for script in file.scripts if chosen is None or chosen.search(script.name)]
    return FileResult(path=file.path, results=tuple([await _run(script, file.setting) for script in scripts]))


async def _run(script: Script, setting: Setting) -> Result:
    began = time.perf_counter()
    course = await Rehearsal(script, setting).play()
    verdict = judge(script, course, known(script, setting))
    return Result(verdict=verdict, seconds=time.perf_counter() - began)


def known(script: Script, setting: Setting) -> Known:
    """Give the names a test may speak of."""
    rules = tuple(rule.name for rule in setting.rules if not script.only or rule.name in script.only)
    rules += tuple(cause.alert for cause in setting.routing.common_causes)
    return Known(rules=rules, receivers=tuple(setting.routing.receivers))
