"""What an integration could not be told is told to its fallback, once (scenarios/fallback.yaml has the plain stories)."""

from __future__ import annotations

import attrs
import pytest

from alertd.engine.quieting import acknowledge
from alertd.model.alert import Alert, Event
from alertd.model.notification import DeliveryState, Reason, Rendered
from alertd.notify.fallback import HandOver, hand_over, take_over
from alertd.notify.steps import Escalation
from alertd.store.values import Announced, Conversation, Delivery

from .alerts import alert, event
from .desk import DAY, HOUR, MINUTE, Desk, Receiver, route
from .talks import A_ENDED, A, B, line, message, talk

FALLBACK, CLEAR = ("fallback", "A", ""), ("all_resolved", "", "A")

# What is handed over.


def names(over: HandOver) -> str:
    known = {item.fingerprint: item.name for item in (A, B)}
    return "".join(known[one.fingerprint] for one in over.lines)


@pytest.mark.parametrize(
    ("known", "given_up", "expected"),
    [
        pytest.param(talk(announced=(A,)), message(Reason.FIRST_NOTIFICATION, A), "A", id="never told"),
        pytest.param(talk(A, announced=(B,)), message(Reason.NEW_ALERTS, A, B), "B", id="what it was told it knows"),
        pytest.param(talk(A), message(Reason.REPEAT, A), "", id="a reminder of what it knows"),
        pytest.param(talk(A), message(Reason.ALL_RESOLVED, resolved=(A_ENDED,)), "A", id="an end"),
        pytest.param(
            talk(A, B), message(Reason.SOME_RESOLVED, B, resolved=(A_ENDED,)), "A", id="an end beside what goes on"
        ),
        pytest.param(
            attrs.evolve(talk(announced=(A,)), given_up=(line(A),)),
            message(Reason.FIRST_NOTIFICATION, A),
            "",
            id="handed over before",
        ),
        pytest.param(
            attrs.evolve(talk(announced=(A,)), given_up=(line(A),)),
            message(Reason.FIRST_NOTIFICATION, alert("A", episode=2)),
            "A",
            id="a later episode",
        ),
        pytest.param(
            attrs.evolve(talk(A), told=tuple(attrs.evolve(told, absent=True) for told in talk(A).told)),
            message(Reason.NEW_ALERTS, A),
            "A",
            id="back from a silence",
        ),
    ],
)
def test_what_is_handed_over(known: Conversation, given_up: Delivery, expected: str) -> None:
    assert names(hand_over(known, given_up)) == expected


def test_events_are_handed_over_whole() -> None:
    pruned = event()

    assert hand_over(talk(A), message(Reason.EVENT, A, events=(pruned,))).events == (pruned,)


def test_a_mail_that_some_have_is_not_handed_over() -> None:
    mail = attrs.evolve(
        message(Reason.FIRST_NOTIFICATION, A),
        state=DeliveryState.FAILED,
        rendered=Rendered(body=b"", content_type="text/plain", recipients=("a@example.com", "b@example.com")),
        recipients=("b@example.com",),
    )

    assert not hand_over(talk(announced=(A,)), mail)


def test_whoever_stands_in_names_everybody_before_it() -> None:
    over = hand_over(
        attrs.evolve(talk(announced=(A,)), stands_in_for=("first/teams/default",)), message(Reason.FALLBACK, A)
    )

    assert over.absent == ("first/teams/default", "ops/teams/default")


# Who takes it over.

FRESH = attrs.evolve(talk(), sequence=0, integration_id="managers/email/default", receiver="managers")


def taken(
    known: Conversation | None, *alerts: Alert, lines: tuple[Announced, ...] = (), events: tuple[Event, ...] = ()
) -> Conversation | None:
    return take_over(known, FRESH, HandOver(absent=("ops/teams/default",), lines=lines, events=events), alerts)


def test_it_counts_as_announced() -> None:
    after = taken(None, A, lines=(line(A),), events=(event(),))

    assert after is not None
    assert (after.announced, after.events, after.stands_in_for) == ((line(A),), (event(),), ("ops/teams/default",))


def test_what_it_was_told_already_is_nothing_to_it() -> None:
    known = attrs.evolve(talk(A), integration_id=FRESH.integration_id)

    assert taken(known, A, lines=(line(A),)) is None
    assert taken(known, A, B, lines=(line(A), line(B))) is not None


def test_what_is_about_its_own_failing_does_not_go_through_it() -> None:
    own = alert("A", withheld_integrations=(FRESH.integration_id,))

    assert taken(None, own, lines=(line(own),)) is None
    assert taken(None, events=(attrs.evolve(event(), withheld_integrations=(FRESH.integration_id,)),)) is None


# At work.


class Office:
    """Two receivers, the second of which is the fallback of the first, and the desk that tells them."""

    def __init__(self, *, send_resolved: bool = True, escalates: bool = False) -> None:
        self.oncall, self.managers = Receiver("oncall"), Receiver("managers", send_resolved=send_resolved)
        self.steps = (Escalation(receiver="managers", after=2 * HOUR),) if escalates else ()
        self.root = route("oncall", steps=self.steps)
        self.desk = Desk(self.root, self.oncall, self.managers, fallbacks={"oncall": "managers"}, retry_for=10 * MINUTE)

    async def nothing_left(self) -> bool:
        desk = self.desk
        await desk.wait(DAY)
        return (await desk.conversations(), await desk.stored_alerts(), await desk.groups()) == ((), [], 0)


@pytest.fixture
def office() -> Office:
    """Whoever is on call cannot be reached."""
    made = Office()
    made.oncall.mood = "refusing"
    return made


pytestmark = pytest.mark.anyio


