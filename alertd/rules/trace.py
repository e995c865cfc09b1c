"""Expressions evaluated slowly and visibly: each part with the value it had.

This is what `alertd explain` shows, and the second opinion on the compiler: plain Python without any cleverness, held
against the compiled code by a property test. It is total: whatever cannot be computed is null, or false where the
answer is true or false. Compiled code hands over to it where an operation raises (an overflow), so that both agree.
"""

from __future__ import annotations

import fnmatch
import operator
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any

import attrs

from alertd.model.views import Subject
from alertd.rules import runtime
from alertd.rules.functions import CHANGED_FAMILY, PREDICATE
from alertd.rules.term import (
    Arithmetic,
    Call,
    Comparison,
    Conditional,
    Constant,
    Junction,
    Listing,
    Lookup,
    Member,
    Name,
    Negative,
    Not,
    Operator,
    Parameter,
    Term,
    path,
    root,
)


@attrs.frozen
class Node:
    """One part of an expression, the value it had, and the parts it was made from."""

    text: str
    value: object
    children: tuple[Node, ...] = ()


def trace(term: Term, subject: Subject, params: Mapping[str, object]) -> Node:
    """Evaluate every part of an expression, also those that `and`, `or` and `if` would pass over."""
    parts = (*term.children, term.before) if isinstance(term, Call) and term.before else term.children
    children = tuple(trace(part, subject, params) for part in parts)
    value = _Interpreter(subject, params).value(term, [child.value for child in children])
    return Node(term.text, value, children)


def interpret(term: Term, subject: Subject, params: Mapping[str, object]) -> object:
    """Give the value of an expression."""
    return trace(term, subject, params).value


_ORDERING: Mapping[Operator, Callable[[Any, Any], bool]] = {
    Operator.LESS: operator.lt,
    Operator.LESS_OR_EQUAL: operator.le,
    Operator.GREATER: operator.gt,
    Operator.GREATER_OR_EQUAL: operator.ge,
}
_CALCULATIONS: Mapping[Operator, Callable[[Any, Any], Any]] = {
    Operator.ADD: operator.add,
    Operator.SUBTRACT: operator.sub,
    Operator.MULTIPLY: operator.mul,
    Operator.DIVIDE: operator.truediv,
    Operator.REMAINDER: operator.mod,
}


class _Interpreter:
    """Computes one term from the values of its parts.

    Null has no properties and nothing can be calculated with it, so what is made from it is null like all else that cannot be computed.
    """

    def __init__(self, subject: Subject, params: Mapping[str, object]) -> None:
        self._subject = subject
        self._params = params

    def value(self, term: Term, values: Sequence[Any]) -> object:
        """Give the term's value; `values` are those of its parts, in their order."""
        try:
            return self._known(term, values)
        except Exception:  # noqa: BLE001 - what cannot be computed is null: that is the language's rule
            return None if term.type.nullable else False

    def _known(self, term: Term, values: Sequence[Any]) -> object:
        match term:
            case Constant(value=value):
                return value
            case Name(name=name):
                return getattr(self._subject, name)
            case Parameter(name=name):
                return self._params.get(name)
            case Call():
                return self._call(term, values)
        return _COMBINED[type(term)](term, values)

    def _call(self, call: Call, values: Sequence[Any]) -> object:
        if call.before is not None and call.function in CHANGED_FAMILY:
            if getattr(self._subject, root(call.before)) is None:  # first sight: nothing to compare with
                return False if call.type is PREDICATE else None
            if call.function == "changed":
                return bool(values[0] != values[1])
        if call.function == "transitions":
            return self._transitions(path(call.arguments[0]) or "", values[1], values[2])
        if None in values:
            return False if call.type is PREDICATE else None
        if call.function in {"age", "until"}:
            elapsed = self._subject.now - values[0]
            return elapsed if call.function == "age" else -elapsed
        return _FUNCTIONS[call.function](*values)

    def _transitions(self, where: str, to: object, within: timedelta | None) -> int | None:
        if within is None:
            return None
        return runtime.transitions(self._subject.instants, where, to, within, self._subject.now)


def _member(term: Member, values: Sequence[Any]) -> object:
    return getattr(values[0], term.name)


def _lookup(_: Lookup, values: Sequence[Any]) -> object:
    return values[0].get(values[1])


def _junction(term: Junction, values: Sequence[Any]) -> bool:
    return all(values) if term.conjunction else any(values)


def _negative(_: Negative, values: Sequence[Any]) -> object:
    return -values[0]


def _comparison(term: Comparison, values: Sequence[Any]) -> bool:
    pairs = zip(values[:-1], term.operators, values[1:], strict=True)
    return all(_compare(left, how, right) for left, how, right in pairs)


def _arithmetic(term: Arithmetic, values: Sequence[Any]) -> object:
    return _bounded(term.operator, _CALCULATIONS[term.operator](*values))


def _compare(left: Any, how: Operator, right: Any) -> bool:  # noqa: ANN401 - values of any type
    if how in _ORDERING:
        return left is not None and right is not None and _ORDERING[how](left, right)
    if how in {Operator.EQUAL, Operator.UNEQUAL}:
        return bool(left == right) is (how is Operator.EQUAL)
    inside = right is not None and not (left is None and isinstance(right, str)) and left in right
    return inside is (how is Operator.IN)


def _bounded(how: Operator, result: Any) -> object:  # noqa: ANN401 - a number, a date or a duration
    if isinstance(result, int | float) and how in {Operator.MULTIPLY, Operator.DIVIDE}:
        return result if abs(result) <= runtime.NUMBER_MAX else None
    return result


_FUNCTIONS: Mapping[str, Callable[..., Any]] = {
    "seconds": lambda n: timedelta(seconds=n),
    "minutes": lambda n: timedelta(minutes=n),
    "hours": lambda n: timedelta(hours=n),
    "days": lambda n: timedelta(days=n),
    "increased": lambda after, before: after > before,
    "decreased": lambda after, before: after < before,
    "delta": lambda after, before: after - before,
    "contains": lambda text, part: part in text,
    "startswith": lambda text, part: text.startswith(part),
    "endswith": lambda text, part: text.endswith(part),
    "lower": lambda text: text.lower(),
    "like": fnmatch.fnmatchcase,
    "len": len,
    "min": min,
    "max": max,
    "abs": abs,
    "total": lambda counts: sum(counts.values()),
    "number": runtime.number,
}

_COMBINED: Mapping[type[Term], Callable[[Any, Sequence[Any]], object]] = {
    Member: _member,
    Lookup: _lookup,
    Junction: _junction,
    Not: lambda _, values: not values[0],
    Negative: _negative,
    Comparison: _comparison,
    Arithmetic: _arithmetic,
    Conditional: lambda _, values: values[0] if values[1] else values[2],
    Listing: lambda _, values: tuple(values),
}
