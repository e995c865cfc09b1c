"""After a reload: alerts into the groups that the new routes give them, and the told-ledger after its alerts.

An alert whose integration still hears of it goes on in its new group without a word: it was told. A conversation of which all moves to one
place moves with all it is, so that a mail thread and an on-call incident go on. An integration that hears of an alert no more keeps its old
conversation, until it has been told how the alert ended.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import datetime

import attrs

from alertd.engine.recording import group_keys, wake
from alertd.model.alert import Alert, Event
from alertd.notify.routing import Routing
from alertd.store.port import Transaction
from alertd.store.values import Conversation, Told

Place = tuple[str, str]  # group key, integration id


async def rehome(transaction: Transaction, routing: Routing, now: datetime) -> None:
    """Regroup everything that fires or has still to be told of, within the caller's transaction."""
    alerts = {alert.fingerprint: alert for alert in await transaction.alerts() if group_keys(alert, routing)}
    talks = {(talk.group_key, talk.integration_id): talk for talk in await transaction.conversations()}
    after = _moved(talks, alerts, routing, now)
    for place, talk in after.items():
        if _is_orphaned(talk, alerts, routing):
            await transaction.delete_conversation(talk.id)
        elif talk != talks.get(place):
            await transaction.save_conversation(talk)
    left_in = _left_in(after, alerts, routing)
    for alert in alerts.values():
        await _move_alert(transaction, alert, frozenset(left_in.get(alert.fingerprint, ())), routing, now)
    for group in await transaction.groups():
        for event in await transaction.events_in(group.key):
            await _move_event(transaction, event, group.key, routing, now)


async def _move_alert(
    transaction: Transaction, alert: Alert, awaited_in: frozenset[str], routing: Routing, now: datetime
) -> None:
    """Put an alert into the groups that the routes give it now, and where somebody has still to hear of its end.

    One that is over wakes none that it stands in, and joins none that is done with it: a restart is no news.
    """
    homes = routing.groups_of(alert.labels)
    stays = homes.keys() & await transaction.groups_of(alert.fingerprint)
    if alert.ended is not None and stays:
        await transaction.save_alerts([(alert, sorted(stays | awaited_in))])
        return
    await transaction.save_alerts([(alert, sorted(homes.keys() | awaited_in))])
    for key, route in homes.items():
        await wake(transaction, key, route, route.group_labels(alert.labels), now)


async def _move_event(transaction: Transaction, event: Event, key: str, routing: Routing, now: datetime) -> None:
    """Put an event that still waits into the groups that the routes give it now; where it waits nobody may listen any more."""
    homes = routing.groups_of(event.labels)
    if key in homes:
        return
    await transaction.delete_events(key, [event.key])
    for home, route in homes.items():
        await transaction.save_events(home, (event,))
        await wake(transaction, home, route, route.group_labels(event.labels), now)


def _moved(
    talks: Mapping[Place, Conversation], alerts: Mapping[str, Alert], routing: Routing, now: datetime
) -> dict[Place, Conversation]:
    after = dict(talks)
    for place, talk in talks.items():
        only = _only_home(talk, alerts, routing)
        if only is not None and only not in after:
            after[only] = _at(after.pop(place), only, _alerts_of(talk, alerts)[0], routing)
            continue
        for line in talk.told:
            homes = _homes(alerts.get(line.fingerprint), place[1], routing)
            if homes and place not in homes:
                after[place] = _without(after[place], line)
                for home in homes:
                    after[home] = _with(
                        after.get(home) or _successor(talk, home, routing, alerts, line, now), line, talk
                    )
    return after


def _only_home(talk: Conversation, alerts: Mapping[str, Alert], routing: Routing) -> Place | None:
    """Give the one place in which this integration hears from now on of all that this conversation is about, or None."""
    homes = [_homes(alert, talk.integration_id, routing) for alert in _alerts_of(talk, alerts)]
    places = {place for found in homes for place in found}
    return places.pop() if len(places) == 1 and all(homes) else None


def _alerts_of(talk: Conversation, alerts: Mapping[str, Alert]) -> list[Alert]:
    """Give the alerts that it told or announced, as far as they stand."""
    return [alerts[line.fingerprint] for line in talk.lines if line.fingerprint in alerts]


def _is_orphaned(talk: Conversation, alerts: Mapping[str, Alert], routing: Routing) -> bool:
    """Whether nothing it spoke of stands any more, and nothing is on its way to anybody who is there."""
    waits = talk.open_delivery is not None or talk.events
    return not _alerts_of(talk, alerts) and (not waits or routing.integration(talk.integration_id) is None)


def _homes(alert: Alert | None, integration_id: str, routing: Routing) -> list[Place]:
    """Give the places in which this integration hears of the alert from now on."""
    if alert is None:
        return []
    return [
        (key, integration_id)
        for key, route in routing.groups_of(alert.labels).items()
        if routing.hears(route, integration_id)
    ]


def _without(talk: Conversation, line: Told) -> Conversation:
    """Take a line away, unless a message is on its way that may say the same again: its end has to be told here, too."""
    if talk.open_delivery is not None:
        return talk
    return attrs.evolve(talk, told=tuple(one for one in talk.told if one.fingerprint != line.fingerprint))


def _with(talk: Conversation, line: Told, source: Conversation) -> Conversation:
    kept = tuple(one for one in talk.told if one.fingerprint != line.fingerprint)
    taken = tuple(one for one in source.taken if one.fingerprint == line.fingerprint)
    given_up = tuple(one for one in source.given_up if one.fingerprint == line.fingerprint)
    clocks = [instant for instant in (talk.last_message_at, source.last_message_at) if instant is not None]
    said = [talk.as_of, source.as_of]
    repeats = source.repeats if talk.last_message_at is None else min(talk.repeats, source.repeats)
    return attrs.evolve(
        talk,
        told=(*kept, line),
        taken=(*talk.taken, *taken),
        given_up=(*talk.given_up, *given_up),
        last_message_at=min(clocks, default=None),
        as_of=min((instant for instant in said if instant is not None), default=None),
        repeats=repeats,
    )


def _at(talk: Conversation, home: Place, alert: Alert, routing: Routing) -> Conversation:
    """Put a conversation into the group that the routes give one of its alerts."""
    route = routing.groups_of(alert.labels)[home[0]]
    return attrs.evolve(talk, group_key=home[0], route_id=route.id, group_labels=route.group_labels(alert.labels))


def _successor(
    talk: Conversation, home: Place, routing: Routing, alerts: Mapping[str, Alert], line: Told, now: datetime
) -> Conversation:
    seed = f"{talk.id}\0{home[0]}\0{home[1]}\0{now.isoformat()}"
    fresh = Conversation(
        id=hashlib.sha256(seed.encode()).hexdigest()[:24],
        group_key=home[0],
        integration_id=talk.integration_id,
        receiver=talk.receiver,
        started_at=now,
        sequence=1,
        stands_in_for=talk.stands_in_for,
    )
    return _at(fresh, home, alerts[line.fingerprint], routing)


def _left_in(
    talks: Mapping[Place, Conversation], alerts: Mapping[str, Alert], routing: Routing
) -> Mapping[str, list[str]]:
    """Give, by fingerprint, the groups in which somebody has still to hear of the alert's end."""
    left: dict[str, list[str]] = {}
    for (key, integration_id), talk in talks.items():
        if routing.integration(integration_id) is None:
            continue
        for alert in _alerts_of(talk, alerts):
            left.setdefault(alert.fingerprint, []).append(key)
    return left
