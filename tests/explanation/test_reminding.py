"""`alertd explain` on reminders: when the next is due, and what keeps it."""

from __future__ import annotations

from datetime import datetime, timedelta

import attrs
import pytest

from alertd.explanation.account import Held
from alertd.explanation.holding import Scene
from alertd.explanation.reminding import of_reminder, reminder_at
from alertd.model.alert import Evidence
from alertd.model.resources import SynchronizationQuarantine, SynchronizationStatus
from alertd.notify.channels.port import Integration, Limits
from alertd.notify.pace import Pace
from alertd.notify.reminders import Backoff
from alertd.notify.routes import Route
from alertd.notify.routing import Routing
from alertd.store.values import Acknowledgement, Announced, Conversation

from ..core.alerts import START, alert, told_line

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
_STATUS = SynchronizationStatus(
    code="Quarantine", quarantine=SynchronizationQuarantine(nextAttempt=START + DAY + 2 * HOUR)
)
FIRING = alert(evidence=Evidence(status=_STATUS))
TALK = Conversation(
    id="c",
    group_key="{}:{}",
    route_id="{}",
    integration_id="oncall/webhook/default",
    receiver="oncall",
    started_at=START,
    told=(told_line(FIRING.fingerprint),),
    last_message_at=START,
)
_WEBHOOK = Integration(
    receiver="oncall",
    kind="webhook",
    closes_silently=False,
    deduplicates=True,
    limits=Limits(body_bytes_max=1, blocks_max=1),
)
_PACE = Pace(repeat_backoff=Backoff(factor=2, longest=7 * DAY), repeat_after_attempt=True)


def scene(now: datetime, *, receiver: str = "oncall") -> Scene:
    routing = Routing(
        root=Route(id="{}", receiver=receiver, group_by=(), pace=_PACE),
        receivers={"oncall": (_WEBHOOK,), "nobody": ()},
    )
    return Scene(now=now, routing=routing, firing=(FIRING,), silences=(), groups={})


@pytest.mark.parametrize(("repeats", "days"), [(0, 1), (1, 2), (2, 4), (9, 7)])
def test_the_next_reminder_is_due_as_the_route_says(repeats: int, days: int) -> None:
    talk = attrs.evolve(TALK, repeats=repeats)

    assert reminder_at(talk, scene(START)) == START + days * DAY


def test_a_reminder_that_waits_for_an_attempt_says_until_when() -> None:
    assert list(of_reminder(TALK, scene(START + DAY - HOUR))) == []
    assert [(one.by, one.until) for one in of_reminder(TALK, scene(START + DAY))] == [
        ("awaiting_attempt", START + DAY + 2 * HOUR + timedelta(minutes=5))
    ]


def test_what_is_acknowledged_is_not_reminded_of() -> None:
    taken = attrs.evolve(TALK, acknowledged=Acknowledgement(at=START, created_by="ada", comment="on it"))

    assert reminder_at(taken, scene(START)) is None
    assert list(of_reminder(taken, scene(START + DAY))) == [
        Held(by="acknowledged", detail="ada: on it; no reminders to oncall/webhook/default")
    ]


def test_whom_the_route_does_not_name_any_more_gets_none() -> None:
    assert reminder_at(TALK, scene(START, receiver="nobody")) is None


def test_whoever_stands_in_is_reminded_as_long_as_the_other_fails() -> None:
    spare = attrs.evolve(_WEBHOOK, receiver="spare")
    instead = attrs.evolve(TALK, integration_id=spare.id, receiver="spare", stands_in_for=(_WEBHOOK.id,))
    known = scene(START)
    routing = attrs.evolve(
        known.routing, receivers={"oncall": (_WEBHOOK,), "spare": (spare,)}, fallbacks={"oncall": "spare"}
    )
    failing = attrs.evolve(TALK, given_up=(Announced(fingerprint=FIRING.fingerprint, episode=1),))

    due = [
        reminder_at(instead, attrs.evolve(known, routing=routing, conversations=(other, instead)))
        for other in (failing, TALK)
    ]

    assert due == [START + DAY, None]