async def test_from_the_fallback_to_the_end(office: Office) -> None:
    await office.desk.set("A")
    await office.desk.wait(2 * HOUR)
    office.oncall.mood = "up"
    await office.desk.set("")
    await office.desk.wait(HOUR)

    assert office.managers.reasons == [FALLBACK, CLEAR]
    assert office.oncall.reasons == [("late", "", "A")]
    assert await office.nothing_left()


async def test_nobody_there_at_all(office: Office) -> None:
    office.managers.mood = "refusing"
    await office.desk.set("A")
    await office.desk.wait(2 * HOUR)
    await office.desk.set("")
    await office.desk.wait(2 * HOUR)
    office.oncall.mood = office.managers.mood = "up"
    await office.desk.wait(HOUR)

    assert office.managers.reasons == [("fallback", "", "A")]
    assert office.oncall.reasons == [("late", "", "A")]
    assert await office.nothing_left()


async def test_an_event_whose_group_is_over(office: Office) -> None:
    await office.desk.happen()
    await office.desk.wait(HOUR)

    assert (office.managers.reasons, office.managers.events) == ([("fallback", "", "")], [1])
    assert await office.nothing_left()


async def test_with_ends_left_out() -> None:
    office = Office(send_resolved=False)
    office.oncall.mood = "refusing"
    await office.desk.set("A")
    await office.desk.wait(HOUR)
    await office.desk.set("")
    office.oncall.mood = "up"
    await office.desk.wait(HOUR)

    assert office.managers.reasons == [FALLBACK]
    assert await office.nothing_left()


async def test_an_end_that_fails_at_every_tick_is_told_once(office: Office) -> None:
    office.oncall.mood = "up"
    await office.desk.set("AB")
    office.oncall.mood = "refusing"
    await office.desk.set("B")
    await office.desk.wait(3 * HOUR)

    assert office.managers.reasons == [("fallback", "", "A")]


async def test_each_failing_after_a_success_is_handed_over_anew(office: Office) -> None:
    for fires in ("A", ""):
        await office.desk.set(fires)
        await office.desk.wait(HOUR)
    office.oncall.mood = "up"
    await office.desk.wait(HOUR)
    office.oncall.mood = "refusing"
    await office.desk.set("A")
    await office.desk.wait(HOUR)

    assert office.managers.reasons == [FALLBACK, CLEAR, FALLBACK]
    assert len({said.conversation for said in office.managers.told}) == 2


async def test_an_acknowledgement_stops_the_reminders(office: Office) -> None:
    await office.desk.set("A")
    await office.desk.wait(HOUR)
    await acknowledge(office.desk.store, {"alert": "A", "created_by": "ada", "comment": "on it"}, office.desk.now)
    await office.desk.wait(3 * DAY)

    assert office.managers.reasons == [FALLBACK]


async def test_a_fallback_that_escalation_tells_too_hears_of_what_was_not_handed_over_later() -> None:
    office = Office(escalates=True)
    office.oncall.mood = "refusing"
    await office.desk.set("A")
    await office.desk.wait(HOUR)
    office.oncall.mood = "up"
    await office.desk.set("AB")
    await office.desk.wait(4 * HOUR)
    await office.desk.set("")
    await office.desk.wait(HOUR)

    assert office.managers.reasons == [FALLBACK, ("escalation", "AB", ""), ("all_resolved", "", "AB")]
    assert await office.nothing_left()


async def test_a_reload_that_takes_the_fallback_away_leaves_it_until_the_end(office: Office) -> None:
    await office.desk.set("A")
    await office.desk.wait(HOUR)
    office.desk.fallbacks = {}
    await office.desk.reload(office.root)
    await office.desk.set("AB")
    await office.desk.wait(3 * DAY)
    await office.desk.set("")
    await office.desk.wait(HOUR)

    assert office.managers.reasons == [FALLBACK, CLEAR]


async def test_a_reload_that_regroups_goes_on_without_a_word(office: Office) -> None:
    await office.desk.set("A")
    await office.desk.wait(HOUR)
    await office.desk.reload(attrs.evolve(office.root, group_by=("alertname",)))
    await office.desk.wait(3 * HOUR)
    await office.desk.set("")
    await office.desk.wait(HOUR)
    office.oncall.mood = "up"
    await office.desk.wait(HOUR)

    assert office.managers.reasons == [FALLBACK, CLEAR]
    assert await office.nothing_left()


async def test_an_integration_that_a_reload_takes_away_has_not_failed(office: Office) -> None:
    office.oncall.mood = "down"
    await office.desk.set("A")
    await office.desk.wait(MINUTE)
    second = Receiver("oncall", name="second")
    office.desk.receivers = {second.integration.id: second, office.managers.integration.id: office.managers}
    await office.desk.reload(office.root)
    await office.desk.wait(HOUR)

    assert second.reasons == [("first_notification", "A", "")]
    assert office.managers.reasons == []


async def test_one_of_two_integrations_fails(office: Office) -> None:
    """The other one's success is its own; the two that fail are told of together, once."""
    others = [Receiver("oncall", name=name) for name in ("second", "third")]
    others[0].mood = "refusing"
    desk = Desk(office.root, office.oncall, *others, office.managers, fallbacks=office.desk.fallbacks)
    await desk.set("A")
    await desk.wait(2 * HOUR)

    assert others[1].reasons == [("first_notification", "A", "")]
    assert office.managers.reasons == [FALLBACK]
    (stands_in,) = {talk.stands_in_for for talk in await desk.conversations() if talk.receiver == "managers"}
    assert tuple(sorted(stands_in)) == ("oncall/webhook/default", "oncall/webhook/second")
