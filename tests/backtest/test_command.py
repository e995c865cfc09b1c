"""`alertd backtest` over a store on disk, as people call it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from alertd.cli.program import run
from alertd.model.reading import Ok
from alertd.model.resources import SynchronizationJob, SynchronizationStatus
from alertd.store.opening import open_store

from .living import START, STEP, Live, setting_of

_CONFIG = """\
receivers: [{name: oncall, webhook: [{url: 'http://127.0.0.1:1/h'}]}]
route: {receiver: oncall, group_wait: 0s, group_interval: 1m}
rules: [own.yaml]
"""
_OWN = """\
groups:
  - name: own
    rules:
      - alert: Quarantined
        when: status.code == "Quarantine"
        annotations: {summary: "{{ job.displayName }} is in quarantine"}
      - alert: Failing
        when: job.failureStreak >= params.threshold
        params: {threshold: 2}
        annotations: {summary: "{{ job.displayName }} failed {{ job.failureStreak }} times"}
"""
_SINCE = ("--since", START.isoformat(), "--until", (START + timedelta(hours=2)).isoformat())


def _answers() -> list[dict[str, Ok]]:
    """Three failures one after the other, then quarantine, then all is well."""
    steps = [("Active", 0), ("Active", 1), ("Active", 2), ("Active", 3), ("Quarantine", 3), ("Active", 0)]
    jobs = [
        SynchronizationJob(id="SF.1", status=SynchronizationStatus(code=code, countSuccessiveCompleteFailures=failures))
        for code, failures in steps
        for _ in range(2)
    ]
    return [{"salesforce": Ok(jobs=(job,))} for job in jobs]


@pytest.fixture
def call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., Any]:
    """Give a way to call the program in a folder whose store has a past; it gives exit code, stdout and stderr."""
    monkeypatch.chdir(tmp_path)
    Path("alertd.yaml").write_text(_CONFIG, encoding="utf-8")
    Path("own.yaml").write_text(_OWN, encoding="utf-8")

    async def live() -> None:
        store = await open_store("sqlite:///alertd.db", tmp_path)
        await Live(store, setting_of(_OWN), ["salesforce"]).run(_answers())
        await store.close()

    asyncio.run(live())

    def called(*arguments: str) -> tuple[int, str, str]:
        capsys.readouterr()
        code = run(arguments)
        return code, *capsys.readouterr()

    return called


def _write(name: str, threshold: int) -> None:
    text = _OWN.partition("      - alert: Quarantined")[0] + _OWN[_OWN.index("      - alert: Failing") :]
    Path(name).write_text(text.replace("threshold: 2", f"threshold: {threshold}"), encoding="utf-8")


def test_a_higher_threshold_would_have_told_later(call: Callable[..., Any]) -> None:
    _write("candidate.yaml", threshold=3)

    code, out, err = call("backtest", "--rules", "candidate.yaml", *_SINCE, "--json")

    found = json.loads(out)
    assert (code, err) == (0, "")
    assert (found["rounds"], found["readings"], found["changes"]) == (12, 12, 6)
    assert [(one["rule"], one["current"], one["candidate"]) for one in found["rules"]] == [
        ("Failing", {"alerts": 1, "notifications": 2}, {"alerts": 1, "notifications": 2}),
        ("Quarantined", {"alerts": 1, "notifications": 2}, {"alerts": 1, "notifications": 2}),
    ]
    told = [(one["side"], one["at"], one["reason"], one["firing"][0]["summary"]) for one in found["differences"]]
    assert told == [
        ("current", "2026-01-05T09:20:00Z", "first_notification", "Salesforce failed 2 times"),
        ("candidate", "2026-01-05T09:30:00Z", "first_notification", "Salesforce failed 3 times"),
    ]


def test_the_table_shows_both_sides_where_they_differ(call: Callable[..., Any]) -> None:
    _write("candidate.yaml", threshold=4)

    code, out, _ = call("backtest", "--rules", "candidate.yaml", *_SINCE)

    lines = [" ".join(line.split()) for line in out.splitlines()]
    assert code == 0
    assert lines[0] == "2026-01-05 09:00:00Z to 2026-01-05 11:00:00Z: 12 rounds, 12 readings of jobs, 6 changes"
    assert "Failing 1 -> 0 2 -> 0" in lines
    assert "Quarantined 1 2" in lines
    assert "- 2026-01-05 09:20:00Z oncall first_notification firing: Failing (contoso/Salesforce/SF.1)" in lines


def test_rules_that_are_not_replaced_stay_unless_the_files_are_to_be_alone(call: Callable[..., Any]) -> None:
    _write("candidate.yaml", threshold=2)

    assert "the same would have been told" in call("backtest", "--rules", "candidate.yaml", *_SINCE)[1]
    assert "Quarantined 1 -> 0" in " ".join(call("backtest", "--rules", "candidate.yaml", "--only", *_SINCE)[1].split())


def test_other_routes_are_tried_with_another_configuration(call: Callable[..., Any]) -> None:
    """The quarantine of ten minutes is over before a wait of ten minutes is."""
    Path("slow.yaml").write_text(_CONFIG.replace("group_wait: 0s", "group_wait: 10m"), encoding="utf-8")

    _, out, _ = call("backtest", "--with", "slow.yaml", *_SINCE, "--json")

    firsts = [one for one in json.loads(out)["differences"] if one["reason"] == "first_notification"]
    told = [(one["side"], one["at"][11:16]) for one in firsts]
    assert told == [("current", "09:20"), ("candidate", "09:30"), ("current", "09:40")]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        pytest.param([], "nothing to try", id="no rules"),
        pytest.param(["--rules", "nowhere.yaml"], "nowhere.yaml: no such file", id="no file"),
        pytest.param(["--rules", "own.yaml", "--since", "2031-01-01"], "holds no round", id="no history"),
        pytest.param(["--with", "own.yaml"], "unknown key `groups`", id="rules for a configuration"),
        pytest.param(["--with", "alertd.yaml", "--only"], "--only needs --rules", id="only of nothing"),
    ],
)
def test_what_cannot_be_tried_is_said(call: Callable[..., Any], arguments: list[str], said: str) -> None:
    code, out, err = call("backtest", *arguments)

    assert (code, out) == (2, "")
    assert said in err


def test_a_replay_can_begin_in_the_middle(call: Callable[..., Any]) -> None:
    """What was true already is told at the beginning, on both sides alike."""
    _write("candidate.yaml", threshold=9)
    since = (START + 7 * STEP).isoformat()

    _, out, _ = call("backtest", "--rules", "candidate.yaml", "--since", since, *_SINCE[2:], "--json")

    firsts = [one for one in json.loads(out)["notifications"]["current"] if one["reason"] == "first_notification"]
    assert [(one["at"][11:16], one["firing"][0]["alert"]) for one in firsts] == [
        ("09:35", "Failing"),
        ("09:40", "Quarantined"),
    ]
