"""What the readings of one slice make of what was known."""

from __future__ import annotations

from datetime import timedelta

import attrs
import pytest

from alertd.alerts.lifecycle import NEW_SERIES_NOTE
from alertd.alerts.observation import FULL_EVERY, Tally, closed_round, last_ok_at
from alertd.diff import apply
from alertd.errors import PollErrorKind
from alertd.model.alert import Ended, State
from alertd.model.change import Change
from alertd.model.reading import Failed, Ok
from alertd.model.resources import SynchronizationJob
from alertd.store.values import ReadingChange, TenantRecord

from .alerts import START
from .tenant import POLL, RULES, Override, Play, book, job, names, principal, quarantined, rules

ACTIVE, QUARANTINE, PAUSED = job("Active"), job("Quarantine"), job("Paused")
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


# Unchanged and changed.


def test_an_unchanged_answer_writes_nothing() -> None:
    play = Play()
    play.read(ACTIVE)

    seen = play.read(ACTIVE)

    assert (seen.jobs, seen.history, seen.principals, seen.reading_changes) == ([], [], [], [])
    assert (seen.moves, seen.events, seen.gone, seen.faults) == ([], [], [], [])


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


def test_last_seen_is_the_latest_good_reading() -> None:
    """A job that nobody asked about for a quarter of an hour was last seen then, not now."""
    play = Play()
    play.read(ACTIVE)
    play.read(ACTIVE)

    assert names(play.skip(after=timedelta(minutes=15))) == ["inactive->firing SeenLongAgo"]
    assert names(play.read(ACTIVE)) == ["firing->resolved SeenLongAgo"]


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
        assert seen.tally == Tally(asked=1, ok=0, kinds={kind.value: 1})


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
    assert seen.tally == Tally(asked=2, ok=1, jobs=1, kinds={"server": 1})


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
            "-": play.read,
            "x": lambda: play.fail(SERVER),
            ".": play.skip,
            "?": lambda: play.read(job(None)),
            "!": lambda: play.read(unreadable=["SF.1"]),
            "0": lambda: play.read(unreadable=[""]),
        }[step]()
        told += names(seen)

    assert told == (["firing->resolved Quarantined", "Gone"] if gone else [])
    assert bool(play.jobs) is not gone


def test_a_job_that_is_gone_is_told_with_what_was_known_last() -> None:
    play = Play()
    play.read(QUARANTINE)
    play.read()

    seen = play.read()

    (event,) = seen.events
    (move,) = seen.moves
    assert move.after is not None
    assert (move.after.ended, move.after.endsAt) == (Ended.GONE, START + 2 * POLL)
    for evidence in (event.evidence, move.after.evidence):
        assert evidence.status == QUARANTINE.status
        assert evidence.job is not None
        assert evidence.job.gone
        assert (evidence.changes, evidence.observed_to) == ((), START + 2 * POLL)
    assert event.sequence == 2
    (entry,) = seen.history
    assert (entry.gone, entry.sequence, entry.full, entry.changes) == (True, 2, None, ())
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

    assert seen.tally == Tally(asked=1, ok=1, jobs=1)


# Rules.


def test_labels_and_annotations() -> None:
    play = Play()

    (move,) = play.read(attrs.evolve(QUARANTINE, templateId="salesforce")).moves

    assert move.after is not None
    assert move.after.labels == {
        "alertname": "Quarantined",
        "severity": "warning",
        "tenant": "contoso",
        "tenant_id": "t-1",
        "region": "emea",
        "team": "identity",
        "job_id": "SF.1",
        "service_principal": "Salesforce",
        "service_principal_id": "sp-1",
        "template_id": "salesforce",
    }
    assert move.after.annotations == {"summary": "Quarantined: Quarantine in contoso"}
    assert move.after.identity.tenant_key == "global/t-1"


def test_annotations_keep_their_last_text_when_the_condition_is_over() -> None:
    play = Play()
    play.read(QUARANTINE)

    (move,) = play.read(ACTIVE).moves

    assert move.after is not None
    assert move.after.annotations == {"summary": "Quarantined: Quarantine in contoso"}


def test_what_rules_see_of_the_job() -> None:
    play = Play()
    play.read(ACTIVE)

    (event,) = play.read(QUARANTINE).events

    seen = event.evidence.job
    assert seen is not None
    assert (seen.id, seen.displayName, seen.appId, seen.servicePrincipalId) == ("SF.1", "Salesforce", "app-1", "sp-1")
    assert (seen.url, seen.gone, seen.appeared) == ("https://portal/sp-1", False, False)
    assert (seen.firstSeenAt, seen.lastSeenAt, seen.quarantinedSince) == (START, START + POLL, START + POLL)
    assert event.evidence.tenant is not None
    assert (event.evidence.tenant.name, event.evidence.tenant.lastPollAt) == ("contoso", START)


class _Broken:
    """An expression with a bug of ours: they are total by promise."""

    reads: frozenset[str] = frozenset()

    def truth(self, *_: object) -> bool:
        raise ZeroDivisionError("oops")


def _with_broken(name: str, key: str) -> Play:
    play = Play()
    changed = [attrs.evolve(one, **{key: _Broken()}) if one.name == name else one for one in rules()]
    play.book._rules = tuple(changed)
    return play


