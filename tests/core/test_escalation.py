"""What goes on firing unnoticed is passed on; an acknowledgement stops that, as a silence and the end do (scenarios/escalation.yaml)."""

from __future__ import annotations

from datetime import timedelta

import attrs
import pytest

from alertd.engine.quieting import acknowledge
from alertd.model.alert import State
from alertd.notify.routes import Route
from alertd.notify.steps import Escalation

from .alerts import START, alert
from .desk import DAY, HOUR, MINUTE, Desk, Receiver, route

pytestmark = pytest.mark.anyio

HALF = 30 * MINUTE
FIRST, ESCALATED, CLEAR = ("first_notification", "A", ""), ("escalation", "A", ""), ("all_resolved", "", "A")
REPEAT = ("repeat", "A", "")
STEP = Escalation(receiver="managers", after=HALF)


def root(*steps: Escalation, repeat: timedelta = DAY) -> Route:
    return route("oncall", interval=MINUTE, repeat=repeat, steps=steps)


class Office:
    """Two receivers and the desk that tells them."""

    def __init__(self, *steps: Escalation, send_resolved: bool = True) -> None:
        self.oncall, self.managers = Receiver("oncall"), Receiver("managers", send_resolved=send_resolved)
        self.desk = Desk(root(*(steps or (STEP,))), self.oncall, self.managers)

    async def ack(self, alert: str = "A") -> None:
        await acknowledge(self.desk.store, {"alert": alert, "created_by": "ada", "comment": "on it"}, self.desk.now)

    async def nothing_left(self) -> bool:
        desk = self.desk
        await desk.wait(DAY)
        return (await desk.conversations(), await desk.stored_alerts(), await desk.groups()) == ((), [], 0)


@pytest.fixture
async def office() -> Office:
    """A fires, and whoever is on call knows."""
    made = Office()
    await made.desk.set("A")
    return made


# Acknowledged.


async def test_what_is_acknowledged_in_time_is_not_passed_on(office: Office) -> None:
    await office.ack()
    await office.desk.wait(2 * HOUR)
    await office.desk.set("")
    await office.desk.wait(HOUR)

    assert (office.oncall.reasons, office.managers.reasons) == ([FIRST, CLEAR], [])
    assert await office.nothing_left()


async def test_an_acknowledgement_after_it_stops_the_repeats_on_both_sides(office: Office) -> None:
    await office.desk.wait(HOUR)
    await office.ack()
    await office.desk.wait(3 * DAY)
    await office.desk.set("")
    await office.desk.wait(HOUR)

    assert (office.oncall.reasons, office.managers.reasons) == ([FIRST, CLEAR], [ESCALATED, CLEAR])


async def test_without_one_both_are_reminded(office: Office) -> None:
    await office.desk.wait(DAY + HOUR)

    assert (office.oncall.reasons, office.managers.reasons) == ([FIRST, REPEAT], [ESCALATED, REPEAT])


async def test_another_alert_does_not_undo_what_was_acknowledged(office: Office) -> None:
    """Reminders begin again with B; A is in somebody's hands all the same, and B is escalated alone."""
    await office.ack()
    await office.desk.set("AB")
    await office.desk.wait(HOUR)

    assert office.oncall.reasons == [FIRST, ("new_alerts", "AB", "")]
    assert office.managers.reasons == [("escalation", "B", "")]


async def test_the_next_episode_is_not_acknowledged(office: Office) -> None:
    await office.ack()
    await office.desk.set("B")
    await office.desk.wait(10 * MINUTE)
    await office.desk.set("AB")
    await office.desk.wait(HALF + MINUTE)

    assert [said for said in office.managers.reasons if "A" in said[1]] == [("escalation", "AB", "")]


async def test_an_acknowledgement_does_not_call_back_what_is_on_its_way(office: Office) -> None:
    """As a silence does not."""
    office.managers.mood = "down"
    await office.desk.wait(HALF + MINUTE)
    await office.ack()
    office.managers.mood = "up"
    await office.desk.wait(2 * DAY)

    assert office.managers.reasons == [ESCALATED]


async def test_why_nobody_was_told_is_written_down(office: Office) -> None:
    await office.ack()
    await office.desk.wait(HOUR)

    async with office.desk.store.reading() as reader:
        withheld = [(entry.receiver, entry.withheld) for entry in await reader.log() if entry.withheld]
    assert withheld == [("managers", "acknowledged")]


