"""A checked expression as a tree of terms: what the compiler turns into code and the interpreter walks.

Every term knows its type, the text it was written as, and where that text begins. The tree is as small as the
language: eleven kinds of terms, no more.
"""

from __future__ import annotations

import enum
from collections.abc import Iterator
from typing import ClassVar

import attrs

from alertd.rules.types import Type


class Operator(enum.StrEnum):
    """Operators between two terms, spelled as in rules."""

    ADD = "+"
    SUBTRACT = "-"
    MULTIPLY = "*"
    DIVIDE = "/"
    REMAINDER = "%"
    EQUAL = "=="
    UNEQUAL = "!="
    LESS = "<"
    LESS_OR_EQUAL = "<="
    GREATER = ">"
    GREATER_OR_EQUAL = ">="
    IN = "in"
    NOT_IN = "not in"


ORDERING = frozenset({Operator.LESS, Operator.LESS_OR_EQUAL, Operator.GREATER, Operator.GREATER_OR_EQUAL})
MEMBERSHIP = frozenset({Operator.IN, Operator.NOT_IN})


@attrs.frozen(kw_only=True)
class Term:
    """One part of an expression.

    text: as written. offset: the character of the expression at which it begins.
    """

    type: Type
    text: str = attrs.field(eq=False)
    offset: int = attrs.field(eq=False)

    parts: ClassVar[tuple[str, ...]] = ()  # the fields that hold the terms it is made of, in the order of the text

    @property
    def children(self) -> tuple[Term, ...]:
        """The terms it is made of, in the order of the text."""
        found: list[Term] = []
        for part in self.parts:
            value = getattr(self, part)
            found += value if isinstance(value, tuple) else (value,)
        return tuple(found)

    def walk(self) -> Iterator[Term]:
        """Give it and everything it is made of, outermost first."""
        yield self
        for child in self.children:
            yield from child.walk()


@attrs.frozen(kw_only=True)
class Constant(Term):
    """A value written in the rule."""

    value: object


@attrs.frozen(kw_only=True)
class Name(Term):
    """One of the names an expression begins with: `status`, `job`, `now` ..."""

    name: str


@attrs.frozen(kw_only=True)
class Parameter(Term):
    """A constant of the rule: ``params.threshold``."""

    name: str


@attrs.frozen(kw_only=True)
class Member(Term):
    """A property of an object; null if the object is."""

    parts = ("base",)

    base: Term
    name: str


@attrs.frozen(kw_only=True)
class Lookup(Term):
    """A value of a map; null if the map is, or has no such key."""

    parts = ("base", "key")

    base: Term
    key: Term


@attrs.frozen(kw_only=True)
class Junction(Term):
    """``and`` or ``or`` between two or more terms; always true or false."""

    parts = ("operands",)

    conjunction: bool
    operands: tuple[Term, ...]


@attrs.frozen(kw_only=True)
class Not(Term):
    """``not``; always true or false."""

    parts = ("operand",)

    operand: Term


@attrs.frozen(kw_only=True)
class Negative(Term):
    """Unary minus."""

    parts = ("operand",)

    operand: Term


@attrs.frozen(kw_only=True)
class Comparison(Term):
    """One or more comparisons in a row, `operators[i]` between `operands[i]` and `operands[i + 1]`; true or false."""

    parts = ("operands",)

    operands: tuple[Term, ...]
    operators: tuple[Operator, ...]

    @property
    def pairs(self) -> Iterator[tuple[Term, Operator, Term]]:
        """Give each comparison by itself."""
        return zip(self.operands[:-1], self.operators, self.operands[1:], strict=True)


@attrs.frozen(kw_only=True)
class Arithmetic(Term):
    """A calculation with two numbers, dates or durations; null if one is, or where there is no result."""

    parts = ("left", "right")

    operator: Operator
    left: Term
    right: Term


@attrs.frozen(kw_only=True)
class Conditional(Term):
    """``x if c else y``."""

    parts = ("then", "condition", "otherwise")

    condition: Term
    then: Term
    otherwise: Term


@attrs.frozen(kw_only=True)
class Listing(Term):
    """A list written in the rule."""

    parts = ("items",)

    items: tuple[Term, ...]


@attrs.frozen(kw_only=True)
class Call(Term):
    """A function with its arguments, those by keyword (`to=`, `within=`) last.

    before: for the `changed` family, the path at the last good reading; null elsewhere.
    """

    parts = ("arguments",)

    function: str
    arguments: tuple[Term, ...]
    before: Term | None = None


def path(term: Term) -> str | None:
    """Give where a property stands, such as ``status.quarantine.reason``; null for what is no path.

    A value of a map stands where its map does.
    """
    match term:
        case Name(name=name):
            return name
        case Parameter(name=name):
            return f"params.{name}"
        case Lookup(base=base):
            return path(base)
        case Member(base=base, name=name):
            above = path(base)
            return above and f"{above}.{name}"
    return None


def root(term: Term) -> str:
    """Give the name that a path begins with."""
    while isinstance(term, Member | Lookup):
        term = term.base
    return term.name if isinstance(term, Name) else ""
