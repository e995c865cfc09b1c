"""One message at the end of a muted time: who it speaks for, and what a reload or an outage in the middle makes of it.

Where the format of tests can say it, it stands in tests/scenarios/mute-summary.yaml.
"""

from __future__ import annotations

from collections.abc import Mapping

import attrs
import pytest

from alertd.model.alert import Alert, Ended
from alertd.model.notification import DeliveryState, Reason, ResolvedAlert
from alertd.notify.decide import Decision
from alertd.notify.flush import Turn
from alertd.notify.routes import Route
from alertd.notify.summary import share, summary
from alertd.store.values import Announced, Delivery, Share

from .alerts import event
from .desk import DAY, HOUR, MINUTE, Desk, Receiver, route
from .talks import B_ENDED, NOW, PRUNED, TEAMS, A, B, line, message, talk

pytestmark = pytest.mark.anyio

NIGHT = (10, 12)  # the desk opens at nine


def muted(matcher: str = 'alertname=~".+"', *, summed_up: bool = True, receiver: str = "ops") -> Route:
    """Give a tree whose one child has a night and a group for each name."""
    child = route(receiver, matcher, group_by=("alertname",), interval=10 * MINUTE, night=NIGHT, summed_up=summed_up)
    return route("ops", children=(child,))


async def deliveries(desk: Desk) -> list[Delivery]:
    """Give all there ever were, the oldest first."""
    async with desk.store.reading() as reader:
        return sorted(await reader.deliveries(), key=lambda one: (one.decided_at, one.id))


async def in_the_night(desk: Desk, names: str) -> None:
    """Let alerts begin in the night, and wait until just before its end."""
    await desk.wait(HOUR + 5 * MINUTE)
    await desk.set(names)
    await desk.wait(2 * HOUR - 6 * MINUTE)


async def test_without_the_key_every_group_speaks_for_itself() -> None:
    ops = Receiver("ops")
    desk = Desk(muted(summed_up=False), ops)

    await in_the_night(desk, "AB")
    await desk.wait(HOUR)

    assert sorted(ops.reasons) == [("first_notification", "A", ""), ("first_notification", "B", "")]


async def test_a_summary_is_written_into_each_conversation() -> None:
    ops = Receiver("ops")
    desk = Desk(muted(), ops)

    await in_the_night(desk, "AB")
    await desk.wait(HOUR)

    assert ops.reasons == [("mute_summary", "AB", "")]
    talks = await desk.conversations()
    assert [len(talk.told) for talk in talks] == [1, 1]
    assert {talk.open_delivery for talk in talks} == {None}
    assert [talk.last_message_at for talk in talks] == [ops.told[0].at] * 2


async def test_an_acknowledged_conversation_that_has_nothing_new_is_no_part_of_it() -> None:
    ops = Receiver("ops")
    desk = Desk(muted(), ops)
    await desk.set("A")

    await in_the_night(desk, "AB")
    await desk.wait(HOUR)

    assert ops.reasons == [("first_notification", "A", ""), ("mute_summary", "B", "")]


async def test_a_reload_while_it_is_on_its_way_says_nothing_twice() -> None:
    """The groups move, and with them the conversations that the summary speaks for."""
    ops = Receiver("ops")
    desk = Desk(muted(), ops)
    await in_the_night(desk, "AB")
    ops.mood = "down"
    await desk.wait(10 * MINUTE)

    await desk.reload(muted('alertname!=""'))
    ops.mood = "up"
    await desk.wait(HOUR)

    assert ops.reasons == [("mute_summary", "AB", "")]
    await desk.set("")
    await desk.wait(HOUR)
    assert sorted(ops.reasons[1:]) == [("all_resolved", "", "A"), ("all_resolved", "", "B")]


async def test_a_reload_that_takes_the_key_away_leaves_no_alert_untold() -> None:
    ops = Receiver("ops")
    desk = Desk(muted(), ops)
    await in_the_night(desk, "AB")
    ops.mood = "down"
    await desk.wait(10 * MINUTE)
    await desk.set("A")

    await desk.reload(muted(summed_up=False))
    await desk.wait(20 * MINUTE)
    ops.mood = "up"
    await desk.wait(HOUR)

    assert ops.heard == "A"
    assert sorted(ops.reasons) == [("first_notification", "A", ""), ("late", "", "B")]


async def test_a_receiver_that_a_reload_removes_holds_nothing_back() -> None:
    ops, other = Receiver("ops"), Receiver("other")
    desk = Desk(muted(), ops, other)
    await in_the_night(desk, "AB")
    ops.mood = "down"
    await desk.wait(10 * MINUTE)

    await desk.reload(muted(receiver="other"))
    await desk.wait(HOUR)

    assert sorted(other.reasons) == [("first_notification", "A", ""), ("first_notification", "B", "")]
    ops.mood = "up"
    await desk.set("")
    await desk.wait(DAY)
    assert (ops.heard, other.heard) == ("", "")
    assert await desk.stored_alerts() == []
    assert await desk.conversations() == ()


