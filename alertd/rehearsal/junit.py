"""Results as JUnit XML, the dialect that build servers agree on: one suite a file, one case a test."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from xml.etree import ElementTree as ET

from alertd.errors import UsageError
from alertd.rehearsal.report import report
from alertd.rehearsal.runner import FileResult, Result

# XML 1.0 has no way to write these, not even escaped.
_UNWRITABLE = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def write_junit(path: Path, results: Sequence[FileResult]) -> None:
    """Write the results to a file; raises UsageError where that cannot be written."""
    tree = ET.ElementTree(_suites(results))
    ET.indent(tree)
    try:
        tree.write(path, encoding="utf-8", xml_declaration=True)
    except OSError as exc:
        raise UsageError(f"{path} cannot be written ({exc.strerror}); name another file after --junit") from exc


def _suites(results: Sequence[FileResult]) -> ET.Element:
    everything = [result for file in results for result in file.results]
    root = ET.Element("testsuites", _figures(everything) | {"name": "alertd test"})
    for file in results:
        suite = ET.SubElement(root, "testsuite", _figures(file.results) | {"name": _clean(file.path)})
        for result in file.results:
            _case(suite, file.path, result)
    return root


def _figures(results: Sequence[Result]) -> dict[str, str]:
    failures = sum(not result.verdict.passed for result in results)
    seconds = sum(result.seconds for result in results)
    return {"tests": str(len(results)), "failures": str(failures), "errors": "0", "time": f"{seconds:.3f}"}


def _case(suite: ET.Element, file: str, result: Result) -> None:
    script = result.verdict.script
    case = ET.SubElement(
        suite,
        "testcase",
        {
            "name": _clean(script.name),
            "classname": _clean(file),
            "file": _clean(file),
            "line": str(script.line),
            "time": f"{result.seconds:.3f}",
        },
    )
    if not result.verdict.passed:
        lines = [_clean(line) for line in report(result.verdict, file)]
        failure = ET.SubElement(case, "failure", {"message": lines[1].strip(), "type": "expectation"})
        failure.text = "\n".join(lines)


def _clean(text: str) -> str:
    return _UNWRITABLE.sub("\ufffd", text)
