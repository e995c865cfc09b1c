"""What to say to one integration about one group, and why."""

from __future__ import annotations

from datetime import timedelta

import attrs
import pytest

from alertd.model.alert import Alert, Ended, State
from alertd.model.notification import Reason, Withheld
from alertd.notify.decide import Ledger, Standing, decide, member

from .alerts import START, alert, ended
from .ledgers import (
    A_ENDED,
    A_HELD,
    ALL,
    B_ENDED,
    DAY,
    EARLY,
    ENDED,
    EVENT,
    FIRING,
    FIRST,
    LATE,
    MANNER,
    NEW,
    NOTHING,
    NOW,
    OFF,
    PRUNED,
    QUIET,
    QUIETLY,
    REPEAT,
    SILENT,
    SOME,
    SR_OFF,
    UNCHANGED,
    A,
    B,
    C,
    acknowledged,
    again,
    announced,
    said,
    stand,
    told,
)

# Members.


@pytest.mark.parametrize(
    ("item", "withheld", "standing"),
    [
        pytest.param(alert(), None, FIRING, id="firing"),
        pytest.param(alert(clearSince=START), None, FIRING, id="kept firing"),
        pytest.param(alert(), Withheld.SILENCED, SILENT, id="firing and held back"),
        pytest.param(alert(state=State.PENDING, startsAt=START), None, SILENT, id="demoted by a raised for"),
        pytest.param(ended(), None, ENDED, id="ended"),
        pytest.param(ended(state=State.PENDING), None, ENDED, id="ended, and pending again"),
        pytest.param(ended(state=State.BASELINE), None, ENDED, id="ended, and granted anew"),
        pytest.param(alert(state=State.PENDING, episode=0), None, QUIET, id="pending"),
        pytest.param(alert(state=State.BASELINE, episode=0), None, QUIET, id="baseline"),
    ],
)
def test_where_an_alert_stands(item: Alert, withheld: Withheld | None, standing: Standing) -> None:
    placed = member(item, withheld)

    assert (placed.alert, placed.standing, placed.withheld) == (item, standing, withheld)


# The truth table.


