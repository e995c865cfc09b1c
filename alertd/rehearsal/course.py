"""The course of a rehearsal: what was polled, which alerts stood, and what receivers got, instant by instant. Plain values."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

import attrs

from alertd.model.alert import Alert, Event, State
from alertd.model.notification import Notification, Reason, ResolvedAlert
from alertd.rehearsal.receivers import Attempt

_SHOWN = (State.FIRING, State.PENDING, State.BASELINE)


@attrs.frozen(kw_only=True)
class Heard:
    """One notification that a receiver accepted, at its first acceptance by any of its integrations."""

    at: timedelta
    receiver: str
    reason: Reason
    firing: tuple[Alert, ...] = ()
    resolved: tuple[ResolvedAlert, ...] = ()
    events: tuple[Event, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """The names of everything it lists, sorted."""
        names = [one.name for one in self.firing] + [end.alert.name for end in self.resolved]
        return tuple(sorted([*names, *(event.name for event in self.events)]))

    @property
    def order(self) -> tuple[timedelta, str, tuple[str, ...], str]:
        """What notifications are sorted by."""
        return self.at, self.receiver, self.names, self.reason.value


@attrs.frozen(kw_only=True)
class Instant:
    """One instant at which something happened.

    polled: what each job answered, where it differs from its answer before. alerts: those that fire, wait or are a
    baseline once everything of this instant is done. attempts: those that ended.
    """

    at: timedelta
    polled: tuple[tuple[str, str], ...] = ()
    restarted: bool = False
    alerts: tuple[Alert, ...] = ()
    attempts: tuple[Attempt, ...] = ()


@attrs.frozen(kw_only=True, repr=False)
class Course:
    """All of it. instants: in order; only those at which something changed.

    It has no repr of its own: asyncio makes one of every result that it hands over, and thousands of alerts take seconds.
    """

    instants: tuple[Instant, ...]
    heard: tuple[Heard, ...]
    end: timedelta

    def alerts_at(self, moment: timedelta) -> tuple[Alert, ...]:
        """Give the alerts that stand once everything at and before a moment is done."""
        before = [instant for instant in self.instants if instant.at <= moment]
        return before[-1].alerts if before else ()


def standing(alerts: Iterable[Alert]) -> tuple[Alert, ...]:
    """Give the alerts that fire, wait or are a baseline, by name and subject."""
    shown = (alert for alert in alerts if alert.state in _SHOWN)
    return tuple(sorted(shown, key=lambda alert: (alert.name, alert.fingerprint)))


def heard(attempts: Iterable[Attempt], start: datetime) -> tuple[Heard, ...]:
    """Give what receivers got, in the order in which it is compared.

    What several integrations of a receiver were told by one decision counts once; where it differs, because one of them is not told of ends,
    the fullest message stands for all.
    """
    first: dict[tuple[str, str, datetime], Attempt] = {}
    for attempt in attempts:
        if attempt.outcome != "accepted":
            continue
        key = (attempt.receiver, attempt.notification.group_key, attempt.notification.at)
        known = first.get(key)
        if known is None or (known.at == attempt.at and _size(attempt.notification) > _size(known.notification)):
            first[key] = attempt
    return tuple(sorted((_heard(attempt, start) for attempt in first.values()), key=lambda one: one.order))


def _size(notification: Notification) -> int:
    return len(notification.firing) + len(notification.resolved) + len(notification.events)


def _heard(attempt: Attempt, start: datetime) -> Heard:
    notification = attempt.notification
    return Heard(
        at=attempt.at - start,
        receiver=attempt.receiver,
        reason=notification.reason,
        firing=tuple(sorted(notification.firing, key=lambda alert: alert.name)),
        resolved=tuple(sorted(notification.resolved, key=lambda end: end.alert.name)),
        events=tuple(sorted(notification.events, key=lambda event: event.name)),
    )
