"""Two outcomes beside each other: what both sets of rules would have said, what one of them alone. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from typing import Literal

import attrs

from alertd.backtest.tenant_replay import Figures
from alertd.backtest.world import Outcome
from alertd.model.alert import Alert, Event
from alertd.rehearsal.course import Heard
from alertd.rehearsal.job_name import named_in

Side = Literal["current", "candidate"]


@attrs.frozen(kw_only=True)
class RuleCount:
    """One rule's figures. alerts: how often it began to fire, or happened. notifications: messages that name it."""

    rule: str
    current_alerts: int
    candidate_alerts: int
    current_notifications: int
    candidate_notifications: int

    @property
    def differs(self) -> bool:
        """Whether the two sides are not the same."""
        current = (self.current_alerts, self.current_notifications)
        return current != (self.candidate_alerts, self.candidate_notifications)


@attrs.frozen(kw_only=True)
class Difference:
    """A notification that only one side would have sent."""

    side: Side
    heard: Heard


@attrs.frozen(kw_only=True)
class Comparison:
    """What a backtest found, from `start` to `end`."""

    start: datetime
    end: datetime
    figures: Figures
    rules: tuple[RuleCount, ...]
    current: Outcome
    candidate: Outcome
    differences: tuple[Difference, ...]


def compared(start: datetime, end: datetime, figures: Figures, current: Outcome, candidate: Outcome) -> Comparison:
    """Compare two outcomes of one past."""
    return Comparison(
        start=start,
        end=end,
        figures=figures,
        rules=_counts(current, candidate),
        current=current,
        candidate=candidate,
        differences=_differences(current, candidate),
    )


def _counts(current: Outcome, candidate: Outcome) -> tuple[RuleCount, ...]:
    names = {*current.fired, *candidate.fired, *current.told, *candidate.told}
    return tuple(
        RuleCount(
            rule=name,
            current_alerts=current.fired.get(name, 0),
            candidate_alerts=candidate.fired.get(name, 0),
            current_notifications=current.told.get(name, 0),
            candidate_notifications=candidate.told.get(name, 0),
        )
        for name in sorted(names)
    )


def _differences(current: Outcome, candidate: Outcome) -> tuple[Difference, ...]:
    """Give what one side says and the other does not; the same message twice is told apart by its number."""
    one, other = _numbered(current), _numbered(candidate)
    found = [Difference(side="current", heard=heard) for key, heard in one.items() if key not in other]
    found += [Difference(side="candidate", heard=heard) for key, heard in other.items() if key not in one]
    return tuple(sorted(found, key=lambda difference: (difference.heard.order, difference.side == "candidate")))


def _numbered(outcome: Outcome) -> Mapping[tuple[object, int], Heard]:
    seen: Counter[object] = Counter()
    numbered: dict[tuple[object, int], Heard] = {}
    for heard in outcome.heard:
        said = content(heard)
        numbered[said, seen[said]] = heard
        seen[said] += 1
    return numbered


def content(heard: Heard) -> tuple[object, ...]:
    """Give what makes two notifications the same: when, to whom, why, and what they list."""
    return (
        heard.at,
        heard.receiver,
        heard.reason,
        _items(heard.firing),
        tuple(sorted((*_item(end.alert), end.ended.value) for end in heard.resolved)),
        _items(heard.events),
    )


def _items(items: tuple[Alert, ...] | tuple[Event, ...]) -> tuple[tuple[str, str, str], ...]:
    return tuple(sorted(_item(item) for item in items))


def _item(item: Alert | Event) -> tuple[str, str, str]:
    return item.name, item.severity, named_in(item.labels)
