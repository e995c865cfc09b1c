"""After a reload: alerts into the groups that the new routes give them, and the told-ledger after its alerts.

An alert whose integration still hears of it goes on in its new group without a word: it was told. An integration that hears of it no more keeps
its old conversation, until it has been told how the alert ended.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import datetime

import attrs

from alertd.engine.recording import group_keys, wake
from alertd.model.alert import Alert
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
        if talk != talks.get(place):
            await transaction.save_conversation(talk)
    left_in = _left_in(after)
    for alert in alerts.values():
        keys = {*group_keys(alert, routing), *left_in.get(alert.fingerprint, ())}
        await transaction.save_alerts([(alert, sorted(keys))])
        for key, route in routing.groups_of(alert.labels).items():
            await wake(transaction, key, route, route.group_labels(alert.labels), now)


def _moved(
    talks: Mapping[Place, Conversation], alerts: Mapping[str, Alert], routing: Routing, now: datetime
) -> dict[Place, Conversation]:
    after = dict(talks)
    for place, talk in talks.items():
        for line in talk.told:
            homes = _homes(alerts.get(line.fingerprint), place[1], routing)
            if homes and place not in homes:
                after[place] = _without(after[place], line)
                for home in homes:
                    after[home] = _with(
                        after.get(home) or _successor(talk, home, routing, alerts, line, now), line, talk
                    )
    return after


def _homes(alert: Alert | None, integration_id: str, routing: Routing) -> list[Place]:
    """Give the places in which this integration hears of the alert from now on."""
    if alert is None:
        return []
    return [
        (key, integration_id)
        for key, route in routing.groups_of(alert.labels).items()
        if any(one.id == integration_id for one in routing.receivers.get(route.receiver, ()))
    ]


def _without(talk: Conversation, line: Told) -> Conversation:
    return attrs.evolve(talk, told=tuple(one for one in talk.told if one.fingerprint != line.fingerprint))


def _with(talk: Conversation, line: Told, source: Conversation) -> Conversation:
    kept = tuple(one for one in talk.told if one.fingerprint != line.fingerprint)
    clocks = [instant for instant in (talk.last_message_at, source.last_message_at) if instant is not None]
    return attrs.evolve(talk, told=(*kept, line), last_message_at=min(clocks, default=None))


def _successor(
    talk: Conversation, home: Place, routing: Routing, alerts: Mapping[str, Alert], line: Told, now: datetime
) -> Conversation:
    labels = alerts[line.fingerprint].labels
    route = routing.groups_of(labels)[home[0]]
    seed = f"{home[0]}\0{home[1]}\0{now.isoformat()}"
    return Conversation(
        id=hashlib.sha256(seed.encode()).hexdigest()[:24],
        group_key=home[0],
        route_id=route.id,
        group_labels=route.group_labels(labels),
        integration_id=talk.integration_id,
        receiver=talk.receiver,
        started_at=now,
        sequence=1,
    )


def _left_in(talks: Mapping[Place, Conversation]) -> Mapping[str, list[str]]:
    """Give, by fingerprint, the groups in which somebody has still to hear of the alert's end."""
    left: dict[str, list[str]] = {}
    for (key, _), talk in talks.items():
        for line in talk.told:
            left.setdefault(line.fingerprint, []).append(key)
    return left
