"""Readings that fail, answers that are odd, and jobs that are not there any more."""

from __future__ import annotations

import attrs
import pytest

from alertd.alerts.tally import Tally
from alertd.errors import PollErrorKind
from alertd.model.alert import Ended
from alertd.model.reading import Failed, Ok
from alertd.model.resources import SynchronizationJob
from alertd.store.values import HistoryEntry, ReadingChange

from .alerts import START
from .tenant import (
    ACTIVE,
    PAUSED,
    POLL,
    QUARANTINE,
    Play,
    job,
    names,
    principal,
)

SERVER, NOT_FOUND = PollErrorKind.SERVER, PollErrorKind.NOT_FOUND


# Failed readings.


@pytest.mark.parametrize("kind", list(PollErrorKind))
def test_a_failed_reading_changes_no_job_and_no_alert(kind: PollErrorKind) -> None:
    play = Play()
    play.read(QUARANTINE)
    before = (play.jobs, play.alerts)

    for _ in range(3):
        seen = play.fail(kind)

        assert (play.jobs, play.alerts) == before
        assert (seen.moves, seen.events, seen.gone, seen.history) == ([], [], [], [])
        assert seen.tally == Tally(asked=1, ok=0, known=1, kinds={kind.value: 1})


def test_a_principal_s_outcomes_are_written_run_by_run() -> None:
    play = Play()
    outcomes = []
    for step in (ACTIVE, ACTIVE, SERVER, SERVER, PollErrorKind.AUTH, ACTIVE):
        seen = play.read(step) if isinstance(step, SynchronizationJob) else play.fail(step)
        outcomes += [(change.outcome, change.at) for change in seen.reading_changes]

    assert outcomes == [
        ("ok", START),
        ("server", START + 2 * POLL),
        ("auth", START + 4 * POLL),
        ("ok", START + 5 * POLL),
    ]


def test_a_principal_that_fails_keeps_its_last_good_reading() -> None:
    play = Play()
    play.read(ACTIVE)
    play.read(ACTIVE)
    seen = play.fail(SERVER)

    (record,) = seen.principals
    assert (record.outcome, record.outcome_since, record.last_ok_at) == ("server", START + 2 * POLL, START + POLL)
    assert record.has_jobs, "so that every round asks it on"
    assert seen.reading_changes == [
        ReadingChange(tenant_key="global/t-1", service_principal_id="sp-1", at=START + 2 * POLL, outcome="server")
    ]


def test_one_principal_fails_alone() -> None:
    play = Play(None, principal("sp-1"), principal("sp-2"))
    play.round(Ok(jobs=(QUARANTINE,)), Ok(jobs=(QUARANTINE,)))

    seen = play.round(Failed(kind=SERVER), Ok(jobs=(ACTIVE,)))

    assert names(seen) == ["firing->resolved Quarantined", "Changed"]
    (move,) = seen.moves
    assert move.after is not None
    assert move.after.identity.service_principal_id == "sp-2"
    assert seen.tally == Tally(asked=2, ok=1, jobs=1, known=2, kinds={"server": 1})


def test_the_same_job_id_under_two_principals_is_two_jobs() -> None:
    play = Play(None, principal("sp-1"), principal("sp-2"))

    play.round(Ok(jobs=(QUARANTINE,)), Ok(jobs=(ACTIVE,)))

    assert len(play.jobs) == 2
    assert [alert.identity.service_principal_id for alert in play.alerts.values()] == ["sp-1"]


# Gone.


@pytest.mark.parametrize(
    ("rounds", "gone"),
    [
        pytest.param("-", False, id="absent once"),
        pytest.param("--", True, id="absent twice"),
        pytest.param("-=-", False, id="back in between"),
        pytest.param("-=--", True, id="back in between, then twice"),
        pytest.param("-~-", False, id="back in between, and changed"),
        pytest.param("-x-", True, id="a failed answer between two absences does not break the row"),
        pytest.param("-.-", True, id="nor does a round that did not ask"),
        pytest.param("xxxx", False, id="failed answers are no absence"),
        pytest.param("-?-", False, id="listed without a code: it is there"),
        pytest.param("-!-", False, id="listed and unreadable: it is there"),
        pytest.param("??????", False, id="listed without a code for long"),
        pytest.param("!!!!!!", False, id="unreadable for long"),
        pytest.param("000000", False, id="an unreadable id may be this one"),
        pytest.param("-0-", True, id="... and proves nothing either way"),
    ],
)
def test_gone_after_two_good_readings_without_it(rounds: str, gone: bool) -> None:
    play = Play()
    play.read(QUARANTINE)
    told: list[str] = []
    for step in rounds:
        seen = {
            "=": lambda: play.read(QUARANTINE),
            "~": lambda: play.read(attrs.evolve(QUARANTINE, templateId="other")),
            "-": play.read,
            "x": lambda: play.fail(SERVER),
            ".": play.skip,
            "?": lambda: play.read(job(None)),
            "!": lambda: play.read(unreadable=["SF.1"]),
            "0": lambda: play.read(unreadable=[""]),
        }[step]()
        told += [what for what in names(seen) if what != "firing->firing Quarantined"]

    assert told == (["firing->resolved Quarantined", "Gone"] if gone else [])
    assert bool(play.jobs) is not gone


