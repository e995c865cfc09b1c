"""From terms to a Python code object: no interpreter loop, and no helper call where an operator will do.

A term becomes *guards* and a *value*: where all guards hold the value is the term's, otherwise the term is null. So
`status.quarantine.seriesCount > 2` comes out as

    status is not None and (t0 := status.quarantine) is not None and (t1 := t0.seriesCount) is not None and t1 > 2

Where an operation raises after all (a date beyond the calendar) the whole expression is handed to the interpreter,
which knows the exact answer; `try` costs nothing until then.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from datetime import UTC, datetime

from alertd.model.views import Subject
from alertd.rules import code as python
from alertd.rules import inline
from alertd.rules.code import Code
from alertd.rules.runtime import NUMBER_MAX
from alertd.rules.term import (
    MEMBERSHIP,
    ORDERING,
    Arithmetic,
    Call,
    Comparison,
    Conditional,
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
from alertd.rules.trace import interpret
from alertd.rules.types import Kind, members

Evaluate = Callable[[Subject, Mapping[str, object]], object]
Truth = Callable[[Subject, Mapping[str, object]], bool]

_NOBODY = Subject(now=datetime(1970, 1, 1, tzinfo=UTC))  # constants look at nobody
_LITERAL = (bool, int, float, str, type(None))


def compile_value(term: Term) -> Evaluate:
    """Give a function of subject and params that computes the term."""
    writer = Writer()
    return writer.function(writer.code(term).expression, lambda subject, params: interpret(term, subject, params))


def compile_truth(term: Term) -> Truth:
    """Give a function of subject and params that says whether the term holds; null does not."""
    writer = Writer()
    body = python.exactly(writer.truth(term))
    return writer.function(  # type: ignore[return-value]  # `exactly` makes it true or false
        body, lambda subject, params: bool(interpret(term, subject, params))
    )


def is_constant(term: Term) -> bool:
    """Whether it has the same value always, whatever the subject and the rule's constants."""
    return not any(isinstance(part, Name | Parameter) for part in term.walk())


def constant_value(term: Term) -> object:
    """Give the value of a constant term."""
    return interpret(term, _NOBODY, {})


