"""The route tree: which receivers are told of an alert, and how its groups are made and paced.

Depth first: the first child that matches wins unless it says `continue`; where no child matches, the node itself is used. The root matches
everything.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime

import attrs

from alertd.notify.intervals import NamedIntervals, is_muted
from alertd.notify.matchers import Matcher, Operator, all_match
from alertd.notify.pace import Pace
from alertd.notify.steps import Step

ALL_LABELS = "..."


@attrs.frozen(kw_only=True)
class Route:
    """One node of the tree, its inherited values filled in.

    id: the matchers on the way to it, stable when a sibling is added. group_by: label names; ``...`` groups by all of them.
    steps: which further receivers hear of an alert later, and when.
    mute: times at which nothing is told. active: the only times at which anything is; none: any. A child does not inherit them.
    mute_summary: what a muted time held back is told in one message at its end.
    """

    id: str
    receiver: str
    group_by: tuple[str, ...]
    pace: Pace
    matchers: tuple[Matcher, ...] = ()
    continues: bool = False
    mute: tuple[NamedIntervals, ...] = ()
    active: tuple[NamedIntervals, ...] = ()
    mute_summary: bool = False
    steps: tuple[Step, ...] = ()
    children: tuple[Route, ...] = ()

    def matching(self, labels: Mapping[str, str]) -> tuple[Route, ...]:
        """Give the routes that take an alert with these labels, in order; none if not even this one does."""
        return tuple(self._walk(labels))

    def _walk(self, labels: Mapping[str, str]) -> Iterator[Route]:
        if not all_match(self.matchers, labels):
            return
        found = False
        for child in self.children:
            taken = child.matching(labels)
            yield from taken
            found = found or bool(taken)
            if taken and not child.continues:
                return
        if not found:
            yield self

    def group_labels(self, labels: Mapping[str, str]) -> Mapping[str, str]:
        """Give the labels that an alert shares with its group; one that it lacks is left out."""
        names = sorted(labels) if ALL_LABELS in self.group_by else self.group_by
        return {name: labels[name] for name in names if name in labels}

    def group_key(self, labels: Mapping[str, str]) -> str:
        """Give the key of the group, readable: the route, then the group's labels."""
        shared = ", ".join(str(label) for label in _equalities(self.group_labels(labels)))
        return f"{self.id}:{{{shared}}}"

    @property
    def receivers(self) -> tuple[str, ...]:
        """The names of all receivers that may hear of its alerts: its own, then those that join later."""
        return tuple(dict.fromkeys((self.receiver, *(step.receiver for step in self.steps))))

    def muted(self, now: datetime) -> bool:
        """Whether nothing is to be told at this instant, except how ends what was told."""
        return is_muted(self.mute, self.active, now)

    def every(self) -> Iterator[Route]:
        """Give this route and all below it."""
        yield self
        for child in self.children:
            yield from child.every()


def _equalities(labels: Mapping[str, str]) -> Iterator[Matcher]:
    return (Matcher(name, Operator.EQUAL, value) for name, value in sorted(labels.items()))
