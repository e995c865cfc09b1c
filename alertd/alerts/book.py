"""The rules in force, with what the configuration tunes in them for some subjects."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import timedelta
from functools import cache

import attrs

from alertd.model.alert import Scope
from alertd.model.views import Subject
from alertd.notify.matchers import Matcher, all_match
from alertd.rules.rule import Rule

Annotate = Callable[[Rule, Subject, Mapping[str, str]], Mapping[str, str]]


@attrs.frozen(kw_only=True)
class Override:
    """A change to a rule for the subjects whose labels match: the rule's own severity among them. Null leaves a value as it is."""

    alert: str
    matchers: tuple[Matcher, ...] = ()
    params: Mapping[str, object] = attrs.field(factory=dict)
    severity: str | None = None
    hold_duration: timedelta | None = None
    enabled: bool | None = None

    def applied(self, rule: Rule) -> Rule:
        """Give the rule with this change."""
        return rule.overridden(
            params=self.params, severity=self.severity, hold_duration=self.hold_duration, enabled=self.enabled
        )


class RuleBook:
    """The rules by scope, in the order of their files.

    annotate: renders a rule's annotations for a subject and labels; total, since a broken annotation must not lose an alert.
    """

    def __init__(self, rules: Iterable[Rule], overrides: Iterable[Override] = (), *, annotate: Annotate) -> None:
        self._rules = tuple(rules)
        self._overrides = {
            rule.name: tuple(override for override in overrides if override.alert == rule.name) for rule in self._rules
        }
        self.annotate = annotate
        self._tuned = cache(self._tune)
        self._by_name = {rule.name: rule for rule in self._rules}

    def states(self, scope: Scope) -> tuple[Rule, ...]:
        """Give the rules that fire and resolve."""
        return tuple(rule for rule in self._rules if rule.scope is scope and rule.when is not None)

    def events(self, scope: Scope) -> tuple[Rule, ...]:
        """Give the rules that tell moments."""
        return tuple(rule for rule in self._rules if rule.scope is scope and rule.event is not None)

    def named(self, name: str) -> Rule | None:
        """Give a rule by its name, as its file has it."""
        return self._by_name.get(name)

    def tuned(self, rule: Rule, labels: Callable[[], Mapping[str, str]]) -> Rule:
        """Give a rule as it is for a subject; `labels` is asked only where an override could apply."""
        overrides = self._overrides[rule.name]
        if not overrides:
            return rule
        found = {**labels(), "alertname": rule.name, "severity": rule.severity}
        chosen = tuple(number for number, change in enumerate(overrides) if all_match(change.matchers, found))
        return self._tuned(rule.name, chosen)

    def _tune(self, name: str, chosen: tuple[int, ...]) -> Rule:
        rule = self._by_name[name]
        for number in chosen:
            rule = self._overrides[name][number].applied(rule)
        return rule
