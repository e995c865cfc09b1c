"""What becomes of jobs whose service principal it was not the turn of: time passes, nothing is frozen, resolved or made up."""

from __future__ import annotations

import pytest

from alertd.alerts.sighting import last_ok_at
from alertd.alerts.tally import Tally, closed_round
from alertd.errors import PollErrorKind
from alertd.model.reading import Failed, NotAsked, Ok
from alertd.store.values import TenantRecord

from .alerts import START
from .tenant import POLL, Play, job, principal

ACTIVE, PAUSED, QUARANTINE = job("Active"), job("Paused"), job("Quarantine")
SERVER = PollErrorKind.SERVER


def test_a_for_runs_out_while_nobody_asks() -> None:
    play = Play()
    play.read(PAUSED)

    states = [play.skip() and play.states() for _ in range(2)]

    assert states == [{"PausedLong": "pending"}, {"PausedLong": "firing"}]


def test_an_alert_that_fires_goes_on_firing() -> None:
    play = Play()
    play.read(QUARANTINE)

    seen = play.skip()

    assert (seen.moves, seen.events, seen.jobs, seen.history, seen.reading_changes) == ([], [], [], [], [])
    assert play.states() == {"Quarantined": "firing"}


def test_what_a_failure_froze_stays_frozen() -> None:
    """Its latest answer was none, and no newer one says otherwise."""
    play = Play()
    play.read(PAUSED)
    play.fail(SERVER)

    for _ in range(3):
        play.skip()

    assert play.states() == {"PausedLong": "pending"}


def test_one_absence_stays_one_however_long_nobody_asks() -> None:
    play = Play()
    play.read(PAUSED)
    play.read()

    for _ in range(3):
        play.skip()

    assert play.job.absent == 1
    assert play.states() == {"PausedLong": "pending"}, "an absence before gone evaluates nothing"


def test_a_job_was_last_seen_when_it_was_last_asked() -> None:
    """Else a rule on lastSeenAt, and the times in a message, would claim readings that never were."""
    play = Play()
    play.read(ACTIVE)

    states = [play.skip() and play.states() for _ in range(3)]

    assert states == [{}, {}, {"SeenLongAgo": "firing"}]


def test_a_change_is_observed_since_the_latest_turn() -> None:
    play = Play()
    play.read(ACTIVE)
    play.skip()
    play.skip()

    (move,) = play.read(QUARANTINE).moves

    assert move.after is not None
    assert (move.after.evidence.observed_from, move.after.evidence.observed_to) == (START, START + 3 * POLL)


def test_leaving_out_is_written_once_and_so_is_the_next_turn() -> None:
    play = Play()
    play.read(ACTIVE)

    writes = [len(play.skip().principals) for _ in range(3)]
    asked_at = play.principals["sp-1"].asked_at
    writes += [len(play.read(ACTIVE).principals) for _ in range(2)]

    assert writes == [1, 0, 0, 1, 0]
    assert asked_at == START
    assert play.principals["sp-1"].asked_at is None


def test_a_principal_that_never_had_a_turn_writes_nothing() -> None:
    play = Play(None, principal("sp-1"), principal("sp-2"))

    seen = [play.round(Ok(jobs=(ACTIVE,)), NotAsked()) for _ in range(2)]

    assert [one.principal.id for round_ in seen for one in round_.principals] == ["sp-1"]


@pytest.mark.parametrize(
    ("asked_at", "expected"),
    [
        pytest.param(None, START, id="every round has asked it"),
        pytest.param(START - 2 * POLL, START - 2 * POLL, id="left out since"),
    ],
)
def test_the_latest_good_reading(asked_at: object, expected: object) -> None:
    record = principal(outcome="ok", last_ok_at=START - 9 * POLL, asked_at=asked_at)
    tenant = TenantRecord(key="global/t-1", name="contoso", lastPollAt=START)

    assert last_ok_at(record, tenant) == expected


# The tenant's own figures.


def test_whose_turn_it_was_not_counts_by_the_latest_answer() -> None:
    """One that fails would else look well whenever it is left out, and an alert about it would resolve."""
    play = Play(None, principal("sp-1"), principal("sp-2"), principal("sp-3"), principal("sp-4"))
    play.round(Ok(jobs=(ACTIVE,)), Failed(kind=SERVER), Ok())

    seen = play.round(Ok(jobs=(ACTIVE,)), NotAsked(), NotAsked(), NotAsked())

    assert seen.tally == Tally(asked=1, ok=1, jobs=1, known=1, rested=1, unanswered=1, waiting=1)
    assert play.tenant.pollCoverage == pytest.approx(2 / 3)
    assert (play.tenant.failedServicePrincipals, play.tenant.not_asked, play.tenant.jobs) == (1, 3, 1)


def test_a_round_that_asked_nobody_says_nothing_about_the_tenant() -> None:
    """Else a tenant that cannot be reached would be well as soon as nobody asks it."""
    play = Play()
    play.read(ACTIVE)
    play.fail(SERVER)
    play.fail(SERVER)

    play.skip()

    assert (play.tenant.consecutivePollFailures, play.tenant.lastPollError) == (2, "server")
    assert play.tenant.pollCoverage == 0


def test_a_round_about_nobody_is_good() -> None:
    before = TenantRecord(key="k", name="contoso", consecutivePollFailures=2, lastPollError="server", pollCoverage=0)

    after = closed_round(before, Tally(), START)

    assert (after.consecutivePollFailures, after.lastPollError, after.pollCoverage) == (0, None, 1)
