"""Nobody is left believing what is not so: whatever fires, breaks and comes back, in several groups at once."""

from __future__ import annotations

import pytest

from .desk import DAY, HOUR, MINUTE, Desk, Receiver, route

pytestmark = pytest.mark.anyio

FIRST_A, CLEAR_A = ("first_notification", "A", ""), ("all_resolved", "", "A")


async def nothing_left(desk: Desk) -> bool:
    """Nothing is kept of what is over, a day after at the latest."""
    await desk.wait(DAY)
    return (await desk.conversations(), await desk.stored_alerts(), await desk.groups()) == ((), [], 0)


async def test_an_alert_in_two_groups_is_told_and_ended_in_both() -> None:
    """The groups have ticks of their own; what is settled in one may still have to be told in the other."""
    quick, slow = Receiver("quick"), Receiver("slow")
    children = (
        route("quick", 'alertname=~".*"', interval=MINUTE, continues=True),
        route("slow", 'alertname=~".+"', interval=HOUR),
    )
    desk = Desk(route("quick", children=children), quick, slow)

    await desk.set("A")
    await desk.wait(5 * MINUTE)
    await desk.set("")
    await desk.wait(2 * HOUR)

    assert quick.reasons == [FIRST_A, CLEAR_A]
    assert slow.reasons == [FIRST_A, CLEAR_A]
    assert await nothing_left(desk)


async def test_a_group_that_is_done_with_an_alert_is_not_joined_again_before_it_fires() -> None:
    """Its `for` runs again, for nothing, while another group has still to tell how it ended."""
    quick, slow = Receiver("quick"), Receiver("slow")
    children = (
        route("quick", 'alertname=~".*"', interval=MINUTE, continues=True),
        route("slow", 'alertname=~".+"', interval=HOUR),
    )
    desk = Desk(route("quick", children=children), quick, slow, holds={"A": 2 * MINUTE})
    await desk.set("A")
    await desk.wait(2 * MINUTE)
    await desk.set("A")
    await desk.wait(MINUTE)
    await desk.set("")
    await desk.wait(5 * MINUTE)

    await desk.set("A")
    await desk.wait(MINUTE)
    await desk.set("")
    await desk.wait(2 * HOUR)

    assert (quick.reasons, slow.reasons) == ([FIRST_A, CLEAR_A], [FIRST_A, CLEAR_A])
    assert await nothing_left(desk)


async def test_a_channel_that_is_down_in_one_group_hears_the_end_though_the_other_is_done() -> None:
    up, down = Receiver("up"), Receiver("down")
    children = (route("up", 'alertname=~".*"', continues=True), route("down", 'alertname=~".+"'))
    desk = Desk(route("up", children=children), up, down)
    await desk.set("A")
    down.mood = "down"
    await desk.set("")
    await desk.wait(HOUR)

    down.mood = "up"
    await desk.wait(HOUR)

    assert (up.reasons, down.reasons) == ([FIRST_A, CLEAR_A], [FIRST_A, CLEAR_A])
    assert await nothing_left(desk)


async def test_a_new_episode_under_new_labels_leaves_no_old_group_behind() -> None:
    """A service principal was renamed between the end of an episode, which a broken channel has not heard of, and the next."""
    teams = Receiver("ops")
    desk = Desk(route("ops", group_by=("name",)), teams)
    await desk.set("A", labels={"name": "Workday"})
    teams.mood = "down"
    await desk.set("", labels={"name": "Workday"})
    await desk.wait(10 * MINUTE)

    await desk.set("A", labels={"name": "Workday EMEA"})
    teams.mood = "up"
    await desk.wait(HOUR)
    await desk.set("", labels={"name": "Workday EMEA"})
    await desk.wait(HOUR)

    assert teams.believed == ""
    assert await nothing_left(desk)


