"""A group, a conversation and a message on its way: what a flush looks at."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from alertd.model.alert import Alert, Event
from alertd.model.notification import DeliveryState, Reason, Rendered, Withheld
from alertd.notify.decide import Manner
from alertd.notify.flush import Flush, Situation, Turn, flush
from alertd.notify.group import open_group
from alertd.notify.listener import Listener
from alertd.notify.pace import Pace
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


def heard(turn: Turn) -> list[Alert]:
    """Give the alerts that a turn was about; a conversation of which none is left is over."""
    return [entry.alert for entry in turn.heard]


def said(turn: Turn) -> tuple[Reason | Withheld | None, str, str]:
    decision = turn.decision
    firing = "".join(item.name for item in decision.firing)
    resolved = "".join(entry.alert.name for entry in decision.resolved)
    return decision.reason or decision.withheld, firing, resolved
