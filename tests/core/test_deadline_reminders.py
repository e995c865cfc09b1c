"""A word before Microsoft disables a job, whatever else was said of it (scenarios/deadline-reminders.yaml has the plain stories)."""

from __future__ import annotations

from datetime import timedelta

import pytest

from alertd.engine.quieting import acknowledge
from alertd.notify.steps import DeadlineReminder, Escalation, Step

from .alerts import START
from .desk import DAY, HOUR, MINUTE, Desk, Receiver, route

pytestmark = pytest.mark.anyio

FIRST, REMINDER = ("first_notification", "A", ""), ("reminder_deadline", "A", "")
REPEAT, CLEAR = ("repeat", "A", ""), ("all_resolved", "", "A")
WEEK = DeadlineReminder(receiver="oncall", before=7 * DAY)
LATE = DeadlineReminder(receiver="managers", before=3 * DAY)
LAST = DeadlineReminder(receiver="managers", before=DAY)


class Office:
    """Two receivers; A fires from START on, and its job is disabled 28 days later."""

    def __init__(self, *steps: Step, repeat: timedelta = timedelta(0), fallbacks: dict[str, str] | None = None) -> None:
        self.oncall, self.managers = Receiver("oncall"), Receiver("managers")
        self.root = route("oncall", repeat=repeat, steps=steps)
        self.desk = Desk(self.root, self.oncall, self.managers, fallbacks=fallbacks, retry_for=HOUR)
        self.desk.disable_at = START + 28 * DAY

    async def until(self, days: float) -> None:
        await self.desk.wait(START + days * DAY - self.desk.now)

    async def ack(self) -> None:
        await acknowledge(self.desk.store, {"alert": "A", "created_by": "ada", "comment": "on it"}, self.desk.now)

    def told(self, receiver: Receiver) -> list[tuple[str, str, str, float]]:
        """What a receiver took, and on which day."""
        return [(*said, (one.at - START) / DAY) for said, one in zip(receiver.reasons, receiver.told, strict=True)]


async def test_an_acknowledgement_does_not_stop_it_nor_is_it_undone() -> None:
    """The deadline is told; the daily reminders stay away, before it and after it."""
    office = Office(WEEK, repeat=DAY)
    await office.desk.set("A")
    await office.ack()
    await office.until(27)

    assert office.told(office.oncall) == [(*FIRST, 0), (*REMINDER, 21)]


async def test_a_receiver_that_joins_for_the_deadline_hears_of_its_steps_alone() -> None:
    """No daily reminders: its steps are its reminders."""
    office = Office(LATE, LAST, repeat=DAY)
    await office.desk.set("A")
    await office.ack()
    await office.until(27.5)
    await office.desk.set("")
    await office.desk.wait(HOUR)

    assert office.told(office.managers) == [(*REMINDER, 25), (*REMINDER, 27), (*CLEAR, 27.5)]


async def test_a_repeat_at_the_same_time_is_the_reminder() -> None:
    office = Office(WEEK, repeat=7 * DAY)
    await office.desk.set("A")
    await office.until(27)

    assert [said[0] for said in office.told(office.oncall)] == [
        "first_notification",
        "repeat",
        "repeat",
        "reminder_deadline",
    ]


async def test_who_was_escalated_to_is_reminded_of_the_deadline_too() -> None:
    office = Office(Escalation(receiver="managers", after=HOUR), LATE)
    await office.desk.set("A")
    await office.until(27.5)

    assert [(said[0], said[3]) for said in office.told(office.managers)] == [
        ("escalation", 1 / 24),
        ("reminder_deadline", 25),
    ]


async def test_news_at_the_same_tick_gives_the_reason_and_lists_both() -> None:
    office = Office(WEEK)
    await office.desk.set("A")
    await office.until(21 - 1 / 1440)
    await office.desk.set("AB")
    await office.until(27)

    assert office.oncall.reasons == [FIRST, ("new_alerts", "AB", "")]