@pytest.mark.parametrize(
    ("known", "now", "expected"),
    [
        pytest.param(NOTHING, [], (UNCHANGED, "", ""), id="nothing at all"),
        pytest.param(NOTHING, [A], (FIRST, "A", ""), id="nothing told, one fires"),
        pytest.param(NOTHING, [A, B], (FIRST, "AB", ""), id="nothing told, two fire"),
        pytest.param(NOTHING, [A, B_ENDED], (FIRST, "A", ""), id="an end nobody heard the beginning of is not listed"),
        pytest.param(NOTHING, [A_ENDED], (EARLY, "", ""), id="over before anybody was told"),
        pytest.param(told("A"), [A], (UNCHANGED, "", ""), id="told, still fires"),
        pytest.param(told("A"), [A, B_ENDED], (UNCHANGED, "", ""), id="... beside an end nobody heard the beginning of"),
        pytest.param(told("A"), [A, B], (NEW, "AB", ""), id="another one fires"),
        pytest.param(told("A"), [A_ENDED, B], (NEW, "B", "A"), id="another one fires, ends are listed along"),
        pytest.param(told("A", "B"), [A_ENDED, B], (SOME, "B", "A"), id="one of two ended"),
        pytest.param(told("A", "B"), [A_ENDED, (B, Withheld.SILENCED)], (SOME, "", "A"), id="the other fires silently"),
        pytest.param(told("A", "B"), [A_ENDED, (B, Withheld.INHIBITED)], (SOME, "", "A"), id="... or is inhibited"),
        pytest.param(
            told("A", "B"),
            [A_ENDED, alert("B", state=State.PENDING, startsAt=START)],
            (SOME, "", "A"),
            id="... or was demoted by a raised for",
        ),
        pytest.param(told("A", "B"), [A_ENDED, B_ENDED], (ALL, "", "AB"), id="both ended"),
        pytest.param(told("A"), [A_ENDED], (ALL, "", "A"), id="the only one ended"),
        pytest.param(told("A"), [A_ENDED, (B, Withheld.SILENCED)], (ALL, "", "A"), id="a silenced stranger is not of F"),
        pytest.param(told("A"), [A_ENDED, B_ENDED], (ALL, "", "A"), id="only what was told fires is listed as resolved"),
        pytest.param(told("A"), [A_HELD], (Withheld.SILENCED, "", ""), id="told, then silenced"),
        pytest.param(NOTHING, [A_HELD], (Withheld.SILENCED, "", ""), id="silenced before anybody was told"),
        pytest.param(NOTHING, [(A, Withheld.INHIBITED), B], (FIRST, "B", ""), id="what is held back is not listed"),
        pytest.param(told("A", age=DAY), [A], (REPEAT, "A", ""), id="the repeat interval is over"),
        pytest.param(
            told("A", age=DAY - timedelta(microseconds=1)), [A], (UNCHANGED, "", ""), id="the repeat interval is not over"
        ),
        pytest.param(told("A", age=9 * DAY), [A_HELD], (Withheld.SILENCED, "", ""), id="no repeat while held back"),
        pytest.param(
            told("A", "B", age=DAY), [A_HELD, B], (REPEAT, "B", ""), id="a repeat leaves out what is held back"
        ),
        pytest.param(acknowledged("A", age=DAY), [A], (Withheld.ACKNOWLEDGED, "", ""), id="somebody has taken it on: no repeat"),
        pytest.param(acknowledged("A", age=DAY / 2), [A], (UNCHANGED, "", ""), id="... and none is kept back before it is due"),
        pytest.param(acknowledged("A", age=DAY), [A_HELD], (Withheld.SILENCED, "", ""), id="... nor while it is silenced"),
        pytest.param(told("A", age=DAY), [A, B], (NEW, "AB", ""), id="news come before a repeat"),
        pytest.param(told("A", "B", age=DAY), [A_ENDED, B], (SOME, "B", "A"), id="ends come before a repeat"),
        pytest.param(announced(NOTHING, "A"), [A_ENDED], (LATE, "", "A"), id="announced, never accepted, ended"),
        pytest.param(announced(NOTHING, "A"), [A], (FIRST, "A", ""), id="announced, never accepted, still fires"),
        pytest.param(announced(told("B"), "A"), [A_ENDED, B], (LATE, "B", "A"), id="late beside what is told"),
        pytest.param(announced(told("B"), "A"), [A_ENDED, B, C], (NEW, "BC", "A"), id="late along with news"),
        pytest.param(announced(told("B"), "A"), [A_ENDED, B_ENDED], (ALL, "", "BA"), id="late along with the all-clear"),
        pytest.param(announced(told("B", "C"), "A"), [A_ENDED, B_ENDED, C], (SOME, "C", "BA"), id="late along with ends"),
        pytest.param(announced(NOTHING, "A"), [A_ENDED, B], (FIRST, "B", "A"), id="late along with the first message"),
        pytest.param(
            announced(told("B", age=DAY), "A"), [A_ENDED, B], (REPEAT, "B", "A"), id="late only if no other row applies"
        ),
        pytest.param(announced(NOTHING, "A"), [A_HELD], (Withheld.SILENCED, "", ""), id="announced, now silenced"),
        pytest.param(told("A"), [again("A")], (UNCHANGED, "", ""), id="ended and fired again between two ticks"),
        pytest.param(told("A"), [again("A", 5)], (UNCHANGED, "", ""), id="... and that several times"),
        pytest.param(told("A"), [ended("A", episode=3)], (ALL, "", "A"), id="... and ended after all"),
        pytest.param(told("A"), [again("A", 2, inherits_from=2)], (NEW, "A", ""), id="a new series is news"),
        pytest.param(
            told("A", episode=2), [again("A", 3, inherits_from=2)], (UNCHANGED, "", ""), id="told of the new series"
        ),
        pytest.param(
            told("A"),
            [ended("A", episode=2, inherits_from=2)],
            (ALL, "", "A"),
            id="a new series that ended before it was told",
        ),
        pytest.param(
            told("A", "B"),
            [(again("A", 2, inherits_from=2), Withheld.SILENCED), B_ENDED],
            (SOME, "", "B"),
            id="a silenced new series still fires",
        ),
        pytest.param(
            announced(NOTHING, "A", episode=1),
            [ended("A", episode=3)],
            (LATE, "", "A"),
            id="announced, fired again, ended: one late message",
        ),
        pytest.param(told("A"), [ended("A", state=State.PENDING)], (ALL, "", "A"), id="ended, and pending again"),
        pytest.param(told(absent=("A",)), [A], (NEW, "A", ""), id="back after a message went out without it"),
        pytest.param(told(absent=("A",)), [A_HELD], (Withheld.SILENCED, "", ""), id="still away"),
        pytest.param(told(absent=("A",)), [A_ENDED], (ALL, "", "A"), id="ended while it was held back"),
        pytest.param(told("B", absent=("A",)), [A_ENDED, B], (SOME, "B", "A"), id="... while another fires on"),
        pytest.param(NOTHING, [alert("A", state=State.PENDING, episode=0)], (UNCHANGED, "", ""), id="pending says nothing"),
        pytest.param(NOTHING, [alert("A", state=State.BASELINE, episode=0)], (UNCHANGED, "", ""), id="nor does baseline"),
    ],
)  # fmt: skip
def test_the_truth_table(
    known: Ledger, now: list[Alert | tuple[Alert, Withheld]], expected: tuple[Reason | Withheld, str, str]
) -> None:
    assert said(decide(known, stand(*now), (), MANNER, NOW)) == expected


