"""Until when the answer of a rule stands though nothing new is read."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import attrs
import pytest

from alertd.model.document import Document
from alertd.model.resources import (
    SynchronizationQuarantine,
    SynchronizationSchedule,
    SynchronizationStatus,
    SynchronizationTaskExecution,
)
from alertd.model.views import Job, Subject
from alertd.rules.horizon import Horizon, horizon_of
from alertd.rules.loader import read_rules

NOW = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
PARAMS = {"window": 3 * HOUR}
SUBJECT = Subject(
    now=NOW,
    status=SynchronizationStatus(
        code="Active",
        lastExecution=SynchronizationTaskExecution(timeEnded=NOW - HOUR),
        quarantine=SynchronizationQuarantine(seriesBegan=NOW - 9 * HOUR),
    ),
    job=Job(
        id="j",
        servicePrincipalId="s",
        schedule=SynchronizationSchedule(interval=4 * HOUR),
        disableAt=NOW + 20 * HOUR,
    ),
    instants={"status.code": (("Quarantine", NOW - 2 * HOUR), ("Active", NOW - HOUR), ("Quarantine", NOW - 5 * HOUR))},
)


def horizon(when: str) -> Horizon:
    document = Document.parse(
        f"groups:\n  - rules:\n      - alert: X\n        when: {when}\n        params: {{window: 3h}}\n"
    )
    (rule,) = read_rules(document)
    assert document.problems == []
    return horizon_of(rule)


@pytest.mark.parametrize(
    ("when", "hours"),
    [
        pytest.param("status.code == 'Active'", None, id="it looks at no clock"),
        pytest.param("age(status.lastExecution.timeEnded) > hours(2)", 1, id="an age grows beyond a bound"),
        pytest.param("hours(2) < age(status.lastExecution.timeEnded)", 1, id="the bound first"),
        pytest.param("age(status.lastExecution.timeEnded) > hours(2) + params.window", 4, id="a sum of bounds"),
        pytest.param("age(status.lastExecution.timeEnded) > params.window - hours(1)", 1, id="a difference of bounds"),
        pytest.param("now - hours(2) > status.lastExecution.timeEnded", 1, id="now, less a duration"),
        pytest.param("now + hours(2) > job.disableAt", 18, id="now, and a duration"),
        pytest.param("until(job.disableAt) < days(1) - hours(10)", 6, id="what remains falls below a bound"),
        pytest.param("-until(job.disableAt) > -hours(4)", 16, id="the same, negated"),
        pytest.param("age(status.lastExecution.timeEnded) > minutes(30)", None, id="beyond it already"),
        pytest.param("age(job.firstSeenAt) > hours(2)", None, id="of null nothing grows"),
        pytest.param(
            "age(status.lastExecution.timeEnded) > hours(9) or until(job.disableAt) < hours(18)", 2, id="the earlier of two"
        ),
        pytest.param("transitions(status.code, to='Quarantine', within=params.window) > 1", 1, id="what is counted is forgotten"),
        pytest.param("transitions(status.code, to='Quarantine', within=job.schedule.interval) > 1", 2, id="after a time that was read"),
        pytest.param("transitions(status.code, to='Quarantine', within=job.schedule.interval * null) > 1", None, id="after no time"),
    ],
)  # fmt: skip
def test_the_next_instant_at_which_time_alone_may_change_the_answer(when: str, hours: int | None) -> None:
    found = horizon(when)

    assert not found.always
    assert found.after(SUBJECT, PARAMS) == (None if hours is None else NOW + timedelta(hours=hours))


@pytest.mark.parametrize(
    ("when", "expected"),
    [
        pytest.param("age(status.lastExecution.timeEnded)", True, id="the mere truth of what moves"),
        pytest.param("age(status.lastExecution.timeEnded) in [params.window]", True, id="a moving member"),
        pytest.param("age(status.lastExecution.timeEnded) * 2 > hours(2)", True, id="it moves twice as fast"),
        pytest.param(
            "transitions(status.code, to='x', within=age(status.quarantine.seriesBegan)) > 1", True, id="a moving window"
        ),
        pytest.param("age(status.lastExecution.timeEnded) > age(status.quarantine.seriesBegan)", False, id="both move alike"),
    ],
)  # fmt: skip
def test_what_follows_no_instant_is_asked_in_every_round(when: str, expected: bool) -> None:
    assert horizon(when).always is expected


@pytest.mark.parametrize(
    ("when", "expected"),
    [
        pytest.param("status.code == 'Active'", (False, False, False), id="what is read, and no more"),
        pytest.param("status.code == previous.code", (False, True, False), id="the reading before is another one next time"),
        pytest.param("job.failureStreak > previous_job.failureStreak", (False, True, False), id="so is the job before"),
        pytest.param("job.appeared", (False, True, False), id="it has appeared once only"),
        pytest.param("now > previous_job.lastSeenAt", (True, True, False), id="when it was seen then is always news"),
        pytest.param("tenant.pollCoverage < 1", (False, False, True), id="the tenant's figures"),
        pytest.param("tenant.name == 'contoso'", (False, False, False), id="its name is none of them"),
        pytest.param("tenant.lastPollAt != null", (True, False, True), id="when it was asked is always news"),
    ],
)  # fmt: skip
def test_what_a_rule_looks_at_says_when_it_is_asked_again(when: str, expected: tuple[bool, bool, bool]) -> None:
    found = horizon(when)

    assert (found.always, found.looks_back, found.figures) == expected


def test_an_instant_is_exact_however_far_away() -> None:
    """As everywhere, to the microsecond: in floating point some are lost by the year 2300."""
    odd = timedelta(days=400_000, microseconds=1)
    subject = attrs.evolve(
        SUBJECT,
        job=attrs.evolve(SUBJECT.job, disableAt=NOW + odd),
        instants={"status.code": (("Quarantine", NOW + odd),)},
    )

    until = horizon("until(job.disableAt) < hours(1) + seconds(0)")
    counted = horizon("transitions(status.code, to='Quarantine', within=hours(1)) > 0")

    assert until.after(subject, PARAMS) == NOW + odd - HOUR
    assert counted.after(subject, PARAMS) == NOW + odd + HOUR


def test_a_duration_is_exact_too() -> None:
    odd = timedelta(days=400_000, microseconds=1)

    found = horizon("age(status.lastExecution.timeEnded) > params.window")

    assert found.after(SUBJECT, {"window": odd}) == NOW - HOUR + odd
