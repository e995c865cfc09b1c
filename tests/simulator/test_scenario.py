"""Scenarios: the shipped ones play, and bad ones say what is wrong."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from alertd.clock import Clock
from alertd.errors import ConfigError, PollErrorKind
from alertd.simulator.clock import AcceleratedClock
from alertd.simulator.scenario import Scenario, scenarios
from alertd.simulator.simulator import Simulator


def test_what_is_shipped() -> None:
    assert set(scenarios()) == {
        "channel-outage",
        "consent-lost",
        "credential-expires",
        "delete-wave",
        "escrows-pruned",
        "failure-streak",
        "flapping-job",
        "graph-outage",
    }


@pytest.mark.parametrize("name", scenarios())
def test_every_one_tells_a_story_with_an_end(name: str) -> None:
    scenario = Scenario.load(name)

    assert scenario.name == name
    assert scenario.title
    assert scenario.jobs
    assert scenario.expect
    assert timedelta(0) < scenario.length <= timedelta(hours=2)
    assert {expectation.tenant for expectation in scenario.expect} <= set(scenario.tenant_names)


def test_playing_one_adds_its_tenants_and_jobs(simulator: Simulator, clock: Any) -> None:
    simulator.play(Scenario.load("credential-expires"))

    contoso = simulator.tenants["contoso"]
    names = {principal.display_name: len(principal.jobs) for principal in contoso.principals.values()}
    assert names == {"Salesforce": 1, "Microsoft Graph Command Line Tools": 0, "Box": 0}


def test_a_tenants_rounds_fail_as_told(simulator: Simulator, clock: Any) -> None:
    simulator.play(Scenario.load("graph-outage"))
    contoso = simulator.tenants["contoso"]

    kinds = [contoso.failure(clock.at + step * timedelta(minutes=5)) for step in range(-1, 8)]

    assert kinds == [None] * 3 + [PollErrorKind.SERVER] * 4 + [None] * 2


def test_ids_are_the_same_in_every_run(clock: Clock) -> None:
    ids = []
    for _ in range(2):
        simulator = Simulator(clock=clock)
        simulator.play(Scenario.load("flapping-job"))
        fabrikam = simulator.tenants["fabrikam"]
        ids.append((fabrikam.id, fabrikam.client_id, tuple(fabrikam.principals)))

    assert ids[0] == ids[1]


def test_a_file_of_ones_own(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(
        "title: Mine\n"
        "interval: 1m\n"
        "tenants: [{tenant: fabrikam, timeline: [ok, error(auth) x2]}]\n"
        "jobs:\n"
        "  - {job: contoso/HR/Payroll/WD.1, timeline: [Active x3]}\n"
        "  - {job: {tenant: contoso, servicePrincipal: Box, servicePrincipalId: abc, id: B.1}, timeline: [Paused]}\n"
        "receivers_down: [{receiver: default, from: 1h, to: 2h}]\n"
    )

    scenario = Scenario.load(path)

    assert [(job.tenant, job.service_principal, job.id) for job in scenario.jobs] == [
        ("contoso", "HR/Payroll", "WD.1"),
        ("contoso", "Box", "B.1"),
    ]
    assert (scenario.tenant_names, scenario.length) == (("fabrikam", "contoso"), timedelta(hours=2))


@pytest.mark.parametrize(
    ("text", "path", "cure"),
    [
        ("jobs: []", "title", "add `title`"),
        ("title: x\njob: []", "job", "did you mean `jobs`?"),
        ("title: x\njobs: [{job: contoso/x, timeline: [Active]}]", "jobs[0].job", ""),
        ("title: x\njobs: [{job: a/b/c, timeline: [actve]}]", "jobs[0].timeline[0]", "did you mean"),
        ("title: x\njobs: [{job: a/b/c}]", "jobs[0].timeline", "write a step"),
        ("title: x\nservice_principals: [contoso]", "service_principals[0]", ""),
        ("title: x\nexpect: [{alert: A, tenant: b, how: fireing}]", "expect[0].how", "did you mean `firing`?"),
        ("title: x\ninterval: 0s", "interval", ""),
        ("title: [", "", ""),
    ],
)
def test_a_bad_file_says_what_is_wrong_and_where(tmp_path: Path, text: str, path: str, cure: str) -> None:
    (tmp_path / "bad.yaml").write_text(text)

    with pytest.raises(ConfigError) as caught:
        Scenario.load(tmp_path / "bad.yaml")

    problem = caught.value.problems[0]
    assert (problem.path, cure in problem.cure) == (path, True), problem
    assert problem.file.endswith("bad.yaml")


@pytest.mark.parametrize("name", ["graph-outag", "none.yaml"])
def test_an_unknown_one(name: str) -> None:
    with pytest.raises(ConfigError):
        Scenario.load(name)


@pytest.mark.anyio
async def test_an_accelerated_clock(clock: Any) -> None:
    fast = AcceleratedClock(clock, speed=60)
    start = fast.now()

    await fast.sleep(120)

    assert fast.now() - start == timedelta(minutes=2)
    assert clock.at - start == timedelta(seconds=2)
