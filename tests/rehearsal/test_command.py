"""`alertd test` as a person meets it: exit codes, what is printed, and that no wrong expectation passes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from alertd.cli.program import run

Write = Callable[[str], Path]

PASSING = """\
rule_files: [rules.yaml]
tests:
  - name: a pause is told and resolved
    only: [Paused]
    jobs: [{job: contoso/Salesforce/SF.1, timeline: [Active x2, Paused x2, Active]}]
    expect_alerts:
      - {at: 10m, firing: [Paused]}
      - {at: 20m, firing: []}
    expect_notifications:
      - {at: 10m, receiver: default, reason: first_notification, firing: [Paused]}
      - {at: 20m, receiver: default, reason: all_resolved, resolved: [{alert: Paused, contains: SF.1 is paused}]}
"""
FIRST = "      - {at: 10m, receiver: default, reason: first_notification, firing: [Paused]}\n"
LAST = "      - {at: 20m, receiver: default, reason: all_resolved, resolved: [{alert: Paused, contains: SF.1 is paused}]}\n"


def test_a_passing_file(write: Write, capsys: pytest.CaptureFixture[str]) -> None:
    path = write(PASSING)

    assert run(["test", str(path)]) == 0
    assert capsys.readouterr().out.splitlines()[0] == f"ok   {path}: a pause is told and resolved"


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        pytest.param(FIRST, "", "not expected", id="an expected notification taken away"),
        pytest.param(LAST, "", "not expected", id="the last one taken away"),
        pytest.param(FIRST, FIRST + FIRST.replace("10m", "15m"), "did not come", id="one added"),
        pytest.param(FIRST, FIRST.replace("10m", "5m"), "at is 10m, not 5m", id="a step too early"),
        pytest.param(FIRST, FIRST.replace("10m", "15m"), "at is 10m, not 15m", id="a step too late"),
        pytest.param(FIRST, FIRST.replace("10m", "11m..1h"), "at is 10m, not 11m..1h", id="beyond a range"),
        pytest.param(FIRST + LAST, LAST + FIRST, "out of order", id="out of order"),
        pytest.param(
            FIRST,
            FIRST.replace("first_notification", "new_alerts"),
            "reason is first_notification, not new_alerts",
            id="another reason",
        ),
        pytest.param(FIRST, FIRST.replace("default", "teams"), "no receiver `teams` here", id="unknown receiver"),
        pytest.param(
            FIRST,
            FIRST.replace("[Paused]", "[Pausd]"),
            "did you mean `Paused`",
            id="unknown alert",
        ),
        pytest.param(
            FIRST, FIRST.replace("[Paused]", "[Paused, Paused]"), "firing: 2 expected, 1 found", id="one alert too many"
        ),
        pytest.param(FIRST, FIRST.replace("firing: [Paused]", ""), "firing: 0 expected, 1 found", id="no list"),
        pytest.param("contains: SF.1 is", "contains: SF.2 is", "no annotation contains `SF.2 is", id="another text"),
        pytest.param("alert: Paused, ", "alert: Paused, severity: critical, ", "severity is warning", id="severity"),
        pytest.param("alert: Paused, ", "alert: Paused, labels: {tenant: x}, ", "label tenant is contoso", id="label"),
        pytest.param("alert: Paused, ", "alert: Paused, job: contoso/Salesforce/SF.2, ", "not contoso/", id="job"),
        pytest.param("{at: 10m, firing: [Paused]}", "{at: 10m, firing: []}", "0 expected, 1 found", id="silence"),
        pytest.param("{at: 20m, firing: []}", "{at: 15m, firing: []}", "0 expected, 1 found", id="too early quiet"),
        pytest.param("{at: 20m, firing: []}", "{at: 25m, firing: []}", "ends at 20m", id="a moment after the end"),
        pytest.param("[Active x2, P", "[Active x3, P", "at is 15m, not 10m", id="the condition a step later"),
    ],
)
def test_no_wrong_expectation_passes(
    write: Write, capsys: pytest.CaptureFixture[str], old: str, new: str, reason: str
) -> None:
    assert old in PASSING
    path = write(PASSING.replace(old, new, 1))

    code = run(["test", str(path)])

    told = capsys.readouterr().out
    assert code == 1, told
    assert reason in told.replace("\n        ", " ")
    assert max(map(len, told.splitlines())) <= 120 + len(str(path))


def test_a_failure_shows_expected_beside_found_and_what_happened(
    write: Write, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write(PASSING.replace("20m, receiver", "15m, receiver"))

    run(["test", str(path)])

    assert capsys.readouterr().out.splitlines()[:-1] == [
        f"FAIL {path}:3: a pause is told and resolved",
        "  expect_notifications: 2 expected, 2 found, 1 as expected",
        "                10m  default  first_notification  firing: Paused (contoso/Salesforce/SF.1)",
        "    - expected  15m  default  all_resolved  resolved: Paused (contains `SF.1 is paused`) (line 11)",
        "    + found     20m  default  all_resolved  resolved: Paused (contoso/Salesforce/SF.1)",
        "          at is 20m, not 15m",
        "  what happened",
        "    0s        polled  contoso/Salesforce/SF.1: Active",
        "    10m       polled  contoso/Salesforce/SF.1: Paused",
        "              alerts  Paused (contoso/Salesforce/SF.1) firing",
        "              told    default first_notification  firing: Paused",
        "    20m       polled  contoso/Salesforce/SF.1: Active",
        "              alerts  none",
        "              told    default all_resolved  resolved: Paused",
    ]


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        pytest.param("only: [Paused]", "only: [Pausd]", "did you mean `Paused`", id="unknown rule"),
        pytest.param("expect_alerts", "expect_alert", "did you mean `expect_alerts`", id="unknown key"),
        pytest.param("rules.yaml", "rulez.yaml", "expected a file of rules", id="no rule file"),
    ],
)
def test_a_wrong_file_is_exit_2(
    write: Write, capsys: pytest.CaptureFixture[str], old: str, new: str, reason: str
) -> None:
    path = write(PASSING.replace(old, new, 1))

    assert run(["test", str(path)]) == 2

    told = capsys.readouterr()
    assert reason in told.err
    assert "Traceback" not in told.err
    assert told.out == ""


def test_a_misspelt_property_in_a_rule_is_exit_2(write: Write, capsys: pytest.CaptureFixture[str]) -> None:
    path = write(PASSING)
    rules = path.with_name("rules.yaml")
    rules.write_text(rules.read_text().replace('status.code == "Paused"', "status.countSuccesiveCompleteFailures > 3"))

    assert run(["test", str(path)]) == 2
    assert "did you mean `countSuccessiveCompleteFailures`" in capsys.readouterr().err


def test_several_files_are_told_together(write: Write, capsys: pytest.CaptureFixture[str]) -> None:
    good = write(PASSING)
    bad, worse = good.with_name("bad.yaml"), good.with_name("worse.yaml")
    bad.write_text(PASSING.replace("only", "onlie"))
    worse.write_text(PASSING.replace("jobs", "job"))

    assert run(["test", str(good), str(bad), str(worse)]) == 2

    told = capsys.readouterr().err
    assert "bad.yaml:4:5" in told
    assert "worse.yaml:5:5" in told


def test_a_file_that_is_not_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["test", str(tmp_path / "nowhere.yaml")]) == 2
    assert "nowhere.yaml: no readable file (No such file or directory)" in capsys.readouterr().err


def test_no_file_at_all(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["test"]) == 2
    assert "FILE..." in capsys.readouterr().err


TWO = PASSING + PASSING[PASSING.index("  - name") :].replace("a pause", "another").replace("10m, firing", "5m, firing")


def test_run_chooses_tests_by_name(write: Write, capsys: pytest.CaptureFixture[str]) -> None:
    path = write(TWO)

    assert run(["test", str(path), "--run", "^a pause"]) == 0
    assert "another" not in capsys.readouterr().out
    assert run(["test", str(path), "--run", "other"]) == 1
    assert run(["test", str(path), "--run", "neither"]) == 0
    assert "no test has a name" in capsys.readouterr().err
    assert run(["test", str(path), "--run", "("]) == 2
    assert "no regular expression" in capsys.readouterr().err


def test_junit(write: Write, tmp_path: Path) -> None:
    path = write(TWO)
    junit = tmp_path / "results.xml"

    assert run(["test", str(path), "--junit", str(junit)]) == 1

    root = ET.parse(junit).getroot()  # noqa: S314 - our own file
    suite = root.find("testsuite")
    assert suite is not None
    assert (root.tag, root.get("tests"), root.get("failures"), suite.get("name")) == ("testsuites", "2", "1", str(path))
    passed, failed = suite.findall("testcase")
    assert (passed.get("name"), passed.find("failure")) == ("a pause is told and resolved", None)
    failure = failed.find("failure")
    assert failure is not None
    assert "expect_alerts at 5m" in (failure.get("message") or "")
    assert "what happened" in (failure.text or "")


def test_junit_survives_any_name(write: Write, tmp_path: Path) -> None:
    path = write(PASSING.replace("a pause is told and resolved", '"bell \\a & <tag> \\u202e"'))
    junit = tmp_path / "results.xml"

    assert run(["test", str(path), "--junit", str(junit)]) == 0

    case = ET.parse(junit).getroot().find("testsuite/testcase")  # noqa: S314 - our own file
    assert case is not None
    assert case.get("name") == "bell \ufffd & <tag> \u202e"


def test_junit_that_cannot_be_written(write: Write, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["test", str(write(PASSING)), "--junit", str(tmp_path / "nowhere" / "results.xml")]) == 2
    assert "cannot be written" in capsys.readouterr().err
