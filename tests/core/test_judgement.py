"""What rules make of what was read, and how a round is closed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import timedelta

import attrs
import pytest

from alertd.alerts.book import RuleBook
from alertd.alerts.judgement import Case, Move, judge_events, judge_states
from alertd.alerts.sighting import last_ok_at
from alertd.alerts.tally import Tally, closed_round, tally_of
from alertd.errors import PollErrorKind
from alertd.model.alert import Ended, Event, Evidence, Identity, Scope, State
from alertd.model.resources import ServicePrincipal
from alertd.model.views import Subject
from alertd.rules.expression import Expression
from alertd.rules.rule import Rule
from alertd.store.values import RoundEntry, TenantRecord

from .alerts import START, alert
from .tenant import (
    ACTIVE,
    PAUSED,
    POLL,
    QUARANTINE,
    RULES,
    Override,
    Play,
    annotate,
    book,
    job,
    names,
    principal,
    quarantined,
    rules,
)

SERVER, NOT_FOUND = PollErrorKind.SERVER, PollErrorKind.NOT_FOUND


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


def test_annotations_keep_their_text_while_an_alert_is_neither_true_nor_cleared() -> None:
    play = Play()
    play.read(QUARANTINE)

    assert play.read(job("NotRun")).moves == []

    (alert,) = play.alerts.values()
    assert (alert.state, alert.annotations) == (State.FIRING, {"summary": "Quarantined: Quarantine in contoso"})


def test_the_next_episode_has_its_own_text_though_the_reading_that_lets_it_fire_is_unchanged() -> None:
    play = Play(
        RuleBook(
            rules(), annotate=lambda _rule, subject, _labels: {"template": str(subject.job and subject.job.templateId)}
        )
    )
    for template in ("first", "second"):
        paused = attrs.evolve(PAUSED, templateId=template)
        play.read(paused)
        play.read(paused, after=timedelta(minutes=10))

        (alert,) = play.alerts.values()
        assert (alert.state, alert.annotations) == (State.FIRING, {"template": template})
        play.read(ACTIVE)


def test_what_nobody_is_told_of_has_no_text() -> None:
    play = Play()

    (move,) = play.read(PAUSED).moves

    assert move.after is not None
    assert (move.after.state, move.after.annotations) == (State.PENDING, {})


def test_names_that_nobody_gave_are_empty_labels() -> None:
    """As matchers see them: missing equals empty."""
    nameless = attrs.evolve(principal(), principal=ServicePrincipal(id="sp-1"))
    play = Play(None, nameless)

    (move,) = play.read(QUARANTINE).moves

    assert move.after is not None
    assert (move.after.labels["service_principal"], move.after.labels["template_id"]) == ("", "")
    assert move.after.evidence.job is not None
    assert move.after.evidence.job.displayName is None


def test_without_a_portal_there_is_no_link() -> None:
    play = Play()
    play.watched = attrs.evolve(play.watched, portal_url=lambda _: "")

    (move,) = play.read(QUARANTINE).moves

    assert move.after is not None
    assert move.after.evidence.job is not None
    assert move.after.evidence.job.url is None


@pytest.mark.parametrize(
    ("when", "episode"),
    [
        ('status.code == "Quarantine"', 2),
        ('status.quarantine.reason != "Unknown"', 2),
        ("status.quarantine != null", 2),
        ("until(job.disableAt) < days(99)", 2),
        ("age(job.quarantinedSince) > minutes(0)", 2),
        ("status.countSuccessiveCompleteFailures == null", 1),
        ('job.id == "SF.1"', 1),
    ],
)
def test_a_new_series_concerns_what_looks_at_quarantine(when: str, episode: int) -> None:
    play = Play(book(f"groups: [{{name: g, rules: [{{alert: Quarantined, when: '{when}'}}]}}]"))
    play.read(quarantined(START - 9 * POLL))

    play.read(quarantined(START))

    assert [alert.episode for alert in play.alerts.values()] == [episode]


# When texts are made anew.

SPOKEN = """
groups:
  - name: texts
    rules:
      - {alert: Plain, when: status.code == "Quarantine", annotations: {summary: "{{ job.displayName }}"}}
      - {alert: Timed, when: status.code == "Quarantine", annotations: {summary: "since {{ job.quarantinedSince | ago }}"}}
