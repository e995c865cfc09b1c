"""A replay tells what the daemon told, and asks no more often than it must."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any
from unittest import mock

import attrs
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from alertd.alerts import observation
from alertd.backtest.comparison import content
from alertd.backtest.runner import Played, play
from alertd.errors import PollErrorKind
from alertd.model.alert import Evidence
from alertd.model.reading import Failed, Ok, Reading
from alertd.model.resources import (
    EntryCounts,
    SynchronizationJob,
    SynchronizationQuarantine,
    SynchronizationStatus,
    SynchronizationTaskExecution,
)
from alertd.rehearsal.course import Heard
from alertd.rehearsal.setting import Setting
from alertd.store.memory import MemoryStore

from .living import START, STEP, WATCHED, Live, setting_of

RULES = """\
groups:
  - name: jobs
    rules:
      - alert: Quarantined
        when: status.code == "Quarantine"
        clear_when: status.code == "Active"
      - alert: Patient
        when: status.code == "Quarantine"
        for: 12m
        keep_firing_for: 8m
      - alert: Old
        when: age(status.lastExecution.timeEnded) > params.old and status.code != "Paused"
        params: {old: 17m}
      - alert: Soon
        when: until(status.quarantine.nextAttempt) <= minutes(7) and until(status.quarantine.nextAttempt) > minutes(-9)
        for: 5m
      - alert: Between
        when: now - status.lastExecution.timeEnded < minutes(22) and not (job.lastSeenAt < status.lastExecution.timeEnded + minutes(11))
      - alert: Restless
        when: transitions(status.code, to="Quarantine", within=minutes(16)) >= 2
      - alert: Worse
        when: status.countSuccessiveCompleteFailures > previous.countSuccessiveCompleteFailures
      - alert: Unlike
        when: abs(age(status.lastExecution.timeEnded) - minutes(20)) < minutes(6)
      - alert: WithTenant
        when: tenant.failedServicePrincipals > 0 and status.code == "Active"
      - alert: Pruned
        when: status.escrowsPruned
      - {alert: Changed, event: changed(status.code)}
      - {alert: Still, event: previous.code == "Quarantine" and status.code == "Quarantine"}
      - alert: Window
        event: previous.code == "Paused" and transitions(status.code, to="Paused", within=minutes(16)) >= 1
      - {alert: Beside, event: changed(status.escrowsPruned) and tenant.failedServicePrincipals == 0}
      - {alert: Gone, event: job.gone}
      - {alert: Appeared, event: job.appeared}
  - name: tenants
    scope: tenant
    rules:
      - {alert: Unreachable, when: tenant.consecutivePollFailures >= 2}
      - {alert: Partial, when: tenant.pollCoverage < 1, for: 7m}
"""
NAMES = [rule.name for rule in setting_of(RULES).rules]
_PRINCIPALS = ("alpha", "beta")


def setting(*names: str) -> Setting:
    """Give the setting of the rules above, or of some of them."""
    whole = setting_of(RULES)
    return Setting.of([rule for rule in whole.rules if not names or rule.name in names], None)


def status(
    code: str, failures: int, ended: int | None, attempt: int | None, pruned: bool | None = None, count: int = 0
) -> SynchronizationStatus:
    """Give a status. count: what no rule looks at."""
    return SynchronizationStatus(
        code=code,
        countSuccessiveCompleteFailures=failures,
        escrowsPruned=pruned,
        synchronizedEntryCountByType=EntryCounts({"user to User": count}) if count else None,
        lastExecution=None
        if ended is None
        else SynchronizationTaskExecution(
            activityIdentifier=f"run-{ended}", state="Succeeded", timeEnded=START + timedelta(minutes=ended)
        ),
        quarantine=None
        if attempt is None
        else SynchronizationQuarantine(reason="Unknown", nextAttempt=START + timedelta(minutes=attempt)),
    )


statuses = st.builds(
    status,
    st.sampled_from(["Active", "Quarantine", "Paused"]),
    st.integers(0, 2),
    st.none() | st.integers(-30, 60),
    st.none() | st.integers(-10, 120),
    st.sampled_from([None, True]),
)


@st.composite
def _restless(draw: st.DrawFn) -> list[SynchronizationStatus]:
    """One status for some rounds, in which now and then something changes that no rule looks at."""
    said = draw(statuses)
    counts = draw(st.lists(st.integers(0, 2), min_size=1, max_size=9))
    return [attrs.evolve(said, synchronizedEntryCountByType=EntryCounts({"g": one}) if one else None) for one in counts]


# What one job answers for some rounds. An absence at one good reading alone leaves no trace in history, so these last.
_answered = st.tuples(statuses, st.integers(1, 6))
_absent = st.tuples(st.none(), st.just(8))
_repeated = (_answered | _absent).map(lambda part: [part[0]] * part[1])
stretches = st.lists(_repeated | _restless() | _restless(), min_size=1, max_size=4).map(
    lambda parts: [said for part in parts for said in part]
)
outages = st.dictionaries(
    st.integers(0, 20), st.sampled_from([PollErrorKind.SERVER, PollErrorKind.PERMISSION]), max_size=4
)


def rounds_of(
    jobs: Mapping[str, Sequence[Sequence[SynchronizationStatus | None]]],
    failures: Mapping[str, Mapping[int, PollErrorKind]],
    length: int,
) -> list[Mapping[str, Reading]]:
    """Give what principals answer at each round; a shorter stretch's last answer keeps standing."""

    def reading(principal: str, number: int) -> Reading:
        if number in failures.get(principal, {}):
            return Failed(kind=failures[principal][number])
        answers = [(index, said[min(number, len(said) - 1)]) for index, said in enumerate(jobs[principal])]
        return Ok(jobs=tuple(SynchronizationJob(id=f"J.{index}", status=said) for index, said in answers if said))

    return [{principal: reading(principal, number) for principal in jobs} for number in range(length)]