async def test_what_is_not_due_yet_is_not_written_down_at_every_flush(office: Office) -> None:
    await office.desk.set("AB")
    await office.desk.set("B")
    await office.desk.wait(10 * MINUTE)
    await office.desk.set("")

    async with office.desk.store.reading() as reader:
        assert [entry for entry in await reader.log() if entry.receiver == "managers"] == []


# One conversation from the step to the end.


async def test_ends_are_left_out_where_they_are_not_wanted() -> None:
    office = Office(send_resolved=False)
    await office.desk.set("A")
    await office.desk.wait(HOUR)
    await office.desk.set("")
    await office.desk.wait(HOUR)

    assert office.managers.reasons == [ESCALATED]
    assert await office.nothing_left()


async def test_each_escalation_after_an_all_clear_is_a_conversation_of_its_own(office: Office) -> None:
    """B, which fires on and is not due yet, does not keep the first one open."""
    await office.desk.wait(HALF)
    await office.desk.set("AB")
    await office.desk.set("B")
    await office.desk.wait(HALF + MINUTE)

    assert office.managers.reasons == [ESCALATED, CLEAR, ("escalation", "B", "")]
    assert len({message.conversation for message in office.managers.told}) == 2


async def test_a_new_series_waits_anew(office: Office) -> None:
    """Quarantine left and re-entered unseen: the alert's time begins again, and so does the wait."""
    await office.desk.wait(HOUR)
    await office.desk.set("A", new_series="A")
    await office.desk.wait(20 * MINUTE)
    assert office.managers.reasons == [ESCALATED]

    await office.desk.wait(20 * MINUTE)
    assert office.managers.reasons == [ESCALATED, ESCALATED]


async def test_back_from_a_silence_between_two_messages(office: Office) -> None:
    await office.desk.set("AB")
    await office.desk.wait(HOUR)
    await office.desk.silence("A")
    await office.desk.set("ABC")
    await office.desk.wait(HOUR)
    await office.desk.silence("")
    await office.desk.wait(HOUR)

    assert office.managers.reasons == [
        ("escalation", "AB", ""),
        ("escalation", "BC", ""),
        ("escalation", "ABC", ""),
    ]


# Reloads.


async def test_a_step_that_is_removed_leaves_whoever_was_told_until_the_end(office: Office) -> None:
    await office.desk.wait(HOUR)
    await office.desk.reload(root())
    await office.desk.set("AB")
    await office.desk.wait(2 * DAY)
    await office.desk.set("")
    await office.desk.wait(HOUR)

    assert office.managers.reasons == [ESCALATED, CLEAR]
    assert await office.nothing_left()


async def test_a_step_that_is_removed_before_it_is_reached(office: Office) -> None:
    await office.desk.reload(root())
    await office.desk.wait(HOUR)

    assert office.managers.reasons == []


async def test_a_step_that_is_added_holds_for_what_fires_already() -> None:
    office = Office()
    await office.desk.reload(root())
    await office.desk.set("A")
    await office.desk.wait(2 * HOUR)

    await office.desk.reload(root(STEP))
    await office.desk.wait(MINUTE)

    assert office.managers.reasons == [ESCALATED]


async def test_a_regrouped_alert_goes_on_without_a_word(office: Office) -> None:
    """Both were told; an acknowledgement moves along."""
    await office.desk.set("AB")
    await office.desk.wait(20 * MINUTE)
    await office.ack()
    await office.desk.wait(HOUR)
    assert office.managers.reasons == []

    await office.desk.reload(attrs.evolve(root(STEP), group_by=("alertname",)))
    await office.desk.wait(HOUR)
    await office.desk.set("")
    await office.desk.wait(HOUR)

    assert office.managers.reasons == []
    assert await office.nothing_left()


async def test_a_receiver_that_was_escalated_to_and_is_told_from_the_start_now(office: Office) -> None:
    await office.desk.wait(HOUR)
    await office.desk.reload(attrs.evolve(root(), receiver="managers"))
    await office.desk.wait(HOUR)
    await office.desk.set("")
    await office.desk.wait(HOUR)

    assert office.managers.reasons == [ESCALATED, CLEAR]
    assert office.oncall.reasons == [FIRST, CLEAR]


def test_an_alert_that_does_not_fire_yet_has_no_time_from_which_to_count() -> None:
    pending = alert("A", state=State.PENDING)

    assert STEP.instant(pending) is None
    assert not STEP.reached(pending, START + DAY)
