"""What a process remembers between rounds saves work and decides nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from alertd.alerts.tally import Tally
from alertd.engine.rounds import Found
from alertd.errors import FencedError, PollErrorKind
from alertd.model.reading import Failed, NotAsked, Reading, Unchanged
from alertd.model.resources import (
    ServicePrincipal,
    SynchronizationJob,
    SynchronizationQuarantine,
    SynchronizationStatus,
    SynchronizationTaskExecution,
)
from alertd.rules.shipped import builtin_rules

from .living import START, WATCHED, Living, answer, setting_of

RULES = """\
groups:
  - name: jobs
    rules:
      - alert: Quarantined
        when: status.code == "Quarantine"
        clear_when: status.code == "Active"
        annotations: {summary: "{{ job.displayName }}: {{ status.code }}"}
      - alert: Rested
        when: status.code == "Quarantine"
        clear_when: age(status.lastExecution.timeEnded) > minutes(23)
      - alert: Patient
        when: status.code == "Quarantine"
        for: 12m
        keep_firing_for: 8m
      - alert: Old
        when: age(status.lastExecution.timeEnded) > params.old and status.code != "Paused"
        params: {old: 17m}
        annotations: {summary: "{{ status.lastExecution.timeEnded | ago }}"}
      - alert: Soon
        when: until(status.quarantine.nextAttempt) <= minutes(7) and until(status.quarantine.nextAttempt) > minutes(-9)
        for: 5m
      - alert: Between
        when: now - status.lastExecution.timeEnded < minutes(22) and not (job.lastSeenAt < status.lastExecution.timeEnded + minutes(11))
      - alert: Unseen
        when: age(job.lastSeenAt) > minutes(9)
      - alert: Restless
        when: transitions(status.code, to="Quarantine", within=minutes(16)) >= 2
      - alert: Worse
        when: status.countSuccessiveCompleteFailures > previous.countSuccessiveCompleteFailures
      - alert: Unlike
        when: abs(age(status.lastExecution.timeEnded) - minutes(20)) < minutes(6)
      - alert: WithTenant
        when: tenant.failedServicePrincipals > 0 and status.code == "Active"
      - {alert: Changed, event: changed(status.code)}
      - {alert: Gone, event: job.gone}
      - {alert: Appeared, event: job.appeared}
  - name: tenants
    scope: tenant
    rules:
      - {alert: Unreachable, when: tenant.consecutivePollFailures >= 2}
      - {alert: Partial, when: tenant.pollCoverage < 1, for: 7m}
"""
_NEW_RULE = """\
  - name: new
    rules:
      - {alert: Working, when: status.code == "Active"}
