"""From timelines to what service principals answer."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import pytest

from alertd.errors import PollErrorKind
from alertd.model.reading import Failed, Ok
from alertd.rehearsal.job_name import JobName
from alertd.rehearsal.readings import tenant_readings
from alertd.rehearsal.script import JobScript, Script, TenantScript
from alertd.simulator.timeline import parse_tenant_timeline, parse_timeline


def script(jobs: dict[str, Sequence[object]], rounds: Sequence[str] = ()) -> Script:
    tenants = (TenantScript(tenant="contoso", timeline=parse_tenant_timeline(rounds)),) if rounds else ()
    return Script(
        name="it",
        jobs=tuple(JobScript(name=JobName.parse(name), timeline=parse_timeline(steps)) for name, steps in jobs.items()),
        tenants=tenants,
    )


def told(jobs: dict[str, Sequence[object]], rounds: Sequence[str] = (), *, steps: int) -> list[dict[str, str]]:
    readings = tenant_readings(script(jobs, rounds), "contoso")
    return [dict(readings.told_at(step)) for step in range(steps)]


ONE = "contoso/Salesforce/SF.1"


@pytest.mark.parametrize(
    ("steps", "rounds", "expected"),
    [
        pytest.param(["Active", "Paused"], [], ["Active", "Paused", "Paused"], id="the last step keeps answering"),
        pytest.param(
            ["Active", "Paused", "Active"],
            ["ok", "error(auth)", "ok"],
            ["Active", "error(auth)", "Active"],
            id="a failed round stands in the place of a step",
        ),
        pytest.param(
            ["Active", "Paused"],
            ["ok", "error x2", "ok"],
            ["Active", "error(server)", "error(server)", "Paused"],
            id="a last step that was lost is taken at the first good round",
        ),
        pytest.param(
            ["Active", "Paused"],
            ["ok", "error"],
            ["Active", "error(server)", "error(server)"],
            id="a tenant's last round goes on too",
        ),
        pytest.param(
            ["Active", "same", "Paused"],
            ["error", "ok"],
            ["error(server)", "Active", "Paused"],
            id="`same` after an outage is the same as before it",
        ),
        pytest.param(
            ["Active", "absent"],
            ["ok", "error", "ok"],
            ["Active", "error(server)", "absent", "absent"],
            id="absent last",
        ),
    ],
)
def test_a_tenants_rounds_and_its_jobs_steps(steps: list[str], rounds: list[str], expected: list[str]) -> None:
    found = told({ONE: steps}, rounds, steps=len(expected))

    assert [one.get(ONE) or one[""] for one in found] == expected


def test_runs_lost_in_an_outage_have_not_happened() -> None:
    readings = tenant_readings(script({ONE: ["Active", "failed(X) x3"]}, ["ok x2", "error", "ok"]), "contoso")

    reading = next(iter(readings.at(4).values()))
    assert isinstance(reading, Ok)
    assert reading.jobs[0].status is not None
    assert reading.jobs[0].status.countSuccessiveCompleteFailures == 2


def test_a_lost_last_run_happens_once_at_the_first_good_round() -> None:
    readings = tenant_readings(script({ONE: ["Active", "failed(X)"]}, ["ok", "error", "ok"]), "contoso")

    answers = [next(iter(readings.at(step).values())) for step in (2, 3, 9)]
    assert all(isinstance(answer, Ok) for answer in answers)
    assert answers[0] == answers[1] == answers[2]


def test_quarantine_begins_at_its_first_answered_step() -> None:
    readings = tenant_readings(script({ONE: ["Active", "Quarantine(Unknown)"]}, ["ok", "error x2", "ok"]), "contoso")

    reading = next(iter(readings.at(3).values()))
    assert isinstance(reading, Ok)
    quarantine = reading.jobs[0].status and reading.jobs[0].status.quarantine
    assert quarantine is not None
    assert quarantine.currentBegan == Script(name="").start + timedelta(minutes=15)


def test_one_job_that_fails_fails_its_principal_and_no_other() -> None:
    jobs = {ONE: ["error(timeout)"], "contoso/Salesforce/SF.2": ["Active"], "contoso/Workday/WD.1": ["Active"]}
    readings = tenant_readings(script(jobs), "contoso")

    salesforce, workday = (readings.at(0)[principal.id] for principal in readings.principals)
    assert salesforce == Failed(kind=PollErrorKind.TIMEOUT)
    assert isinstance(workday, Ok)


def test_jobs_of_one_name_in_two_tenants_are_strangers() -> None:
    jobs = {ONE: ["Active"], "fabrikam/Salesforce/SF.1": ["Paused"]}

    principals = [tenant_readings(script(jobs), name).principals for name in ("contoso", "fabrikam")]
    assert [len(one) for one in principals] == [1, 1]
    assert principals[0][0].id != principals[1][0].id


def test_a_tenant_without_jobs_is_asked_all_the_same() -> None:
    readings = tenant_readings(script({}, ["ok", "error(auth)"]), "contoso")

    assert list(readings.at(0).values()) == [Ok()]
    assert list(readings.at(1).values()) == [Failed(kind=PollErrorKind.AUTH)]


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        pytest.param("contoso/Salesforce/SF.1", ("contoso", "Salesforce", "SF.1"), id="three parts"),
        pytest.param("contoso/AWS / EU/West/aws.1", ("contoso", "AWS / EU/West", "aws.1"), id="slashes in the middle"),
    ],
)
def test_names_of_jobs(text: str, parts: tuple[str, str, str]) -> None:
    name = JobName.parse(text)

    assert (name.tenant, name.service_principal, name.id) == parts
    assert str(name) == text


@pytest.mark.parametrize("text", ["SF.1", "contoso/SF.1", "/Salesforce/SF.1", "contoso//", "contoso/Salesforce/"])
def test_what_is_no_name_of_a_job(text: str) -> None:
    with pytest.raises(ValueError, match="first and the last slash"):
        JobName.parse(text)
