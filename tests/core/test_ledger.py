"""What an integration was told, once a message is accepted; and what must hold of any decision."""

from __future__ import annotations

from datetime import datetime, timedelta

import attrs
import pytest
from hypothesis import given

from alertd.model.alert import Event
from alertd.model.notification import DeliveryState, Reason, Rendered
from alertd.notify.decide import Decision, Ledger, Manner, Member, assume, decide, ledger
from alertd.store.values import Announced, Conversation, Delivery

from .alerts import START, alert, announced_line, told_line
from .ledgers import (
    ALL,
    DAY,
    ENDED,
    EVENT,
    FIRING,
    MANNER,
    NEW,
    NOTHING,
    NOW,
    PRUNED,
    SILENT,
    A,
    B,
    acknowledged,
    announced,
    stand,
    told,
)
from .strategies import announced_lines, groups, manners


def sent(decision: Decision, at: datetime = NOW) -> Delivery:
    """Give the delivery that a decision leads to."""
    return delivery(
        decision.reason or EVENT,
        firing=tuple(announced_line(item.fingerprint, item.episode) for item in decision.firing),
        resolved=tuple(announced_line(entry.alert.fingerprint, entry.alert.episode) for entry in decision.resolved),
        events=decision.events,
        at=at,
    )


def delivery(
    reason: Reason,
    *,
    firing: tuple[Announced, ...] = (),
    resolved: tuple[Announced, ...] = (),
    events: tuple[Event, ...] = (),
    at: datetime = NOW,
) -> Delivery:
    return Delivery(
        id="c-1",
        conversation_id="c",
        group_key="g",
        integration_id=MANNER.integration_id,
        receiver="ops",
        sequence=1,
        reason=reason,
        state=DeliveryState.PENDING,
        rendered=Rendered(body=b"", content_type="text/plain"),
        firing=firing,
        resolved=resolved,
        events=events,
        decided_at=at,
        due_at=at,
        retry_until=at + DAY,
    )


def line(name: str, episode: int = 1) -> Announced:
    return announced_line(alert(name).fingerprint, episode)


@pytest.mark.parametrize(
    ("known", "firing", "resolved", "lines"),
    [
        pytest.param(NOTHING, [line("A")], [], [("A", 1, 0, False)], id="told now"),
        pytest.param(told("A"), [line("A")], [], [("A", 1, 1, False)], id="first accepted then, not now"),
        pytest.param(told("A"), [line("A", 2)], [], [("A", 2, 0, False)], id="a later episode is told now"),
        pytest.param(told(absent=("A",)), [line("A")], [], [("A", 1, 1, False)], id="back again"),
        pytest.param(told("A", "B"), [line("B")], [], [("A", 1, 1, True), ("B", 1, 1, False)], id="left out: away"),
        pytest.param(told("A"), [], [line("A")], [], id="its end is told"),
        pytest.param(told("A"), [], [line("A", 4)], [], id="the end of a later episode that it spoke for"),
        pytest.param(told("A", episode=4), [], [line("A", 3)], [("A", 4, 1, True)], id="an end it has outlived"),
        pytest.param(told("A"), [], [], [("A", 1, 1, True)], id="a message of events alone"),
    ],
)
def test_an_accepted_message(
    known: Ledger, firing: list[Announced], resolved: list[Announced], lines: list[tuple[str, int, int, bool]]
) -> None:
    after = assume(known, delivery(NEW, firing=tuple(firing), resolved=tuple(resolved)), NOW)

    expected = {
        alert(name).fingerprint: told_line(alert(name).fingerprint, episode, NOW - timedelta(hours=hours), absent)
        for name, episode, hours, absent in lines
    }
    assert after == Ledger(told=expected, last_message_at=NOW, as_of=NOW)