# How it ended.


def gone(name: str) -> Alert:
    return ended(name, how=Ended.GONE)


def unwatched(name: str) -> Alert:
    return ended(name, how=Ended.NOT_WATCHED)


def removed(name: str) -> Alert:
    return ended(name, how=Ended.RULE_REMOVED)


@pytest.mark.parametrize(
    ("ends", "reason"),
    [
        pytest.param([gone("A")], Reason.SUBJECT_GONE, id="gone"),
        pytest.param([unwatched("A")], Reason.NOT_WATCHED, id="not watched"),
        pytest.param([removed("A")], Reason.RULE_REMOVED, id="rule removed"),
        pytest.param([A_ENDED, gone("B")], Reason.SUBJECT_GONE, id="one resolved, one gone"),
        pytest.param([removed("A"), unwatched("B"), gone("C")], Reason.SUBJECT_GONE, id="gone comes first"),
        pytest.param([removed("A"), unwatched("B")], Reason.NOT_WATCHED, id="then not watched"),
        pytest.param([A_ENDED, removed("B")], Reason.RULE_REMOVED, id="then rule removed"),
        pytest.param([A_ENDED, B_ENDED], Reason.ALL_RESOLVED, id="all-clear only if each truly resolved"),
    ],
)
def test_an_all_clear_that_is_none_says_so(ends: list[Alert], reason: Reason) -> None:
    decision = decide(told("A", "B", "C"), stand(*ends), (), MANNER, NOW)

    assert decision.reason is reason
    assert [(entry.alert, entry.ended) for entry in decision.resolved] == [(item, item.ended) for item in ends]


def test_while_others_fire_an_end_of_any_kind_is_some_resolved() -> None:
    decision = decide(told("A", "B"), stand(gone("A"), B), (), MANNER, NOW)

    assert said(decision) == (SOME, "B", "A")
    assert decision.resolved[0].ended is Ended.GONE


# Integrations that do not want ends.


@pytest.mark.parametrize(
    ("known", "now", "expected", "forgotten"),
    [
        pytest.param(told("A"), [A_ENDED], (SR_OFF, "", ""), {"A"}, id="an end is not told, but settled"),
        pytest.param(told("A", "B"), [A_ENDED, B], (SR_OFF, "", ""), {"A"}, id="one of two"),
        pytest.param(told("A"), [A_ENDED, B], (NEW, "B", ""), {"A"}, id="not even along with news"),
        pytest.param(told("A", "B", age=DAY), [A_ENDED, B], (REPEAT, "B", ""), {"A"}, id="nor with a repeat"),
        pytest.param(announced(NOTHING, "A"), [A_ENDED], (LATE, "", "A"), set(), id="late all the same"),
        pytest.param(announced(told("B"), "A"), [A_ENDED, B_ENDED], (LATE, "", "A"), {"B"}, id="late, beside an end"),
        pytest.param(NOTHING, [A_ENDED], (EARLY, "", ""), set(), id="nothing to settle"),
        pytest.param(told("A"), [A_ENDED, (B, Withheld.MUTED)], (Withheld.MUTED, "", ""), {"A"}, id="held back first"),
    ],
)
def test_send_resolved_off(
    known: Ledger, now: list[Alert], expected: tuple[Reason | Withheld, str, str], forgotten: set[str]
) -> None:
    decision = decide(known, stand(*now), (), OFF, NOW)

    assert said(decision) == expected
    assert decision.forgotten == {alert(name).fingerprint for name in forgotten}


