"""Readings that say what is known already: time passes all the same, and until when the rules need not be asked."""

from __future__ import annotations

from datetime import datetime, timedelta

import attrs
import pytest

from alertd.errors import PollErrorKind
from alertd.model.reading import Failed, NotAsked, Ok, Reading, Unchanged
from alertd.model.resources import SynchronizationJob, SynchronizationStatus

from .alerts import START
from .tenant import ACTIVE, PAUSED, POLL, QUARANTINE, Play, book, principal

CLOCKLESS = """
groups:
  - rules:
      - {alert: Quarantined, when: status.code == "Quarantine"}
      - {alert: PausedLong, when: status.code == "Paused", for: 10m}
"""
LATER = START + timedelta(hours=9)


# An answer of the very same bytes.


def test_a_for_runs_out_while_nothing_changes() -> None:
    play = Play()
    play.read(PAUSED)

    states = [play.round(Unchanged()) and play.states() for _ in range(2)]

    assert states == [{"PausedLong": "pending"}, {"PausedLong": "firing"}]


def test_the_job_has_been_seen() -> None:
    """Else a rule on lastSeenAt would fire of a job that is listed in every round."""
    play = Play()
    play.read(ACTIVE)

    seen = [play.round(Unchanged()) for _ in range(4)]

    assert play.states() == {}
    assert not any(one.changes_anything for one in seen)
    assert (seen[-1].tally.ok, seen[-1].tally.jobs) == (1, 1)


def test_the_job_is_seen_at_this_very_moment() -> None:
    """Not only as lately as the round before."""
    play = Play(book("groups: [{rules: [{alert: NotNow, when: age(job.lastSeenAt) > minutes(1)}]}]"))
    play.read(ACTIVE)

    play.round(Unchanged())

    assert play.states() == {}


@pytest.mark.parametrize("kind", [PollErrorKind.SERVER, PollErrorKind.NOT_FOUND])
def test_after_a_failure_it_is_a_good_answer_as_any_other(kind: PollErrorKind) -> None:
    play, other = Play(), Play()
    for one in (play, other):
        one.read(ACTIVE)
        one.fail(kind)

    same, listed = play.round(Unchanged()), other.read(ACTIVE)

    assert [change.outcome for change in same.reading_changes] == ["ok"]
    assert (same.principals, same.reading_changes) == (listed.principals, listed.reading_changes)
    assert (same.principals[0].not_found, same.principals[0].has_jobs) == (0, True)


# Until when nobody needs to be asked.


@pytest.mark.parametrize(
    ("first", "reading", "expected"),
    [
        pytest.param(ACTIVE, Unchanged(), {"sp-1": None}, id="no clock runs"),
        pytest.param(QUARANTINE, Unchanged(), {"sp-1": None}, id="what fires goes on firing"),
        pytest.param(PAUSED, Unchanged(), {"sp-1": START + timedelta(minutes=10)}, id="a `for` runs out"),
        pytest.param(PAUSED, Ok(jobs=(PAUSED,)), {"sp-1": START + timedelta(minutes=10)}, id="the same, listed"),
        pytest.param(PAUSED, NotAsked(), {"sp-1": START + timedelta(minutes=10)}, id="the same, not asked"),
        pytest.param(PAUSED, Failed(kind=PollErrorKind.SERVER), {}, id="no answer: everything is open"),
        pytest.param(PAUSED, Ok(jobs=()), {}, id="not listed: it may be gone"),
    ],
)
def test_what_is_known_of_a_principal_says_when_to_ask_the_rules_again(
    first: object, reading: Reading, expected: dict[str, datetime | None]
) -> None:
    play = Play(book(CLOCKLESS))
    play.read(first)  # type: ignore[arg-type]  # a snapshot

    assert play.round(reading).wakes == expected


RESTED = """
groups:
  - rules:
      - alert: Quarantined
        when: status.code == "Quarantine"
        clear_when: age(status.steadyStateLastAchievedTime) > minutes(20)
"""


def _rested(code: str) -> SynchronizationJob:
    return SynchronizationJob(id="job-1", status=SynchronizationStatus(code=code, steadyStateLastAchievedTime=START))


@pytest.mark.parametrize(
    ("codes", "expected"),
    [
        pytest.param(["Active"], None, id="there is nothing to clear"),
        pytest.param(["Quarantine", "Active"], START + timedelta(minutes=20), id="an alert waits to be cleared"),
    ],
)
def test_the_clock_of_a_clearing_condition_runs_only_for_an_alert(codes: list[str], expected: datetime | None) -> None:
    play = Play(book(RESTED))

    seen = [play.read(_rested(code)) for code in codes]

    assert seen[-1].wakes == {"sp-1": expected}


@pytest.mark.parametrize("before", [Ok(jobs=()), Failed(kind=PollErrorKind.SERVER)])
def test_what_is_open_stays_open_while_nobody_asks(before: Reading) -> None:
    play = Play(book(CLOCKLESS))
    play.read(PAUSED)
    play.round(before)

    assert play.skip().wakes == {}


def test_of_a_principal_that_was_never_asked_nothing_is_open() -> None:
    assert Play(book(CLOCKLESS)).skip().wakes == {"sp-1": None}


def test_a_principal_without_jobs_that_did_not_answer_is_open() -> None:
    play = Play(book(CLOCKLESS))
    play.fail(PollErrorKind.SERVER)

    assert play.skip().wakes == {}


def test_a_rule_on_when_a_job_was_seen_is_asked_as_soon_as_it_is_listed_again() -> None:
    play = Play()
    play.read(ACTIVE)

    assert play.skip().wakes == {"sp-1": START + POLL}


@pytest.mark.parametrize("reading", [Unchanged(), Ok(jobs=(PAUSED,)), NotAsked()])
def test_while_a_principal_is_asleep_the_rules_are_not_asked(reading: Reading) -> None:
    play = Play(book(CLOCKLESS))
    play.read(PAUSED)

    seen = play.round(reading, after=timedelta(minutes=15), asleep={"sp-1": LATER})

    assert play.states() == {"PausedLong": "pending"}
    assert seen.wakes == {"sp-1": LATER}


def test_a_change_wakes_them() -> None:
    play = Play(book(CLOCKLESS))
    play.read(PAUSED)

    play.round(Ok(jobs=(QUARANTINE,)), asleep={"sp-1": LATER})

    assert play.states() == {"Quarantined": "firing"}


# Not asked.


def test_the_latest_turn_is_when_its_round_began_to_ask() -> None:
    play = Play(None, principal())
    play.read(ACTIVE)
    play.tenant = attrs.evolve(play.tenant, asked_from=START - timedelta(minutes=1))

    (left_out,) = play.skip().principals

    assert left_out.asked_at == START - timedelta(minutes=1)
