"""From files to rules: everything wrong with all of them at once, each with its place and cure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from pathlib import Path

from alertd.errors import ConfigError, Problem
from alertd.model.alert import SEVERITIES, Scope
from alertd.model.document import Document, Fields, Node
from alertd.rules.expression import Expression
from alertd.rules.fault import ExpressionError
from alertd.rules.lint import lint
from alertd.rules.parameters import read_parameters
from alertd.rules.purpose import Purpose
from alertd.rules.rule import DEFAULT_SEVERITY, Rule, RuleSet, Source
from alertd.rules.shipped import builtin_rules

__all__ = ["RESERVED_LABELS", "RuleSet", "builtin_rules", "load_rules"]

# These say who an alert is about; no rule and no tenant can give them another meaning.
RESERVED_LABELS = (
    "alertname",
    "severity",
    "tenant",
    "tenant_id",
    "job_id",
    "service_principal",
    "service_principal_id",
    "template_id",
)

_KEYS = (
    "alert",
    "when",
    "clear_when",
    "event",
    "for",
    "keep_firing_for",
    "severity",
    "labels",
    "params",
    "annotations",
    "template",
    "enabled",
)
_OF_STATES = ("clear_when", "for", "keep_firing_for")
_LABEL = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_TEMPLATE = re.compile(r"[a-z0-9][a-z0-9_-]*")


def load_rules(paths: Sequence[Path], *, poll_interval: timedelta | None = None) -> RuleSet:
    """Read the rules of some files in their order; raises ConfigError with every problem of all of them.

    poll_interval: lets the linter see a `for` that is shorter.
    """
    problems: list[Problem] = []
    rules: list[Rule] = []
    for path in paths:
        document = Document.load(path)
        rules += read_rules(document)
        problems += sorted(document.problems, key=lambda problem: (problem.line, problem.column))
    problems += _duplicates(rules)
    if any(not problem.warning for problem in problems):
        raise ConfigError(problems)
    return RuleSet(tuple(rules), (*problems, *lint(rules, poll_interval=poll_interval)))


def read_rules(document: Document) -> list[Rule]:
    """Give the rules of one file, and note in the document what is wrong with the others."""
    if document.root.null:
        return []
    groups = document.root.mapping("groups")["groups"]
    if groups.null:
        groups.problem(expected="a list of groups", cure="write `groups: [{name: ..., rules: [...]}]`")
    return [rule for group in groups.sequence() for rule in _group(group)]


def _group(node: Node) -> Iterator[Rule]:
    fields = node.mapping("name", "scope", "rules")
    name = fields["name"].text("")
    scope = Scope(fields["scope"].choice(tuple(Scope), Scope.JOB.value))
    if fields["rules"].null:
        fields["rules"].problem(expected="a list of rules", cure="write `rules: [{alert: ..., when: ...}]`")
    for entry in fields["rules"].sequence():
        rule = _rule(entry, name, scope)
        if rule is not None:
            yield rule


def _rule(node: Node, group: str, scope: Scope) -> Rule | None:
    """Give a rule; null where it has no condition that could be asked, which has been noted then."""
    fields = node.mapping(*_KEYS)
    params = read_parameters(fields["params"])
    expressions = {key: _expression(fields[key], key, scope, params) for key in ("when", "clear_when", "event")}
    name = _name(fields["alert"])
    if not _one_condition(fields):
        return None
    rule = Rule(
        name=name,
        scope=scope,
        hold_duration=fields["for"].duration(timedelta(0)),
        keep_firing_for=fields["keep_firing_for"].duration(timedelta(0)),
        severity=fields["severity"].choice(SEVERITIES, DEFAULT_SEVERITY),
        labels=_labels(fields["labels"]),
        params=params,
        annotations={key: value.text("") for key, value in fields["annotations"].entries()},
        template=_template(fields["template"]),
        enabled=fields["enabled"].boolean(True),
        group=group,
        source=Source(node.document.file, node.line, node.column, node.path, {key: fields[key] for key in fields}),
        **expressions,
    )
    return rule if rule.when or rule.event else None


def _name(node: Node) -> str:
    name = node.text()
    if node.scalar and (not name or name.strip() != name or not name.isprintable()):
        node.problem(expected="a printable name without spaces around it", cure="rename the rule")
    return name


def _expression(node: Node, key: str, scope: Scope, params: Mapping[str, object]) -> Expression | None:
    if node.null:
        return None
    text = node.text()
    if not node.scalar:
        return None
    try:
        return Expression.compile(
            text, scope=scope, params=params, purpose=Purpose.EVENT if key == "event" else Purpose.STATE
        )
    except ExpressionError as exc:
        for fault in exc.faults:
            node.problem(fault.found, expected=fault.expected, cure=fault.cure, offset=fault.offset)
    return None


def _one_condition(fields: Fields) -> bool:
    given = [key for key in ("when", "event") if not fields[key].null]
    if len(given) != 1:
        found = "both `when` and `event`" if given else "neither `when` nor `event`"
        cure = "write `when` for a state that lasts, `event` for a moment that is told once"
        fields.node.problem(found, expected="exactly one of them", cure=cure)
        return False
    for key in _OF_STATES if given == ["event"] else ():
        if fields[key].given:
            fields[key].problem(
                f"`{key}` of an event", cure="remove it: an event is told once, and neither holds nor ends"
            )
    return True


def _labels(node: Node) -> Mapping[str, str]:
    labels: dict[str, str] = {}
    for name, value in node.entries():
        if name in RESERVED_LABELS:
            value.problem(f"label `{name}`", expected="a label of your own", cure="alertd sets it, choose another name")
        elif _LABEL.fullmatch(name) is None:
            value.problem(f"label `{name}`", expected="letters, digits and `_`, no digit first", cure="rename it")
        labels[name] = value.text("")
    return labels


def _template(node: Node) -> str | None:
    template: str | None = node.text(None)
    if template is not None and _TEMPLATE.fullmatch(template) is None:
        node.problem(expected="the name of a message block, such as quarantine", cure="use a-z, 0-9, `_` and `-`")
    return template


def _duplicates(rules: Sequence[Rule]) -> Iterator[Problem]:
    first: dict[str, Rule] = {}
    for rule in rules:
        known = first.setdefault(rule.name, rule)
        if known is not rule and rule.name:
            node = rule.source.nodes["alert"]
            yield Problem(
                file=rule.file,
                line=node.line,
                column=node.column,
                path=node.path,
                found=f"a second rule `{rule.name}`",
                expected=f"one name for one rule (the first is in {known.file}:{known.line})",
                cure="rename it; to change a shipped rule, use `overrides` in the configuration",
            )
