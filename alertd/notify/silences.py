"""Silences: what a person does not want to hear of for a while, and why. Pure.

A silence is in force in [starts_at, ends_at). It holds back messages, not alerts: they live on, and what still fires at its end is told at the
group's next tick. Whoever was told that an alert fires hears of its end all the same.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

import attrs

from alertd.model.alert import Alert, Event
from alertd.notify.matchers import Matcher, all_match


@attrs.frozen(kw_only=True)
class Silence:
    """Alerts and events that match all `matchers` are held back from `starts_at` until just before `ends_at`.

    created_by, comment: who wants that, and why; for those who wonder at the quiet.
    """

    id: str
    matchers: tuple[Matcher, ...]
    starts_at: datetime
    ends_at: datetime
    created_by: str
    comment: str

    def in_force(self, now: datetime) -> bool:
        """Whether it holds anything back at this instant."""
        return self.starts_at <= now < self.ends_at

    def silences(self, item: Alert | Event) -> bool:
        """Whether it speaks of this alert or event, whenever it is in force."""
        return all_match(self.matchers, item.labels)


def silencer(item: Alert | Event, silences: Iterable[Silence], now: datetime) -> Silence | None:
    """Give the silence that holds this alert or event back at this instant, or None."""
    return next((silence for silence in silences if silence.in_force(now) and silence.silences(item)), None)