"""
_NAMES = (
    "Quarantined",
    "Rested",
    "Patient",
    "Old",
    "Soon",
    "Between",
    "Unseen",
    "Restless",
    "Worse",
    "Unlike",
    "WithTenant",
)
_ALWAYS = ("Changed", "Gone", "Appeared", "Unreachable", "Partial")
_PRINCIPALS = ("alpha", "beta")


def job(
    code: str | None, *, number: int = 0, failures: int = 0, ended: int = 0, attempt: int | None = None
) -> SynchronizationJob:
    """Give a job that ran `ended` minutes after the start, with its next attempt at `attempt`."""
    run = SynchronizationTaskExecution(
        activityIdentifier=f"run-{ended}", state="Succeeded", timeEnded=START + timedelta(minutes=ended)
    )
    quarantine = None
    if attempt is not None:
        quarantine = SynchronizationQuarantine(reason="Unknown", nextAttempt=START + timedelta(minutes=attempt))
    status = SynchronizationStatus(
        code=code, countSuccessiveCompleteFailures=failures, lastExecution=run, quarantine=quarantine
    )
    return SynchronizationJob(id=f"J.{number}", status=status)


_jobs = st.builds(
    job,
    st.sampled_from(["Active", "Active", "Quarantine", "Paused", None]),
    number=st.integers(0, 1),
    failures=st.integers(0, 2),
    ended=st.integers(-30, 60),
    attempt=st.none() | st.integers(-10, 120),
)
_answers = st.builds(
    answer,
    _jobs,
    unreadable=st.sampled_from([(), (), (), (("J.1", "$.status"),), (("", "$"),)]),
) | st.lists(_jobs, max_size=2, unique_by=lambda one: one.id).map(lambda jobs: answer(*jobs))
_readings = st.one_of(
    _answers,
    _answers,
    _answers,
    st.sampled_from([PollErrorKind.SERVER, PollErrorKind.NOT_FOUND]).map(lambda kind: Failed(kind=kind)),
    st.just(NotAsked()),
)
_stretches = st.lists(st.tuples(_readings, st.integers(1, 6)), min_size=1, max_size=5).map(
    lambda parts: [said for said, times in parts for _ in range(times)]
)
_pauses = st.lists(st.sampled_from([1, 5, 5, 5, 40]), min_size=20, max_size=20)
_THOROUGH = settings(
    max_examples=settings.default.max_examples // 4,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


async def _lived(
    living: Living, answers: Mapping[str, Sequence[Reading]], pauses: Sequence[int]
) -> list[tuple[datetime, object]]:
    """Let a process live through its answers; give the tally of each round."""
    await living.discover()
    tallies, now = [], START
    for number in range(max(len(said) for said in answers.values()) + 2):
        readings = {key: said[min(number, len(said) - 1)] for key, said in answers.items()}
        tallies.append((now, await living.round(readings, now)))
        remembered, stored = await living.line()
        assert remembered == stored
        now += timedelta(minutes=pauses[number % len(pauses)])
    return tallies


@_THOROUGH
@given(
    names=st.sets(st.sampled_from(_NAMES)),
    answers=st.fixed_dictionaries(dict.fromkeys(_PRINCIPALS, _stretches)),
    pauses=_pauses,
)
@pytest.mark.anyio
async def test_a_process_that_remembers_decides_as_one_that_asks_everything_anew(
    names: set[str], answers: Mapping[str, Sequence[Reading]], pauses: Sequence[int]
) -> None:
    """Every row and every message is the same, whatever was answered and whenever it was asked."""
    setting = setting_of(RULES, {*names, *_ALWAYS})
    remembers = Living(setting, _PRINCIPALS)
    forgets = Living(setting, _PRINCIPALS, forgetful=True)

    tallies = await _lived(remembers, answers, pauses)

    assert tallies == await _lived(forgets, answers, pauses)
    assert await remembers.everything() == await forgets.everything()


def _shipped() -> str:
    texts = [path.read_text(encoding="utf-8") for path in builtin_rules()]
    return "groups:\n" + "".join(text.partition("groups:\n")[2] for text in texts)


@_THOROUGH
@given(answers=st.fixed_dictionaries(dict.fromkeys(_PRINCIPALS, _stretches)), hours=st.sampled_from([1, 12, 70]))
@pytest.mark.anyio
async def test_the_shipped_rules_turn_at_the_same_rounds(answers: Mapping[str, Sequence[Reading]], hours: int) -> None:
    """Days of quarantine, runs that do not come, first cycles that do not end."""
    setting = setting_of(_shipped())
    remembers = Living(setting, _PRINCIPALS)
    forgets = Living(setting, _PRINCIPALS, forgetful=True)
    pauses = (5, 60 * hours, 5, 5)

    tallies = await _lived(remembers, answers, pauses)

    assert tallies == await _lived(forgets, answers, pauses)
    assert await remembers.everything() == await forgets.everything()


async def _settled(living: Living) -> datetime:
    """Let two jobs be read as often as it takes until nothing about them is open; give the next round's instant."""
    await living.discover()
    now = START
    for _ in range(3):
        await living.round({key: answer(job("Active")) for key in _PRINCIPALS}, now)
        now += timedelta(minutes=5)
    return now


