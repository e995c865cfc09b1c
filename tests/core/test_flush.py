"""What one flush of a group makes of its conversations."""

from __future__ import annotations

from datetime import timedelta

import attrs
import pytest

from alertd.model.alert import Alert, Ended, State
from alertd.model.notification import Reason, Withheld
from alertd.notify.decide import member
from alertd.notify.flush import Situation, is_over, settled
from alertd.notify.reminders import Backoff
from alertd.store.values import Conversation

from .alerts import START, alert, ended
from .talks import (
    A_ENDED,
    B_ENDED,
    DAY,
    GROUP,
    HOUR,
    MINUTE,
    MOVED,
    NOW,
    PACE,
    PRUNED,
    TEAMS,
    A,
    B,
    at_tick,
    held,
    line,
    message,
    only,
    said,
    situation,
    talk,
)

# The first word, and no word.


def test_the_first_message_begins_a_conversation() -> None:
    turn = only(attrs.evolve(situation(A), group_labels={"tenant": "contoso"}))

    assert said(turn) == (Reason.FIRST_NOTIFICATION, "A", "")
    assert turn.conversation is not None
    assert attrs.evolve(turn.conversation, id="") == Conversation(
        id="",
        group_key=GROUP.key,
        route_id="root",
        group_labels={"tenant": "contoso"},
        integration_id="ops/teams/default",
        receiver="ops",
        started_at=NOW,
        sequence=1,
        announced=(line(A),),
    )


def test_a_conversation_s_id_tells_group_integration_and_moment() -> None:
    other = attrs.evolve(TEAMS, manner=attrs.evolve(TEAMS.manner, integration_id="ops/email/default"))
    ids = [
        turn.conversation.id
        for found, now in [
            (situation(A), NOW),
            (situation(A, B), NOW),
            (situation(A), NOW + DAY),
            (situation(A, listeners=(other,)), NOW),
            (attrs.evolve(situation(A), group_key="other"), NOW),
        ]
        for turn in at_tick(found, now=now).turns
        if turn.conversation
    ]

    assert ids[0] == ids[1], "a flush that is done twice is done once"
    assert len(set(ids)) == 4


def test_nothing_said_begins_nothing() -> None:
    turn = only(situation(A_ENDED))

    assert said(turn) == (Withheld.RESOLVED_BEFORE_FIRST, "", "")
    assert turn.conversation is None


def test_each_listener_has_a_conversation_of_its_own() -> None:
    email = attrs.evolve(TEAMS, manner=attrs.evolve(TEAMS.manner, integration_id="ops/email/default"))

    first, second = at_tick(situation(A, known=talk(A), listeners=(TEAMS, email))).turns

    assert said(first) == (Withheld.UNCHANGED, "", "")
    assert said(second) == (Reason.FIRST_NOTIFICATION, "A", "")


def test_messages_of_a_conversation_are_counted() -> None:
    turn = only(situation(A, B, known=talk(A)))

    assert turn.conversation is not None
    assert (turn.conversation.id, turn.conversation.sequence) == ("c", 2)


# Events.


def test_an_event_is_told_with_whatever_is_told() -> None:
    turn = only(situation(A, events=(PRUNED,)))

    assert said(turn) == (Reason.FIRST_NOTIFICATION, "A", "")
    assert turn.decision.events == (PRUNED,)


def test_a_replacement_carries_the_events_of_what_it_replaces() -> None:
    first = message(Reason.FIRST_NOTIFICATION, A, events=(PRUNED,))
    known = talk(announced=(A,), message=first)

    turn = only(situation(A, events=(MOVED,), known=known, on_its_way=first))

    assert said(turn) == (Reason.FIRST_NOTIFICATION, "A", "")
    assert turn.decision.events == (PRUNED, MOVED)


def test_a_withdrawn_message_leaves_its_events_to_be_told() -> None:
    """Its all-clear is wrong by now, what it reported beside it is not."""
    clear = message(Reason.ALL_RESOLVED, resolved=(A_ENDED,), events=(PRUNED,))

    turn = only(situation(alert("A", episode=2), known=talk(A, message=clear), on_its_way=clear))

    assert said(turn) == (Reason.EVENT, "A", "")
    assert turn.decision.events == (PRUNED,)


def test_events_that_waited_for_an_attempt_to_end_go_out_once() -> None:
    turn = only(situation(A, known=talk(A, events=(PRUNED,))))

    assert turn.decision.events == (PRUNED,)
    assert turn.conversation is not None
    assert turn.conversation.events == ()


