"""What one flush of a group makes of its conversations."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import attrs
import pytest

from alertd.model.alert import Alert, Ended, Event, State
from alertd.model.notification import DeliveryState, Reason, Rendered, Withheld
from alertd.notify.decide import Manner, member
from alertd.notify.flush import Flush, Listener, Situation, Turn, flush, is_over, settled
from alertd.notify.group import Pace, open_group
from alertd.store.values import Announced, Conversation, Delivery, Group

from .alerts import START, alert, announced_line, ended, event, told_line

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
PACE = Pace(group_wait=timedelta(0), group_interval=5 * MINUTE, repeat_interval=4 * HOUR)
TEAMS = Listener(
    receiver="ops", manner=Manner(integration_id="ops/teams/default", repeat_interval=PACE.repeat_interval)
)
GROUP = open_group("root:{}", "root", {}, PACE, START)
NOW = START + HOUR  # a tick

A, B, C = alert("A"), alert("B"), alert("C")
A_ENDED, B_ENDED = ended("A"), ended("B")
PRUNED, MOVED = event("EscrowsPruned"), event("ScheduleChanged")


def line(item: Alert) -> Announced:
    return announced_line(item.fingerprint, item.episode)


def talk(
    *told: Alert,
    announced: tuple[Alert, ...] = (),
    message: Delivery | None = None,
    events: tuple[Event, ...] = (),
    last: datetime | None = START,
) -> Conversation:
    """Give a conversation in which these were told at START, and others only announced."""
    return Conversation(
        id="c",
        group_key=GROUP.key,
        route_id="root",
        integration_id=TEAMS.integration_id,
        receiver="ops",
        started_at=START,
        sequence=1,
        told=tuple(told_line(item.fingerprint, item.episode) for item in told),
        announced=tuple(line(item) for item in announced),
        events=events,
        last_message_at=last if told else None,
        open_delivery=message.id if message else None,
    )


def message(
    reason: Reason,
    *firing: Alert,
    resolved: tuple[Alert, ...] = (),
    events: tuple[Event, ...] = (),
    state: DeliveryState = DeliveryState.PENDING,
) -> Delivery:
    """Give a message on its way."""
    return Delivery(
        id="c-1",
        conversation_id="c",
        group_key=GROUP.key,
        integration_id=TEAMS.integration_id,
        receiver="ops",
        sequence=1,
        reason=reason,
        state=state,
        rendered=Rendered(body=b"", content_type="text/plain"),
        firing=tuple(line(item) for item in firing),
        resolved=tuple(line(item) for item in resolved),
        events=events,
        decided_at=START,
        due_at=START,
        retry_until=START + DAY,
    )


def held(*names: str, why: Withheld = Withheld.SILENCED) -> Callable[[Alert | Event], Withheld | None]:
    return lambda item: why if item.name in names else None


def situation(
    *alerts: Alert,
    events: tuple[Event, ...] = (),
    known: Conversation | None = None,
    on_its_way: Delivery | None = None,
    listeners: tuple[Listener, ...] = (TEAMS,),
    withhold: Callable[[Alert | Event], Withheld | None] = lambda _: None,
) -> Situation:
    return Situation(
        group_key=GROUP.key,
        route_id="root",
        group_labels={},
        alerts=alerts,
        events=events,
        conversations={known.integration_id: known} if known else {},
        open_deliveries={on_its_way.id: on_its_way} if on_its_way else {},
        listeners=listeners,
        withhold=withhold,
    )


def at_tick(found: Situation, group: Group = GROUP, now: datetime = NOW) -> Flush:
    return flush(group, found, PACE, now)


def only(found: Situation) -> Turn:
    turns = at_tick(found).turns
    assert len(turns) == 1
    return turns[0]


def said(turn: Turn) -> tuple[Reason | Withheld | None, str, str]:
    decision = turn.decision
    firing = "".join(item.name for item in decision.firing)
    resolved = "".join(entry.alert.name for entry in decision.resolved)
    return decision.reason or decision.withheld, firing, resolved


# The first word, and no word.


def test_the_first_message_begins_a_conversation() -> None:
    turn = only(situation(A))

    assert said(turn) == (Reason.FIRST_NOTIFICATION, "A", "")
    assert turn.conversation is not None
    assert attrs.evolve(turn.conversation, id="") == Conversation(
        id="",
        group_key=GROUP.key,
        route_id="root",
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


# What is on its way, and whether it is still right.

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
        pytest.param(situation(A, known=talk(A, last=NOW - HOUR), listeners=(LEAVING,)), DAY, id="a leaving listener has no repeats"),
        pytest.param(situation(alert(state=State.PENDING, startsAt=START)), DAY, id="demoted: nothing until something changes"),
    ],
)  # fmt: skip
def test_the_next_flush(found: Situation, after: timedelta) -> None:
    assert due(found) == after


def test_where_nothing_is_repeated_a_look_once_a_day_is_enough() -> None:
    never = attrs.evolve(TEAMS, manner=attrs.evolve(TEAMS.manner, repeat_interval=timedelta(0)))

    assert due(situation(A, known=talk(A), listeners=(never,))) == DAY


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
        pytest.param(talk(A), [A_ENDED], False, id="an end is to be told"),
        pytest.param(talk(announced=(A,)), [A_ENDED], False, id="something is to be explained"),
        pytest.param(talk(message=message(Reason.ALL_RESOLVED)), [], False, id="a message is on its way"),
        pytest.param(talk(events=(PRUNED,)), [], False, id="an event waits"),
        pytest.param(attrs.evolve(talk(), recheck=True), [], False, id="a decision was put off"),
    ],
)
def test_the_end_of_a_conversation(known: Conversation, alerts: list[Alert], over: bool) -> None:
    assert is_over(known, [member(item) for item in alerts]) is over
