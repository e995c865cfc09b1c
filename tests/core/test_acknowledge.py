"""What somebody has taken on is not repeated, until the alerts of its conversation change."""

from __future__ import annotations

from datetime import timedelta

import pytest

from alertd.engine.quieting import acknowledge
from alertd.errors import UsageError

from .alerts import event
from .desk import DAY, Desk, Receiver, route

pytestmark = pytest.mark.anyio

HOUR = timedelta(hours=1)


@pytest.fixture
async def desk() -> Desk:
    """A and B fire, were told, and are repeated every day."""
    made = Desk(route("oncall"), Receiver("oncall"))
    await made.set("AB")
    return made


async def ack(desk: Desk, alert: str = "A") -> None:
    await acknowledge(desk.store, {"alert": alert, "created_by": "ada", "comment": "on it"}, desk.now)


def told(desk: Desk) -> list[tuple[str, str, str]]:
    (receiver,) = desk.receivers.values()
    return receiver.reasons[1:]


async def test_without_it_there_are_reminders(desk: Desk) -> None:
    await desk.wait(2 * DAY + HOUR)

    assert told(desk) == [("repeat", "AB", "")] * 2


async def test_reminders_stop(desk: Desk) -> None:
    await ack(desk)

    await desk.wait(9 * DAY)

    assert told(desk) == []


async def test_the_end_is_told(desk: Desk) -> None:
    await ack(desk)
    await desk.wait(2 * DAY)

    await desk.set("")
    await desk.wait(HOUR)

    assert told(desk) == [("all_resolved", "", "AB")]


@pytest.mark.parametrize(
    ("fires", "first"),
    [
        pytest.param("ABC", ("new_alerts", "ABC", ""), id="one more"),
        pytest.param("A", ("some_resolved", "A", "B"), id="one less"),
    ],
)
async def test_a_change_is_told_and_reminders_begin_again(desk: Desk, fires: str, first: tuple[str, str, str]) -> None:
    await ack(desk)
    await desk.wait(2 * DAY)

    await desk.set(fires)
    await desk.wait(DAY + HOUR)

    assert told(desk) == [first, ("repeat", fires, "")]


async def test_a_change_that_is_not_told_ends_it_too() -> None:
    desk = Desk(route("oncall"), Receiver("oncall", send_resolved=False))
    await desk.set("AB")
    await ack(desk)

    await desk.set("A")
    await desk.wait(DAY + HOUR)

    assert told(desk) == [("repeat", "A", "")]


async def test_an_event_does_not_end_it(desk: Desk) -> None:
    await ack(desk)

    await desk.happen(event())
    await desk.wait(3 * DAY)

    assert [reason for reason, _, _ in told(desk)] == ["event"]


async def test_the_next_episode_is_a_conversation_of_its_own(desk: Desk) -> None:
    await ack(desk)
    await desk.set("")
    await desk.wait(HOUR)

    await desk.set("A")
    await desk.wait(DAY + HOUR)

    assert told(desk)[1:] == [("first_notification", "A", ""), ("repeat", "A", "")]


async def test_it_survives_a_reload(desk: Desk) -> None:
    await ack(desk)

    await desk.reload(route("oncall", repeat=2 * HOUR))
    await desk.wait(3 * DAY)

    assert told(desk) == []


async def test_why_nothing_was_said_is_written_down(desk: Desk) -> None:
    await ack(desk)
    await desk.wait(DAY + HOUR)

    async with desk.store.reading() as reader:
        withheld = [entry.withheld for entry in await reader.log() if entry.withheld]
    assert withheld == ["acknowledged"]


@pytest.mark.parametrize(
    ("alert", "words"),
    [
        pytest.param("Z", "no alert that fires", id="an alert that does not fire"),
        pytest.param("", "no alert that fires", id="nothing"),
    ],
)
async def test_what_cannot_be_taken_on(desk: Desk, alert: str, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        await ack(desk, alert)


async def test_what_nobody_was_told_of_cannot_be_taken_on() -> None:
    desk = Desk(route("oncall", wait=HOUR), Receiver("oncall"))
    await desk.set("A")

    with pytest.raises(UsageError, match="nobody has been told of A yet"):
        await ack(desk)
