"""The constants of a rule: read from YAML, and replaced by overrides of the same type.

A plain value is what it looks like: a number, true or false, null, a duration (``5m``), or a text; in quotes it is a
text. A list holds values of one kind. Anything else has no type in expressions.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta

from alertd.errors import Problem
from alertd.model.document import Node
from alertd.model.duration import parse_duration
from alertd.model.suggestion import did_you_mean
from alertd.rules.types import SCALAR, Kind, Type, type_of, unify

_EXPECTED = "a number, a text, a duration, true or false, or a list of one of these"


def read_parameters(node: Node) -> Mapping[str, object]:
    """Read the mapping `params` of a rule; a name that expressions cannot say is a problem."""
    constants: dict[str, object] = {}
    for name, value in node.entries():
        if not name.isidentifier() or name.startswith("_"):
            value.problem(f"constant `{name}`", expected="letters, digits and `_`", cure="it is written `params.name`")
        constants[name] = _constant(value)
    return constants


def _constant(node: Node) -> object:
    if node.scalar:
        value: object = node.plain()
        return value if node.quoted or not isinstance(value, str) else _duration_or_text(value)
    if node.null:
        return None
    items = [_constant(item) for item in node.sequence()] if node.found == "a list" else None
    if items is None or not all(type_of(item).fits(*SCALAR) for item in items):
        node.problem(expected=_EXPECTED, cure="write one value, or `[a, b]`")
        return None
    if any(unify(type_of(items[0]), type_of(item)) is None for item in items):
        node.problem("values of several kinds", expected="a list of one kind", cure="put texts in quotes")
        return None
    return tuple(items)


def _duration_or_text(text: str) -> str | timedelta:
    try:
        return parse_duration(text)
    except ValueError:
        return text


def overridden(declared: Mapping[str, object], given: Mapping[str, object]) -> Iterator[tuple[str, object] | Problem]:
    """Give each constant that is replaced with its new value, or what is wrong with it.

    A replacement has the type of what it replaces: the rule's expressions were checked against that. A duration may be
    given as text.
    """
    for name, value in given.items():
        path = f"params.{name}"
        if name not in declared:
            cure = did_you_mean(name, declared) or "the rule has no constants"
            yield Problem(path=path, found=f"unknown constant `{name}`", cure=cure)
            continue
        wanted = type_of(declared[name])
        fitting = _fitted(value, wanted)
        if fitting is None:
            yield Problem(path=path, found=f"`{value}`", expected=f"{wanted}, as in the rule", cure=_cure(wanted))
        else:
            yield name, fitting


def _fitted(value: object, wanted: Type) -> object | None:
    if wanted.kind is Kind.DURATION and isinstance(value, str):
        value = _duration_or_text(value)
    if isinstance(value, list):
        value = tuple(value)
    if not isinstance(value, bool | int | float | str | timedelta | tuple):
        return None
    kind = type_of(value)
    if kind.kind is not wanted.kind or unify(kind.element or kind, wanted.element or wanted) is None:
        return None
    return value


def _cure(wanted: Type) -> str:
    return {Kind.DURATION: "such as 90s, 5m, 1h30m or 7d", Kind.TEXT: "put it in quotes"}.get(wanted.kind, "")