async def test_one_that_may_have_arrived_is_not_replaced() -> None:
    """Whoever has it must hear what became of what it said: the end comes after it, not instead of it."""
    ops = Receiver("ops")
    desk = Desk(muted(), ops)
    await in_the_night(desk, "AB")
    ops.mood = "silent"
    await desk.wait(7 * MINUTE)
    ops.mood = "down"
    await desk.set("A")
    await desk.wait(30 * MINUTE)
    ops.mood = "up"
    await desk.wait(HOUR)

    assert ops.reasons == [("mute_summary", "AB", ""), ("all_resolved", "", "B")]
    assert ops.heard == "A"


async def test_one_that_is_refused_for_good_is_followed_by_another() -> None:
    ops = Receiver("ops")
    desk = Desk(muted(), ops)
    await in_the_night(desk, "AB")
    ops.mood = "refusing"
    await desk.wait(7 * MINUTE)
    ops.mood = "up"
    await desk.wait(HOUR)

    assert ops.reasons == [("mute_summary", "AB", "")]
    assert [one.state for one in await deliveries(desk)] == [DeliveryState.FAILED, DeliveryState.DELIVERED]


async def test_when_all_is_over_nothing_is_left() -> None:
    ops = Receiver("ops")
    desk = Desk(muted(), ops)
    await in_the_night(desk, "AB")
    await desk.happen()
    await desk.wait(HOUR)
    await desk.set("")
    await desk.wait(DAY)

    assert ops.events == [1]
    assert ops.heard == ""
    assert await desk.stored_alerts() == []
    assert await desk.conversations() == ()
    assert await desk.groups() == 0


def test_a_conversation_sees_its_share_of_a_summary() -> None:
    one, other = event("E", sequence=1), event("E", sequence=2)
    line = Announced(fingerprint="f", episode=1)
    shares = (
        Share(conversation_id="a", sequence=1, reason=Reason.FIRST_NOTIFICATION, firing=(line,), events=(one.key,)),
        Share(conversation_id="b", sequence=4, reason=Reason.REPEAT, repeats=3),
    )
    whole = message(Reason.MUTE_SUMMARY, events=(one, other))
    delivery = attrs.evolve(whole, shares=shares)

    first, second = delivery.as_told_in("a"), delivery.as_told_in("b")

    assert (first.reason, first.firing, first.events, first.repeats) == (shares[0].reason, (line,), (one,), 0)
    assert (second.reason, second.firing, second.events, second.repeats) == (Reason.REPEAT, (), (), 3)
    assert (first.id, first.state) == (delivery.id, delivery.state)
    assert whole.as_told_in("a") is whole


def turn(*firing: Alert, labels: Mapping[str, str]) -> Turn:
    """Give what a group of these labels would say."""
    decision = Decision(reason=Reason.FIRST_NOTIFICATION, firing=firing)
    return Turn(listener=TEAMS, conversation=attrs.evolve(talk(), group_labels=labels), decision=decision)


@pytest.mark.parametrize(
    ("reason", "repeats"),
    [
        pytest.param(Reason.REPEAT, 3, id="a reminder is one more in a row"),
        pytest.param(Reason.NEW_ALERTS, 0, id="news begins the row anew"),
    ],
)
def test_a_share_says_what_its_conversation_would_have_said(reason: Reason, repeats: int) -> None:
    known = attrs.evolve(talk(A), sequence=4, repeats=2)
    ends = (ResolvedAlert(alert=B_ENDED, ended=Ended.RESOLVED),)
    said = Decision(reason=reason, firing=(A,), resolved=ends, events=(PRUNED,))

    told = share(Turn(listener=TEAMS, conversation=known, decision=said), known)

    assert told == Share(
        conversation_id="c",
        sequence=4,
        reason=reason,
        repeats=repeats,
        firing=(line(A),),
        resolved=(line(B_ENDED),),
        events=(PRUNED.key,),
    )


def test_it_names_the_route_and_what_its_groups_have_in_common() -> None:
    turns = [turn(A, labels={"team": "identity", "alertname": "A"}), turn(B, labels={"team": "identity"})]

    told = summary("root/night", turns, NOW, replaces=None, external_url="https://alertd.example.com")

    assert (told.group_key, told.group_labels) == ("root/night", {"team": "identity"})
    assert (told.receiver, told.at, told.external_url) == ("ops", NOW, "https://alertd.example.com")
    assert (told.key, told.sequence) == (f"{told.conversation}-1", 1)


def test_each_muted_time_has_a_conversation_of_its_own() -> None:
    turns = [turn(A, labels={})]

    told = [summary("root/night", turns, NOW + days * DAY, replaces=None, external_url=None) for days in range(3)]

    assert len({one.conversation for one in told}) == 3


def test_one_that_replaces_another_goes_on_in_its_conversation() -> None:
    before = attrs.evolve(message(Reason.MUTE_SUMMARY, A), conversation_id="of-the-night", sequence=2)

    told = summary("root/night", [turn(A, labels={})], NOW, replaces=before, external_url=None)

    assert (told.conversation, told.sequence, told.key) == ("of-the-night", 3, "of-the-night-3")
