"""Pieces of Python syntax, and what a term becomes in Python: guards and a value."""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence

import attrs

from alertd.rules.term import Operator

NULL = ast.Constant(None)

_COMPARE: Mapping[Operator, type[ast.cmpop]] = {
    Operator.EQUAL: ast.Eq,
    Operator.UNEQUAL: ast.NotEq,
    Operator.LESS: ast.Lt,
    Operator.LESS_OR_EQUAL: ast.LtE,
    Operator.GREATER: ast.Gt,
    Operator.GREATER_OR_EQUAL: ast.GtE,
    Operator.IN: ast.In,
    Operator.NOT_IN: ast.NotIn,
}
_CALCULATE: Mapping[Operator, type[ast.operator]] = {
    Operator.ADD: ast.Add,
    Operator.SUBTRACT: ast.Sub,
    Operator.MULTIPLY: ast.Mult,
    Operator.DIVIDE: ast.Div,
    Operator.REMAINDER: ast.Mod,
}


@attrs.frozen
class Code:
    """A term in Python: `value` is only computed where all `guards` hold, and the term is null where one does not.

    nullable: the value itself may be null although the guards hold.
    """

    value: ast.expr
    guards: tuple[ast.expr, ...] = ()
    nullable: bool = False

    @property
    def expression(self) -> ast.expr:
        """The term's value, null included."""
        return choice(every(self.guards), self.value, NULL) if self.guards else self.value

    @property
    def condition(self) -> ast.expr:
        """An expression that is true where the term is."""
        return every((*self.guards, self.value))

    @property
    def atomic(self) -> bool:
        """Whether the value may be written twice without being computed twice."""
        return isinstance(self.value, ast.Name | ast.Constant)


def load(name: str) -> ast.Name:
    """Read a variable."""
    return ast.Name(name, ast.Load())


def store(name: str) -> ast.Name:
    """Name a variable that is set."""
    return ast.Name(name, ast.Store())


def attribute(value: ast.expr, name: str) -> ast.expr:
    """Read an attribute."""
    return ast.Attribute(value, name, ast.Load())


def invoke(function: ast.expr, *arguments: ast.expr) -> ast.expr:
    """Call a function."""
    return ast.Call(function, list(arguments), [])


def every(conditions: Sequence[ast.expr]) -> ast.expr:
    """Ask for all of them, in this order and no further than the first that is false."""
    return conditions[0] if len(conditions) == 1 else ast.BoolOp(ast.And(), list(conditions))


def choice(condition: ast.expr, then: ast.expr, otherwise: ast.expr) -> ast.expr:
    """Give one or the other."""
    return ast.IfExp(condition, then, otherwise)


def negation(condition: ast.expr) -> ast.expr:
    """Ask for the opposite."""
    return ast.UnaryOp(ast.Not(), condition)


def is_there(value: ast.expr) -> ast.expr:
    """Ask whether a value is not null."""
    return ast.Compare(value, [ast.IsNot()], [NULL])


def comparison(left: ast.expr, how: Operator, right: ast.expr) -> ast.expr:
    """Compare as Python does."""
    return ast.Compare(left, [_COMPARE[how]()], [right])


def calculation(left: ast.expr, how: Operator, right: ast.expr) -> ast.expr:
    """Calculate as Python does."""
    return ast.BinOp(left, _CALCULATE[how](), right)


def within(value: ast.expr, bound: int) -> ast.expr:
    """Ask whether a number lies between -bound and bound; NaN does not."""
    return ast.Compare(ast.Constant(-bound), [ast.LtE(), ast.LtE()], [value, ast.Constant(bound)])


def exactly(condition: ast.expr) -> ast.expr:
    """Make true or false of what is merely true or not."""
    return condition if _is_exact(condition) else choice(condition, ast.Constant(True), ast.Constant(False))


def _is_exact(condition: ast.expr) -> bool:
    if isinstance(condition, ast.BoolOp):
        return all(_is_exact(part) for part in condition.values)
    if isinstance(condition, ast.Constant):
        return isinstance(condition.value, bool)
    negated = isinstance(condition, ast.UnaryOp) and isinstance(condition.op, ast.Not)
    return negated or isinstance(condition, ast.Compare)


def equality(left: Code, how: Operator, right: Code) -> ast.expr:
    """Compare by `==` or `!=`, where null equals null and nothing else."""
    if _is_null(left) or _is_null(right):
        there = _is_given(left if _is_null(right) else right)
        return there if how is Operator.UNEQUAL else negation(there)
    # Only what is never null, and cannot raise and so turn out null, equals the other side only where its guards hold.
    certain = [code for code in (left, right) if code.atomic and not code.guards and not code.nullable]
    if not certain or not (left.guards or right.guards):
        return comparison(left.expression, how, right.expression)
    equal = every((*left.guards, *right.guards, comparison(left.value, Operator.EQUAL, right.value)))
    return equal if how is Operator.EQUAL else negation(equal)


def _is_null(code: Code) -> bool:
    return isinstance(code.value, ast.Constant) and code.value.value is None


def _is_given(code: Code) -> ast.expr:
    if code.atomic and not code.nullable:
        return every(code.guards) if code.guards else ast.Constant(True)
    return every((*code.guards, is_there(code.value)))  # also where it cannot be null: it may raise instead