def test_a_job_that_is_gone_is_told_with_what_was_known_last() -> None:
    play = Play()
    play.read(QUARANTINE)
    play.read()
    assert play.job.absent == 1

    seen = play.read()

    (event,) = seen.events
    (move,) = seen.moves
    assert move.after is not None
    assert (move.after.ended, move.after.endsAt) == (Ended.GONE, START + 2 * POLL)
    for evidence in (event.evidence, move.after.evidence):
        assert (evidence.status, evidence.previous) == (QUARANTINE.status, QUARANTINE.status)
        assert evidence.job is not None
        assert evidence.job.gone
        assert evidence.job.lastSeenAt is not None
        assert evidence.job.lastSeenAt < START + 2 * POLL
        assert evidence.changes == ()
        assert (evidence.observed_from, evidence.observed_to) == (START + POLL, START + 2 * POLL)
    assert event.sequence == 2
    (entry,) = seen.history
    assert entry == HistoryEntry(
        tenant_key="global/t-1",
        service_principal_id="sp-1",
        job_id="SF.1",
        sequence=2,
        at=START + 2 * POLL,
        gone=True,
    )
    assert seen.gone == [("global/t-1", "sp-1", "SF.1")]


def test_a_job_that_comes_back_is_at_first_sight() -> None:
    play = Play()
    play.read(QUARANTINE)
    play.read()
    play.read()

    seen = play.read(QUARANTINE)

    assert names(seen) == ["resolved->firing Quarantined", "Appeared"]
    assert (play.job.sequence, play.job.first_seen_at) == (1, START + 3 * POLL)
    assert seen.events[0].evidence.previous is None


def test_an_alert_that_nobody_heard_of_goes_with_its_job() -> None:
    play = Play()
    play.read(PAUSED)
    play.read()

    assert names(play.read()) == ["pending->inactive PausedLong", "Gone"]


@pytest.mark.parametrize(
    ("listed", "rounds", "gone"),
    [
        pytest.param(False, "n", False, id="not found once"),
        pytest.param(False, "nn", True, id="not found twice, and no discovery lists it"),
        pytest.param(True, "nnnnn", False, id="not found, but listed"),
        pytest.param(False, "nxn", True, id="another failure in between"),
        pytest.param(False, "n=n", False, id="it answered in between"),
        pytest.param(False, "xxxxx", False, id="other failures prove nothing"),
    ],
)
def test_all_jobs_of_a_principal_that_is_not_there(listed: bool, rounds: str, gone: bool) -> None:
    play = Play(None, principal(listed=listed))
    play.read(QUARANTINE, job("Active", "SF.2"))
    told: list[str] = []
    for step in rounds:
        seen = {
            "=": lambda: play.read(QUARANTINE, job("Active", "SF.2")),
            "n": lambda: play.fail(NOT_FOUND),
            "x": lambda: play.fail(SERVER),
        }[step]()
        told += names(seen)

    assert told == (["firing->resolved Quarantined", "Gone", "Gone"] if gone else [])
    assert bool(play.jobs) is not gone


def test_not_found_becomes_gone_once_a_discovery_no_longer_lists_it() -> None:
    play = Play()
    play.read(ACTIVE)
    for _ in range(5):
        assert names(play.fail(NOT_FOUND)) == []

    play.principals["sp-1"] = attrs.evolve(play.principals["sp-1"], listed=False)

    assert names(play.fail(NOT_FOUND)) == ["Gone"]
    assert names(play.fail(NOT_FOUND)) == []


def test_a_long_row_of_not_found_writes_no_more_than_its_beginning() -> None:
    play = Play()
    play.read(ACTIVE)

    writes = [len(play.fail(NOT_FOUND).principals) for _ in range(5)]

    assert writes == [1, 1, 0, 0, 0]


# Odd answers.


def test_a_job_without_a_code_is_not_stored_at_first_sight() -> None:
    play = Play()

    seen = play.read(SynchronizationJob(id="SF.1"), job(None, "SF.2"))

    assert (seen.jobs, seen.history, names(seen)) == ([], [], [])
    assert seen.tally.jobs == 2


def test_an_unreadable_job_hides_no_absence_of_another() -> None:
    play = Play()
    play.read(QUARANTINE, job("Active", "SF.2"))
    play.read(unreadable=["SF.1"])

    assert names(play.read(unreadable=["SF.1"])) == ["Gone"]
    assert [record.job.id for record in play.jobs.values()] == ["SF.1"]


def test_a_job_listed_twice_is_one_job() -> None:
    """Pages can overlap when jobs are added while they are read."""
    play = Play()
    play.read(ACTIVE)

    seen = play.read(ACTIVE, QUARANTINE)

    assert names(seen) == ["inactive->firing Quarantined", "Changed"]
    assert (play.job.job, play.job.sequence) == (QUARANTINE, 2)


def test_a_principal_is_remembered_as_having_jobs() -> None:
    play = Play()

    (first,) = play.read().principals
    assert (first.outcome, first.has_jobs) == ("ok", False)
    (second,) = play.read(ACTIVE).principals
    assert second.has_jobs
    play.read()
    play.read()
    assert play.principals["sp-1"].has_jobs, "it ever had"


def test_a_principal_without_a_reading_was_not_asked() -> None:
    play = Play(None, principal("sp-1"), principal("sp-2"))

    seen = play.round(Ok(jobs=(ACTIVE,)))

    assert seen.tally == Tally(asked=1, ok=1, jobs=1, known=1, waiting=1)