def test_a_rule_that_fails_keeps_its_alerts_and_the_others_go_on() -> None:
    play = Play()
    play.read(QUARANTINE)
    broken = _with_broken("Quarantined", "when")
    broken.__dict__ |= {key: value for key, value in play.__dict__.items() if key != "book"}

    seen = broken.read(PAUSED)

    assert [(fault.rule, fault.error) for fault in seen.faults] == [("Quarantined", "ZeroDivisionError: oops")]
    assert names(seen) == ["inactive->pending PausedLong", "Changed"]
    assert broken.states()["Quarantined"] == "firing"


def test_an_event_that_fails_is_a_fault_and_the_others_are_told() -> None:
    broken = _with_broken("Changed", "event")
    broken.read(ACTIVE)
    broken.read()

    seen = broken.read()

    assert [fault.rule for fault in seen.faults] == ["Changed"]
    assert names(seen) == ["Gone"]


# Overrides.


def test_a_rule_switched_off_for_a_subject_says_nothing() -> None:
    play = Play(book(RULES, Override(alert="Quarantined", enabled=False), Override(alert="Changed", enabled=False)))
    play.read(ACTIVE)

    assert names(play.read(QUARANTINE)) == []


def test_switching_a_rule_off_is_no_all_clear() -> None:
    """The job is still in quarantine; only nobody asks any more."""
    play = Play()
    play.read(QUARANTINE)
    play.book = book(RULES, Override(alert="Quarantined", enabled=False))

    (move,) = play.read(QUARANTINE).moves

    assert move.after is not None
    assert (move.after.state, move.after.ended) == (State.RESOLVED, Ended.RULE_REMOVED)


def test_switching_off_a_rule_whose_alert_is_pending_forgets_it() -> None:
    play = Play()
    play.read(PAUSED)
    play.book = book(RULES, Override(alert="PausedLong", enabled=False))

    assert names(play.read(PAUSED)) == ["pending->inactive PausedLong"]


def test_an_override_changes_severity_and_for() -> None:
    slower = Override(alert="Quarantined", severity="critical", hold_duration=POLL)
    play = Play(book(RULES, slower))

    assert names(play.read(QUARANTINE)) == ["inactive->pending Quarantined"]
    (move,) = play.read(QUARANTINE).moves
    assert move.after is not None
    assert (move.after.state, move.after.severity) == (State.FIRING, "critical")
    assert move.after.labels["severity"] == "critical"


# Rounds.


@pytest.mark.parametrize(
    ("tally", "failures", "error", "coverage", "failed"),
    [
        pytest.param(Tally(asked=4, ok=4), 0, None, 1.0, 0, id="all answered"),
        pytest.param(Tally(asked=4, ok=1, kinds={"server": 3}), 0, None, 0.25, 3, id="one answered: a good round"),
        pytest.param(Tally(asked=4, kinds={"server": 4}), 3, "server", 0.0, 4, id="nobody answered"),
        pytest.param(Tally(), 0, None, 1.0, 0, id="nobody was asked: a good round"),
        pytest.param(
            Tally(asked=3, kinds={"auth": 2, "server": 1}), 3, "auth", 0.0, 3, id="the failure met most often names it"
        ),
    ],
)
def test_closing_a_round(tally: Tally, failures: int, error: str | None, coverage: float, failed: int) -> None:
    before = TenantRecord(
        key="global/t-1", name="contoso", rounds=7, consecutivePollFailures=2, lastPollError="network"
    )

    after = closed_round(before, tally, START)

    assert (after.consecutivePollFailures, after.lastPollError) == (failures, error)
    assert (after.pollCoverage, after.failedServicePrincipals) == (coverage, failed)
    assert (after.rounds, after.lastPollAt) == (8, START)


def test_tallies_of_slices_add_up() -> None:
    one = Tally(asked=2, ok=1, jobs=5, kinds={"server": 1})
    other = Tally(asked=3, ok=1, jobs=1, kinds={"server": 1, "auth": 1})

    assert one + other == Tally(asked=5, ok=2, jobs=6, kinds={"server": 2, "auth": 1})
    assert (one + other).failed == 3
    assert (one + other).worst == "server"
    assert Tally().worst is None


@pytest.mark.parametrize(
    ("outcome", "own", "polled", "expected"),
    [
        pytest.param("ok", START, START + POLL, START + POLL, id="it answers: as of the tenant's latest round"),
        pytest.param("ok", START + POLL, START, START + POLL, id="answered after the tenant's latest round"),
        pytest.param("ok", START, None, START, id="the first round is not closed yet"),
        pytest.param("server", START, START + POLL, START, id="it fails: as of its own last answer"),
        pytest.param("", None, START, None, id="never read"),
    ],
)
def test_a_principal_s_latest_good_reading(outcome: str, own: object, polled: object, expected: object) -> None:
    record = principal(outcome=outcome, last_ok_at=own)
    tenant = TenantRecord(key="global/t-1", name="contoso", lastPollAt=polled)  # type: ignore[arg-type]

    assert last_ok_at(record, tenant) == expected


def test_an_observation_is_pure() -> None:
    """The same slice gives the same observation, so a fenced commit can be taken anew."""
    one, other = Play(), Play()
    for play in (one, other):
        play.read(QUARANTINE)

    assert one.read(ACTIVE) == other.read(ACTIVE)
