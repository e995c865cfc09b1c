"""One case of the comparison with Alertmanager: alerts and when they fire, routes, inhibit rules, silences.

Time is counted in beats, whole numbers from zero; a beat is a second. Alerts change at even beats, `group_wait` is an odd number of beats and
`group_interval` an even one, so that every flush falls on an odd beat, as far from any change as can be: no jitter of a clock can turn the order
of a change and a flush round.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta

import attrs

BEAT = timedelta(seconds=1)
END = 60  # the beat at which everything is over; the last flush is before it
LAST_CHANGE = END - 8
EARLY, LATE = "early", "late"  # time intervals: until the boundary, and from it on


@attrs.frozen
class Span:
    """An alert fires from `starts` until `ends`, null for good. known_at: when anybody hears of it, if later than `starts`."""

    starts: int
    ends: int | None = None
    known_at: int | None = None

    @property
    def appears(self) -> int:
        """The beat at which it is reported."""
        return self.starts if self.known_at is None else self.known_at


@attrs.frozen
class Alert:
    """An alert by its labels; `instance` tells it from the others of its case."""

    labels: Mapping[str, str]
    spans: tuple[Span, ...]

    @property
    def name(self) -> str:
        """What this comparison calls it."""
        return self.labels["instance"]


@attrs.frozen
class Receiver:
    """Some webhooks, each with its `send_resolved`."""

    name: str
    webhooks: tuple[bool, ...]


@attrs.frozen(kw_only=True)
class Route:
    """A route; null attributes are the parent's."""

    receiver: str | None = None
    matchers: tuple[str, ...] = ()
    group_by: tuple[str, ...] | None = None
    group_wait: int | None = None
    group_interval: int | None = None
    repeat_interval: int | None = None
    continues: bool = False
    mute: tuple[str, ...] = ()
    active: tuple[str, ...] = ()
    routes: tuple[Route, ...] = ()

    def every(self) -> Iterator[Route]:
        """Give this route and all below it."""
        yield self
        for child in self.routes:
            yield from child.every()


@attrs.frozen
class InhibitRule:
    """While a source fires, targets that agree with it in `equal` are not told."""

    source: tuple[str, ...]
    target: tuple[str, ...]
    equal: tuple[str, ...]


@attrs.frozen
class Silence:
    """In force in [starts, ends)."""

    matchers: tuple[str, ...]
    starts: int
    ends: int


@attrs.frozen(kw_only=True)
class Case:
    """One case.

    root: without matchers and muted times. boundary: the beat at which a minute of the wall clock begins, and with it LATE.
    down: until this beat every webhook answers 503. slow: they take a moment to answer.
    """

    name: str
    alerts: tuple[Alert, ...]
    receivers: tuple[Receiver, ...]
    root: Route
    inhibit_rules: tuple[InhibitRule, ...] = ()
    silences: tuple[Silence, ...] = ()
    boundary: int = 30
    down: int = 0
    slow: bool = False


@attrs.frozen(order=True)
class Message:
    """What a webhook was told. firing: name and start of each alert; resolved: its end besides."""

    beat: int
    receiver: str
    webhook: int
    group: tuple[tuple[str, str], ...]
    status: str
    firing: tuple[tuple[str, int], ...]
    resolved: tuple[tuple[str, int, int], ...]

    def __str__(self) -> str:
        firing = ", ".join(name for name, _ in self.firing) or "-"
        resolved = ", ".join(name for name, *_ in self.resolved) or "-"
        labels = ", ".join(f"{name}={value}" for name, value in self.group if name != "case")
        return f"{self.beat:3} {self.receiver}/{self.webhook} {{{labels}}} {self.status}: firing {firing}; resolved {resolved}"


Messages = tuple[Message, ...]