class Writer:
    """Writes one function; keeps its temporaries, its constants and the roots it looks at."""

    def __init__(self) -> None:
        self._temporaries = 0
        self._roots: dict[str, None] = {}
        self._globals: dict[str, object] = {"__builtins__": {"Exception": Exception}}
        self._writers: Mapping[type[Term], Callable[..., Code]] = {
            Name: self._name,
            Parameter: self._parameter,
            Member: self._member,
            Lookup: self._lookup,
            Negative: self._negative,
            Arithmetic: self._arithmetic,
            Conditional: self._conditional,
            Listing: self._listing,
            Call: lambda term: inline.call(self, term),
        }

    def function(self, body: ast.expr, otherwise: Evaluate) -> Evaluate:
        """Give the finished function; `otherwise` answers where it raises."""
        fallback = python.invoke(self.share(otherwise), python.load("subject"), python.load("params"))
        loads = [
            ast.Assign([python.store(name)], python.attribute(python.load("subject"), name)) for name in self._roots
        ]
        handler = ast.ExceptHandler(python.load("Exception"), None, [ast.Return(fallback)])
        attempt = ast.Try([*loads, ast.Return(body)], [handler], [], [])
        tree = ast.parse("def evaluate(subject, params): pass")
        tree.body[0].body = [attempt]  # type: ignore[attr-defined]  # it is a FunctionDef
        exec(compile(ast.fix_missing_locations(tree), "<rule>", "exec"), self._globals)  # noqa: S102 - our own tree
        return self._globals["evaluate"]  # type: ignore[return-value]  # defined by the line above

    def truth(self, term: Term) -> ast.expr:
        """Give an expression whose truth is the term's; null is false."""
        if is_constant(term):
            return ast.Constant(bool(constant_value(term)))
        match term:
            case Junction(conjunction=conjunction, operands=operands):
                return ast.BoolOp(ast.And() if conjunction else ast.Or(), [self.truth(part) for part in operands])
            case Not(operand=operand):
                return python.negation(self.truth(operand))
            case Comparison():
                return python.every(self._comparisons(term))
            case Conditional(condition=condition, then=then, otherwise=otherwise):
                return python.choice(self.truth(condition), self.truth(then), self.truth(otherwise))
        return self.code(term).condition

    def code(self, term: Term) -> Code:
        """Give guards and value of a term."""
        if is_constant(term):
            return self._constant(constant_value(term))
        writer = self._writers.get(type(term))
        return writer(term) if writer else Code(python.exactly(self.truth(term)))

    def solid(self, term: Term, *, atomic: bool = False) -> Code:
        """Give code whose value is never null once its guards hold; `atomic`: and which may be written twice."""
        return self.made_solid(self.code(term), atomic=atomic)

    def made_solid(self, code: Code, *, atomic: bool = False) -> Code:
        """Guard a value against null, by a temporary unless it is a variable already."""
        if not code.nullable and (code.atomic or not atomic):
            return code
        if code.atomic:
            return Code(code.value, (*code.guards, python.is_there(code.value)))
        binding, loaded = self.bind(code.value)
        return Code(loaded, (*code.guards, python.is_there(binding)))

    def bind(self, value: ast.expr) -> tuple[ast.expr, ast.Name]:
        """Give an expression that keeps its value in a new temporary, and that temporary."""
        name = f"t{self._temporaries}"
        self._temporaries += 1
        return ast.NamedExpr(python.store(name), value), python.load(name)

    def share(self, value: object) -> ast.Name:
        """Make a value known to the code under a name of its own."""
        name = f"_{len(self._globals)}"
        self._globals[name] = value
        return python.load(name)

    def root(self, name: str) -> ast.Name:
        """Load one of the subject's names once, at the beginning."""
        self._roots[name] = None
        return python.load(name)

    def _constant(self, value: object) -> Code:
        literal = isinstance(value, _LITERAL)
        literal = literal or (isinstance(value, tuple) and all(isinstance(item, _LITERAL) for item in value))
        if literal:
            return Code(ast.Constant(value), nullable=value is None)  # type: ignore[arg-type]  # checked above
        return Code(self.share(value))

    def _name(self, term: Name) -> Code:
        return Code(self.root(term.name), nullable=term.type.nullable)

    def _parameter(self, term: Parameter) -> Code:
        value = ast.Subscript(python.load("params"), ast.Constant(term.name), ast.Load())
        return Code(value, nullable=term.type.nullable)

    def _member(self, term: Member) -> Code:
        holder, of = self.solid(term.base), term.base.type.of
        certain = of is not None and not members(of)[term.name].nullable
        return Code(python.attribute(holder.value, term.name), holder.guards, nullable=not certain)

    def _lookup(self, term: Lookup) -> Code:
        holder = self.solid(term.base)
        get = python.attribute(holder.value, "get")
        return Code(python.invoke(get, self.code(term.key).expression), holder.guards, nullable=True)

    def _negative(self, term: Negative) -> Code:
        operand = self.solid(term.operand)
        return Code(ast.UnaryOp(ast.USub(), operand.value), operand.guards)

    def _conditional(self, term: Conditional) -> Code:
        either = (self.code(term.then).expression, self.code(term.otherwise).expression)
        return Code(python.choice(self.truth(term.condition), *either), nullable=True)

    def _listing(self, term: Listing) -> Code:
        return Code(ast.Tuple([self.code(item).expression for item in term.items], ast.Load()))

    def _comparisons(self, term: Comparison) -> list[ast.expr]:
        left = self.code(term.operands[0])
        conditions: list[ast.expr] = []
        for operator, operand in zip(term.operators, term.operands[1:], strict=True):
            right = after = self.code(operand)
            if operand is not term.operands[-1] and not right.atomic:
                binding, loaded = self.bind(right.expression)  # computed once, compared twice
                right, after = Code(binding, nullable=True), Code(loaded, nullable=True)
            conditions.append(self._comparison(left, operator, right, text=operand.type.kind is Kind.TEXT))
            left = after
        return conditions

    def _comparison(self, left: Code, operator: Operator, right: Code, *, text: bool) -> ast.expr:
        if operator in ORDERING:
            one, other = self.made_solid(left), self.made_solid(right)
            return python.every((*one.guards, *other.guards, python.comparison(one.value, operator, other.value)))
        if operator in MEMBERSHIP:
            return self._membership(left, operator, right, text=text)
        return python.equality(left, operator, right)

    def _membership(self, left: Code, operator: Operator, right: Code, *, text: bool) -> ast.expr:
        item = self.made_solid(left) if text else Code(left.expression)  # only a text cannot be asked for null
        container = self.made_solid(right)
        guards = (*item.guards, *container.guards)
        if not guards:
            return python.comparison(item.value, operator, container.value)
        inside = python.every((*guards, python.comparison(item.value, Operator.IN, container.value)))
        return inside if operator is Operator.IN else python.negation(inside)

    def _arithmetic(self, term: Arithmetic) -> Code:
        left, right = self.solid(term.left), self.code(term.right)
        divides = term.operator in {Operator.DIVIDE, Operator.REMAINDER}
        right = self._divisor(right) if divides else self.made_solid(right)
        result = python.calculation(left.value, term.operator, right.value)
        guards = (*left.guards, *right.guards)
        if term.type.kind is Kind.NUMBER and term.operator in {Operator.MULTIPLY, Operator.DIVIDE}:
            binding, loaded = self.bind(result)
            return Code(loaded, (*guards, python.within(binding, NUMBER_MAX)))
        return Code(result, guards)

    def _divisor(self, code: Code) -> Code:
        """Guard against null and zero at once: both are false."""
        if isinstance(code.value, ast.Constant) and code.value.value:
            return code
        if code.atomic:
            return Code(code.value, (*code.guards, code.value))
        binding, loaded = self.bind(code.value)
        return Code(loaded, (*code.guards, binding))
