"""Writing down what rules found: alerts, their transitions, events, and the groups that have something new to consider."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from alertd.alerts.common_cause import CommonCause, gathered
from alertd.alerts.judgement import Move
from alertd.alerts.lifecycle import told_about
from alertd.model.alert import Alert, Event, State
from alertd.notify.group import open_group, touch
from alertd.notify.routes import Route
from alertd.notify.routing import Routing
from alertd.store.port import Transaction
from alertd.store.values import TransitionEntry


async def record(
    transaction: Transaction,
    moves: Iterable[Move],
    events: Iterable[Event],
    routing: Routing,
    now: datetime,
    *,
    review: bool = False,
) -> None:
    """Write down moves and events, what they make of common causes, and wake their groups, all within the caller's transaction.

    review: look at common causes although nothing that concerns them has moved, since they themselves may have changed.
    """
    own, told = tuple(moves), tuple(events)
    moved = (*own, *await _parents(transaction, own, routing.common_causes, now, review=review))
    woken: dict[str, tuple[Route, Mapping[str, str]]] = {}
    for labels in _news(moved, told):
        woken |= {key: (route, route.group_labels(labels)) for key, route in routing.groups_of(labels).items()}
    await _save_alerts(transaction, moved, routing, now)
    for event in told:
        for key in routing.groups_of(event.labels):
            await transaction.save_events(key, (event,))
    for key, (route, labels) in woken.items():
        await wake(transaction, key, route, labels, now)
    await transaction.append_transitions(entry for move in moved for entry in transitions(move, now))


async def _parents(
    transaction: Transaction, moved: tuple[Move, ...], causes: Iterable[CommonCause], now: datetime, *, review: bool
) -> tuple[Move, ...]:
    """Give what becomes of parents when alerts move that may be their children."""
    concerned = tuple(cause for cause in causes if review or any(_concerns(cause, move) for move in moved))
    if not concerned:
        return ()
    alerts = {alert.fingerprint: alert for alert in await _around(transaction, concerned, moved, review=review)}
    for move in moved:
        one = move.after or move.before
        if one is not None:
            alerts.pop(one.fingerprint, None)
        if move.after is not None:
            alerts[move.after.fingerprint] = move.after
    return tuple(gathered(concerned, alerts.values(), now, moved))


def _concerns(cause: CommonCause, move: Move) -> bool:
    return any(alert is not None and cause.concerns(alert) for alert in (move.before, move.after))


async def _around(
    transaction: Transaction, causes: tuple[CommonCause, ...], moved: tuple[Move, ...], *, review: bool
) -> list[Alert]:
    """Give the alerts that the children may agree with, and their parents: those of their tenants, or all."""
    if review:
        return list(await transaction.alerts())
    sides = (move.after or move.before for move in moved)
    tenants = {alert.identity.tenant_key for alert in sides if alert is not None}
    across = not all(cause.per_tenant for cause in causes)
    found = list(await transaction.firing_alerts()) if across else []
    for key in {*tenants, *([""] if across else [])}:
        found += await transaction.alerts(tenant_key=key)
    return found


async def wake(transaction: Transaction, key: str, route: Route, labels: Mapping[str, str], now: datetime) -> None:
    """Open a group, or make an open one due at its next tick."""
    group = await transaction.group(key)
    if group is None:
        await transaction.save_group(open_group(key, route.id, labels, route.pace, now))
        return
    touched = touch(group, route.pace, now)
    if touched is not group:
        await transaction.save_group(touched)


async def _save_alerts(transaction: Transaction, moves: tuple[Move, ...], routing: Routing, now: datetime) -> None:
    """Save what moved; an alert stays in a group that its labels have left until everybody there knows how it ended."""
    kept = [move for move in moves if move.after is not None]
    left = [await _left(transaction, move, routing) for move in kept]
    await transaction.save_alerts(
        [
            (move.after, (*await _here(transaction, move, routing), *groups))
            for move, groups in zip(kept, left, strict=True)
            if move.after is not None
        ]
    )
    for key in {key for groups in left for key in groups}:
        await _wake_left(transaction, key, routing, now)
    await transaction.delete_alerts(
        move.before.fingerprint for move in moves if move.after is None and move.before is not None
    )


async def _here(transaction: Transaction, move: Move, routing: Routing) -> tuple[str, ...]:
    """Give the groups that an alert belongs to by its labels; one that has ended joins none anew that is done with it."""
    if move.after is None:
        return ()
    keys = group_keys(move.after, routing)
    if move.after.ended is None or _is_news(move.before, move.after):
        return keys
    return tuple(key for key in await transaction.groups_of(move.after.fingerprint) if key in keys)


async def _left(transaction: Transaction, move: Move, routing: Routing) -> list[str]:
    """Give the groups an alert is not routed to any more although somebody there was told that it fires."""
    if move.after is None:
        return []
    here = group_keys(move.after, routing)
    before = [key for key in await transaction.groups_of(move.after.fingerprint) if key not in here]
    return [key for key in before if await _knows(transaction, key, move.after.fingerprint)]


async def _knows(transaction: Transaction, key: str, fingerprint: str) -> bool:
    return any(talk.tells_of(fingerprint) for talk in await transaction.conversations_in(key))


async def _wake_left(transaction: Transaction, key: str, routing: Routing, now: datetime) -> None:
    talk = next(iter(await transaction.conversations_in(key)))
    group = await transaction.group(key)
    pace = routing.pace(talk.route_id)
    fresh = open_group(key, talk.route_id, talk.group_labels, pace, now)
    await transaction.save_group(touch(group, pace, now) if group is not None else fresh)


def group_keys(alert: Alert, routing: Routing) -> tuple[str, ...]:
    """Give the groups an alert belongs to: none before it has begun to fire."""
    return tuple(routing.groups_of(alert.labels)) if told_about(alert) or alert.ended is not None else ()


def _news(moves: Iterable[Move], events: Iterable[Event]) -> Iterable[Mapping[str, str]]:
    """Give the labels of what a group has to consider: an alert that began, ended or was renewed, and events."""
    for move in moves:
        if move.after is not None and _is_news(move.before, move.after):
            yield move.after.labels
    for event in events:
        yield event.labels


def _is_news(before: Alert | None, after: Alert) -> bool:
    if before is None:
        return after.state is State.FIRING
    known = (before.state, before.episode, before.ended, before.disableAt)
    return (after.state, after.episode, after.ended, after.disableAt) != known and (
        told_about(before) or after.state is State.FIRING
    )


def transitions(move: Move, now: datetime) -> Iterable[TransitionEntry]:
    """Give the transition of a move, if its state changed or a new episode began."""
    alert = move.after or move.before
    if alert is None:
        return
    before = move.before.state if move.before else State.INACTIVE
    after = move.after.state if move.after else State.INACTIVE
    renewed = move.before is not None and move.after is not None and move.before.episode != move.after.episode
    if before is after and not renewed:
        return
    yield TransitionEntry(
        fingerprint=alert.fingerprint,
        rule=alert.name,
        tenant_key=alert.identity.tenant_key,
        service_principal_id=alert.identity.service_principal_id,
        job_id=alert.identity.job_id,
        at=now,
        before=before,
        after=after,
        episode=alert.episode,
        detail=alert.ended.value if alert.ended else "",
    )