@pytest.mark.parametrize(
    ("firing", "resolved", "left"),
    [
        pytest.param([], [], ["A", "B"], id="what it does not mention stays"),
        pytest.param([line("A")], [], ["B"], id="what it says fires"),
        pytest.param([], [line("B")], ["A"], id="what it explains"),
        pytest.param([line("A", 3)], [], ["B"], id="a later episode speaks for the earlier"),
        pytest.param([line("A", 0)], [], ["A", "B"], id="an earlier one does not"),
    ],
)
def test_what_was_only_announced_before(firing: list[Announced], resolved: list[Announced], left: list[str]) -> None:
    known = announced(NOTHING, "A", "B")

    after = assume(known, delivery(NEW, firing=tuple(firing), resolved=tuple(resolved)), NOW)

    assert after.announced == {line(name) for name in left}


def test_the_ledger_of_a_conversation() -> None:
    heard = told_line(A.fingerprint, 1, START)
    talk = Conversation(
        id="c",
        group_key="g",
        integration_id="i",
        receiver="r",
        started_at=START,
        told=(heard,),
        announced=(line("B"),),
        last_message_at=NOW,
    )

    assert ledger(talk) == Ledger(
        told={A.fingerprint: heard}, announced=frozenset({line("B")}), last_message_at=NOW, as_of=NOW
    )
    assert ledger(attrs.evolve(talk, as_of=START)).as_of == START
    assert ledger(None) == NOTHING


# What must hold whatever was told and whatever stands.


@given(groups(), manners)
def test_once_it_is_accepted_there_is_nothing_left_to_say(group: tuple[Ledger, list[Member]], manner: Manner) -> None:
    known, everyone = group
    decision = decide(known, everyone, (PRUNED,), manner, NOW)
    remembered = attrs.evolve(
        known,
        told={name: one for name, one in known.told.items() if name not in decision.forgotten},
        announced=frozenset(one for one in known.announced if one.fingerprint not in decision.forgotten),
    )

    after = assume(remembered, sent(decision), NOW)

    assert not decide(after, everyone, (), manner, NOW).speaks
    assert not decide(after, everyone, (), manner, NOW).forgotten


@given(groups(), manners)
def test_accepting_twice_is_accepting_once(group: tuple[Ledger, list[Member]], manner: Manner) -> None:
    """Of what was told; reminders are counted, and a delivery ends once."""
    known, everyone = group
    message = sent(decide(known, everyone, (), manner, NOW))

    once = assume(known, message, NOW)

    assert attrs.evolve(assume(once, message, NOW), repeats=once.repeats) == once


def test_what_is_taken_on_stays_so_when_a_message_is_accepted() -> None:
    known = acknowledged("A", age=DAY)

    assert assume(known, sent(decide(told("A"), stand(A, B), (), MANNER, NOW)), NOW).acknowledged


@given(groups(), manners)
def test_no_alert_is_passed_over(group: tuple[Ledger, list[Member]], manner: Manner) -> None:
    """What fires and is not held back is told, or was; whoever was told hears of the end, unless he wants no ends."""
    known, everyone = group
    decision = decide(known, everyone, (), manner, NOW)
    listed = {entry.alert.fingerprint for entry in decision.resolved} | decision.forgotten

    for entry in everyone:
        heard = entry.alert.fingerprint in known.told
        if entry.standing is FIRING and manner.integration_id not in entry.alert.withheld_integrations:
            assert heard or entry.alert in decision.firing
        if entry.standing is ENDED and (heard or announced_lines(known, entry.alert)):
            assert entry.alert.fingerprint in listed


@given(groups(), manners)
def test_a_message_lists_what_its_standing_allows(group: tuple[Ledger, list[Member]], manner: Manner) -> None:
    known, everyone = group
    decision = decide(known, everyone, (), manner, NOW)
    standing = {entry.alert.fingerprint: entry.standing for entry in everyone}

    assert (decision.reason is None) != (decision.withheld is None)
    assert all(standing[item.fingerprint] is FIRING for item in decision.firing)
    assert all(standing[entry.alert.fingerprint] is ENDED for entry in decision.resolved)
    assert all(standing[name] is ENDED for name in decision.forgotten)
    if decision.reason in {ALL, Reason.SUBJECT_GONE, Reason.NOT_WATCHED, Reason.RULE_REMOVED}:
        assert not any(standing.get(name) in {FIRING, SILENT} for name in known.told), "no false all-clear"
