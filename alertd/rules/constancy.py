"""Conditions that never hold, or always: by their constants, or by parts that contradict each other.

This is not a theorem prover. It knows what people really write: `status.code == "A" and status.code == "B"`, a bound
below another, a comparison with null that should be `== null`. What it says is certain; what it does not say may be.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import combinations
from typing import Any

import attrs

from alertd.rules.compiler import constant_value, is_constant
from alertd.rules.term import MEMBERSHIP, ORDERING, Comparison, Junction, Not, Operator, Term

_LOWER = frozenset({Operator.GREATER, Operator.GREATER_OR_EQUAL})
_UPPER = frozenset({Operator.LESS, Operator.LESS_OR_EQUAL})
_INCLUSIVE = frozenset({Operator.GREATER_OR_EQUAL, Operator.LESS_OR_EQUAL})
_MIRRORED = {
    Operator.LESS: Operator.GREATER,
    Operator.LESS_OR_EQUAL: Operator.GREATER_OR_EQUAL,
    Operator.GREATER: Operator.LESS,
    Operator.GREATER_OR_EQUAL: Operator.LESS_OR_EQUAL,
}
_OPPOSITE = {
    Operator.EQUAL: Operator.UNEQUAL,
    Operator.UNEQUAL: Operator.EQUAL,
    Operator.IN: Operator.NOT_IN,
    Operator.NOT_IN: Operator.IN,
}


def constancy(term: Term) -> bool | None:
    """Say whether a condition always holds (true), never (false), or that it depends (null)."""
    if is_constant(term):
        return bool(constant_value(term))
    match term:
        case Not(operand=operand):
            inside = constancy(operand)
            return None if inside is None else not inside
        case Junction(conjunction=conjunction, operands=operands):
            return _of_junction(term, [constancy(operand) for operand in operands], conjunction)
        case Comparison() if any(_never(*pair) for pair in term.pairs):
            return False
    if isinstance(term, Comparison) and _contradict(_facts(term, True)):
        return False
    return None


def _of_junction(term: Term, parts: list[bool | None], conjunction: bool) -> bool | None:
    """``and`` is decided by one part that never holds, ``or`` by one that always does; De Morgan makes them one."""
    decisive = not conjunction
    if decisive in parts or _contradict(_facts(term, conjunction)):
        return decisive
    return conjunction if set(parts) == {conjunction} else None


def _never(left: Term, operator: Operator, right: Term) -> bool:
    """Whether the comparison orders something against null."""
    return operator in ORDERING and any(is_constant(side) and constant_value(side) is None for side in (left, right))


@attrs.frozen
class _Fact:
    """What must hold for a term: it compares so with a constant."""

    about: Term
    operator: Operator
    value: Any


def _facts(term: Term, holds: bool) -> list[_Fact]:
    """Give what certainly follows when the term is true (`holds`) or not true."""
    match term:
        case Junction(conjunction=conjunction, operands=operands) if conjunction is holds:
            return [fact for operand in operands for fact in _facts(operand, holds)]
        case Not(operand=operand):
            return _facts(operand, not holds)
        case Comparison() if holds:
            return [fact for pair in term.pairs for fact in _fact(*pair)]
        case Comparison(operators=(operator,)) if operator in _OPPOSITE:
            left, right = term.operands
            return list(_fact(left, _OPPOSITE[operator], right))
    return []


def _fact(left: Term, operator: Operator, right: Term) -> Iterator[_Fact]:
    if operator in ORDERING:  # null has no order
        yield from (_Fact(side, Operator.UNEQUAL, None) for side in (left, right) if not is_constant(side))
    if is_constant(right) and not is_constant(left):
        yield _Fact(left, operator, constant_value(right))
    elif is_constant(left) and not is_constant(right) and operator not in MEMBERSHIP:
        yield _Fact(right, _MIRRORED.get(operator, operator), constant_value(left))


def _contradict(facts: Iterable[_Fact]) -> bool:
    return any(one.about == other.about and _exclude(one, other) for one, other in combinations(facts, 2))


def _exclude(one: _Fact, other: _Fact) -> bool:
    """Whether two facts about one term cannot hold together."""
    if one.operator is Operator.EQUAL:
        return not _holds(one.value, other)
    if other.operator is Operator.EQUAL:
        return not _holds(other.value, one)
    for chosen, rest in ((one, other), (other, one)):
        if chosen.operator is Operator.IN and isinstance(chosen.value, tuple):
            return not any(_holds(value, rest) for value in chosen.value)
    return _bounds_cross(one, other)


def _bounds_cross(one: _Fact, other: _Fact) -> bool:
    lower, upper = (one, other) if one.operator in _LOWER else (other, one)
    if lower.operator not in _LOWER or upper.operator not in _UPPER or None in (lower.value, upper.value):
        return False
    if lower.value == upper.value:  # a single value lies between two bounds that both include it
        return lower.operator is Operator.GREATER or upper.operator is Operator.LESS
    return bool(lower.value > upper.value)


def _holds(value: Any, fact: _Fact) -> bool:  # noqa: ANN401 - a constant of any type
    if fact.operator in ORDERING:
        if value is None or fact.value is None:
            return False
        low, high = (fact.value, value) if fact.operator in _LOWER else (value, fact.value)
        return bool(low < high) or (low == high and fact.operator in _INCLUSIVE)
    if fact.operator in MEMBERSHIP:
        inside = fact.value is not None and not (value is None and isinstance(fact.value, str)) and value in fact.value
        return inside is (fact.operator is Operator.IN)
    return bool(value == fact.value) is (fact.operator is Operator.EQUAL)
