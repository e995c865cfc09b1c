"""What to do about a mistake: the last part of a problem, and the part that people read."""

from __future__ import annotations

import ast
from typing import TypedDict

from alertd.model.alert import Scope
from alertd.model.duration import parse_duration
from alertd.model.suggestion import closest, did_you_mean
from alertd.rules.functions import FUNCTIONS, Function
from alertd.rules.runtime import number
from alertd.rules.term import Constant, Operator, Term
from alertd.rules.types import Kind, Type, members, names

ORDERED = "numbers, dates or durations"


class Place(TypedDict):
    """Where a term stands: the fields `text` and `offset` of Term."""

    text: str
    offset: int


# Only what the scanner lets through: it refuses all else that is foreign by its words and signs.
_FOREIGN: dict[type[ast.expr], tuple[str, str, str]] = {
    ast.Tuple: ("a tuple", "one value, or a list", "write `[a, b]`"),
    ast.Starred: ("`*`", "an argument", "write the arguments one by one"),
    ast.Slice: ("a slice", "a key", 'write one key, such as ["user to User"]'),
}


def of_foreign_syntax(node: ast.expr) -> tuple[str, str, str]:
    """Say found, expected and cure for syntax of Python that rules do not have."""
    return _FOREIGN.get(type(node), (f"Python's {type(node).__name__}", "an expression of the rule language", ""))


def of_foreign_constant(value: object) -> tuple[str, str, str]:
    """Say found, expected and cure for a constant of a type that rules do not have."""
    found = "a complex number" if isinstance(value, complex) else f"`{'...' if value is ... else value}`"
    return found, "a number, a text, true, false or null", ""


def of_name(name: str, scope: Scope) -> str:
    """Say what an unknown name may be: a misspelt one, a property without its object, a text without quotes."""
    known = names(scope)
    for elsewhere in Scope:
        if name in names(elsewhere):
            return f"`{name}` is known in scope {elsewhere} only, and this rule has scope {scope}"
    if name == "params":
        return "write `params.name`"
    if name in FUNCTIONS:
        return f"write `{FUNCTIONS[name].signature}`"
    for root, kind in known.items():
        if kind.of is not None and name in members(kind.of):
            return f"did you mean `{root}.{name}`?"
    if name in _all_words():
        return f'texts stand in quotes: did you mean "{name}"?'
    return did_you_mean(name, [*known, "params"])


def _all_words() -> frozenset[str]:
    words: set[str] = set()
    for kind in names(Scope.JOB).values():
        words |= _words(kind)
    return frozenset(words)


def _words(kind: Type) -> set[str]:
    if kind.of is None:
        return set(kind.words)
    return set().union(*(_words(member) for member in members(kind.of).values()))


def of_function(name: str) -> str:
    """Say which function was meant."""
    nearest = closest(name, FUNCTIONS)
    return f"did you mean `{FUNCTIONS[nearest].signature}`?" if nearest else f"known are {', '.join(FUNCTIONS)}"


def of_method(node: ast.expr) -> str:
    """Say how a method of Python is written here."""
    if isinstance(node, ast.Attribute) and node.attr in FUNCTIONS:
        return f"write `{FUNCTIONS[node.attr].signature}`"
    return f"known are {', '.join(FUNCTIONS)}"


def of_no_object(base: Term, name: str) -> str:
    """Say how to get at what was written as a property."""
    if base.type.kind is Kind.MAP:
        return f'write `{base.text}["{name}"]`'
    if name in FUNCTIONS:
        return f"write `{FUNCTIONS[name].signature}`"
    if base.type.kind is Kind.LIST:
        return "of a list only `len()` is known"
    return f"`{base.text}` is {base.type} and has no properties"


def of_no_map(base: Term) -> str:
    """Say what can be done with a value that has no keys."""
    if base.type.kind is Kind.LIST:
        return "of a list only `len()` is known"
    if base.type.of is not None:
        return f"write `{base.text}.name`"
    return f"`{base.text}` has no keys"


def of_operand(operand: Term) -> str:
    """Say how to make a number of something else."""
    if operand.type.kind is Kind.TEXT:
        return _of_text(operand)
    if operand.type.kind is Kind.BOOL:
        return "a truth value is no number: write `1 if x else 0`"
    if operand.type.kind is Kind.DATE:
        return f"write `age({operand.text})` for a duration"
    return ""


def _of_text(operand: Term) -> str:
    """Texts that hold a duration or a number are taken for it by people, not by us."""
    if not isinstance(operand, Constant) or not isinstance(operand.value, str):
        return f"write `number({operand.text})`"
    if number(operand.value) is not None:
        return "write the number without quotes"
    try:
        parse_duration(operand.value)
    except ValueError:
        return ""
    return "durations are written minutes(5), hours(2), days(7), or unquoted in `params`"


def of_calculation(left: Term, operator: Operator, right: Term) -> tuple[str, str]:
    """Say what was expected, and the cure, for a calculation that has no result."""
    for one, other in ((left, right), (right, left)):
        if one.type.kind in {Kind.DATE, Kind.DURATION} and other.type.kind is Kind.NUMBER and operator in {"+", "-"}:
            return "a duration beside it", f"write seconds({other.text}), minutes({other.text}) or hours({other.text})"
    for operand in (left, right):
        if operand.type.kind not in {Kind.NUMBER, Kind.DATE, Kind.DURATION}:
            expected = "numbers or durations" if operator == "*" else ORDERED
            return expected, of_operand(operand)
    return "a calculation that has a result", "dates differ by durations; durations are multiplied by numbers"


def of_comparison(left: Term, right: Term) -> str:
    """Say how two values of different kinds can be compared."""
    kinds = {left.type.kind: left, right.type.kind: right}
    if kinds.keys() == {Kind.DATE, Kind.DURATION}:
        return f"write `age({kinds[Kind.DATE].text})` or `until({kinds[Kind.DATE].text})`"
    if kinds.keys() == {Kind.DATE, Kind.NUMBER}:
        number = kinds[Kind.NUMBER].text
        return f"write `age({kinds[Kind.DATE].text})` and a duration such as hours({number})"
    if kinds.keys() == {Kind.DURATION, Kind.NUMBER}:
        number = kinds[Kind.NUMBER].text
        return f"write seconds({number}), minutes({number}) or hours({number})"
    if Kind.BOOL in kinds:
        return "a truth value compares with true, false and null only"
    return (
        _of_text(kinds[Kind.TEXT]) if kinds.keys() & {Kind.TEXT} and kinds.keys() & {Kind.NUMBER, Kind.DURATION} else ""
    )


def of_order(kind: Type) -> str:
    """Say what to do instead of asking which of two texts, objects or truth values is greater."""
    if kind.kind is Kind.TEXT:
        return "texts have no order: compare with `==` or `in`, or write `number(...)`"
    return "compare with `==`"


def of_argument(function: Function, argument: Term) -> str:
    """Say what to give the function instead."""
    if function.name == "contains" and argument.type.kind in {Kind.LIST, Kind.MAP}:
        return f"write `x in {argument.text}`"
    if argument.type.of is not None:
        return f"name one of its properties: {', '.join(list(members(argument.type.of))[:8])}"
    if function.path:
        return f"`{function.name}` compares what is counted or timed; for others there is `changed`"
    if argument.type.kind is Kind.TEXT:
        return of_operand(argument)
    return f"write `{function.signature}`"
