"""The arguments of a call, checked against what its function takes."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from typing import Protocol

import attrs

from alertd.model.facts import TRACKED_PATHS
from alertd.model.suggestion import did_you_mean
from alertd.rules import cures
from alertd.rules.functions import FUNCTIONS, Function
from alertd.rules.term import Call, Lookup, Member, Name, Term, path
from alertd.rules.types import Kind, unify

_BEFORE = {"status": "previous", "job": "previous_job"}


class Checker(Protocol):
    """What checks the expression around the call."""

    def term(self, node: ast.expr) -> Term:
        """Give the checked term of a node."""
        ...

    def fault(self, node: ast.AST, found: str, expected: str, cure: str) -> Term:
        """Note a fault and give a term that fits everywhere."""
        ...

    def place(self, node: ast.AST) -> cures.Place:
        """Give the text of a node and where it begins."""
        ...


def check_call(checker: Checker, node: ast.Call, function: Function) -> Term:
    """Give the call as a term, or what is wrong with its arguments."""
    if not function.accepts(len(node.args)):
        found = f"{len(node.args)} argument{'s' * (len(node.args) != 1)} for `{function.name}`"
        least = "at least " * function.variadic
        return checker.fault(node, found, f"{least}{len(function.takes)}", f"write `{function.signature}`")
    if (named := sorted(keyword.arg or "**" for keyword in node.keywords)) != sorted(function.keywords):
        expected = " and ".join(f"`{name}=`" for name in function.keywords) or "no arguments by name"
        found = ", ".join(f"`{name}=`" for name in named) or "no arguments by name"
        return checker.fault(node, found, expected, f"write `{function.signature}`")
    values = {keyword.arg: keyword.value for keyword in node.keywords}
    ordered = [*node.args, *(values[name] for name in function.keywords)]
    arguments = tuple(checker.term(value) for value in ordered)
    return _typed(checker, node, function, arguments)


def _typed(checker: Checker, node: ast.Call, function: Function, arguments: tuple[Term, ...]) -> Term:
    plain = arguments[: len(node.args)]
    takes = [*function.takes, *function.takes[-1:] * (len(plain) - len(function.takes))]
    for place, argument, kinds in zip(node.args, plain, takes, strict=True):
        if not argument.type.fits(*kinds):
            expected = " or ".join(dict.fromkeys(str(kind.value) for kind in kinds))
            found = f"{argument.type} as argument of `{function.name}`"
            return checker.fault(place, found, expected, cures.of_argument(function, argument))
    if function.variadic and not _of_a_kind(plain):
        found = " and ".join(dict.fromkeys(str(argument.type) for argument in plain))
        return checker.fault(node, found, "arguments of a kind", "compare numbers with numbers, dates with dates")
    if function is FUNCTIONS["total"] and not (plain[0].type.element or plain[0].type).fits(Kind.NUMBER):
        return checker.fault(node, "a map of texts", "a map of numbers", "such as status.synchronizedEntryCountByType")
    before = _before(arguments[0]) if function.path else None
    if function.path and arguments[0].type.kind is not Kind.UNKNOWN:
        if before is None:
            cure = "write a path such as status.code or job.schedule.state"
            return checker.fault(node.args[0], f"`{arguments[0].text}`", "a property of `status` or `job`", cure)
        if function.keywords and path(arguments[0]) not in TRACKED_PATHS:
            cure = did_you_mean(arguments[0].text, TRACKED_PATHS)
            return checker.fault(node.args[0], f"`{arguments[0].text}`", "a path whose history is kept", cure)
    if function.keywords:
        _check_transitions(checker, node, arguments)
        before = None  # it looks at instants, not at the last reading
    gives = function.result([argument.type for argument in plain])
    return Call(function=function.name, arguments=arguments, before=before, type=gives, **checker.place(node))


def _of_a_kind(arguments: Sequence[Term]) -> bool:
    common = arguments[0].type
    for argument in arguments[1:]:
        both = unify(common, argument.type)
        if both is None:
            return False
        common = both
    return True


def _before(term: Term, *, outermost: bool = True) -> Term | None:
    """Give the same path at the last good reading; None where it is no path rooted in `status` or `job`."""
    match term:
        case Name(name=name) if name in _BEFORE and not outermost:
            return attrs.evolve(term, name=_BEFORE[name], text=_BEFORE[name])
        case Member(base=base) | Lookup(base=base):
            root = _before(base, outermost=False)
            if root is not None:
                return attrs.evolve(term, base=root, text=root.text + term.text.removeprefix(base.text))
    return None


def _check_transitions(checker: Checker, node: ast.Call, arguments: tuple[Term, ...]) -> None:
    where, to, within = arguments
    places = {keyword.arg: keyword.value for keyword in node.keywords}
    if unify(where.type, to.type) is None:
        checker.fault(places["to"], f"{to.type} as `to=`", str(where.type), f"`{where.text}` is {where.type}")
    if not within.type.fits(Kind.DURATION):
        checker.fault(places["within"], f"{within.type} as `within=`", "a duration", "write hours(n) or days(n)")
