"""Silences: what a person does not want to hear of for a while, and why. Pure.

A silence is in force in [starts_at, ends_at). It holds back messages, not alerts: they live on, and what still fires at its end is told at the
group's next tick. Whoever was told that an alert fires hears of its end all the same.
"""

from __future__ import annotations

import enum
from collections.abc import Collection, Iterable
from datetime import datetime

import attrs

from alertd.model.alert import Alert, Event, State
from alertd.notify.matchers import Matcher, all_match


class SilenceState(enum.StrEnum):
    """Where a silence stands."""

    PENDING = "pending"  # it has not begun yet
    ACTIVE = "active"
    EXPIRED = "expired"


@attrs.frozen
class Episode:
    """One episode of an alert."""

    fingerprint: str
    number: int


@attrs.frozen(kw_only=True)
class Silence:
    """Alerts and events that match all `matchers` are held back from `starts_at` until just before `ends_at`.

    ends_at: null where only `episodes` end it. created_by, comment: who wants that, and why; for those who wonder at the quiet.
    episodes: the silence was made for these, and holds nothing else: each is held until it ends. Empty: whatever matches.
    end_noted: a word before its end has been given, or there was none to give; it is given once.
    """

    id: str
    matchers: tuple[Matcher, ...]
    starts_at: datetime
    ends_at: datetime | None
    created_by: str
    comment: str
    episodes: tuple[Episode, ...] = ()
    end_noted: bool = False

    def in_force(self, now: datetime) -> bool:
        """Whether it holds anything back at this instant."""
        return self.starts_at <= now and (self.ends_at is None or now < self.ends_at)

    def state(self, now: datetime) -> SilenceState:
        """Give where it stands at this instant."""
        if self.ends_at is not None and self.ends_at <= now:
            return SilenceState.EXPIRED
        return SilenceState.PENDING if now < self.starts_at else SilenceState.ACTIVE

    def silences(self, item: Alert | Event) -> bool:
        """Whether it speaks of this alert or event, whenever it is in force."""
        if not all_match(self.matchers, item.labels):
            return False
        if not self.episodes:
            return True
        return isinstance(item, Alert) and Episode(item.fingerprint, item.episode) in self.episodes


def silencer(item: Alert | Event, silences: Iterable[Silence], now: datetime) -> Silence | None:
    """Give the silence that holds this alert or event back at this instant, or None."""
    return next((silence for silence in silences if silence.in_force(now) and silence.silences(item)), None)


def episodes_of(alerts: Iterable[Alert]) -> tuple[Episode, ...]:
    """Give the episodes of the alerts that fire, by fingerprint."""
    firing = {Episode(alert.fingerprint, alert.episode) for alert in alerts if alert.state is State.FIRING}
    return tuple(sorted(firing, key=lambda episode: (episode.fingerprint, episode.number)))


def outlived(silences: Iterable[Silence], firing: Iterable[Alert]) -> tuple[Silence, ...]:
    """Give the silences all of whose episodes have ended: there is nothing left for them to hold back."""
    lasting: Collection[Episode] = frozenset(episodes_of(firing))
    return tuple(
        silence for silence in silences if silence.episodes and not any(one in lasting for one in silence.episodes)
    )