def test_an_event_does_not_go_through_an_integration_that_fails() -> None:
    failing = attrs.evolve(PRUNED, withheld_integrations=(TEAMS.integration_id,))

    assert not only(situation(events=(failing,))).decision.speaks


@pytest.mark.parametrize("why", [Withheld.SILENCED, Withheld.INHIBITED])
def test_a_silenced_or_inhibited_event_is_recorded_and_not_sent(why: Withheld) -> None:
    result = at_tick(situation(events=(PRUNED, MOVED), withhold=held("EscrowsPruned", why=why)))

    assert result.turns[0].decision.events == (MOVED,)
    assert result.unsaid == ((PRUNED, why),)
    assert result.spent_events == (PRUNED.key, MOVED.key)
    assert result.group is None


def test_a_muted_event_is_held_and_keeps_its_group() -> None:
    result = at_tick(situation(events=(PRUNED, MOVED), withhold=held("EscrowsPruned", why=Withheld.MUTED)))

    assert result.turns[0].decision.events == (MOVED,)
    assert result.unsaid == ()
    assert result.spent_events == (MOVED.key,)
    assert result.group is not None
    assert result.group.due_at == NOW + PACE.group_interval


def test_an_event_keeps_no_group_alive() -> None:
    result = at_tick(situation(events=(PRUNED,)))

    assert result.turns[0].decision.reason is Reason.EVENT
    assert result.group is None


# Listeners that the routes no longer name.

LEAVING = attrs.evolve(TEAMS, leaving=True)


@pytest.mark.parametrize(
    ("alerts", "expected"),
    [
        pytest.param([A], (Withheld.UNCHANGED, "", ""), id="what it was told goes on"),
        pytest.param([A, B], (Withheld.UNCHANGED, "", ""), id="nothing new"),
        pytest.param([A_ENDED], (Reason.ALL_RESOLVED, "", "A"), id="how it ended"),
        pytest.param([A_ENDED, B], (Reason.ALL_RESOLVED, "", "A"), id="also while others fire of which it never heard"),
        pytest.param([ended("A", how=Ended.GONE)], (Reason.SUBJECT_GONE, "", "A"), id="however it ended"),
    ],
)
def test_a_leaving_listener_hears_ends_alone(alerts: list[Alert], expected: tuple[Reason | Withheld, str, str]) -> None:
    known = talk(A, last=START - 9 * DAY)

    turn = only(situation(*alerts, events=(PRUNED,), known=known, listeners=(LEAVING,)))

    assert said(turn) == expected
    assert turn.decision.events == ()


def test_a_leaving_listener_still_hears_of_what_it_was_told_together() -> None:
    turn = only(situation(A_ENDED, B, known=talk(A, B), listeners=(LEAVING,)))

    assert said(turn) == (Reason.SOME_RESOLVED, "", "A")


# When the group is flushed again.


KEPT_OFF = alert("A", withheld_integrations=(TEAMS.integration_id,))


def due(found: Situation) -> timedelta | None:
    group = at_tick(found).group
    return None if group is None else group.due_at - NOW


@pytest.mark.parametrize(
    ("found", "after"),
    [
        pytest.param(situation(A, known=talk(A, last=NOW - HOUR)), 3 * HOUR, id="at the repeat"),
        pytest.param(situation(A, known=talk(A, last=NOW - HOUR + MINUTE)), 3 * HOUR + 5 * MINUTE, id="at the tick after it"),
        pytest.param(situation(A), 4 * HOUR, id="at the repeat of the message decided now"),
        pytest.param(situation(A, B, known=talk(A, last=NOW - 3 * HOUR)), 4 * HOUR, id="a message now moves the repeat"),
        pytest.param(situation(A, known=talk(A, last=NOW - 4 * HOUR)), 4 * HOUR, id="a repeat now, the next later"),
        pytest.param(situation(A, B, withhold=held("B")), 5 * MINUTE, id="something is held back: every tick"),
        pytest.param(situation(A, known=talk(A), listeners=()), DAY, id="nobody listens: a look once a day"),
        pytest.param(situation(A, B_ENDED, known=talk(A, last=NOW - HOUR)), 3 * HOUR, id="at the repeat of what fires on"),
        pytest.param(situation(KEPT_OFF), DAY, id="told to nobody here: a look once a day"),
        pytest.param(situation(A, known=talk(A, last=NOW - HOUR), listeners=(LEAVING,)), DAY, id="a leaving listener has no repeats"),
        pytest.param(situation(alert(state=State.PENDING, startsAt=START)), DAY, id="demoted: nothing until something changes"),
    ],
)  # fmt: skip
def test_the_next_flush(found: Situation, after: timedelta) -> None:
    assert due(found) == after


