"""From Python's syntax tree to checked terms: what has no type here is refused before it can ever run.

A fault does not end the reading: its term becomes one of unknown type, which fits everywhere, so one look tells all.
"""

from __future__ import annotations

import ast
import math
from collections.abc import Callable, Mapping

from alertd.model.alert import Scope
from alertd.model.suggestion import did_you_mean
from alertd.rules import cures
from alertd.rules.calls import check_call
from alertd.rules.fault import ExpressionError, Fault
from alertd.rules.functions import FUNCTIONS
from alertd.rules.grammar import Source
from alertd.rules.runtime import NUMBER_MAX
from alertd.rules.term import (
    MEMBERSHIP,
    ORDERING,
    Arithmetic,
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
)
from alertd.rules.types import (
    BOOL,
    NULL,
    ORDERED,
    SCALAR,
    TEXT,
    UNKNOWN,
    Kind,
    Type,
    members,
    names,
    type_of,
    unify,
)

_WORDS: Mapping[str, bool | None] = {"true": True, "false": False, "null": None}
_OPERATORS: Mapping[type[ast.operator | ast.cmpop], Operator] = {
    ast.Add: Operator.ADD,
    ast.Sub: Operator.SUBTRACT,
    ast.Mult: Operator.MULTIPLY,
    ast.Div: Operator.DIVIDE,
    ast.Mod: Operator.REMAINDER,
    ast.Eq: Operator.EQUAL,
    ast.NotEq: Operator.UNEQUAL,
    ast.Lt: Operator.LESS,
    ast.LtE: Operator.LESS_OR_EQUAL,
    ast.Gt: Operator.GREATER,
    ast.GtE: Operator.GREATER_OR_EQUAL,
    ast.In: Operator.IN,
    ast.NotIn: Operator.NOT_IN,
}

_N, _DATE, _SPAN = Kind.NUMBER, Kind.DATE, Kind.DURATION
_CALCULATIONS: Mapping[tuple[Kind, Operator, Kind], Kind] = {
    (_N, Operator.ADD, _N): _N,
    (_N, Operator.SUBTRACT, _N): _N,
    (_N, Operator.MULTIPLY, _N): _N,
    (_N, Operator.DIVIDE, _N): _N,
    (_N, Operator.REMAINDER, _N): _N,
    (_DATE, Operator.SUBTRACT, _DATE): _SPAN,
    (_DATE, Operator.ADD, _SPAN): _DATE,
    (_SPAN, Operator.ADD, _DATE): _DATE,
    (_DATE, Operator.SUBTRACT, _SPAN): _DATE,
    (_SPAN, Operator.ADD, _SPAN): _SPAN,
    (_SPAN, Operator.SUBTRACT, _SPAN): _SPAN,
    (_SPAN, Operator.MULTIPLY, _N): _SPAN,
    (_N, Operator.MULTIPLY, _SPAN): _SPAN,
    (_SPAN, Operator.DIVIDE, _N): _SPAN,
    (_SPAN, Operator.DIVIDE, _SPAN): _N,
    (_SPAN, Operator.REMAINDER, _SPAN): _SPAN,
}


def check(source: Source, scope: Scope, parameters: Mapping[str, object]) -> Term:
    """Give the terms of a parsed text; raises ExpressionError with everything wrong with it.

    parameters: the rule's constants by name; their values give their types.
    """
    checker = Checker(source, scope, {name: type_of(value) for name, value in parameters.items()})
    term = checker.term(source.tree)
    if checker.faults:
        raise ExpressionError(source.text, checker.faults)
    return term


