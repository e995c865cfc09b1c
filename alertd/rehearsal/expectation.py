"""What a test expects: alerts at a moment, and the notifications people got. Plain values, and what does not fit them, in words."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

import attrs

from alertd.model.alert import Alert, Ended, Event
from alertd.model.duration import format_duration
from alertd.rehearsal.job_name import JobName, named_in

_SHOWN_MAX = 60  # characters of an annotation in a report


@attrs.frozen(kw_only=True)
class Entry:
    """One expected alert or event; what is null or empty is not looked at.

    contains: a text within one of its annotations. ended: how it ended, under `resolved`.
    """

    alert: str | None = None
    job: JobName | None = None
    labels: Mapping[str, str] = attrs.field(factory=dict)
    severity: str | None = None
    contains: str | None = None
    ended: str | None = None

    def differences(self, item: Alert | Event, ended: Ended | None = None) -> tuple[str, ...]:
        """Say in what `item` is something else; nothing where it fits."""
        said: list[str] = []
        if self.alert is not None and item.name != self.alert:
            said.append(f"alert is {item.name}, not {self.alert}")
        if self.job is not None and not self.job.is_of(item.labels):
            said.append(f"job is {named_in(item.labels) or 'none'}, not {self.job}")
        if self.severity is not None and item.severity != self.severity:
            said.append(f"severity is {item.severity}, not {self.severity}")
        for name, value in self.labels.items():
            if item.labels.get(name, "") != value:
                said.append(f"label {name} is {item.labels.get(name, '') or 'missing'}, not {value}")
        if self.contains is not None and not any(self.contains in text for text in item.annotations.values()):
            said.append(f"no annotation contains `{self.contains}`: {_annotations(item.annotations)}")
        if self.ended is not None and ended is not None and ended.value != self.ended:
            said.append(f"ended is {ended.value}, not {self.ended}")
        return tuple(said)

    def fits(self, item: Alert | Event, ended: Ended | None = None) -> bool:
        """Whether `item` is what is expected."""
        return not self.differences(item, ended)

    def __str__(self) -> str:
        details = [str(self.job)] if self.job else []
        details += [self.severity] if self.severity else []
        details += [f"{name}={value}" for name, value in self.labels.items()]
        details += [f"contains `{self.contains}`"] if self.contains is not None else []
        details += [f"ended {self.ended}"] if self.ended else []
        name = self.alert or "any alert"
        return f"{name} ({', '.join(details)})" if details else name


@attrs.frozen(kw_only=True)
class ExpectedAlerts:
    """The alerts that exist at a moment, by state; a state that is not among `states` is not looked at."""

    at: timedelta
    states: Mapping[str, tuple[Entry, ...]]
    line: int = 0


@attrs.frozen(kw_only=True)
class Moments:
    """A moment, or a range of them, both ends included."""

    first: timedelta
    last: timedelta

    def __contains__(self, moment: timedelta) -> bool:
        return self.first <= moment <= self.last

    def __str__(self) -> str:
        if self.first == self.last:
            return format_duration(self.first)
        return f"{format_duration(self.first)}..{format_duration(self.last)}"


@attrs.frozen(kw_only=True)
class ExpectedNotification:
    """One message that a receiver accepted; `receiver` and `reason` are not looked at where they are null."""

    at: Moments
    receiver: str | None = None
    reason: str | None = None
    firing: tuple[Entry, ...] = ()
    resolved: tuple[Entry, ...] = ()
    events: tuple[Entry, ...] = ()
    line: int = 0

    @property
    def lists(self) -> Mapping[str, tuple[Entry, ...]]:
        """Its lists by name."""
        return {"firing": self.firing, "resolved": self.resolved, "events": self.events}


def _annotations(texts: Mapping[str, str]) -> str:
    shown = [f"{name} is `{_shortened(text)}`" for name, text in texts.items()]
    return ", ".join(shown) or "it has none"


def _shortened(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _SHOWN_MAX else f"{line[:_SHOWN_MAX]}..."
