"""A word before a silence ends, to those who will hear then of what it hides. Pure.

It is given once, `warning` before the end: early enough to make another silence, or to see to what is hidden. A silence without a fixed end, or
made for no longer than `warning`, needs none.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from alertd.model.alert import Alert
from alertd.model.notification import EndingSilence
from alertd.notify.channels.port import Integration
from alertd.notify.inhibition import inhibitor
from alertd.notify.routing import Routing
from alertd.notify.silences import Silence, silencer


def word_due_at(silence: Silence, warning: timedelta) -> datetime | None:
    """Give when the word before its end is due; None where there is none to give any more."""
    if silence.end_noted or silence.ends_at is None or silence.ends_at - silence.starts_at <= warning:
        return None
    return silence.ends_at - warning


def hearers(
    silence: Silence, firing: Iterable[Alert], silences: Iterable[Silence], routing: Routing, now: datetime
) -> Mapping[Integration, tuple[Alert, ...]]:
    """Give who hears at `now` that a silence ends, each with the alerts that it hides from them; nobody where it has ended.

    Not named is what stays held back beyond the end: by another silence, or by an alert that explains it. A route that is muted now is told
    nothing, nor is a machine that would take what it is told for alerts.
    """
    if not silence.in_force(now) or silence.ends_at is None:
        return {}
    everything = tuple(firing)
    others = [other for other in silences if other.id != silence.id]
    found: dict[Integration, list[Alert]] = {}
    for alert in everything:
        hidden = silence.silences(alert) and silencer(alert, others, silence.ends_at) is None
        if hidden and inhibitor(alert, everything, routing.inhibitors) is None:
            for integration in _audience(alert, routing, now):
                found.setdefault(integration, []).append(alert)
    return {integration: tuple(alerts) for integration, alerts in found.items()}


def _audience(alert: Alert, routing: Routing, now: datetime) -> Iterable[Integration]:
    """Give the integrations of the alert's routes that may be told now, each once."""
    routes = [route for route in routing.groups_of(alert.labels).values() if not route.muted(now)]
    everyone = (one for route in routes for one in routing.receivers.get(route.receiver, ()))
    return dict.fromkeys(one for one in everyone if not one.keeps_alerts and one.id not in alert.withheld_integrations)


def ending(silence: Silence, ends_at: datetime) -> EndingSilence:
    """Give what a message says of a silence."""
    return EndingSilence(
        id=silence.id,
        created_by=silence.created_by,
        comment=silence.comment,
        starts_at=silence.starts_at,
        ends_at=ends_at,
    )
