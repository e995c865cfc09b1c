"""The benches run, and say what the documentation promises. What they measure is no business of a test."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from bench.graph_server import Answers
from bench.registry import BENCHES
from bench.result import Figure, Result
from bench.results import Taken, write

_ROOT = Path(__file__).resolve().parents[2]


def _run(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "bench", *arguments]
    return subprocess.run(command, cwd=_ROOT, capture_output=True, text=True, timeout=120, check=False)


def _object(*arguments: str) -> dict[str, Any]:
    done = _run(*arguments, "--json")
    assert done.returncode in {0, 1}, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_the_list_names_every_bench() -> None:
    told = _run("--list").stdout.splitlines()

    assert [line.split()[0] for line in told] == [bench.name for bench in BENCHES]


def test_the_help_shows_examples() -> None:
    assert "python -m bench poll_unchanged --jobs 1000" in _run("--help").stdout


def test_an_unknown_name_is_wrong_use_and_told_with_the_names() -> None:
    done = _run("pol_unchanged")

    assert done.returncode == 2
    assert "poll_unchanged" in done.stderr


def test_a_poll_is_measured_beside_loops_that_only_fetch() -> None:
    """Every contestant checks that it was answered in full, so a run that ends has read every job."""
    found = _object("poll_changed", "--jobs", "45", "--rounds", "1")

    assert found["sizes"] == {"jobs": 45, "rounds": 1}
    assert set(found["medians"]) == {"alertd", "same transport, dropped", "aiohttp, dropped"}
    assert {"python", "aiohttp", "msgspec"} <= found["versions"].keys()
    assert found["machine"]["cores"] >= 1


@pytest.mark.parametrize(
    ("name", "jobs", "needs"),
    [
        ("rules", "20", ""),
        ("expr", "20", "cel_expr_python"),
        ("sdk", "3", "msgraph"),
        ("diff", "20", ""),
        ("render", "2", ""),
        ("startup", "1", ""),
    ],
)
def test_a_bench_says_what_everything_took(name: str, jobs: str, needs: str) -> None:
    if needs:
        pytest.importorskip(needs)

    _measured(name, jobs)


def test_growth_measures_every_size_up_to_the_one_asked_for() -> None:
    assert set(_measured("growth", "1200")) == {"1,000 jobs", "1,200 jobs"}


def _measured(name: str, jobs: str) -> dict[str, Any]:
    """Run a bench once and give its medians, each of which says what it took."""
    found = _object(name, "--jobs", jobs, "--rounds", "1")
    medians: dict[str, Any] = found["medians"]
    assert found["bench"] == name
    assert medians
    assert all(line["cpu_us"] > 0 and line["wall_us"] > 0 for line in medians.values())
    return medians


def test_what_is_told_of_a_transition_is_counted_once_and_from_the_moment_it_could_be_seen() -> None:
    answers = Answers(3, datetime(2026, 1, 5, tzinfo=UTC))
    well = answers.to("GET", "/v1.0/servicePrincipals/00000001-x/synchronization/jobs", b"")
    answers.to("GET", "/sick/1", b"")
    sick = answers.to("GET", "/v1.0/servicePrincipals/00000001-x/synchronization/jobs", b"")

    assert (b'"code":"Quarantine"' in well, b'"code":"Quarantine"' in sick) == (False, True)
    assert answers.to("GET", "/untold", b"") == b"1"
    for _ in range(2):
        answers.to("POST", "/posts", b'{"job": "Workday2AD.00000001"}')
    assert answers.to("GET", "/untold", b"") == b"0"
    (delay,) = json.loads(answers.to("GET", "/delays", b""))
    assert delay >= 0


def test_a_chapter_takes_the_place_of_what_was_said_of_the_same_bench_before(tmp_path: Path) -> None:
    file = tmp_path / "RESULTS.md"
    for name, value in (("late", 1.0), ("early", 2.0), ("late", 3.0)):
        result = Result(name=name, sizes={}, thing="x", lines={}, figures=(Figure(what="y", value=value),))
        machine = {"processor": "p", "cores": 2, "memory_gb": 8, "system": "s", "load": []}
        write(Taken(result=result, machine=machine, versions={}), ["early", "late"], file=file)

    text = file.read_text(encoding="utf-8")
    assert [line for line in text.splitlines() if line.startswith("## ")] == ["## early", "## late"]
    assert "3.00" in text
    assert "1.00" not in text


def test_patience_at_graph_saves_requests_and_adds_no_more_delay_than_its_bound() -> None:
    """The same jobs live the same lives in every run, so the figures are the same on every machine."""
    found = _object("graph", "--jobs", "20", "--rounds", "7")

    figures = {one["what"]: one["value"] for one in found["figures"]}
    assert found["met"] is True
    assert figures["every job in every round: requests per job and hour"] == 12
    assert (
        12
        > figures["max_added_delay 5m: requests per job and hour"]
        > figures["max_added_delay 60m: requests per job and hour"]
        > 0
    )
    assert figures["max_added_delay 60m: added delay, most"] > 0


def test_a_figure_beyond_its_budget_is_not_met() -> None:
    assert Figure(what="x", value=2.0, budget=2.0).met is True
    assert Figure(what="x", value=2.1, budget=2.0).met is False
    assert Figure(what="x", value=99_999, budget=100_000, at_least=True).met is False
    assert Figure(what="x", value=2.0).met is None
