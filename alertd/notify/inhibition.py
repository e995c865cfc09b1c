"""Inhibition: while a source alert fires, alerts that follow from the same cause are not told.

A source inhibits while it is firing, kept firing included, and even if it is silenced itself. An alert never
inhibits itself, and one that
matches both sides of a rule is not inhibited by another of which the same is true. A missing label equals an empty one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Protocol

import attrs

from alertd.model.alert import Alert, Event, State
from alertd.notify.matchers import Matcher, all_match, parse_matcher

_SAME_JOB = ("tenant_id", "service_principal_id", "job_id")


class Inhibits(Protocol):
    """Says which alert holds which back; a rule of the configuration, or a common cause."""

    @property
    def source_matchers(self) -> tuple[Matcher, ...]:
        """What the alert that holds back looks like."""
        ...

    def inhibits(self, source: Alert, target: Alert | Event) -> bool:
        """Whether `source`, which fires, holds `target` back."""
        ...


@attrs.frozen(kw_only=True)
class InhibitRule:
    """Alerts that match `target_matchers` are held back while one that matches `source_matchers` fires with equal
    `equal` labels.
    """

    source_matchers: tuple[Matcher, ...]
    target_matchers: tuple[Matcher, ...]
    equal: tuple[str, ...] = ()

    def inhibits(self, source: Alert, target: Alert | Event) -> bool:
        """Whether `source`, which fires, holds `target` back."""
        return (
            source.fingerprint != target.fingerprint
            and all_match(self.source_matchers, source.labels)
            and all_match(self.target_matchers, target.labels)
            and not (self._both_sides(source.labels) and self._both_sides(target.labels))
            and _agree(self.equal, source.labels, target.labels)
        )

    def _both_sides(self, labels: Mapping[str, str]) -> bool:
        return all_match(self.source_matchers, labels) and all_match(self.target_matchers, labels)


def _agree(names: Iterable[str], one: Mapping[str, str], other: Mapping[str, str]) -> bool:
    return all(one.get(name, "") == other.get(name, "") for name in names)


def inhibitor(target: Alert | Event, sources: Iterable[Alert], rules: Iterable[Inhibits]) -> Alert | None:
    """Give the alert that holds `target` back, or None."""
    firing = [source for source in sources if source.state is State.FIRING]
    return next((source for rule in rules for source in firing if rule.inhibits(source, target)), None)


def _rule(source: str, target: str, equal: tuple[str, ...]) -> InhibitRule:
    return InhibitRule(source_matchers=(parse_matcher(source),), target_matchers=(parse_matcher(target),), equal=equal)


BUILTIN = (
    _rule('alertname="JobQuarantined"', 'alertname=~"FailureStreak|EntryErrorsHigh|EscrowsRising|JobStale"', _SAME_JOB),
    _rule('alertname="TenantUnreachable"', 'alertname="JobStale"', ("tenant_id",)),
)