@st.composite
def pasts(draw: st.DrawFn) -> list[Mapping[str, Reading]]:
    jobs = {name: draw(st.lists(stretches, min_size=1, max_size=2)) for name in _PRINCIPALS}
    failures = {name: draw(outages) for name in _PRINCIPALS}
    return rounds_of(jobs, failures, 8 + max(len(said) for theirs in jobs.values() for said in theirs))


def said(told: Sequence[Heard]) -> list[Any]:
    """Give what was told in a form that shows what differs, with what it tells it by."""
    return [
        (
            *content(one),
            [(alert.startsAt, alert.activeSince, alert.episode) for alert in one.firing],
            [_shown(item.evidence) for item in (*one.firing, *(end.alert for end in one.resolved), *one.events)],
        )
        for one in told
    ]


def _shown(evidence: Evidence) -> Any:
    return evidence.status, evidence.previous, evidence.changes


async def lived(store: Any, rounds: Sequence[Mapping[str, Reading]], rules: Setting) -> tuple[Heard, ...]:
    """Live through rounds; every fourth snapshot is written down in full, so that some lie within."""
    with mock.patch.object(observation, "FULL_EVERY", 4):
        return await Live(store, rules, _PRINCIPALS).run(rounds)


async def replayed(store: Any, rules: Setting, *, every_round: bool = False, since: int = 0, length: int) -> Played:
    start, end = START + since * STEP, START + (length - 1) * STEP
    async with store.reading() as reader:
        return await play(reader, [WATCHED], [rules], since=start, until=end, every_round=every_round)


_THOROUGH = settings(
    max_examples=settings.default.max_examples // 2,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


@_THOROUGH
@given(rounds=pasts(), names=st.just([]) | st.lists(st.sampled_from(NAMES), min_size=1, max_size=3))
@pytest.mark.anyio
async def test_a_replay_tells_what_the_daemon_told(rounds: list[Mapping[str, Reading]], names: list[str]) -> None:
    """Every rule, outage, end and repeat: the past played again under the rules that were in force, all of them or some."""
    store = MemoryStore()
    told = await lived(store, rounds, setting(*names))

    played = await replayed(store, setting(*names), length=len(rounds))

    assert said(played.outcomes[0].heard) == said(told)


@_THOROUGH
@given(rounds=pasts(), since=st.integers(0, 8))
@pytest.mark.anyio
async def test_asking_only_where_an_answer_may_change_tells_the_same_as_asking_everywhere(
    rounds: list[Mapping[str, Reading]], since: int
) -> None:
    store = MemoryStore()
    await lived(store, rounds, setting("Quarantined"))
    rules = setting(*(rule.name for rule in setting().rules if rule.name not in {"Unlike", "WithTenant"}))

    sparse = await replayed(store, rules, length=len(rounds), since=since)
    full = await replayed(store, rules, length=len(rounds), since=since, every_round=True)

    assert said(sparse.outcomes[0].heard) == said(full.outcomes[0].heard)
    assert sparse.outcomes[0].fired == full.outcomes[0].fired
    assert sparse.figures.asked <= full.figures.asked


@pytest.mark.anyio
async def test_a_job_that_goes_comes_back_and_goes_again() -> None:
    """Each time the good reading before it was found gone had not listed it, and nobody asked about it then."""
    there = status("Active", 0, None, None)
    answers = [there, None, None, None, there, None, None, there]
    rounds = rounds_of({"alpha": [answers], "beta": [[None]]}, {"beta": {0: PollErrorKind.SERVER}}, len(answers))
    store = MemoryStore()
    told = await lived(store, rounds, setting())

    played = await replayed(store, setting(), length=len(rounds))

    assert said(played.outcomes[0].heard) == said(told)
    assert played.outcomes[0].fired["Gone"] == 2
