"""The types of expressions, taken from the attrs classes that the values have: one source for Graph's names.

Any value may be null, so a type says what it is when it is there; `nullable` is false only where null cannot be, which
spares the compiled code a test.
"""

from __future__ import annotations

import enum
import types
import typing
from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import cache

import attrs

from alertd.errors import PollErrorKind
from alertd.model.alert import Scope
from alertd.model.resources import (
    EXECUTION_STATES,
    QUARANTINE_REASONS,
    SCHEDULE_STATES,
    STATUS_CODES,
    EntryCounts,
    JobSettings,
    SynchronizationQuarantine,
    SynchronizationSchedule,
    SynchronizationStatus,
    SynchronizationTaskExecution,
)
from alertd.model.views import Alertd, Job, Tenant


class Kind(enum.Enum):
    """What a value is; the text is how problems name it."""

    NULL = "null"
    BOOL = "a truth value"
    NUMBER = "a number"
    TEXT = "a text"
    DATE = "a date"
    DURATION = "a duration"
    LIST = "a list"
    MAP = "a map"
    OBJECT = "an object"
    UNKNOWN = "something wrong"  # of a term that has been complained about already: it fits everywhere


@attrs.frozen
class Type:
    """The type of an expression.

    words: the members of a known enum, for texts that come from one. element: what a list or map holds.
    of: the class of an object.
    """

    kind: Kind
    nullable: bool = True
    words: tuple[str, ...] = ()
    element: Type | None = None
    of: type | None = None

    def __str__(self) -> str:
        return self.kind.value

    @property
    def certain(self) -> Type:
        """The same, where null cannot be."""
        return attrs.evolve(self, nullable=False)

    @property
    def uncertain(self) -> Type:
        """The same, where null may be."""
        return attrs.evolve(self, nullable=True)

    def fits(self, *kinds: Kind) -> bool:
        """Whether a value of this type may stand where one of these kinds is wanted; null may stand anywhere."""
        return self.kind in kinds or self.kind in {Kind.NULL, Kind.UNKNOWN}


NULL = Type(Kind.NULL)
UNKNOWN = Type(Kind.UNKNOWN)
BOOL = Type(Kind.BOOL)
NUMBER = Type(Kind.NUMBER)
TEXT = Type(Kind.TEXT)
DATE = Type(Kind.DATE)
DURATION = Type(Kind.DURATION)

ORDERED = (Kind.NUMBER, Kind.DATE, Kind.DURATION)
SCALAR = (Kind.BOOL, Kind.NUMBER, Kind.TEXT, Kind.DATE, Kind.DURATION)

_PLAIN: Mapping[type, Type] = {
    bool: BOOL,
    int: NUMBER,
    float: NUMBER,
    str: TEXT,
    datetime: DATE,
    timedelta: DURATION,
    EntryCounts: Type(Kind.MAP, element=NUMBER),
    JobSettings: Type(Kind.MAP, element=TEXT),
}

_WORDS: Mapping[tuple[type, str], tuple[str, ...]] = {
    (SynchronizationStatus, "code"): STATUS_CODES,
    (SynchronizationQuarantine, "reason"): QUARANTINE_REASONS,
    (SynchronizationTaskExecution, "state"): EXECUTION_STATES,
    (SynchronizationSchedule, "state"): SCHEDULE_STATES,
    (Tenant, "lastPollError"): tuple(PollErrorKind),
}


@cache
def members(of: type) -> Mapping[str, Type]:
    """Give the members of an attrs class with their types, by name, in the order of the class."""
    hints = typing.get_type_hints(of)
    return {
        field.name: attrs.evolve(_from_annotation(hints[field.name]), words=_WORDS.get((of, field.name), ()))
        for field in attrs.fields(of)
    }


def _from_annotation(annotation: object) -> Type:
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin in {typing.Union, types.UnionType}:
        inner = [argument for argument in arguments if argument is not types.NoneType]
        return attrs.evolve(_from_annotation(inner[0]), nullable=True)
    if origin is tuple:
        return Type(Kind.LIST, nullable=False, element=_from_annotation(arguments[0]))
    if origin is not None:
        return Type(Kind.MAP, nullable=False, element=_from_annotation(arguments[1]))
    if not isinstance(annotation, type):
        raise TypeError(f"no type of the rule language for {annotation}")
    return attrs.evolve(_PLAIN.get(annotation) or Type(Kind.OBJECT, of=annotation), nullable=False)


def _object(of: type) -> Type:
    return Type(Kind.OBJECT, of=of)


_NAMES: Mapping[Scope, Mapping[str, Type]] = {
    Scope.JOB: {
        "status": _object(SynchronizationStatus),
        "previous": _object(SynchronizationStatus),
        "job": _object(Job),
        "previous_job": _object(Job),
        "tenant": _object(Tenant),
        "now": DATE.certain,
    },
    Scope.TENANT: {"tenant": _object(Tenant), "now": DATE.certain},
    Scope.ALERTD: {"alertd": _object(Alertd), "now": DATE.certain},
}


def names(scope: Scope) -> Mapping[str, Type]:
    """Give what an expression of this scope may look at, beside `params`."""
    return _NAMES[scope]


def type_of(value: object) -> Type:
    """Give the type of a plain value, as constants of rules are: null, truth value, number, text, duration, list."""
    if isinstance(value, tuple | list):
        elements = [type_of(item) for item in value]
        return Type(Kind.LIST, nullable=False, element=elements[0] if elements else NULL)
    if value is None:
        return NULL
    return _PLAIN[type(value)].certain


def unify(one: Type, other: Type) -> Type | None:
    """Give the type of a value that has either type; None where the two are not of a kind."""
    if Kind.UNKNOWN in {one.kind, other.kind}:
        return UNKNOWN
    if Kind.NULL in {one.kind, other.kind}:
        return (other if one.kind is Kind.NULL else one).uncertain
    if one.kind is not other.kind or one.of is not other.of:
        return None
    words = one.words if one.words == other.words else ()
    return attrs.evolve(one, nullable=one.nullable or other.nullable, words=words)
