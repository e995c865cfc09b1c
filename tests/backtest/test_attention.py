"""What rules look at: a path too many costs a question, one too few would be a wrong backtest."""

from __future__ import annotations

import attrs
import pytest
from hypothesis import given

from alertd.backtest.attention import JOB_MEMBERS, Attention, attention_of
from alertd.diff import diff
from alertd.model.facts import step
from alertd.model.resources import SynchronizationJob
from alertd.model.views import Job
from alertd.rules.expression import Expression
from alertd.rules.purpose import Purpose
from alertd.rules.rule import Rule

from ..core import strategies
from .living import START, STEP

CODE, REASON = ("status.code",), ("status.quarantine.reason",)
ENTRIES = ('status.synchronizedEntryCountByType["user to User"]',)
RUN = ("status.lastExecution.activityIdentifier", "status.lastExecution.timeEnded")


def looking(text: str, key: str = "when") -> Attention:
    purpose = Purpose.EVENT if key == "event" else Purpose.STATE
    return attention_of([Rule(name="R", **{key: Expression.compile(text, purpose=purpose)})])


@pytest.mark.parametrize(
    ("text", "changed", "concerned"),
    [
        ('status.code == "Quarantine"', CODE, True),
        ('status.code == "Quarantine"', RUN + REASON + ENTRIES, False),
        ('status.code == "Quarantine"', RUN + CODE, True),
        ("status.quarantine == null", REASON, True),
        ("status.quarantine.reason != null", ("status.quarantine.seriesBegan",), False),
        ("status == null", CODE, True),
        ("total(status.synchronizedEntryCountByType) > 5", ENTRIES, True),
        ("status.countSuccessiveCompleteFailures > previous.countSuccessiveCompleteFailures", CODE, False),
        ("previous.code == null", CODE, True),
        ("job.failureStreak > 3", RUN, True),
        ("job.failureStreak > 3", REASON + ENTRIES, False),
        ("until(job.disableAt) < hours(2)", REASON, True),
        ("until(job.disableAt) < hours(2)", RUN, False),
        ('job.schedule.state == "Active"', ("job.schedule.state",), True),
        ('job.schedule.state == "Active"', ("job.schedule.interval",), False),
        ('job.settings["A"] == "1"', ('job.settings["B"]',), True),
        ('contains(job.displayName, "x")', CODE + RUN, False),
        ("job.lastSeenAt == null", CODE, False),
        ("tenant.failedServicePrincipals > 1", CODE, False),
    ],
)
def test_a_state_is_concerned_by_what_it_looks_at(text: str, changed: tuple[str, ...], concerned: bool) -> None:
    assert looking(text).concerns(changed) is concerned


@pytest.mark.parametrize(
    ("text", "concerned"),
    [
        pytest.param("changed(status.code)", False, id="a path"),
        pytest.param("previous.code == null and job.displayName == tenant.name", False, id="what stands still"),
        pytest.param("changed(status.code) and tenant.failedServicePrincipals > 0", True, id="the tenant's figures"),
        pytest.param("changed(status.code) and transitions(status.code, to='Active', within=days(1)) > 1", True, id="a window"),
    ],
)  # fmt: skip
def test_a_moment_that_looks_at_what_drifts_is_concerned_by_everything(text: str, concerned: bool) -> None:
    assert (
        looking(text.replace("previous.code == null", "previous.code == 'Active'"), "event").concerns(RUN) is concerned
    )


def test_every_member_of_a_job_is_accounted_for() -> None:
    assert set(JOB_MEMBERS) == {field.name for field in attrs.fields(Job)} - {"lastSeenAt"}


@given(before=strategies.jobs, after=strategies.jobs)
def test_a_fact_moves_only_with_what_it_follows_from(before: SynchronizationJob, after: SynchronizationJob) -> None:
    known = step(None, None, before, START)
    facts = step(known, before, after, START + STEP)
    changed = tuple(change.path for change in diff(before, after))

    for name, paths in JOB_MEMBERS.items():
        if hasattr(facts, name) and getattr(facts, name) != getattr(known, name):
            assert Attention(frozenset(paths)).concerns(changed), name


@given(before=strategies.jobs, after=strategies.jobs)
def test_full_snapshots_are_told_apart_where_their_changes_would_have_been(
    before: SynchronizationJob, after: SynchronizationJob
) -> None:
    changed = tuple(change.path for change in diff(before, after))

    for path in ("status.code", "status.quarantine", "status.synchronizedEntryCountByType", "job.schedule.interval"):
        attention = Attention(frozenset({path}))
        assert attention.tells_apart(before, after) or not attention.concerns(changed), path


def test_a_rule_that_looks_at_the_clock_alone_looks_at_no_snapshot() -> None:
    assert looking("now > job.firstSeenAt + days(1)") == Attention(frozenset())
