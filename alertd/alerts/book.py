"""The rules in force, with what the configuration tunes in them for some subjects."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import timedelta
from functools import cache, cached_property
from typing import Any, Protocol

from alertd.alerts.waking import Waking
from alertd.model.alert import Alert, Scope
from alertd.model.views import Subject
from alertd.notify.matchers import Matcher, all_match
from alertd.rules.rule import Rule

# What may change in a text although the snapshot has not.
_TIMED = re.compile(r"\b(?:now|ago|until|lastSeenAt|tenant|alertd)\b")

Annotate = Callable[[Rule, Subject, Mapping[str, str]], Mapping[str, str]]


class Override(Protocol):
    """A change to a rule for the subjects whose labels match, the rule's own severity among them. Null leaves a value as it is."""

    @property
    def alert(self) -> str:
        """The rule's name."""
        ...

    @property
    def matchers(self) -> tuple[Matcher, ...]:
        """All of them must hold."""
        ...

    @property
    def params(self) -> Mapping[str, Any]:
        """Constants in place of the rule's, by name."""
        ...

    @property
    def severity(self) -> str | None:
        """In place of the rule's."""
        ...

    @property
    def hold_duration(self) -> timedelta | None:
        """In place of the rule's `for`."""
        ...

    @property
    def enabled(self) -> bool | None:
        """Whether the rule is asked at all."""
        ...


class RuleBook:
    """The rules by scope, in the order of their files.

    annotate: renders a rule's annotations for a subject and labels; total, since a broken annotation must not lose an alert.
    locale: what else its texts depend on, such as the time zone of their dates; it is only compared.
    """

    def __init__(
        self, rules: Iterable[Rule], overrides: Iterable[Override] = (), *, annotate: Annotate, locale: str = ""
    ) -> None:
        self._rules = tuple(rules)
        self._overrides = {
            rule.name: tuple(override for override in overrides if override.alert == rule.name) for rule in self._rules
        }
        self.annotate = annotate
        self._timed = {
            rule.name: any(_TIMED.search(text) for text in rule.annotations.values()) for rule in self._rules
        }
        self._locale = locale
        self._tuned = cache(self._tune)
        self._by_name = {rule.name: rule for rule in self._rules}
        self._states = {scope: self._of(scope, "when") for scope in Scope}
        self._events = {scope: self._of(scope, "event") for scope in Scope}

    def _of(self, scope: Scope, key: str) -> tuple[Rule, ...]:
        return tuple(rule for rule in self._rules if rule.scope is scope and getattr(rule, key) is not None)

    @property
    def rules(self) -> tuple[Rule, ...]:
        """All of them, in the order of their files."""
        return self._rules

    def states(self, scope: Scope) -> tuple[Rule, ...]:
        """Give the rules that fire and resolve."""
        return self._states[scope]

    def events(self, scope: Scope) -> tuple[Rule, ...]:
        """Give the rules that tell moments."""
        return self._events[scope]

    @cached_property
    def waking(self) -> Waking:
        """When job rules have to be asked again though nothing new is read."""
        return Waking(self, Scope.JOB)

    def named(self, name: str) -> Rule | None:
        """Give a rule by its name, as its file has it."""
        return self._by_name.get(name)

    def wording(self, rule: Rule) -> str:
        """Name the words that a rule's texts are made of, as it is tuned; an alert keeps the name with its text."""
        return f"{rule.wording} {self._locale}"

    def wants_text(self, alert: Alert, rule: Rule) -> bool:
        """Whether an alert whose subject has not changed needs its annotations anew.

        It does when they speak of time or of the tenant, and when its text was made of other words than the rule has now.
        """
        return self._timed[rule.name] or alert.wording != self.wording(rule)

    def speaks_of_time(self, name: str) -> bool:
        """Whether a rule's annotations may come out otherwise although the subject is the same."""
        return self._timed[name]

    def tuned(self, rule: Rule, labels: Mapping[str, str]) -> Rule:
        """Give a rule as it is for the subject that has these labels."""
        overrides = self._overrides[rule.name]
        if not overrides:
            return rule
        found = {**labels, "alertname": rule.name, "severity": rule.severity}
        chosen = tuple(number for number, change in enumerate(overrides) if all_match(change.matchers, found))
        return self._tuned(rule.name, chosen)

    def _tune(self, name: str, chosen: tuple[int, ...]) -> Rule:
        rule = self._by_name[name]
        for number in chosen:
            change = self._overrides[name][number]
            rule = rule.overridden(
                params=change.params,
                severity=change.severity,
                hold_duration=change.hold_duration,
                enabled=change.enabled,
            )
        return rule