@pytest.mark.anyio
async def test_nothing_is_written_for_a_slice_that_says_nothing_new() -> None:
    """The tenant's epoch is raised by the end of the round alone."""
    living = Living(setting_of(RULES, _ALWAYS), _PRINCIPALS)
    now = await _settled(living)
    tenant = await living.rounds.begin(WATCHED)
    known = await living.remembered()

    after, tally = await living.rounds.commit(WATCHED, tenant, dict.fromkeys(_PRINCIPALS, Unchanged()), now)

    assert known == set(_PRINCIPALS)
    assert after.epoch == tenant.epoch
    assert (tally.asked, tally.ok, tally.jobs) == (2, 2, 2)


@pytest.mark.anyio
async def test_nothing_is_remembered_once_somebody_else_has_written() -> None:
    """Another process, such as the one that took over while this one stood still."""
    living = Living(setting_of(RULES, _ALWAYS), _PRINCIPALS)
    now = await _settled(living)
    stale = await living.rounds.begin(WATCHED)
    other = Living(setting_of(RULES, _ALWAYS), _PRINCIPALS, store=living.store)
    await other.round({key: answer(job("Quarantine")) for key in _PRINCIPALS}, now)

    with pytest.raises(FencedError):
        await living.rounds.close(WATCHED, stale, Tally(asked=2, ok=2, jobs=2), now)

    assert await living.remembered() == set()


@pytest.mark.anyio
async def test_another_rule_book_asks_about_everybody() -> None:
    """A reload: what the old rules said of a job says nothing about the new ones."""
    living = Living(setting_of(RULES, _ALWAYS), _PRINCIPALS)
    now = await _settled(living)
    living.rounds.book = setting_of(RULES + _NEW_RULE, {*_ALWAYS, "Working"}).book()

    await living.round({key: answer(job("Active")) for key in _PRINCIPALS}, now)

    alerts = (await living.everything())["alerts"]
    assert [alert.name for alert in alerts if alert.name == "Working"] == ["Working", "Working"]


@pytest.mark.anyio
async def test_a_service_principal_that_a_discovery_saw_renamed_is_read_anew() -> None:
    """Rules and labels look at its name."""
    living = Living(setting_of(RULES, _ALWAYS), _PRINCIPALS)
    now = await _settled(living)

    await living.discover(now, {"alpha": "Another name"})

    assert await living.remembered() == {"beta"}


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("found", "expected"),
    [
        pytest.param({"alpha": True, "beta": False}, ["alpha"], id="one is not watched any more"),
        pytest.param({"aardvark": True}, ["aardvark", "alpha", "beta"], id="one is new"),
        pytest.param({"alpha": True, "beta": True}, ["alpha", "beta"], id="all is as it was"),
    ],
)
async def test_whoever_a_discovery_brings_or_takes_away_is_asked_or_not(
    found: Mapping[str, bool], expected: Sequence[str]
) -> None:
    living = Living(setting_of(RULES, _ALWAYS), _PRINCIPALS)
    now = await _settled(living)
    await living.line()
    tenant = await living.rounds.begin(WATCHED)
    entries = [Found(principal=ServicePrincipal(id=key), watched=watched) for key, watched in found.items()]

    await living.rounds.discovered(WATCHED, tenant, entries, complete=False, now=now)

    assert await living.line() == (expected, expected)


@pytest.mark.anyio
async def test_whoever_another_process_has_found_is_asked() -> None:
    living = Living(setting_of(RULES, _ALWAYS), _PRINCIPALS)
    now = await _settled(living)
    await living.line()
    other = Living(setting_of(RULES, _ALWAYS), [*_PRINCIPALS, "gamma"], store=living.store)
    await other.discover(now)

    remembered, stored = await living.line()

    assert remembered == stored == ["alpha", "beta", "gamma"]


@pytest.mark.anyio
async def test_an_answer_that_was_read_in_part_is_read_anew() -> None:
    """Bytes that could not be read whole stand for nothing."""
    living = Living(setting_of(RULES, _ALWAYS), _PRINCIPALS)
    now = await _settled(living)

    await living.round(
        {"alpha": answer(job("Active"), unreadable=[("J.1", "$.status")]), "beta": answer(job(None))}, now
    )

    assert await living.remembered() == set()
