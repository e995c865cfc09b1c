"""What the readings of one slice make of what was known."""

from __future__ import annotations

from datetime import timedelta

import attrs
import pytest

from alertd.alerts.lifecycle import NEW_SERIES_NOTE
from alertd.alerts.observation import FULL_EVERY
from alertd.diff import apply
from alertd.errors import PollErrorKind
from alertd.model.change import Change
from alertd.model.resources import SynchronizationJob

from .alerts import START
from .tenant import (
    ACTIVE,
    PAUSED,
    POLL,
    QUARANTINE,
    Play,
    book,
    job,
    names,
    principal,
    quarantined,
)

SERVER, NOT_FOUND = PollErrorKind.SERVER, PollErrorKind.NOT_FOUND


# First sight.


def test_first_sight_stores_the_job_and_a_full_snapshot() -> None:
    play = Play()

    seen = play.read(ACTIVE)

    record = play.job
    assert (record.job, record.sequence, record.first_seen_at, record.changed_at) == (ACTIVE, 1, START, START)
    assert (record.absent, record.appeared_at) == (0, None)
    (entry,) = seen.history
    assert (entry.full, entry.changes, entry.sequence, entry.at, entry.gone) == (ACTIVE, (), 1, START, False)
    assert entry.facts == record.facts
    assert names(seen) == []


def test_what_is_true_at_first_sight_fires() -> None:
    play = Play()

    seen = play.read(QUARANTINE)

    assert names(seen) == ["inactive->firing Quarantined"]
    (move,) = seen.moves
    assert move.after is not None
    assert move.after.evidence.previous is None
    assert (move.after.evidence.observed_from, move.after.evidence.observed_to) == (None, START)


def test_under_baseline_first_sight_is_taken_for_granted() -> None:
    play = Play(None, principal(first_discovery=False), tells_first_sight=False)

    assert names(play.read(QUARANTINE)) == ["inactive->baseline Quarantined"], "and Appeared is not told"
    assert names(play.read(QUARANTINE)) == []
    assert names(play.read(ACTIVE)) == ["baseline->inactive Quarantined", "Changed"]
    assert names(play.read(QUARANTINE)) == ["inactive->firing Quarantined", "Changed"]


@pytest.mark.parametrize(
    ("record", "appeared"),
    [
        pytest.param(principal(), False, id="first reading of a principal of the first discovery"),
        pytest.param(principal(last_ok_at=START - POLL, outcome="ok"), True, id="read before"),
        pytest.param(principal(first_discovery=False), True, id="a principal that a later discovery found"),
        pytest.param(principal(outcome="server"), False, id="it has failed so far"),
    ],
)
def test_a_job_appears_only_where_somebody_has_looked_before(record: object, appeared: bool) -> None:
    play = Play(None, record)  # type: ignore[arg-type]

    seen = play.read(ACTIVE)

    assert names(seen) == (["Appeared"] if appeared else [])
    assert (play.job.appeared_at is not None) is appeared


def test_appearing_is_told_once() -> None:
    play = Play(None, principal(first_discovery=False))

    assert names(play.read(ACTIVE)) == ["Appeared"]
    assert names(play.read(ACTIVE)) == []
    assert names(play.read(PAUSED)) == ["inactive->pending PausedLong", "Changed"]


def test_a_failed_reading_in_between_does_not_make_first_jobs_appear() -> None:
    play = Play()
    play.fail(SERVER)

    assert names(play.read(ACTIVE)) == []


def test_what_appears_was_not_observed_before() -> None:
    """Its principal was, but nobody can say when the job began to be as it is."""
    play = Play()
    play.read(ACTIVE)

    (move,) = play.read(ACTIVE, job("Quarantine", "SF.2")).moves

    assert move.after is not None
    assert (move.after.evidence.previous, move.after.evidence.observed_from) == (None, None)


# Unchanged and changed.


def test_an_unchanged_answer_writes_nothing() -> None:
    play = Play()
    play.read(ACTIVE)

    seen = play.read(ACTIVE)

    assert (seen.jobs, seen.history, seen.principals, seen.reading_changes) == ([], [], [], [])
    assert (seen.moves, seen.events, seen.gone, seen.faults) == ([], [], [], [])


def test_an_unchanged_answer_writes_nothing_of_an_alert_that_fires() -> None:
    play = Play()
    play.read(QUARANTINE)

    assert play.read(QUARANTINE).moves == []
    assert play.read(QUARANTINE).moves == []


def test_void_holders_are_no_change() -> None:
    play = Play()
    play.read(SynchronizationJob(id="SF.1", status=ACTIVE.status))

    assert play.read(job("Active", progress=None)).jobs == []


def test_a_change_is_stored_as_what_differs() -> None:
    play = Play()
    play.read(ACTIVE)

    seen = play.read(QUARANTINE)

    assert (play.job.sequence, play.job.changed_at, play.job.first_seen_at) == (2, START + POLL, START)
    (entry,) = seen.history
    assert (entry.full, entry.changes) == (None, (Change("status.code", "Active", "Quarantine"),))
    assert entry.facts is None  # a replay steps them
    assert names(seen) == ["inactive->firing Quarantined", "Changed"]


def test_rules_see_the_job_as_it_was_before() -> None:
    play = Play(
        book(
            "groups: [{name: g, rules: [{alert: Moved, event: previous_job.templateId == params.was, params: {was: a}}]}]"
        )
    )
    play.read(attrs.evolve(ACTIVE, templateId="a"))

    assert names(play.read(attrs.evolve(ACTIVE, templateId="b"))) == ["Moved"]
    assert names(play.read(attrs.evolve(ACTIVE, templateId="c"))) == []