async def test_an_end_at_the_same_tick_is_listed_along() -> None:
    office = Office(WEEK)
    await office.desk.set("AB")
    await office.until(21 - 1 / 1440)
    await office.desk.set("A")
    await office.until(27)

    assert office.oncall.reasons == [("first_notification", "AB", ""), ("reminder_deadline", "A", "B")]


async def test_a_message_on_its_way_since_before_the_step_is_replaced() -> None:
    """Taken later than the step, it would still have been about the time before it."""
    office = Office(WEEK)
    office.desk = Desk(office.root, office.oncall, office.managers, retry_for=5 * DAY)
    office.desk.disable_at = START + 28 * DAY
    await office.desk.set("A")
    await office.until(20)
    office.oncall.mood = "down"
    await office.desk.set("AB")
    await office.until(20.5)
    await office.desk.set("A")
    await office.until(21.5)
    office.oncall.mood = "up"
    await office.until(22)

    assert office.oncall.reasons == [FIRST, ("reminder_deadline", "A", "B")]


async def test_a_deadline_that_moves_is_seen_at_once() -> None:
    """An alert fires long before its job goes into quarantine: nothing else about it changes then."""
    office = Office(DeadlineReminder(receiver="oncall", before=28 * DAY))
    office.desk.disable_at = None
    await office.desk.set("A")
    await office.until(2.5)
    office.desk.disable_at = office.desk.now + 28 * DAY
    await office.desk.set("A")
    await office.desk.wait(10 * MINUTE)

    assert office.oncall.reasons == [FIRST, REMINDER]


async def test_a_reload_that_adds_a_step_tells_what_it_lies_within() -> None:
    office = Office()
    await office.desk.set("A")
    await office.until(22)
    await office.desk.reload(route("oncall", repeat=timedelta(0), steps=(WEEK, LATE)))
    await office.desk.wait(HOUR)

    assert (office.oncall.reasons, office.managers.reasons) == ([FIRST, REMINDER], [])


async def test_a_reload_that_removes_the_steps_leaves_the_end_to_tell() -> None:
    office = Office(LATE, LAST)
    await office.desk.set("A")
    await office.until(26)
    await office.desk.reload(route("oncall", repeat=timedelta(0)))
    await office.until(27.5)
    await office.desk.set("")
    await office.desk.wait(HOUR)

    assert office.managers.reasons == [REMINDER, CLEAR]


async def test_a_reload_that_regroups_repeats_none() -> None:
    office = Office(WEEK, LATE)
    await office.desk.set("A")
    await office.until(26)
    await office.desk.reload(route("oncall", group_by=("alertname",), repeat=timedelta(0), steps=(WEEK, LATE)))
    await office.until(27.5)

    assert (office.oncall.reasons, office.managers.reasons) == ([FIRST, REMINDER], [REMINDER])


# With a fallback.


async def test_a_reminder_that_is_given_up_is_handed_over() -> None:
    """Its receiver knows of the alert, and not of the deadline."""
    office = Office(WEEK, fallbacks={"oncall": "managers"})
    await office.desk.set("A")
    await office.until(20)
    office.oncall.mood = "refusing"
    await office.until(22)

    assert office.told(office.oncall) == [(*FIRST, 0)]
    assert [said[0] for said in office.told(office.managers)] == ["fallback"]


async def test_whoever_stands_in_is_reminded_as_the_other_would_be() -> None:
    office = Office(WEEK, fallbacks={"oncall": "managers"})
    office.oncall.mood = "refusing"
    await office.desk.set("A")
    await office.until(27)

    assert [said[0] for said in office.told(office.managers)] == ["fallback", "reminder_deadline"]


async def test_and_no_longer_once_that_one_works_again() -> None:
    office = Office(WEEK, fallbacks={"oncall": "managers"})
    office.oncall.mood = "refusing"
    await office.desk.set("A")
    await office.until(10)
    office.oncall.mood = "up"
    await office.until(27)

    assert [said[0] for said in office.told(office.managers)] == ["fallback"]
    assert [said[0] for said in office.told(office.oncall)] == ["first_notification", "reminder_deadline"]