async def test_an_episode_that_comes_back_under_new_labels_between_two_ticks() -> None:
    teams = Receiver("ops")
    desk = Desk(route("ops", group_by=("name",)), teams)
    await desk.set("A", labels={"name": "Workday"})
    await desk.wait(MINUTE)

    await desk.set("", labels={"name": "Workday"})
    await desk.set("A", labels={"name": "Workday EMEA"})
    await desk.wait(HOUR)
    await desk.set("", labels={"name": "Workday EMEA"})
    await desk.wait(HOUR)

    assert teams.believed == ""
    assert await nothing_left(desk)


# Reloads.


async def test_a_reload_that_changes_nothing_says_nothing() -> None:
    teams = Receiver("ops")
    desk = Desk(route("ops"), teams)
    await desk.set("A")

    await desk.reload(route("ops"))
    await desk.wait(HOUR)
    await desk.set("")
    await desk.wait(HOUR)

    assert teams.reasons == [FIRST_A, CLEAR_A]
    assert await nothing_left(desk)


async def test_a_reload_opens_no_group_for_an_alert_that_is_over() -> None:
    """Only its end is still on its way; once it fires again, its group waits for `group_wait` as any new one does."""
    teams = Receiver("ops")
    teams.mood = "down"
    desk = Desk(route("ops", wait=MINUTE, interval=MINUTE), teams)
    await desk.set("A")
    await desk.wait(MINUTE)
    await desk.set("")
    await desk.wait(MINUTE)
    assert await desk.groups() == 0

    await desk.reload(desk.root)

    assert await desk.groups() == 0
    teams.mood = "up"
    await desk.wait(HOUR)
    assert teams.reasons == [("late", "", "A")]
    assert await nothing_left(desk)


async def test_a_reload_lets_an_alert_that_is_over_join_no_group_that_is_done_with_it() -> None:
    """Another group has still to tell of its end."""
    up, down = Receiver("up"), Receiver("down")
    children = (route("up", 'alertname=~".*"', wait=MINUTE, continues=True), route("down", 'alertname=~".+"'))
    desk = Desk(route("up", children=children), up, down)
    await desk.set("A")
    await desk.wait(MINUTE)
    down.mood = "down"
    await desk.set("")
    await desk.wait(10 * MINUTE)
    assert (up.reasons, await desk.groups()) == ([FIRST_A, CLEAR_A], 0)

    await desk.reload(desk.root)

    assert await desk.groups() == 0
    down.mood = "up"
    await desk.wait(HOUR)
    assert (up.reasons, down.reasons) == ([FIRST_A, CLEAR_A], [FIRST_A, CLEAR_A])
    assert await nothing_left(desk)


async def test_a_regrouped_alert_goes_on_without_a_word() -> None:
    teams = Receiver("ops")
    desk = Desk(route("ops"), teams)
    await desk.set("AB")

    await desk.reload(route("ops", group_by=("alertname",)))
    await desk.wait(HOUR)
    await desk.set("B")
    await desk.wait(HOUR)
    await desk.set("")
    await desk.wait(HOUR)

    assert teams.reasons == [
        ("first_notification", "AB", ""),
        ("all_resolved", "", "A"),
        ("all_resolved", "", "B"),
    ]


async def test_regrouped_alerts_are_repeated_by_their_old_clock() -> None:
    teams = Receiver("ops")
    desk = Desk(route("ops"), teams)
    await desk.set("A")
    await desk.wait(20 * HOUR)

    await desk.reload(route("ops", group_by=("alertname",)))
    await desk.wait(5 * HOUR)

    assert teams.reasons == [FIRST_A, ("repeat", "A", "")]
    assert teams.told[1].at - teams.told[0].at < DAY + 5 * MINUTE


async def test_two_groups_that_become_one() -> None:
    teams = Receiver("ops")
    desk = Desk(route("ops", group_by=("alertname",)), teams)
    await desk.set("AB")

    await desk.reload(route("ops"))
    await desk.set("ABC")
    await desk.wait(HOUR)
    await desk.set("")
    await desk.wait(HOUR)

    assert teams.reasons[2:] == [("new_alerts", "ABC", ""), ("all_resolved", "", "ABC")]
    assert await nothing_left(desk)