def test_evidence_says_between_which_readings() -> None:
    play = Play()
    play.read(ACTIVE)
    play.read(ACTIVE)

    (move,) = play.read(QUARANTINE, after=timedelta(minutes=35)).moves

    assert move.after is not None
    seen = move.after.evidence
    assert (seen.observed_from, seen.observed_to) == (START + POLL, START + POLL + timedelta(minutes=35))
    assert seen.changes == (Change("status.code", "Active", "Quarantine"),)
    assert seen.previous == ACTIVE.status
    assert seen.status == QUARANTINE.status


def test_after_an_outage_evidence_goes_back_to_the_last_good_reading() -> None:
    play = Play()
    play.read(ACTIVE)
    play.read(ACTIVE)
    for kind in (SERVER, SERVER, PollErrorKind.TIMEOUT):
        play.fail(kind)

    (move,) = play.read(QUARANTINE).moves

    assert move.after is not None
    assert move.after.evidence.observed_from == START + POLL


def test_a_new_series_renews_what_speaks_of_quarantine() -> None:
    play = Play()
    play.read(quarantined(START - 9 * POLL))

    (move,) = play.read(quarantined(START)).moves

    assert move.before is not None
    assert move.after is not None
    assert (move.after.episode, move.after.inherits_from, move.after.startsAt) == (2, 2, START + POLL)
    assert move.after.evidence.note == NEW_SERIES_NOTE


def test_a_new_series_is_nothing_to_a_rule_that_does_not_speak_of_quarantine() -> None:
    rule = "groups: [{name: g, rules: [{alert: Streak, when: status.countSuccessiveCompleteFailures > 2}]}]"
    play = Play(book(rule))
    play.read(attrs.evolve(quarantined(START - POLL), status=_failing(quarantined(START - POLL))))

    seen = play.read(attrs.evolve(quarantined(START), status=_failing(quarantined(START))))

    assert [move.after.episode for move in seen.moves if move.after] == [1]


def _failing(quarantine: SynchronizationJob) -> object:
    assert quarantine.status is not None
    return attrs.evolve(quarantine.status, countSuccessiveCompleteFailures=5)


def test_every_fiftieth_snapshot_is_a_full_one() -> None:
    play = Play()
    for number in range(2 * FULL_EVERY):
        play.read(job("Active", countSuccessiveCompleteFailures=number))

    assert [entry.sequence for entry in play.history if entry.full] == [1, 50, 100]
    assert all((entry.full is None) == bool(entry.changes) for entry in play.history)


def test_history_can_be_replayed() -> None:
    play = Play()
    codes = ["Active", "Quarantine", "Active", "Paused", "Quarantine"]
    for code in codes:
        play.read(job(code))

    replayed = [play.history[0].full]
    for entry in play.history[1:]:
        assert replayed[-1] is not None
        replayed.append(entry.full or apply(replayed[-1], entry.changes))

    assert replayed == [job(code) for code in codes]


# Time alone.


LATER = timedelta(minutes=10)


@pytest.mark.parametrize(
    ("rounds", "state"),
    [
        pytest.param("=", "firing", id="answers"),
        pytest.param(".", "firing", id="not asked"),
        pytest.param("x", "pending", id="failed: frozen"),
        pytest.param("xx=", "firing", id="... until the next good reading, the outage included"),
        pytest.param("-", "pending", id="absent: nothing is evaluated"),
        pytest.param("-=", "firing", id="... until it is back"),
        pytest.param("?", "pending", id="answered without a code: frozen"),
        pytest.param("!", "pending", id="unreadable: frozen"),
        pytest.param("?!x=", "firing", id="... until it is neither"),
    ],
)
def test_for_runs_out_only_where_there_is_something_to_evaluate(rounds: str, state: str) -> None:
    """`for` is as long as the rounds are apart here, so the first evaluation after first sight fires."""
    play = Play()
    play.read(PAUSED)

    for step in rounds:
        {
            "=": lambda: play.read(PAUSED, after=LATER),
            ".": lambda: play.skip(after=LATER),
            "x": lambda: play.fail(SERVER, after=LATER),
            "-": lambda: play.read(after=LATER),
            "?": lambda: play.read(job(None), after=LATER),
            "!": lambda: play.read(unreadable=["SF.1"], after=LATER),
        }[step]()

    assert play.states() == {"PausedLong": state}


def test_events_are_not_told_again_when_nothing_changed() -> None:
    play = Play()
    play.read(ACTIVE)
    play.read(QUARANTINE)

    assert play.read(QUARANTINE).events == []
    assert play.skip().events == []


def test_an_event_needs_a_snapshot_that_differs() -> None:
    """Also one that would hold of any two readings."""
    play = Play(book("groups: [{name: g, rules: [{alert: E, event: previous.code == status.code}]}]"))
    play.read(PAUSED)

    assert play.read(PAUSED).events == []
    assert play.skip().events == []
    assert names(play.read(attrs.evolve(PAUSED, templateId="other"))) == ["E"]


def test_previous_is_the_last_good_reading_also_where_nothing_changed() -> None:
    play = Play(book("groups: [{name: g, rules: [{alert: Twice, when: previous.code == status.code}]}]"))

    assert names(play.read(PAUSED)) == []
    assert names(play.read(PAUSED)) == ["inactive->firing Twice"]


def test_last_seen_is_the_latest_good_reading() -> None:
    """A job that nobody asked about for a quarter of an hour was last seen then, not now."""
    play = Play()
    play.read(ACTIVE)
    play.read(ACTIVE)

    assert names(play.skip(after=timedelta(minutes=15))) == ["inactive->firing SeenLongAgo"]
    assert names(play.read(ACTIVE)) == ["firing->resolved SeenLongAgo"]
