"""Bodies look like Graph's: complete, with .NET's words for never, valid against the published description."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from alertd.model.decoding import decode_job
from alertd.model.resources import (
    QUARANTINE_REASONS,
    STATUS_CODES,
    EntryCounts,
    JobSettings,
    SynchronizationJob,
    SynchronizationSchedule,
    SynchronizationStatus,
)
from alertd.simulator.scenario import Scenario, scenarios
from alertd.simulator.timeline import expand, parse_timeline
from alertd.simulator.wire import NEVER, NEVER_INTERVAL, format_interval, job_body

OPENAPI = Path(__file__).resolve().parents[2].parent / "shared" / "graph" / "synchronization.openapi.json"
EXAMPLES = OPENAPI.parent / "examples"
START = datetime(2026, 1, 5, 9, tzinfo=UTC)


def test_a_bare_job_is_complete_on_the_wire() -> None:
    body = job_body(SynchronizationJob(id="SF.1", status=SynchronizationStatus(code="Active")))

    assert body["templateId"] == "SF"
    assert body["schedule"] == {"expiration": None, "interval": "PT40M", "state": "Active"}
    assert body["synchronizationJobSettings"] == []
    assert body["status"] == {
        "code": "Active",
        "countSuccessiveCompleteFailures": 0,
        "escrowsPruned": False,
        "lastExecution": None,
        "lastSuccessfulExecution": None,
        "lastSuccessfulExecutionWithExports": None,
        "progress": [],
        "quarantine": None,
        "steadyStateFirstAchievedTime": NEVER,
        "steadyStateLastAchievedTime": NEVER,
        "synchronizedEntryCountByType": [],
        "troubleshootingUrl": "",
    }


def test_a_schedule_that_never_runs() -> None:
    body = job_body(
        SynchronizationJob(id="x", schedule=SynchronizationSchedule(), status=SynchronizationStatus(code="Paused"))
    )

    assert body["schedule"] == {"expiration": None, "interval": NEVER_INTERVAL, "state": "Disabled"}


def test_what_is_written_is_read_back() -> None:
    job = SynchronizationJob(
        id="x",
        templateId="aws",
        status=SynchronizationStatus(code="Active", synchronizedEntryCountByType=EntryCounts({"user to User": 3})),
        synchronizationJobSettings=JobSettings({"Domain": "a"}),
    )

    read = decode_job(json.dumps(job_body(job)).encode())

    assert read.status is not None
    assert (read.status.synchronizedEntryCountByType, read.synchronizationJobSettings) == (
        EntryCounts({"user to User": 3}),
        JobSettings({"Domain": "a"}),
    )


def test_a_job_without_a_code_has_none_on_the_wire() -> None:
    assert "code" not in job_body(SynchronizationJob(id="x"))["status"]


@pytest.mark.parametrize(
    ("interval", "expected"),
    [
        (timedelta(minutes=40), "PT40M"),
        (timedelta(hours=1), "PT1H"),
        (timedelta(hours=1, minutes=30, seconds=5), "PT1H30M5S"),
        (timedelta(days=1), "P1D"),
        (timedelta(days=2, hours=3), "P2DT3H"),
        (timedelta(0), "PT0S"),
    ],
    ids=str,
)
def test_intervals(interval: timedelta, expected: str) -> None:
    assert format_interval(interval) == expected


def _schemas() -> dict[str, Any]:
    """Graph's description in OpenAPI 3.0, where null is `nullable`, as JSON Schema, where it is a type."""

    def translated(node: Any) -> Any:
        if isinstance(node, list):
            return [translated(entry) for entry in node]
        if not isinstance(node, dict):
            return node
        return {key: translated(value) for key, value in node.items() if key != "nullable"} | (
            {"type": [node["type"], "null"]} if node.get("nullable") and "type" in node else {}
        )

    schemas: dict[str, Any] = translated(json.loads(OPENAPI.read_text())["components"]["schemas"])
    return schemas


def validate(body: Any, kind: str) -> None:
    schema = {"$ref": f"#/components/schemas/microsoft.graph.{kind}", "components": {"schemas": _schemas()}}
    jsonschema.Draft202012Validator(schema, format_checker=jsonschema.FormatChecker()).validate(body)


published = pytest.mark.skipif(not OPENAPI.exists(), reason="Graph's description is not part of the repository")


@published
@pytest.mark.parametrize("name", scenarios())
def test_every_step_of_every_scenario_is_valid(name: str) -> None:
    scenario = Scenario.load(name)

    for job in scenario.jobs:
        for answer in set(expand(job.timeline, start=START, interval=scenario.interval, job_id=job.id)):
            if isinstance(answer, SynchronizationJob):
                validate(job_body(answer), "synchronizationJob")


@published
@pytest.mark.parametrize(
    "path", sorted([*EXAMPLES.glob("job-*.json"), *EXAMPLES.glob("jobs-*.json")]), ids=lambda path: path.stem
)
def test_documented_jobs_written_again_are_valid(path: Path) -> None:
    plain = json.loads(path.read_text())

    for body in plain.get("value", [plain]):
        validate(job_body(decode_job(json.dumps(body).encode())), "synchronizationJob")


@published
@given(
    code=st.sampled_from(STATUS_CODES),
    reason=st.sampled_from(QUARANTINE_REASONS),
    run=st.sampled_from(["succeeded", "failed(Oops)", "entry_errors(3)", "same"]),
    seconds=st.floats(0, 10**6, allow_nan=False),
)
def test_whatever_a_timeline_gives_is_valid(code: str, reason: str, run: str, seconds: float) -> None:
    start = START + timedelta(seconds=seconds)
    steps = parse_timeline([f"{code}({reason})", run])

    for answer in expand(steps, start=start, interval=timedelta(minutes=5), job_id="SF.1"):
        assert isinstance(answer, SynchronizationJob)
        validate(job_body(answer), "synchronizationJob")


@published
def test_the_validation_can_fail() -> None:
    body = job_body(SynchronizationJob(id="x", status=SynchronizationStatus(code="Nonsense")))

    with pytest.raises(jsonschema.ValidationError):
        validate(body, "synchronizationJob")