def test_where_nothing_is_repeated_a_look_once_a_day_is_enough() -> None:
    never = attrs.evolve(TEAMS, manner=attrs.evolve(TEAMS.manner, repeat_interval=timedelta(0)))

    assert due(situation(A, known=talk(A), listeners=(never,))) == DAY


def test_a_repeat_now_makes_the_next_one_rarer_where_the_route_says_so() -> None:
    rarer = attrs.evolve(TEAMS, manner=attrs.evolve(TEAMS.manner, repeat_backoff=Backoff(factor=3)))

    assert due(situation(A, known=talk(A, last=NOW - 4 * HOUR), listeners=(rarer,))) == 12 * HOUR
    assert due(situation(A, B, known=talk(A, last=NOW - 4 * HOUR), listeners=(rarer,))) == 4 * HOUR


def test_the_earliest_repeat_of_several_listeners() -> None:
    email = attrs.evolve(TEAMS, manner=attrs.evolve(TEAMS.manner, integration_id="ops/email/default"))

    assert due(situation(A, known=talk(A, last=NOW - HOUR), listeners=(TEAMS, email))) == 3 * HOUR


# The end of a group, and of what it remembers.


@pytest.mark.parametrize(
    ("found", "lives"),
    [
        pytest.param(situation(A), True, id="something fires"),
        pytest.param(situation(A, withhold=held("A")), True, id="something fires silently"),
        pytest.param(
            situation(alert(state=State.PENDING, startsAt=START)), True, id="something fired until `for` was raised"
        ),
        pytest.param(situation(A_ENDED), False, id="all ended"),
        pytest.param(situation(ended(state=State.PENDING)), False, id="ended, and pending again"),
        pytest.param(situation(), False, id="nothing left"),
    ],
)
def test_a_group_ends_with_the_flush_that_leaves_it_without_members(found: Situation, lives: bool) -> None:
    assert (at_tick(found).group is not None) is lives


def test_a_flush_is_counted() -> None:
    result = at_tick(situation(A))

    assert result.group is not None
    assert (result.group.sequence, result.group.flushed_at, result.group.dirty) == (1, NOW, False)


@pytest.mark.parametrize(
    ("alerts", "known", "expected"),
    [
        pytest.param([A_ENDED], None, "A", id="nobody ever heard of it"),
        pytest.param([A_ENDED], talk(B), "A", id="others were told of others"),
        pytest.param([A_ENDED], talk(A), "", id="the all-clear is not accepted yet"),
        pytest.param([A_ENDED], talk(announced=(A,)), "", id="announced: it has to be explained"),
        pytest.param([A_ENDED, B_ENDED], talk(A), "B", id="each for itself"),
        pytest.param([A], None, "", id="what fires is not settled"),
        pytest.param([ended("A", state=State.PENDING)], None, "A", id="the end of what is pending again is"),
        pytest.param([A_ENDED], attrs.evolve(talk(B), recheck=True), "", id="a decision was put off"),
    ],
)
def test_what_nobody_waits_for_any_more(alerts: list[Alert], known: Conversation | None, expected: str) -> None:
    assert "".join(item.name for item in settled(alerts, (known, None))) == expected


def test_an_end_that_is_not_told_is_settled_at_once() -> None:
    mute = attrs.evolve(TEAMS, manner=attrs.evolve(TEAMS.manner, send_resolved=False))

    assert at_tick(situation(A_ENDED, known=talk(A), listeners=(mute,))).settled == (A_ENDED,)


@pytest.mark.parametrize(
    ("known", "alerts", "over"),
    [
        pytest.param(talk(), [A_ENDED], True, id="nothing told, nothing fires"),
        pytest.param(talk(), [alert(state=State.PENDING)], True, id="nothing told, what is pending does not count"),
        pytest.param(talk(), [A], False, id="something fires"),
        pytest.param(talk(), [A, B_ENDED], False, id="something fires beside what has ended"),
        pytest.param(talk(A), [A_ENDED], False, id="an end is to be told"),
        pytest.param(talk(announced=(A,)), [A_ENDED], False, id="something is to be explained"),
        pytest.param(talk(message=message(Reason.ALL_RESOLVED)), [], False, id="a message is on its way"),
        pytest.param(talk(events=(PRUNED,)), [], False, id="an event waits"),
        pytest.param(attrs.evolve(talk(), recheck=True), [], False, id="a decision was put off"),
    ],
)
def test_the_end_of_a_conversation(known: Conversation, alerts: list[Alert], over: bool) -> None:
    assert is_over(known, [member(item) for item in alerts]) is over