"""


def spoken(texts: Counter[str], words: str = SPOKEN, *overrides: Override, locale: str = "") -> RuleBook:
    """Make a book that counts how often it is asked for a text."""

    def annotate(rule: Rule, subject: Subject, labels: Mapping[str, str]) -> Mapping[str, str]:
        texts[rule.name] += 1
        return {"summary": f"at {subject.now:%H:%M}" if rule.name == "Timed" else labels["service_principal"]}

    return RuleBook(rules(words), overrides, annotate=annotate, locale=locale)


def test_a_text_is_made_anew_where_it_can_differ() -> None:
    texts: Counter[str] = Counter()
    play = Play(spoken(texts))
    play.read(QUARANTINE)
    play.read(QUARANTINE)
    texts.clear()

    moved = [move.after.name for move in play.read(QUARANTINE).moves if move.after]
    assert (texts, moved) == ({"Timed": 1}, ["Timed"]), "nothing changed: only what speaks of time"

    play.read(attrs.evolve(QUARANTINE, templateId="other"))
    assert texts == {"Timed": 2, "Plain": 1}, "the snapshot changed"


LIMITED = SPOKEN.replace("alert: Plain,", "alert: Plain, params: {limit: 3},")
REWORDED = LIMITED.replace("{{ job.displayName }}", "{{ job.displayName }} is in quarantine")
OTHER_LIMIT = Override(alert="Plain", params={"limit": 4})


@pytest.mark.parametrize(
    ("after", "asked"),
    [
        pytest.param(spoken(Counter(), LIMITED), 0, id="the same words, as after a restart"),
        pytest.param(spoken(Counter(), REWORDED), 1, id="other words"),
        pytest.param(spoken(Counter(), LIMITED, OTHER_LIMIT), 1, id="another constant"),
        pytest.param(spoken(Counter(), LIMITED, locale="Asia/Tokyo"), 1, id="dates of another time zone"),
    ],
)
def test_other_words_are_taken_up_though_the_snapshot_is_the_same(after: RuleBook, asked: int) -> None:
    texts: Counter[str] = Counter()
    play = Play(spoken(Counter(), LIMITED))
    play.read(QUARANTINE)
    play.book = after
    play.book.annotate = spoken(texts).annotate

    for _ in range(3):
        play.read(QUARANTINE)

    assert (texts["Plain"], texts["Timed"]) == (asked, 3)


def test_other_words_are_taken_up_by_the_next_round_where_one_was_fenced_off() -> None:
    """What a book has been asked does not matter: what has been kept does."""
    play = Play(spoken(Counter(), LIMITED))
    play.read(QUARANTINE)
    play.book = spoken(Counter(), REWORDED)
    known = dict(play.alerts)
    play.read(QUARANTINE)
    play.alerts = known

    moved = [move.after.name for move in play.read(QUARANTINE).moves if move.after]

    assert "Plain" in moved


@pytest.mark.parametrize(
    ("text", "anew"),
    [
        ("{{ job.displayName }} is {{ status.code }}", False),
        ("as of {{ now | datetime }}", True),
        ("since {{ job.quarantinedSince | ago }}", True),
        ("{{ job.disableAt | until }} left", True),
        ("seen at {{ job.lastSeenAt | datetime }}", True),
        ("{{ tenant.pollCoverage }} of all answered", True),
        ("{{ alertd.failedDeliveries }} failed", True),
        ("it is unknown whether {{ job.id }} still runs", False),
    ],
)
def test_what_a_text_speaks_of_says_whether_it_can_change_by_itself(text: str, anew: bool) -> None:
    found = book(f"groups: [{{name: g, rules: [{{alert: A, when: 'true', annotations: {{summary: '{text}'}}}}]}}]")
    (rule,) = found.rules

    assert found.wants_text(alert("A", wording=found.wording(rule)), rule) is anew
    assert found.wants_text(alert("A", wording="of an older rule"), rule)


def test_a_text_is_not_made_anew_once_the_condition_is_over() -> None:
    texts: Counter[str] = Counter()
    play = Play(spoken(texts))
    play.read(QUARANTINE)
    texts.clear()

    play.read(ACTIVE)

    assert texts == {}


def test_an_event_carries_how_its_rule_is_told() -> None:
    book_of_one = book(
        "groups: [{name: g, rules: [{alert: Changed, event: changed(status.code), severity: error, template: change}]}]"
    )
    case = Case(
        scope=Scope.JOB,
        subject=Subject(now=START, status=PAUSED.status, previous=ACTIVE.status),
        identity=Identity(rule="", tenant_key="global/t-1"),
        subject_labels={"tenant": "contoso"},
        evidence=Evidence(status=PAUSED.status),
        sequence=7,
        withheld_integrations=("ops/teams/default",),
    )

    assert list(judge_events(case, book_of_one)) == [
        Event(
            identity=Identity(rule="Changed", tenant_key="global/t-1"),
            sequence=7,
            at=START,
            severity="error",
            labels={"tenant": "contoso", "alertname": "Changed", "severity": "error"},
            annotations={"summary": "Changed: Paused in contoso"},
            template="change",
            evidence=Evidence(status=PAUSED.status),
            withheld_integrations=("ops/teams/default",),
        )
    ]


def test_an_alert_takes_over_which_integrations_fail_now() -> None:
    """Its text may be the same as before."""
    play = Play(spoken(Counter()))
    (first, *_) = play.read(QUARANTINE).moves
    assert first.after is not None
    case = Case(
        scope=Scope.JOB,
        subject=Subject(now=START, status=QUARANTINE.status),
        identity=first.after.identity,
        subject_labels={"service_principal": "Salesforce"},
        evidence=first.after.evidence,
        alerts={"Plain": first.after},
        changed=True,
        withheld_integrations=("ops/teams/default",),
    )

    (move, *_) = judge_states(case, play.book)

    assert isinstance(move, Move)
    assert move.after is not None
    assert move.after.annotations == first.after.annotations
    assert move.after.withheld_integrations == ("ops/teams/default",)


class _Broken:
    """An expression with a bug of ours: they are total by promise."""

    reads: frozenset[str] = frozenset()
    term = Expression.compile("true").term

    def truth(self, *_: object) -> bool:
        raise ZeroDivisionError("oops")


def _with_broken(name: str, key: str) -> Play:
    changed = [attrs.evolve(one, **{key: _Broken()}) if one.name == name else one for one in rules()]
    return Play(RuleBook(changed, annotate=annotate))


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
    assert (move.after.state, move.after.ended, move.after.endsAt) == (State.RESOLVED, Ended.RULE_REMOVED, START + POLL)


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
        pytest.param(Tally(asked=1, kinds={"server": 1}), 3, "server", 0.0, 1, id="the only one did not answer"),
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


def test_a_round_that_was_kept_gives_its_tally_back() -> None:
    kept = RoundEntry(
        tenant_key="k", at=START, asked=9, ok=2, failed=7, jobs=5, error="server", rested=3, unanswered=4, waiting=6
    )

    assert tally_of(kept) == Tally(asked=9, ok=2, jobs=5, kinds={"server": 7}, rested=3, unanswered=4, waiting=6)
    assert tally_of(attrs.evolve(kept, error=None, ok=9, failed=0)).kinds == {}


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
