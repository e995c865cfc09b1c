"""What is remembered of a job beyond its last snapshot."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from alertd.model.facts import INSTANTS_MAX, Facts, new_series, step
from alertd.model.resources import (
    SynchronizationError,
    SynchronizationJob,
    SynchronizationProgress,
    SynchronizationQuarantine,
    SynchronizationSchedule,
    SynchronizationStatus,
    SynchronizationTaskExecution,
)

from .alerts import START
from .strategies import jobs

NOW = START
POLL = timedelta(minutes=5)
YEAR_1 = datetime(1, 1, 1, tzinfo=UTC)


def job(schedule: SynchronizationSchedule | None = None, **status: object) -> SynchronizationJob:
    return SynchronizationJob(id="SF.1", schedule=schedule, status=SynchronizationStatus(**status))


def run(state: str | None = "Failed", number: int | None = 1, **more: object) -> SynchronizationTaskExecution:
    """Give a run with an activity identifier, or without one where `number` is None."""
    identifier = None if number is None else f"run-{number}"
    properties = {"timeEnded": START, **more}
    return SynchronizationTaskExecution(activityIdentifier=identifier, state=state, **properties)


PLACEHOLDER = SynchronizationTaskExecution(
    state="Failed", error=SynchronizationError(code="None", message=""), timeBegan=YEAR_1, timeEnded=YEAR_1
)


def after(*snapshots: SynchronizationJob) -> Facts:
    """Give the facts after these snapshots, read one poll apart."""
    facts, previous = None, None
    for number, snapshot in enumerate(snapshots):
        facts = step(facts, previous, snapshot, NOW + number * POLL)
        previous = snapshot
    assert facts is not None
    return facts


# The failure streak.


@pytest.mark.parametrize(
    ("runs", "streak"),
    [
        pytest.param([], 0, id="never run"),
        pytest.param([run()], 1, id="one failed run"),
        pytest.param([run(), run()], 1, id="the same run read twice is one"),
        pytest.param([run(number=1), run(number=2), run(number=3)], 3, id="three failed runs"),
        pytest.param([run(number=1), run(number=2), run("Succeeded", 3)], 0, id="a success ends it"),
        pytest.param([run("Succeeded", 1), run(number=2)], 1, id="it begins anew after a success"),
        pytest.param([run(number=1), run("EntryLevelErrors", 2)], 1, id="entry errors do not end it"),
        pytest.param([run(number=1), run("EntryLevelErrors", 2), run(number=3)], 2, id="entry errors do not add to it"),
        pytest.param([run("EntryLevelErrors", 1)], 0, id="entry errors do not begin it"),
        pytest.param([run(number=1), run("Interrupted", 2), run(number=3)], 2, id="an unknown state does neither"),
        pytest.param([PLACEHOLDER], 0, id="the placeholder of a job that never ran is no run"),
        pytest.param([attrs.evolve(PLACEHOLDER, activityIdentifier="run-0")], 0, id="nor is one with an identifier"),
        pytest.param(
            [attrs.evolve(PLACEHOLDER, timeEnded=START)], 1, id="with a date it is one, whatever its error says"
        ),
        pytest.param([run(), PLACEHOLDER, run(number=2)], 2, id="a placeholder in between changes nothing"),
        pytest.param([run(), PLACEHOLDER, run()], 1, id="the same run after a placeholder is still the same"),
        pytest.param([run(), None, run()], 1, id="the same run after an answer without it is still the same"),
        pytest.param(
            [run(number=None), run(number=None, timeEnded=START + POLL)], 2, id="without an identifier the end tells"
        ),
        pytest.param([run(number=None), run(number=None)], 1, id="without an identifier, the same end is the same run"),
        pytest.param([run(number=None, timeEnded=None)], 0, id="nothing to tell it from others: not counted"),
        pytest.param(
            [run(number=None, timeEnded=None, timeBegan=START), run(number=None)],
            1,
            id="a run without an end and identifier is counted once it has one",
        ),
        pytest.param([run(None), run("Failed")], 1, id="a run without a state counts once it has one"),
        pytest.param(
            [run(number=1, timeBegan=None, timeEnded=None, error=SynchronizationError(code="SystemUnavailable"))],
            1,
            id="no dates, but a real error: a run",
        ),
        pytest.param([run(number=1, timeEnded=None, timeBegan=None)], 0, id="no dates and no error: no run"),
        pytest.param(
            [run(number=1, timeEnded=None, timeBegan=START)],
            1,
            id="a beginning alone makes it a run with its identifier",
        ),
    ],
)
def test_own_count_over_distinct_runs(runs: list[SynchronizationTaskExecution | None], streak: int) -> None:
    facts = after(job(), *(job(lastExecution=one) for one in runs))

    assert facts.failureStreak == streak
    assert facts.ownFailures == streak


@pytest.mark.parametrize(
    ("own", "graph", "streak"),
    [(0, None, 0), (2, None, 2), (2, 0, 2), (2, 1, 2), (2, 2, 2), (2, 7, 7), (0, 7, 7)],
)
def test_streak_is_the_greater_of_our_count_and_microsofts(own: int, graph: int | None, streak: int) -> None:
    failures = [job(lastExecution=run(number=number + 1)) for number in range(own)]
    latest = failures[-1].status.lastExecution if failures and failures[-1].status else None

    facts = after(job(), *failures, job(lastExecution=latest, countSuccessiveCompleteFailures=graph))

    assert (facts.failureStreak, facts.ownFailures) == (streak, own)


def test_microsofts_count_does_not_enter_our_own() -> None:
    """A streak that Graph has set back to zero must not live on in our memory."""
    facts = after(job(countSuccessiveCompleteFailures=7), job(countSuccessiveCompleteFailures=0))

    assert facts.failureStreak == 0


# Ratios.


@pytest.mark.parametrize(
    ("escrowed", "entitled", "ratio"),
    [(20, 100, 0.2), (0, 100, 0.0), (100, 100, 1.0), (5, 0, None), (None, 100, None), (5, None, None)],
)
def test_escrow_ratio(escrowed: int | None, entitled: int | None, ratio: float | None) -> None:
    facts = after(job(lastExecution=run(countEscrowed=escrowed, countEntitledForProvisioning=entitled)))

    assert facts.escrowRatio == ratio


def test_no_run_has_no_escrow_ratio() -> None:
    assert after(job()).escrowRatio is None


def parts(*pairs: tuple[int | None, int | None]) -> tuple[SynchronizationProgress, ...]:
    return tuple(SynchronizationProgress(completedUnits=done, totalUnits=total) for done, total in pairs)


@pytest.mark.parametrize(
    ("progress", "ratio"),
    [
        pytest.param(None, None, id="not given"),
        pytest.param((), None, id="nothing under way"),
        pytest.param(parts((5, 0)), None, id="nothing to divide by"),
        pytest.param(parts((5, None)), None, id="total unknown"),
        pytest.param(parts((None, 10)), 0.0, id="nothing completed yet"),
        pytest.param(parts((5, 10)), 0.5, id="one part"),
        pytest.param(parts((5, 10), (0, 10)), 0.25, id="parts add up"),
    ],
)
def test_progress_ratio(progress: tuple[SynchronizationProgress, ...] | None, ratio: float | None) -> None:
    assert after(job(progress=progress)).progressRatio == ratio


# When the job should run next.


EVERY_40M = SynchronizationSchedule(interval=timedelta(minutes=40), state="Active")
ENDED = run("Succeeded", timeEnded=START)
LATER = START + timedelta(hours=6)


@pytest.mark.parametrize(
    ("snapshot", "expected"),
    [
        pytest.param(
            job(EVERY_40M, code="Active", lastExecution=ENDED), START + timedelta(minutes=40), id="end plus interval"
        ),
        pytest.param(job(EVERY_40M, code="NotRun", lastExecution=PLACEHOLDER), None, id="never run"),
        pytest.param(job(EVERY_40M, code="Active"), None, id="no run known"),
        pytest.param(job(None, code="Active", lastExecution=ENDED), None, id="no schedule known"),
        pytest.param(
            job(SynchronizationSchedule(state="Active"), code="Active", lastExecution=ENDED), None, id="runs on demand"
        ),
        pytest.param(job(EVERY_40M, code="Paused", lastExecution=ENDED), None, id="paused"),
        pytest.param(
            job(SynchronizationSchedule(interval=timedelta(minutes=40), state="Paused"), code="Active", lastExecution=ENDED),
            None,
            id="its schedule is paused",
        ),
        pytest.param(
            job(SynchronizationSchedule(interval=timedelta(minutes=40), state="Disabled"), code="Active", lastExecution=ENDED),
            None,
            id="its schedule is disabled",
        ),
        pytest.param(
            job(EVERY_40M, code="Quarantine", lastExecution=ENDED, quarantine=SynchronizationQuarantine(nextAttempt=LATER)),
            LATER,
            id="in quarantine the next attempt",
        ),
        pytest.param(
            job(EVERY_40M, code="Quarantine", lastExecution=ENDED, quarantine=SynchronizationQuarantine()),
            None,
            id="in quarantine without a next attempt nobody knows",
        ),
        pytest.param(job(EVERY_40M, code="Quarantine", lastExecution=ENDED), None, id="in a bare quarantine nobody knows"),
        pytest.param(
            job(
                SynchronizationSchedule(interval=timedelta(days=9_000_000), state="Active"),
                code="Active",
                lastExecution=ENDED,
            ),
            None,
            id="beyond the calendar is never",
        ),
    ],
)  # fmt: skip
def test_expected_run(snapshot: SynchronizationJob, expected: datetime | None) -> None:
    assert after(snapshot).expectedRunAt == expected


# Quarantine.


SERIES, CURRENT = START - timedelta(days=10), START - timedelta(days=2)


@pytest.mark.parametrize(
    ("quarantine", "since"),
    [
        pytest.param(SynchronizationQuarantine(seriesBegan=SERIES, currentBegan=CURRENT), SERIES, id="series first"),
        pytest.param(SynchronizationQuarantine(currentBegan=CURRENT), CURRENT, id="then the current one"),
        pytest.param(SynchronizationQuarantine(), START, id="then our own sighting"),
        pytest.param(None, START, id="our own sighting for a bare quarantine"),
    ],
)
def test_quarantined_since(quarantine: SynchronizationQuarantine | None, since: datetime) -> None:
    facts = after(job(code="Quarantine", quarantine=quarantine))

    assert facts.quarantinedSince == since
    assert facts.disableAt == since + timedelta(days=28)


def test_our_own_sighting_of_a_quarantine_stays_where_it_was() -> None:
    facts = after(job(code="Active"), job(code="Quarantine"), job(code="Quarantine", escrowsPruned=True))

    assert facts.quarantinedSince == NOW + POLL


def test_a_quarantine_that_was_left_begins_anew() -> None:
    facts = after(job(code="Quarantine"), job(code="Active"), job(code="Quarantine"))

    assert facts.quarantinedSince == NOW + 2 * POLL


@pytest.mark.parametrize("code", ["Active", "Paused", "NotRun", None])
def test_outside_quarantine_its_dates_are_null(code: str | None) -> None:
    """Also where a job that was paused in quarantine still shows the object."""
    facts = after(job(code="Quarantine"), job(code=code, quarantine=SynchronizationQuarantine(seriesBegan=SERIES)))

    assert (facts.quarantinedSince, facts.firstSeenQuarantined, facts.disableAt) == (None, None, None)


# A new series.


def quarantined(series: datetime | None, code: str = "Quarantine") -> SynchronizationJob:
    return job(code=code, quarantine=SynchronizationQuarantine(seriesBegan=series))


@pytest.mark.parametrize(
    ("previous", "current", "expected"),
    [
        pytest.param(quarantined(SERIES), quarantined(CURRENT), True, id="another series"),
        pytest.param(quarantined(SERIES), quarantined(SERIES), False, id="the same series"),
        pytest.param(quarantined(None), quarantined(CURRENT), False, id="a date that was not known before"),
        pytest.param(quarantined(SERIES), quarantined(None), False, id="a date that is not known now"),
        pytest.param(quarantined(SERIES, "Active"), quarantined(CURRENT), False, id="it was seen to leave"),
        pytest.param(quarantined(SERIES), quarantined(CURRENT, "Paused"), False, id="it is not in quarantine now"),
        pytest.param(job(code="Quarantine"), quarantined(CURRENT), False, id="a bare quarantine before"),
        pytest.param(None, quarantined(CURRENT), False, id="first sight"),
        pytest.param(SynchronizationJob(id="SF.1"), quarantined(CURRENT), False, id="no status before"),
    ],
)
def test_new_series(previous: SynchronizationJob | None, current: SynchronizationJob, expected: bool) -> None:
    assert new_series(previous, current) is expected


# Instants, for `transitions()`.


def test_first_sight_is_no_transition() -> None:
    assert after(job(code="Quarantine")).instants == {}


def test_each_change_of_a_tracked_value_leaves_its_instant() -> None:
    facts = after(job(code="Active"), job(code="Quarantine"), job(code="Quarantine"), job(code="Active"))

    assert facts.instants == {"status.code": (("Quarantine", NOW + POLL), ("Active", NOW + 3 * POLL))}


def test_every_tracked_path() -> None:
    before = job(
        SynchronizationSchedule(state="Active"), code="Active", escrowsPruned=False, lastExecution=run("Succeeded")
    )
    now = job(
        SynchronizationSchedule(state="Disabled"),
        code="Quarantine",
        quarantine=SynchronizationQuarantine(reason="TooManyDeletes"),
        escrowsPruned=True,
        lastExecution=run("Failed", 2),
    )

    assert after(before, now).instants == {
        "status.code": (("Quarantine", NOW + POLL),),
        "status.quarantine.reason": (("TooManyDeletes", NOW + POLL),),
        "status.lastExecution.state": (("Failed", NOW + POLL),),
        "status.escrowsPruned": ((True, NOW + POLL),),
        "job.schedule.state": (("Disabled", NOW + POLL),),
    }


def test_a_value_that_vanishes_became_null() -> None:
    facts = after(
        job(code="Quarantine", quarantine=SynchronizationQuarantine(reason="Unknown")), job(code="Quarantine")
    )

    assert facts.instants == {"status.quarantine.reason": ((None, NOW + POLL),)}


def test_only_the_latest_instants_are_kept() -> None:
    flapping = [job(code=("Active", "Quarantine")[number % 2]) for number in range(INSTANTS_MAX + 4)]

    kept = after(*flapping).instants["status.code"]

    assert len(kept) == INSTANTS_MAX
    assert kept[0] == ("Active", NOW + 4 * POLL)
    assert kept[-1] == ("Quarantine", NOW + (INSTANTS_MAX + 3) * POLL)


# What must hold whatever was read.


@given(st.lists(jobs, min_size=1, max_size=5))
def test_an_unchanged_snapshot_changes_no_fact(snapshots: list[SynchronizationJob]) -> None:
    """However long after: an unchanged job costs no write."""
    facts, latest = after(*snapshots), snapshots[-1]

    assert step(facts, latest, latest, NOW + timedelta(days=99)) == facts


@given(st.lists(jobs, max_size=5))
def test_the_streak_is_never_below_either_count(snapshots: list[SynchronizationJob]) -> None:
    facts = after(job(), *snapshots)
    graph = snapshots[-1].status.countSuccessiveCompleteFailures if snapshots and snapshots[-1].status else None

    assert facts.failureStreak == max(facts.ownFailures, graph or 0)
    assert 0 <= facts.ownFailures <= len(snapshots)


@given(st.lists(jobs, min_size=1, max_size=5))
def test_quarantine_and_its_dates_go_together(snapshots: list[SynchronizationJob]) -> None:
    facts, status = after(*snapshots), snapshots[-1].status
    inside = status is not None and status.code == "Quarantine"

    assert (facts.quarantinedSince is not None) is inside
    assert (facts.disableAt is not None) is inside
