"""A pending message is replaced as soon as it is no longer right; one of which nobody knows is waited for."""

from __future__ import annotations

import attrs
import pytest

from alertd.model.alert import Alert
from alertd.model.notification import DeliveryState, Reason, Withheld
from alertd.store.values import Delivery, Share

from .alerts import START, alert, ended
from .talks import (
    A_ENDED,
    B_ENDED,
    DAY,
    MOVED,
    PRUNED,
    TEAMS,
    A,
    B,
    C,
    at_tick,
    heard,
    held,
    message,
    only,
    said,
    situation,
    talk,
)

FIRST, NEW, SOME, ALL, LATE, REPEAT = (
    Reason.FIRST_NOTIFICATION,
    Reason.NEW_ALERTS,
    Reason.SOME_RESOLVED,
    Reason.ALL_RESOLVED,
    Reason.LATE,
    Reason.REPEAT,
)
A_AGAIN, A_RENEWED = alert("A", episode=2), alert("A", episode=2, inherits_from=2)
FIRST_A = message(FIRST, A)
CLEAR_A = message(ALL, resolved=(A_ENDED,))
NEWS_AB = message(NEW, A, B)
LATE_A = message(LATE, resolved=(A_ENDED,))
B_LEFT = message(SOME, B, resolved=(A_ENDED,))


@pytest.mark.parametrize(
    ("told", "announced", "open_message", "now", "expected"),
    [
        pytest.param([], [A], FIRST_A, [A], None, id="still right"),
        pytest.param([], [A], FIRST_A, [A, B], (FIRST, "AB", ""), id="more fires: still the first message"),
        pytest.param([], [A], FIRST_A, [A_ENDED], (LATE, "", "A"), id="never told, and over: late"),
        pytest.param(
            [],
            [A, B],
            message(FIRST, A, B),
            [A_ENDED, B],
            (FIRST, "B", "A"),
            id="never told, one over: explained along",
        ),
        pytest.param([], [A], FIRST_A, [A_AGAIN], None, id="ended and fired again: still right"),
        pytest.param([], [A], FIRST_A, [ended("A", episode=2)], (LATE, "", "A"), id="... and ended after all"),
        pytest.param([], [A], FIRST_A, [A_RENEWED], (FIRST, "A", ""), id="a new series is told as such"),
        pytest.param([], [A], LATE_A, [A_ENDED], None, id="late, still right"),
        pytest.param([], [A], LATE_A, [A_AGAIN], (FIRST, "A", ""), id="late, and fires again: not late any more"),
        pytest.param([A], [], CLEAR_A, [A_ENDED], None, id="the all-clear is still right"),
        pytest.param(
            [A],
            [],
            CLEAR_A,
            [A_AGAIN],
            (Withheld.UNCHANGED, "", ""),
            id="fires again before its end was told: withdrawn",
        ),
        pytest.param([A], [], CLEAR_A, [A_RENEWED], (NEW, "A", ""), id="... as a new series"),
        pytest.param([A], [], CLEAR_A, [A_ENDED, B], (NEW, "B", "A"), id="another one fires before the all-clear"),
        pytest.param([A], [B], NEWS_AB, [A, B], None, id="news still right"),
        pytest.param([A], [B], NEWS_AB, [A, B_ENDED], (LATE, "A", "B"), id="the news are over: late"),
        pytest.param([A], [B], NEWS_AB, [A_ENDED, B], (NEW, "B", "A"), id="what was told is over, the news are not"),
        pytest.param([A], [B], NEWS_AB, [A_ENDED, B_ENDED], (ALL, "", "AB"), id="both are over"),
        pytest.param([A], [B], NEWS_AB, [A, B, C], (NEW, "ABC", ""), id="more news"),
        pytest.param([A, B], [], B_LEFT, [A_ENDED, B], None, id="some resolved, still right"),
        pytest.param([A, B], [], B_LEFT, [A_ENDED, B_ENDED], (ALL, "", "AB"), id="the rest too"),
        pytest.param([A, B], [], B_LEFT, [A_AGAIN, B], (Withheld.UNCHANGED, "", ""), id="it fires again: withdrawn"),
        pytest.param([A], [], message(REPEAT, A), [A], None, id="a repeat is not repeated"),
        pytest.param([A], [], message(REPEAT, A), [A_ENDED], (ALL, "", "A"), id="over before the reminder left"),
    ],
)
def test_a_pending_message_is_replaced_when_it_is_no_longer_right(
    told: list[Alert],
    announced: list[Alert],
    open_message: Delivery,
    now: list[Alert],
    expected: tuple[Reason | Withheld, str, str] | None,
) -> None:
    """Reason and lists of the replacement come from what was told alone; `None` leaves what is on its way."""
    known = talk(*told, announced=tuple(announced), message=open_message)

    turn = only(situation(*now, known=known, on_its_way=open_message))

    if expected is None:
        assert (turn.replaces, turn.conversation) == (None, known)
        assert not turn.decision.speaks
    else:
        assert said(turn) == expected
        assert turn.replaces is open_message
        assert turn.conversation is not None
        assert turn.conversation.open_delivery is None
        assert turn.conversation.sequence == (2 if turn.decision.speaks else 1)