@pytest.mark.parametrize(
    ("now", "expected", "forgotten"),
    [
        pytest.param([removed("A")], (SR_OFF, "", ""), {"A"}, id="a removed rule closes without a word"),
        pytest.param([removed("A"), B], (SR_OFF, "", ""), {"A"}, id="also beside what fires on"),
        pytest.param([removed("A"), B_ENDED], (ALL, "", "B"), {"A"}, id="a true end is told"),
        pytest.param([gone("A")], (Reason.SUBJECT_GONE, "", "A"), set(), id="so is a vanished job"),
        pytest.param([unwatched("A")], (Reason.NOT_WATCHED, "", "A"), set(), id="and what is not watched"),
    ],
)
def test_a_removed_rule_in_chat_and_mail(
    now: list[Alert], expected: tuple[Reason | Withheld, str, str], forgotten: set[str]
) -> None:
    decision = decide(told("A", "B"), stand(*now), (), QUIETLY, NOW)

    assert said(decision) == expected
    assert decision.forgotten == {alert(name).fingerprint for name in forgotten}


def test_no_repeats_where_none_are_wanted() -> None:
    never = attrs.evolve(MANNER, repeat_interval=timedelta(0))

    assert said(decide(told("A", age=99 * DAY), stand(A), (), never, NOW)) == (UNCHANGED, "", "")


def test_no_repeat_where_nothing_was_ever_accepted() -> None:
    """A ledger carried over by a reload may have lines and no clock."""
    carried = attrs.evolve(told("A"), last_message_at=None)

    assert said(decide(carried, stand(A), (), MANNER, NOW)) == (UNCHANGED, "", "")


# An alert that must not go through this very integration.


def test_a_failing_integration_is_not_told_of_its_own_failure() -> None:
    kept_off = alert("A", withheld_integrations=(MANNER.integration_id,))

    assert said(decide(NOTHING, stand(kept_off), (), MANNER, NOW)) == (UNCHANGED, "", "")
    assert said(decide(NOTHING, stand(kept_off, B), (), MANNER, NOW)) == (FIRST, "B", "")
    elsewhere = attrs.evolve(MANNER, integration_id="managers/email/default")
    assert said(decide(NOTHING, stand(kept_off), (), elsewhere, NOW)) == (FIRST, "A", "")


# Events.


@pytest.mark.parametrize(
    ("known", "now", "expected"),
    [
        pytest.param(NOTHING, [], (EVENT, "", ""), id="alone"),
        pytest.param(told("A"), [A], (EVENT, "A", ""), id="what fires is listed along"),
        pytest.param(told("A"), [A_HELD], (EVENT, "", ""), id="what is held back is not"),
        pytest.param(NOTHING, [A], (FIRST, "A", ""), id="along with the first message"),
        pytest.param(told("A"), [A_ENDED], (ALL, "", "A"), id="along with the all-clear"),
        pytest.param(told("A", age=DAY), [A], (REPEAT, "A", ""), id="along with a repeat"),
        pytest.param(announced(NOTHING, "A"), [A_ENDED], (LATE, "", "A"), id="along with a late message"),
        pytest.param(NOTHING, [A_ENDED], (EVENT, "", ""), id="beside an end nobody heard of"),
    ],
)
def test_events(known: Ledger, now: list[Alert], expected: tuple[Reason, str, str]) -> None:
    decision = decide(known, stand(*now), (PRUNED,), MANNER, NOW)

    assert said(decision) == expected
    assert decision.events == (PRUNED,)


def test_an_event_is_told_though_ends_are_not() -> None:
    decision = decide(told("A"), stand(A_ENDED), (PRUNED,), OFF, NOW)

    assert said(decision) == (EVENT, "", "")
    assert decision.forgotten == {A.fingerprint}
