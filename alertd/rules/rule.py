"""One rule as it is in force: its expressions compiled, its durations read, its place in the file kept."""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Iterator, Mapping
from datetime import timedelta

import attrs

from alertd.errors import ConfigError, Problem
from alertd.model.alert import SEVERITIES, Scope
from alertd.model.document import Node
from alertd.model.suggestion import did_you_mean
from alertd.rules.expression import Expression
from alertd.rules.parameters import overridden

DEFAULT_SEVERITY = "warning"


@attrs.frozen
class Source:
    """Where a rule stands: its file, line, column and path, and the nodes of its keys."""

    file: str = ""
    line: int = 0
    column: int = 0
    path: str = ""
    nodes: Mapping[str, Node] = attrs.field(factory=dict, repr=False)

    def finding(self, key: str, *, found: str, cure: str, code: str, offset: int | None = None) -> Problem:
        """Give a linter's finding at one of the rule's keys, or at the rule where it does not have that key."""
        node = self.nodes.get(key)
        line, column = (self.line, self.column) if node is None else node.position(offset)
        path = self.path if node is None else node.path
        return Problem(
            file=self.file, line=line, column=column, path=path, found=found, cure=cure, code=code, warning=True
        )


@attrs.frozen(kw_only=True)
class Rule:
    """A condition worth telling.

    Exactly one of `when` (a state: it fires and is resolved) and `event` (a moment: it is told once) is given.
    clear_when: what resolves a state; by default that `when` is false. hold_duration: the YAML key `for`.
    keep_firing_for: how long it must be clear before it is resolved.
    params: constants for expressions and annotations. annotations: Jinja texts by name, not rendered.
    template: the message block; null for the default. enabled: a disabled rule is kept, since an override may enable it.
    """

    name: str
    scope: Scope = Scope.JOB
    when: Expression | None = None
    clear_when: Expression | None = None
    event: Expression | None = None
    hold_duration: timedelta = timedelta(0)
    keep_firing_for: timedelta = timedelta(0)
    severity: str = DEFAULT_SEVERITY
    labels: Mapping[str, str] = attrs.field(factory=dict)
    params: Mapping[str, object] = attrs.field(factory=dict)
    annotations: Mapping[str, str] = attrs.field(factory=dict)
    template: str | None = None
    enabled: bool = True
    group: str = ""
    source: Source = attrs.field(factory=Source, eq=False, repr=False)

    @property
    def file(self) -> str:
        """The file it stands in."""
        return self.source.file

    @property
    def line(self) -> int:
        """The line it begins at, from one; zero for a rule of no file."""
        return self.source.line

    @property
    def condition(self) -> Expression:
        """Its `when` or `event`."""
        expression = self.when or self.event
        assert expression is not None  # noqa: S101 - the loader gives every rule one
        return expression

    @functools.cached_property
    def wording(self) -> str:
        """Eight hex digits of what its texts are made of: the annotations and the constants they may name."""
        words = repr((sorted(self.annotations.items()), sorted(self.params.items())))
        return hashlib.sha256(words.encode()).hexdigest()[:8]

    @property
    def expressions(self) -> Iterator[tuple[str, Expression]]:
        """Its expressions by the keys they stand under."""
        for key, expression in (("when", self.when), ("clear_when", self.clear_when), ("event", self.event)):
            if expression is not None:
                yield key, expression

    def overridden(
        self,
        *,
        params: Mapping[str, object] | None = None,
        severity: str | None = None,
        hold_duration: timedelta | None = None,
        enabled: bool | None = None,
    ) -> Rule:
        """Give the rule with some things changed; what is null stays.

        Raises ConfigError for a constant that the rule does not have, or that has another type than the rule's, and for
        an unknown severity; `path` of each problem is relative to the override. Nothing is compiled anew: expressions
        get their constants when they are evaluated.
        """
        changes = list(overridden(self.params, params or {}))
        problems = [change for change in changes if isinstance(change, Problem)]
        if severity is not None and severity not in SEVERITIES:
            expected = f"one of {', '.join(SEVERITIES)}"
            cure = did_you_mean(severity, SEVERITIES)
            problems.append(Problem(path="severity", found=f"`{severity}`", expected=expected, cure=cure))
        if self.event is not None and hold_duration:
            problems.append(Problem(path="for", found="`for` of an event", expected="a state", cure="remove it"))
        if problems:
            raise ConfigError(problems)
        return attrs.evolve(
            self,
            params={**self.params, **dict(change for change in changes if not isinstance(change, Problem))},
            severity=self.severity if severity is None else severity,
            hold_duration=self.hold_duration if hold_duration is None else hold_duration,
            enabled=self.enabled if enabled is None else enabled,
        )


@attrs.frozen
class RuleSet:
    """All rules of some files, in the order of the files, and what the linter says about them."""

    rules: tuple[Rule, ...] = ()
    warnings: tuple[Problem, ...] = ()

    @property
    def by_name(self) -> Mapping[str, Rule]:
        """The rules by name."""
        return {rule.name: rule for rule in self.rules}

    def for_scope(self, scope: Scope) -> tuple[Rule, ...]:
        """Give the rules that are asked about subjects of a scope, disabled ones included."""
        return tuple(rule for rule in self.rules if rule.scope is scope)