def test_what_fires_silently_now_does_not_hold_a_message_back_that_is_on_its_way() -> None:
    first = message(Reason.FIRST_NOTIFICATION, A, B)
    known = talk(announced=(A, B), message=first)

    turn = only(situation(A, B, known=known, on_its_way=first, withhold=held("B")))

    assert (turn.replaces, turn.decision.withheld) == (None, Withheld.SILENCED)


def test_the_repeat_interval_does_not_replace_a_message_that_waits() -> None:
    news = message(Reason.NEW_ALERTS, A, B)
    known = talk(A, announced=(B,), message=news, last=START - 9 * DAY)

    assert only(situation(A, B, known=known, on_its_way=news)).replaces is None


def test_without_ends_a_message_about_what_is_over_is_withdrawn() -> None:
    mute = attrs.evolve(TEAMS, manner=attrs.evolve(TEAMS.manner, send_resolved=False))
    reminder = message(Reason.REPEAT, A)

    turn = only(situation(A_ENDED, known=talk(A, message=reminder), on_its_way=reminder, listeners=(mute,)))

    assert said(turn) == (Withheld.SEND_RESOLVED_OFF, "", "")
    assert turn.replaces is reminder
    assert turn.conversation is not None
    assert turn.conversation.told == ()


def test_without_ends_what_was_never_accepted_is_late_all_the_same() -> None:
    mute = attrs.evolve(TEAMS, manner=attrs.evolve(TEAMS.manner, send_resolved=False))
    first = message(Reason.FIRST_NOTIFICATION, A)

    turn = only(situation(A_ENDED, known=talk(announced=(A,), message=first), on_its_way=first, listeners=(mute,)))

    assert said(turn) == (Reason.LATE, "", "A")


def test_without_ends_an_end_clears_what_was_told_and_announced() -> None:
    """A reminder of a later episode was on its way: the end is settled all the same, not explained as `late`."""
    mute = attrs.evolve(TEAMS, manner=attrs.evolve(TEAMS.manner, send_resolved=False))
    again = alert("A", episode=2)
    reminder = message(Reason.REPEAT, again)
    known = talk(A, announced=(again,), message=reminder)

    turn = only(situation(ended("A", episode=2), known=known, on_its_way=reminder, listeners=(mute,)))

    assert turn.conversation is not None
    assert (turn.conversation.told, turn.conversation.announced) == ((), ())


def test_a_message_that_may_have_arrived_is_not_withdrawn_without_another() -> None:
    """An all-clear without an answer, and the alert fires again: if it was taken, its reader must hear what became of it."""
    clear = attrs.evolve(CLEAR_A, ambiguous=True)
    known = talk(A, message=clear)

    turn = only(situation(A_AGAIN, events=(PRUNED,), known=known, on_its_way=clear))
    assert turn.replaces is clear, "there is another, with the event"

    turn = only(situation(A_AGAIN, known=known, on_its_way=clear))
    assert (turn.replaces, said(turn)) == (None, (Withheld.UNCHANGED, "", ""))
    assert turn.conversation == attrs.evolve(known, recheck=True)
    assert (turn.listener, heard(turn)) == (TEAMS, [A_AGAIN])


def test_a_summary_speaks_for_others_too_and_is_left_to_whoever_sees_them_all() -> None:
    said_here = Share(conversation_id="c", sequence=1, reason=FIRST, firing=FIRST_A.firing)
    summary = attrs.evolve(FIRST_A, reason=Reason.MUTE_SUMMARY, shares=(said_here,))
    known = talk(announced=(A,), message=summary)

    turn = only(situation(A_ENDED, events=(PRUNED,), known=known, on_its_way=summary))

    assert (turn.listener, turn.replaces, said(turn)) == (TEAMS, None, (Withheld.UNCHANGED, "", ""))
    assert turn.conversation == attrs.evolve(known, recheck=True, events=(PRUNED,))
    assert heard(turn) == [A_ENDED]


def test_a_decision_that_was_put_off_is_taken_where_the_pending_message_is_still_right() -> None:
    known = attrs.evolve(talk(announced=(A,), message=FIRST_A), recheck=True)

    turn = only(situation(A, known=known, on_its_way=FIRST_A))

    assert turn.conversation == attrs.evolve(known, recheck=False)
    assert heard(turn) == [A]


@pytest.mark.parametrize("state", [DeliveryState.SENDING, DeliveryState.UNKNOWN])
@pytest.mark.parametrize(
    "alerts",
    [pytest.param([A, B], id="news"), pytest.param([A], id="nothing new"), pytest.param([A_ENDED], id="an end")],
)
def test_while_nobody_knows_what_was_told_the_decision_waits(state: DeliveryState, alerts: list[Alert]) -> None:
    first = message(Reason.FIRST_NOTIFICATION, A, state=state)
    known = talk(announced=(A,), message=first, events=(MOVED,))

    result = at_tick(situation(*alerts, events=(PRUNED,), known=known, on_its_way=first))

    assert result.turns[0].conversation == attrs.evolve(known, recheck=True, events=(MOVED, PRUNED))
    assert said(result.turns[0]) == (Withheld.UNCHANGED, "", "")
    assert result.turns[0].replaces is None
    assert result.settled == ()