async def test_who_was_told_hears_the_end_though_the_routes_name_another_now() -> None:
    old, new = Receiver("old"), Receiver("new")
    desk = Desk(route("old"), old, new)
    await desk.set("A")

    await desk.reload(route("new"))
    await desk.wait(HOUR)
    await desk.set("")
    await desk.wait(HOUR)

    assert old.reasons == [FIRST_A, CLEAR_A]
    assert new.reasons == [FIRST_A, CLEAR_A]
    assert await nothing_left(desk)


async def test_who_was_told_hears_the_end_at_the_next_tick_of_a_group_that_the_routes_have_left() -> None:
    old, new = Receiver("old"), Receiver("new")
    desk = Desk(route("old", group_by=("alertname",)), old, new)
    await desk.set("A")

    await desk.reload(route("new"))
    await desk.wait(HOUR)
    await desk.set("")
    await desk.wait(10 * MINUTE)

    assert old.reasons == [FIRST_A, CLEAR_A]


async def test_who_was_told_after_the_reload_by_a_message_that_was_on_its_way_hears_the_end() -> None:
    old, new = Receiver("old"), Receiver("new")
    old.mood = "down"
    desk = Desk(route("old", group_by=("alertname",)), old, new)
    await desk.set("A")

    await desk.reload(route("new"))
    old.mood = "up"
    await desk.wait(HOUR)
    await desk.set("")
    await desk.wait(DAY)

    assert old.believed == ""
    assert await nothing_left(desk)


async def test_a_receiver_that_is_gone_from_the_configuration_holds_nothing_back() -> None:
    old, new = Receiver("old"), Receiver("new")
    desk = Desk(route("old"), old, new)
    await desk.set("A")
    del desk.receivers[old.integration.id]
    await desk.reload(route("new", group_by=("alertname",)))
    await desk.set("")
    await desk.wait(DAY)

    assert new.believed == ""
    assert await desk.stored_alerts() == []
    await desk.reload(desk.root)
    assert await nothing_left(desk)


async def test_a_receiver_that_was_missing_for_a_while_is_not_told_again() -> None:
    """Somebody commented it out, and in again."""
    teams = Receiver("ops")
    desk = Desk(route("ops"), teams)
    await desk.set("A")
    del desk.receivers[teams.integration.id]
    await desk.reload(desk.root)
    await desk.wait(HOUR)

    desk.receivers[teams.integration.id] = teams
    await desk.reload(desk.root)
    await desk.wait(HOUR)
    await desk.set("")
    await desk.wait(HOUR)

    assert teams.reasons == [FIRST_A, CLEAR_A]


async def test_a_conversation_goes_on_where_all_of_it_moves_to_one_group() -> None:
    """The same mail thread, the same on-call incident: the all-clear must close what the first message opened."""
    teams = Receiver("ops")
    desk = Desk(route("ops", group_by=("alertname",)), teams)
    await desk.set("A")

    await desk.reload(route("ops"))
    await desk.set("")
    await desk.wait(HOUR)

    assert teams.believed == ""
    assert len({message.conversation for message in teams.told}) == 1


async def test_an_event_that_waits_while_its_route_is_removed_is_told_all_the_same() -> None:
    old, new = Receiver("old"), Receiver("new")
    desk = Desk(route("new", children=(route("old", 'alertname="E"', wait=MINUTE),)), old, new)
    await desk.happen()

    await desk.reload(route("new"))
    await desk.wait(HOUR)

    assert old.events + new.events == [1]


async def test_an_alert_that_waits_while_its_route_is_removed_is_told_all_the_same() -> None:
    old, new = Receiver("old"), Receiver("new")
    desk = Desk(route("new", children=(route("old", 'alertname="A"', wait=MINUTE),)), old, new)
    await desk.set("A")

    await desk.reload(route("new"))
    await desk.wait(HOUR)

    assert (old.reasons, new.reasons) == ([], [FIRST_A])