class Checker:
    """Turns the nodes of one text into terms, and keeps the faults."""

    def __init__(self, source: Source, scope: Scope, parameters: Mapping[str, Type]) -> None:
        self.faults: list[Fault] = []
        self.scope = scope
        self._source = source
        self._names = names(scope)
        self._parameters = parameters
        self._readers: Mapping[type[ast.expr], Callable[..., Term]] = {
            ast.Constant: self._constant,
            ast.Name: self._name,
            ast.Attribute: self._attribute,
            ast.Subscript: self._subscript,
            ast.BoolOp: self._junction,
            ast.UnaryOp: self._unary,
            ast.BinOp: self._arithmetic,
            ast.Compare: self._comparison,
            ast.IfExp: self._conditional,
            ast.List: self._listing,
            ast.Call: self._call,
        }

    def term(self, node: ast.expr) -> Term:
        """Give the term of a node; what the language does not have is a fault."""
        reader = self._readers.get(type(node))
        if reader is None:
            return self.fault(node, *cures.of_foreign_syntax(node))
        return reader(node)

    def fault(self, node: ast.AST, found: str, expected: str, cure: str) -> Term:
        """Note what is wrong with a node and give a term that fits everywhere."""
        return self._faulty(node, self._source.offset(node), found, expected, cure)

    def _property_fault(self, node: ast.Attribute, found: str, expected: str, cure: str) -> Term:
        """Note a fault at the property itself, not at what it belongs to."""
        return self._faulty(node, self._source.end(node) - len(node.attr), found, expected, cure)

    def _faulty(self, node: ast.AST, offset: int, found: str, expected: str, cure: str) -> Term:
        self.faults.append(Fault(offset=offset, found=found, expected=expected, cure=cure))
        return Name(name="", type=UNKNOWN, **self.place(node))

    def place(self, node: ast.AST) -> cures.Place:
        """Give the text of a node and where it begins."""
        return {"text": self._source.segment(node), "offset": self._source.offset(node)}

    def _constant(self, node: ast.Constant) -> Term:
        value = node.value
        if not isinstance(value, bool | int | float | str | None):
            return self.fault(node, *cures.of_foreign_constant(value))
        if isinstance(value, int | float) and not (math.isfinite(value) and abs(value) <= NUMBER_MAX):
            return self.fault(node, "a number beyond all bounds", f"at most {NUMBER_MAX}", "write a smaller one")
        return Constant(value=value, type=type_of(value), **self.place(node))

    def _name(self, node: ast.Name) -> Term:
        if node.id in _WORDS:
            value = _WORDS[node.id]
            return Constant(value=value, type=type_of(value), **self.place(node))
        if node.id not in self._names:
            return self.fault(node, f"unknown name `{node.id}`", "", cures.of_name(node.id, self.scope))
        return Name(name=node.id, type=self._names[node.id], **self.place(node))

    def _attribute(self, node: ast.Attribute) -> Term:
        if node.attr.startswith("_"):
            return self._property_fault(
                node, f"`{node.attr}`", "a property", "names that begin with `_` are not for rules"
            )
        if isinstance(node.value, ast.Name) and node.value.id == "params":
            return self._parameter(node)
        base = self.term(node.value)
        if base.type.kind in {Kind.NULL, Kind.UNKNOWN}:
            return Member(base=base, name=node.attr, type=base.type, **self.place(node))
        if base.type.of is None:
            cure = cures.of_no_object(base, node.attr)
            return self._property_fault(node, f"property `{node.attr}` of {base.type}", "", cure)
        known = members(base.type.of)
        if node.attr not in known:
            found = f"unknown property `{node.attr}` of `{base.text}`"
            return self._property_fault(node, found, "", did_you_mean(node.attr, known))
        return Member(base=base, name=node.attr, type=known[node.attr].uncertain, **self.place(node))

    def _parameter(self, node: ast.Attribute) -> Term:
        if node.attr not in self._parameters:
            cure = did_you_mean(node.attr, self._parameters) or f"add `params: {{{node.attr}: ...}}` to the rule"
            return self._property_fault(node, f"unknown constant `params.{node.attr}`", "", cure)
        return Parameter(name=node.attr, type=self._parameters[node.attr], **self.place(node))

    def _subscript(self, node: ast.Subscript) -> Term:
        base, key = self.term(node.value), self.term(node.slice)
        if not base.type.fits(Kind.MAP):
            return self.fault(node.slice, f"`[...]` after {base.type}", "a map", cures.of_no_map(base))
        if not key.type.fits(Kind.TEXT):
            return self.fault(node.slice, f"{key.type} as key", "a text", 'such as ["user to User"]')
        return Lookup(base=base, key=key, type=(base.type.element or NULL).uncertain, **self.place(node))

    def _junction(self, node: ast.BoolOp) -> Term:
        operands = tuple(self.term(value) for value in node.values)
        conjunction = isinstance(node.op, ast.And)
        return Junction(conjunction=conjunction, operands=operands, type=BOOL.certain, **self.place(node))

    def _unary(self, node: ast.UnaryOp) -> Term:
        operand = self.term(node.operand)
        if isinstance(node.op, ast.Not):
            return Not(operand=operand, type=BOOL.certain, **self.place(node))
        if not isinstance(node.op, ast.USub):
            return self.fault(node, "unary `+`", "an expression", "remove it")
        if not operand.type.fits(Kind.NUMBER, Kind.DURATION):
            return self.fault(node, f"`-` before {operand.type}", "a number or a duration", cures.of_operand(operand))
        return Negative(operand=operand, type=operand.type, **self.place(node))

    def _arithmetic(self, node: ast.BinOp) -> Term:
        left, right = self.term(node.left), self.term(node.right)
        operator = _OPERATORS[type(node.op)]
        kind = _result(left.type, operator, right.type)
        if kind is None:
            found = f"{left.type} {operator} {right.type}"
            return self.fault(node, found, *cures.of_calculation(left, operator, right))
        return Arithmetic(operator=operator, left=left, right=right, type=Type(kind), **self.place(node))

    def _comparison(self, node: ast.Compare) -> Term:
        operands = tuple(self.term(operand) for operand in (node.left, *node.comparators))
        operators = tuple(_OPERATORS[type(operator)] for operator in node.ops)
        term = Comparison(operands=operands, operators=operators, type=BOOL.certain, **self.place(node))
        for (left, operator, right), place in zip(term.pairs, node.comparators, strict=True):
            self._pair(place, left, operator, right)
        return term

    def _pair(self, node: ast.expr, left: Term, operator: Operator, right: Term) -> None:
        if operator in MEMBERSHIP:
            self._membership(node, left, right)
        elif unify(left.type, right.type) is None:
            found = f"{left.type} compared with {right.type}"
            self.fault(node, found, "two of a kind", cures.of_comparison(left, right))
        elif operator in ORDERING and not (left.type.fits(*ORDERED) and right.type.fits(*ORDERED)):
            kind = right.type if left.type.fits(*ORDERED) else left.type
            self.fault(node, f"`{operator}` between {kind} and another", cures.ORDERED, cures.of_order(kind))
        elif Kind.LIST in {left.type.kind, right.type.kind} and Kind.NULL not in {left.type.kind, right.type.kind}:
            self.fault(node, "a list compared with a list", "`in`, or `len()`", "write `x in [a, b]`")

    def _membership(self, node: ast.expr, left: Term, right: Term) -> None:
        inside = right.type.element if right.type.kind is Kind.LIST else TEXT
        if not right.type.fits(Kind.LIST, Kind.MAP, Kind.TEXT):
            self.fault(node, f"`in` {right.type}", "a list, a map or a text", "write `x in [a, b]`")
        elif inside is not None and not inside.fits(*SCALAR):
            self.fault(node, f"`in` `{right.text}`", "a list of values", "of such a list only `len()` is known")
        elif inside is not None and unify(left.type, inside) is None:
            self.fault(node, f"{left.type} in a list of {inside}", "two of a kind", cures.of_comparison(left, right))

    def _conditional(self, node: ast.IfExp) -> Term:
        then, condition, otherwise = (self.term(part) for part in (node.body, node.test, node.orelse))
        kind = unify(then.type, otherwise.type)
        if kind is None:
            found = f"{then.type} or {otherwise.type}"
            return self.fault(node, found, "two of a kind", "give both branches of `if` the same type")
        return Conditional(condition=condition, then=then, otherwise=otherwise, type=kind, **self.place(node))

    def _listing(self, node: ast.List) -> Term:
        items = tuple(self.term(item) for item in node.elts)
        element = NULL
        for place, item in zip(node.elts, items, strict=True):
            both = unify(element, item.type)
            if both is None or not item.type.fits(*SCALAR):
                expected = str(element) if element.kind is not Kind.NULL else "a value"
                self.fault(place, f"{item.type} in the list", expected, "a list holds values of one kind")
            element = both or element
        return Listing(items=items, type=Type(Kind.LIST, nullable=False, element=element), **self.place(node))

    def _call(self, node: ast.Call) -> Term:
        if not isinstance(node.func, ast.Name):
            found = f"a call of `{self._source.segment(node.func)}`"
            return self.fault(node, found, "a function", cures.of_method(node.func))
        function = FUNCTIONS.get(node.func.id)
        if function is None:
            return self.fault(node, f"unknown function `{node.func.id}`", "", cures.of_function(node.func.id))
        return check_call(self, node, function)


def _result(left: Type, operator: Operator, right: Type) -> Kind | None:
    """Give the kind of a calculation's result: null where an operand always is, None where there is none."""
    loose = {Kind.NULL, Kind.UNKNOWN}
    for (one, known, other), kind in _CALCULATIONS.items():
        if known is operator and left.kind in {one, *loose} and right.kind in {other, *loose}:
            open_kinds = loose & {left.kind, right.kind}
            return Kind.UNKNOWN if Kind.UNKNOWN in open_kinds else Kind.NULL if open_kinds else kind
    return None
