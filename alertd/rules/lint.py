"""What is allowed in a rule and yet probably not meant: warnings, never errors, each with a code.

The code of a finding is the key it has in `CHECKS`; what it means is the docstring of the check.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import timedelta
from itertools import combinations

from alertd.errors import Problem
from alertd.model.duration import format_duration
from alertd.model.suggestion import closest
from alertd.rules.constancy import constancy
from alertd.rules.fault import Fault
from alertd.rules.rule import Rule
from alertd.rules.term import (
    ORDERING,
    Call,
    Comparison,
    Conditional,
    Constant,
    Junction,
    Listing,
    Lookup,
    Member,
    Name,
    Not,
    Operator,
    Parameter,
    Term,
)
from alertd.rules.types import Kind, members


def lint(rules: Sequence[Rule], *, poll_interval: timedelta | None = None) -> list[Problem]:
    """Give all findings about some rules, in their order; what needs the poll interval only where it is given."""
    findings = [
        rule.source.finding(key, found=fault.found, cure=fault.cure, code=code, offset=fault.offset)
        for rule in rules
        for key, expression in rule.expressions
        for code, check in CHECKS.items()
        for fault in check(expression.term, rule)
    ]
    findings += [finding for rule in rules for finding in _of_rule(rule)]
    findings += _shadowed(rules)
    if poll_interval is not None:
        findings += [finding for rule in rules for finding in _short_hold(rule, poll_interval)]
    return findings


def never_true(term: Term, _: Rule) -> Iterator[Fault]:
    """The condition can never hold: by its constants, or since its parts exclude each other."""
    if constancy(term) is False:
        yield _fault(term, "a condition that never holds", "look for parts that exclude each other")


def always_true(term: Term, _: Rule) -> Iterator[Fault]:
    """The condition always holds, whatever is read."""
    if constancy(term) is True:
        yield _fault(term, "a condition that always holds", "look for `or` where `and` is meant, or remove the rule")


def unknown_enum_member(term: Term, rule: Rule) -> Iterator[Fault]:
    """A value that Graph documents as one of a few words is compared with another word.

    A warning only, since Graph adds words: these enums are open.
    """
    for part in term.walk():
        for words, other in _compared_words(part):
            for word in _texts(other, rule):
                if word not in words:
                    nearest = closest(word, words)
                    cure = f'did you mean "{nearest}"?' if nearest else f"known are {', '.join(words)}"
                    yield _fault(other, f'"{word}", which is no known value here', cure)


def negated_comparison(term: Term, _: Rule) -> Iterator[Fault]:
    """``not (x < 5)`` also holds where x is null, which ``x >= 5`` does not."""
    for part in term.walk():
        if isinstance(part, Not):
            for comparison in _bare_comparisons(part.operand):
                if comparison.operators[0] in ORDERING and any(_may_be_null(side) for side in comparison.operands):
                    found = f"`not` before `{comparison.text}`, which also holds where a value is null"
                    yield _fault(part, found, "write the opposite comparison, or add `!= null`")


def truth_of_value(term: Term, _: Rule) -> Iterator[Fault]:
    """A number, text, date, duration or list stands where a condition is wanted: it holds unless null, zero or empty."""
    for condition in _conditions(term):
        if condition.type.kind in {Kind.NUMBER, Kind.TEXT, Kind.DATE, Kind.DURATION, Kind.LIST, Kind.MAP}:
            found = f"{condition.type} as a condition: `{condition.text}`"
            yield _fault(condition, found, "write a comparison, such as `!= null` or `> 0`")


CHECKS: Mapping[str, Callable[[Term, Rule], Iterator[Fault]]] = {
    "never-true": never_true,
    "always-true": always_true,
    "unknown-enum-member": unknown_enum_member,
    "negated-comparison": negated_comparison,
    "truth-of-value": truth_of_value,
}


def _fault(term: Term, found: str, cure: str) -> Fault:
    return Fault(offset=term.offset, found=found, cure=cure)


def _compared_words(term: Term) -> Iterator[tuple[tuple[str, ...], Term]]:
    """Give the words of an enum together with what it is compared with."""
    if isinstance(term, Call) and term.function == "transitions":
        yield from _with_words(term.arguments[0], term.arguments[1])
    if isinstance(term, Comparison):
        for left, operator, right in term.pairs:
            if operator in {Operator.EQUAL, Operator.UNEQUAL, Operator.IN, Operator.NOT_IN}:
                yield from _with_words(left, right)
                yield from _with_words(right, left)


def _with_words(enum: Term, other: Term) -> Iterator[tuple[tuple[str, ...], Term]]:
    if enum.type.words and other.type.kind in {Kind.TEXT, Kind.LIST}:
        yield from ((enum.type.words, item) for item in (other.items if isinstance(other, Listing) else (other,)))


def _texts(term: Term, rule: Rule) -> Iterator[str]:
    value = term.value if isinstance(term, Constant) else None
    if isinstance(term, Parameter):
        value = rule.params[term.name]
    for text in value if isinstance(value, tuple) else (value,):
        if isinstance(text, str):
            yield text


def _bare_comparisons(term: Term) -> Iterator[Comparison]:
    if isinstance(term, Comparison):
        yield term
    if isinstance(term, Junction):
        for operand in term.operands:
            yield from _bare_comparisons(operand)


def _may_be_null(term: Term) -> bool:
    """Whether null is to be expected; `status`, `job` and `tenant` are always there where a rule is asked."""
    match term:
        case Name(name=name):
            return name in {"previous", "previous_job"}
        case Member(base=base, name=name):
            certain = base.type.of is not None and not members(base.type.of)[name].nullable
            return _may_be_null(base) or not certain
        case Lookup():
            return True
    return any(_may_be_null(child) for child in term.children)


def _conditions(term: Term) -> Iterator[Term]:
    """Give the terms that are only asked whether they hold."""
    match term:
        case Junction(operands=operands):
            for operand in operands:
                yield from _conditions(operand)
        case Not(operand=operand):
            yield from _conditions(operand)
        case Conditional(condition=condition, then=then, otherwise=otherwise):
            for part in (condition, then, otherwise):
                yield from _conditions(part)
        case _:
            yield term


def _of_rule(rule: Rule) -> Iterator[Problem]:
    if not rule.annotations.get("summary"):
        cure = 'add `annotations: {summary: "..."}`, the first line that people read'
        yield rule.source.finding("annotations", found="no annotation `summary`", cure=cure, code="missing-summary")
    read = {path for _, expression in rule.expressions for path in expression.reads}
    for name in rule.params:
        in_text = re.compile(rf"\bparams\.{re.escape(name)}\b")
        if f"params.{name}" not in read and not any(map(in_text.search, rule.annotations.values())):
            found = f"constant `{name}` that nothing uses"
            yield rule.source.finding(
                "params", found=found, cure="remove it, or use `params.name`", code="unused-param"
            )


def _shadowed(rules: Iterable[Rule]) -> Iterator[Problem]:
    """Two enabled rules that say the same at the same moment, so that one incident becomes two alerts."""
    for one, other in combinations([rule for rule in rules if rule.enabled], 2):
        if _says_the_same(one, other) and other.labels.items() <= one.labels.items():
            found = f"the same condition as `{one.name}` in {one.file}:{one.line}"
            cure = "remove one of the two, or give them different `for`"
            yield other.source.finding("alert", found=found, cure=cure, code="shadowed")


def _says_the_same(one: Rule, other: Rule) -> bool:
    if (one.scope, one.hold_duration, bool(one.when)) != (other.scope, other.hold_duration, bool(other.when)):
        return False
    if one.condition.term != other.condition.term:
        return False
    names = [path.removeprefix("params.") for path in one.condition.reads if path.startswith("params.")]
    return all(one.params[name] == other.params[name] for name in names)


def _short_hold(rule: Rule, poll_interval: timedelta) -> Iterator[Problem]:
    """A `for` shorter than the time between two looks: the second look decides, as with one poll interval."""
    if timedelta(0) < rule.hold_duration < poll_interval:
        held, between = format_duration(rule.hold_duration), format_duration(poll_interval)
        found = f"`for: {held}`, shorter than the {between} between two polls"
        cure = f"write `for: {between}`, which is what happens, or 0s"
        yield rule.source.finding("for", found=found, cure=cure, code="for-below-interval")
