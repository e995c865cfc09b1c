"""Groups and their ticks.

A group is a route and one set of values of its `group_by`. It opens when its first member begins to fire and is flushed first after
`group_wait`, then at its ticks: first flush + k * `group_interval`. Ticks are computed, never slept, so neither a restart nor a slow flush
moves them. A group without anything new is not flushed at every tick: `due_at` jumps to the next tick at which something can happen.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

import attrs

from alertd.notify.pace import Pace
from alertd.store.values import Conversation, Group


def open_group(key: str, route_id: str, labels: Mapping[str, str], pace: Pace, now: datetime) -> Group:
    """Give a new group whose first member begins to fire at `now`."""
    first = now + pace.group_wait
    return Group(key=key, route_id=route_id, labels=labels, opened_at=now, first_flush_at=first, due_at=first)


def reopened(conversation: Conversation, pace: Pace, now: datetime) -> Group:
    """Give an ended group back to a conversation whose message was given up after that, due at its next tick after `now`.

    A conversation begins at a tick, from which the others follow as they did before.
    """
    group = Group(
        key=conversation.group_key,
        route_id=conversation.route_id,
        labels=conversation.group_labels,
        opened_at=conversation.started_at,
        first_flush_at=conversation.started_at,
        flushed_at=now,
        due_at=now,
    )
    due = next_tick(group, pace, now)
    return attrs.evolve(group, due_at=due if due > now else due + pace.group_interval)


def touch(group: Group, pace: Pace, now: datetime) -> Group:
    """Give the group with something new to consider, due at its next tick: a change at a tick's own instant goes out then."""
    if group.flushed_at is None:
        return group if group.dirty else attrs.evolve(group, dirty=True)
    due = next_tick(group, pace, now)
    if due <= group.flushed_at:
        due += pace.group_interval
    return attrs.evolve(group, dirty=True, due_at=min(due, group.due_at))


def next_tick(group: Group, pace: Pace, instant: datetime) -> datetime:
    """Give the group's first tick at or after an instant."""
    ticks = -((group.first_flush_at - instant) // pace.group_interval)  # rounded up, in whole numbers
    return group.first_flush_at + max(0, ticks) * pace.group_interval


def flushed(group: Group, pace: Pace, now: datetime, *, again_at: datetime | None) -> Group:
    """Give the group after a flush at `now`.

    again_at: the earliest instant at which something may have to be said without anything new; it is rounded up to a tick.
    None: not before something new happens, which a bounded look once a day makes sure of.
    """
    due = next_tick(group, pace, max(again_at or now + timedelta(days=1), now))
    if due <= now:
        due += pace.group_interval
    return attrs.evolve(group, sequence=group.sequence + 1, flushed_at=now, dirty=False, due_at=due)
