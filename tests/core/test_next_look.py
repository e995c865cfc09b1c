"""When a job is worth the next look, and why."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import attrs
import pytest

from alertd.alerts.next_look import LookReason, NextLook, Pace, asked_at, look_at_principal, next_look
from alertd.model.alert import Alert, State
from alertd.model.facts import step
from alertd.model.resources import (
    SynchronizationJob,
    SynchronizationQuarantine,
    SynchronizationSchedule,
    SynchronizationStatus,
    SynchronizationTaskExecution,
)
from alertd.store.values import JobRecord, TenantRecord

from .alerts import START
from .tenant import Play, job, principal

INTERVAL, ADDED = timedelta(minutes=5), timedelta(minutes=20)
PACE = Pace(interval=INTERVAL, max_added_delay=ADDED)
LATEST = START + INTERVAL + ADDED


def minutes(number: float) -> timedelta:
    return timedelta(minutes=number)


def running(every: timedelta | None, *, ended: datetime | None = START, state: str = "Active") -> SynchronizationJob:
    """Give a job of this interval whose latest run ended then."""
    run = None if ended is None else SynchronizationTaskExecution(state="Succeeded", timeEnded=ended)
    return SynchronizationJob(
        id="SF.1",
        schedule=SynchronizationSchedule(interval=every, state=state),
        status=SynchronizationStatus(code="Active", lastExecution=run),
    )


def quarantined(next_attempt: datetime | None) -> SynchronizationJob:
    quarantine = SynchronizationQuarantine(nextAttempt=next_attempt)
    return SynchronizationJob(id="SF.1", status=SynchronizationStatus(code="Quarantine", quarantine=quarantine))


def record(snapshot: SynchronizationJob, **more: object) -> JobRecord:
    return JobRecord(
        tenant_key="global/t-1",
        service_principal_id="sp-1",
        job=snapshot,
        facts=step(None, None, snapshot, START),
        first_seen_at=START,
        changed_at=START,
        **more,
    )


def alert(state: State, clear_since: datetime | None = None) -> Alert:
    play = Play()
    play.read(job("Quarantine"))
    return attrs.evolve(next(iter(play.alerts.values())), state=state, clearSince=clear_since)


@pytest.mark.parametrize(
    ("snapshot", "alerts", "expected"),
    [
        pytest.param(
            running(minutes(15)), [], (START + minutes(15), LookReason.RUN_EXPECTED), id="its next run is expected"
        ),
        pytest.param(
            running(minutes(40)), [], (LATEST, LookReason.MOST), id="expected later than the bound: at the bound"
        ),
        pytest.param(
            running(minutes(25)), [], (LATEST, LookReason.RUN_EXPECTED), id="expected at the bound: no later for it"
        ),
        pytest.param(
            running(minutes(15), ended=START - minutes(60)),
            [],
            (START - minutes(45), LookReason.RUN_EXPECTED),
            id="overdue: in every round",
        ),
        pytest.param(running(None), [], (START, LookReason.UNKNOWN), id="no interval: nobody knows"),
        pytest.param(running(minutes(15), ended=None), [], (START, LookReason.UNKNOWN), id="never ran: nobody knows"),
        pytest.param(
            quarantined(START + minutes(12)),
            [],
            (START + minutes(12), LookReason.RETRY_EXPECTED),
            id="in quarantine: around its next attempt",
        ),
        pytest.param(quarantined(None), [], (START, LookReason.UNKNOWN), id="in quarantine without a next attempt"),
        pytest.param(job("Paused"), [], (LATEST, LookReason.STANDING_STILL), id="paused"),
        pytest.param(job("NotConfigured"), [], (LATEST, LookReason.STANDING_STILL), id="not configured"),
        pytest.param(
            running(minutes(15), state="Disabled"), [], (LATEST, LookReason.STANDING_STILL), id="schedule disabled"
        ),
        pytest.param(
            running(minutes(15), state="Paused"), [], (LATEST, LookReason.STANDING_STILL), id="schedule paused"
        ),
        pytest.param(SynchronizationJob(id="SF.1"), [], (START, LookReason.UNKNOWN), id="it has no status yet"),
        pytest.param(
            running(minutes(15)),
            [alert(State.PENDING)],
            (START, LookReason.ALERT_RUNNING),
            id="a `for` runs out: its condition has to hold in every round",
        ),
        pytest.param(
            running(minutes(15)),
            [alert(State.FIRING, START)],
            (START, LookReason.ALERT_RUNNING),
            id="a `keep_firing_for` runs out",
        ),
        pytest.param(
            running(minutes(15)),
            [alert(State.FIRING), alert(State.RESOLVED), alert(State.BASELINE)],
            (START + minutes(15), LookReason.RUN_EXPECTED),
            id="an alert that simply fires waits for the job's next news",
        ),
    ],
)
def test_the_next_look(
    snapshot: SynchronizationJob, alerts: Sequence[Alert], expected: tuple[datetime, LookReason]
) -> None:
    look = next_look(record(snapshot), alerts, asked=START, pace=PACE)

    assert (look.at, look.reason) == expected


def test_a_job_that_was_not_listed_is_looked_for_in_the_next_round() -> None:
    look = next_look(record(running(minutes(15)), absent=1), [], asked=START, pace=PACE)

    assert look == NextLook(at=START, reason=LookReason.ABSENT)


def test_a_principal_is_asked_when_the_first_of_its_jobs_is_worth_it() -> None:
    records = [record(running(minutes(15))), record(attrs.evolve(running(minutes(10)), id="SF.2"))]

    look = look_at_principal(records, [], asked=START, answered=True, pace=PACE)

    assert look == NextLook(at=START + minutes(10), reason=LookReason.RUN_EXPECTED)


def test_an_alert_counts_for_its_own_job() -> None:
    """The other job of the principal has none, and both are asked together all the same."""
    records = [record(running(minutes(15))), record(attrs.evolve(running(minutes(10)), id="SF.2"))]

    look = look_at_principal(records, [alert(State.PENDING)], asked=START, answered=True, pace=PACE)

    assert look == NextLook(at=START, reason=LookReason.ALERT_RUNNING)


@pytest.mark.parametrize(
    ("answered", "expected"),
    [
        pytest.param(True, NextLook(at=LATEST, reason=LookReason.NOBODY), id="it has lost its jobs"),
        pytest.param(False, NextLook(at=START, reason=LookReason.UNANSWERED), id="it did not answer: every round"),
    ],
)
def test_a_principal_without_jobs(answered: bool, expected: NextLook) -> None:
    assert look_at_principal([], [], asked=START, answered=answered, pace=PACE) == expected


@pytest.mark.parametrize(
    ("at", "now", "expected"),
    [
        pytest.param(15, 10, False, id="not yet"),
        pytest.param(15, 15, True, id="the round at that instant"),
        pytest.param(99, 20, False, id="the round after this is not later than the bound"),
        pytest.param(99, 21, True, id="the round after this would be too late"),
        pytest.param(99, 25, True, id="at the bound"),
    ],
)
def test_a_round_looks_when_the_one_after_it_would_be_too_late(at: float, now: float, expected: bool) -> None:
    look = NextLook(at=START + minutes(at), reason=LookReason.RUN_EXPECTED)

    assert PACE.due(look, START, START + minutes(now)) is expected


@pytest.mark.parametrize(
    ("outcome", "own", "expected"),
    [
        pytest.param("ok", None, START, id="asked in the latest round"),
        pytest.param("ok", START - minutes(15), START - minutes(15), id="left out since"),
        pytest.param("", None, None, id="never asked"),
    ],
)
def test_only_turns_left_out_are_written_down(outcome: str, own: datetime | None, expected: datetime | None) -> None:
    tenant = TenantRecord(key="global/t-1", name="contoso", lastPollAt=START)

    assert asked_at(principal(outcome=outcome, asked_at=own), tenant) == expected
