"""Calls of functions as inline Python: most need no call at all."""

from __future__ import annotations

import ast
import fnmatch
import re
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Protocol

from alertd.rules import code as python
from alertd.rules import runtime
from alertd.rules.code import Code
from alertd.rules.term import Call, Constant, Operator, Term, path, root


class Writer(Protocol):
    """What writes the function around the call."""

    def code(self, term: Term) -> Code:
        """Give guards and value of a term."""
        ...

    def solid(self, term: Term, *, atomic: bool = False) -> Code:
        """Give code whose value is never null once its guards hold."""
        ...

    def share(self, value: object) -> ast.Name:
        """Make a value known to the code under a name of its own."""
        ...

    def root(self, name: str) -> ast.Name:
        """Load one of the subject's names once."""
        ...


def call(writer: Writer, term: Call) -> Code:
    """Give guards and value of a call."""
    if term.function == "changed":
        return _changed(writer, term)
    if term.function == "transitions":
        return _transitions(writer, term)
    if term.function == "like" and isinstance(term.arguments[1], Constant):
        return _like(writer, term)
    atomic = term.function in {"min", "max"}
    arguments = [writer.solid(argument, atomic=atomic) for argument in term.arguments]
    if term.before is not None:
        arguments.append(writer.solid(term.before))
    guards = tuple(guard for argument in arguments for guard in argument.guards)
    value = _VALUES[term.function](writer, *(argument.value for argument in arguments))
    if not term.type.nullable:
        return Code(python.exactly(Code(value, guards).condition))
    return Code(value, guards, nullable=term.function == "number")


def _changed(writer: Writer, term: Call) -> Code:
    assert term.before is not None  # noqa: S101 - the checker gives it to every path
    seen_before = python.is_there(writer.root(root(term.before)))
    after, before = writer.code(term.arguments[0]), writer.code(term.before)
    differ = python.equality(after, Operator.UNEQUAL, before)
    return Code(python.every((seen_before, differ)))


def _transitions(writer: Writer, term: Call) -> Code:
    where, to, within = term.arguments
    span = writer.solid(within)
    count = python.invoke(
        writer.share(runtime.transitions),
        writer.root("instants"),
        ast.Constant(path(where)),
        writer.code(to).expression,
        span.value,
        writer.root("now"),
    )
    return Code(count, span.guards)


def _like(writer: Writer, term: Call) -> Code:
    text, glob = term.arguments
    assert isinstance(glob, Constant)  # noqa: S101 - the caller looked
    matcher = re.compile(fnmatch.translate(str(glob.value))).match
    subject = writer.solid(text)
    matched = python.is_there(python.invoke(writer.share(matcher), subject.value))
    return Code(python.every((*subject.guards, matched)))


def _operator(how: Operator) -> Callable[..., ast.expr]:
    return lambda _, left, right: python.calculation(left, how, right)


def _compared(how: Operator) -> Callable[..., ast.expr]:
    return lambda _, left, right: python.comparison(left, how, right)


def _method(name: str) -> Callable[..., ast.expr]:
    return lambda _, text, *arguments: python.invoke(python.attribute(text, name), *arguments)


def _function(function: Callable[..., object]) -> Callable[..., ast.expr]:
    return lambda writer, *arguments: python.invoke(writer.share(function), *arguments)


def _span(unit: str) -> Callable[..., ast.expr]:
    def write(writer: Writer, count: ast.expr) -> ast.expr:
        return ast.Call(writer.share(timedelta), [], [ast.keyword(unit, count)])

    return write


def _extreme(how: Operator, function: Callable[..., object]) -> Callable[..., ast.expr]:
    def write(writer: Writer, *arguments: ast.expr) -> ast.expr:
        if len(arguments) > 2:  # noqa: PLR2004 - two are compared in place
            return _function(function)(writer, *arguments)
        first, second = arguments
        return python.choice(python.comparison(second, how, first), second, first)

    return write


def _total(writer: Writer, counts: ast.expr) -> ast.expr:
    return python.invoke(writer.share(sum), python.invoke(python.attribute(counts, "values")))


_VALUES: Mapping[str, Callable[..., ast.expr]] = {
    "age": lambda writer, at: python.calculation(writer.root("now"), Operator.SUBTRACT, at),
    "until": lambda writer, at: python.calculation(at, Operator.SUBTRACT, writer.root("now")),
    **{unit: _span(unit) for unit in ("seconds", "minutes", "hours", "days")},
    "increased": _compared(Operator.GREATER),
    "decreased": _compared(Operator.LESS),
    "delta": _operator(Operator.SUBTRACT),
    "contains": lambda _, text, part: python.comparison(part, Operator.IN, text),
    "startswith": _method("startswith"),
    "endswith": _method("endswith"),
    "lower": _method("lower"),
    "like": _function(fnmatch.fnmatchcase),
    "len": _function(len),
    "min": _extreme(Operator.LESS, min),
    "max": _extreme(Operator.GREATER, max),
    "abs": _function(abs),
    "total": _total,
    "number": _function(runtime.number),
}
