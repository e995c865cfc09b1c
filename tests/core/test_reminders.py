"""When a conversation in which nothing changes is told again: the waits, and the attempts that reminders wait for."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alertd.model.alert import Alert, Evidence
from alertd.model.resources import SynchronizationQuarantine, SynchronizationStatus, SynchronizationTaskExecution
from alertd.notify.reminders import Backoff, Reminding

from .alerts import START, alert

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
DOUBLING = Reminding(repeat_interval=HOUR, repeat_backoff=Backoff(factor=2, longest=7 * HOUR))
PATIENT = Reminding(repeat_interval=DAY, attempt_grace=5 * MINUTE)
DUE = START + DAY


def quarantined(job: str, *, attempt: datetime | None, run: datetime | None = None) -> Alert:
    """Give an alert about a job in quarantine, with its next attempt and the end of its latest run."""
    status = SynchronizationStatus(
        code="Quarantine",
        quarantine=SynchronizationQuarantine(nextAttempt=attempt),
        lastExecution=SynchronizationTaskExecution(timeEnded=run) if run else None,
    )
    return alert(job=job, evidence=Evidence(status=status))


@pytest.mark.parametrize(
    ("repeats", "wait"),
    [
        pytest.param(0, HOUR, id="the first reminder"),
        pytest.param(1, 2 * HOUR, id="the second"),
        pytest.param(2, 4 * HOUR, id="the third"),
        pytest.param(3, 7 * HOUR, id="the longest wait, not eight hours"),
        pytest.param(10**9, 7 * HOUR, id="after a lifetime of reminders"),
    ],
)
def test_waits_grow_up_to_the_longest(repeats: int, wait: timedelta) -> None:
    assert DOUBLING.wait(repeats) == wait


def test_without_a_backoff_and_with_a_factor_of_one_all_waits_are_the_same() -> None:
    flat = Reminding(repeat_interval=HOUR, repeat_backoff=Backoff(factor=1, longest=DAY))

    assert [flat.wait(0), flat.wait(10**9)] == [HOUR, HOUR]
    assert Reminding(repeat_interval=HOUR).wait(10**9) == HOUR


@given(st.floats(min_value=1, max_value=10), st.integers(min_value=0, max_value=3000))
def test_a_wait_is_never_shorter_than_the_one_before_nor_longer_than_the_longest(factor: float, repeats: int) -> None:
    reminding = Reminding(repeat_interval=HOUR, repeat_backoff=Backoff(factor=factor, longest=90 * DAY))

    assert HOUR <= reminding.wait(repeats) <= reminding.wait(repeats + 1) <= 90 * DAY


def test_nobody_is_reminded_of_what_was_never_accepted_or_never_shall_be() -> None:
    assert DOUBLING.due_at(None, 0) is None
    assert Reminding(repeat_interval=timedelta(0)).due_at(START, 0) is None
    assert DOUBLING.due_at(START, 1) == START + 2 * HOUR


@pytest.mark.parametrize(
    ("firing", "until"),
    [
        pytest.param(
            [quarantined("a", attempt=DUE + HOUR)], DUE + HOUR + 5 * MINUTE, id="an attempt ahead, and no run"
        ),
        pytest.param([quarantined("a", attempt=DUE)], None, id="an attempt at the very instant is not ahead"),
        pytest.param([quarantined("a", attempt=None, run=START)], None, id="no attempt announced"),
        pytest.param([alert("TenantUnreachable")], None, id="an alert without a status"),
        pytest.param([quarantined("a", attempt=DUE + 2 * DAY)], DUE + DAY, id="one repeat_interval at most"),
        pytest.param(
            [quarantined("a", attempt=DUE + HOUR, run=DUE - 2 * HOUR)],
            DUE + HOUR + 5 * MINUTE,
            id="the attempt is nearer than the run",
        ),
        pytest.param(
            [quarantined("a", attempt=DUE + HOUR, run=DUE - HOUR)], None, id="the attempt is as near as the run"
        ),
        pytest.param([quarantined("a", attempt=DUE + HOUR, run=DUE + MINUTE)], None, id="a run since it was due"),
        pytest.param(
            [quarantined("a", attempt=DUE + 3 * HOUR), quarantined("b", attempt=DUE + HOUR)],
            DUE + HOUR + 5 * MINUTE,
            id="of several jobs, the nearest attempt",
        ),
        pytest.param(
            [quarantined("a", attempt=DUE + 3 * HOUR), quarantined("b", attempt=None, run=DUE - HOUR)],
            None,
            id="of several jobs, the latest run",
        ),
    ],
)
def test_a_reminder_waits_for_an_attempt_that_is_near(firing: list[Alert], until: datetime | None) -> None:
    assert PATIENT.put_off(DUE, firing, DUE) == until


def test_it_waits_no_longer_than_until_the_outcome_could_have_been_seen() -> None:
    firing = [quarantined("a", attempt=DUE + HOUR)]
    seen = DUE + HOUR + 5 * MINUTE

    assert PATIENT.put_off(DUE, firing, seen - MINUTE) == seen
    assert PATIENT.put_off(DUE, firing, seen) is None


def test_reminders_that_do_not_look_at_attempts_wait_for_none() -> None:
    assert Reminding(repeat_interval=DAY).put_off(DUE, [quarantined("a", attempt=DUE + HOUR)], DUE) is None
