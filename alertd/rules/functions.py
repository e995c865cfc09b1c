"""The functions of the rule language: what they take and what they give.

How they are computed stands twice, on purpose: in `compiler` as inline code and in `trace` as plain Python, and a
property test holds the two against each other.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import attrs

from alertd.rules.types import BOOL, DURATION, NUMBER, ORDERED, TEXT, Kind, Type

# Null among the arguments gives null, or false where the function answers true or false.
PREDICATE = BOOL.certain

DATES, NUMBERS, TEXTS, DURATIONS = (Kind.DATE,), (Kind.NUMBER,), (Kind.TEXT,), (Kind.DURATION,)


@attrs.frozen
class Function:
    """One function.

    signature: how it is written, for problems and documentation. takes: the kinds each argument may have.
    gives: the type of the result, or how it follows from the arguments. variadic: the last argument may repeat.
    path: its first argument is a path rooted in `status` or `job`. keywords: arguments given by name, all needed.
    """

    signature: str
    takes: tuple[tuple[Kind, ...], ...]
    gives: Type | Callable[[Sequence[Type]], Type]
    variadic: bool = False
    path: bool = False
    keywords: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """What it is called by."""
        return self.signature.partition("(")[0]

    def accepts(self, count: int) -> bool:
        """Whether so many arguments without a name are right."""
        return count >= len(self.takes) if self.variadic else count == len(self.takes)

    def result(self, arguments: Sequence[Type]) -> Type:
        """Give the type of the result."""
        return self.gives if isinstance(self.gives, Type) else self.gives(arguments)


def _like_first(arguments: Sequence[Type]) -> Type:
    return Type(arguments[0].kind)


def _difference(arguments: Sequence[Type]) -> Type:
    return DURATION if arguments[0].kind is Kind.DATE else Type(arguments[0].kind)


_COMPARED = (Kind.BOOL, Kind.NUMBER, Kind.TEXT, Kind.DATE, Kind.DURATION, Kind.MAP, Kind.OBJECT)
_COUNTED = (Kind.TEXT, Kind.LIST, Kind.MAP)

FUNCTIONS: Mapping[str, Function] = {
    function.name: function
    for function in (
        Function("age(t)", (DATES,), DURATION),
        Function("until(t)", (DATES,), DURATION),
        Function("seconds(n)", (NUMBERS,), DURATION),
        Function("minutes(n)", (NUMBERS,), DURATION),
        Function("hours(n)", (NUMBERS,), DURATION),
        Function("days(n)", (NUMBERS,), DURATION),
        Function("changed(path)", (_COMPARED,), PREDICATE, path=True),
        Function("increased(path)", (ORDERED,), PREDICATE, path=True),
        Function("decreased(path)", (ORDERED,), PREDICATE, path=True),
        Function("delta(path)", (ORDERED,), _difference, path=True),
        Function("contains(s, x)", (TEXTS, TEXTS), PREDICATE),
        Function("startswith(s, x)", (TEXTS, TEXTS), PREDICATE),
        Function("endswith(s, x)", (TEXTS, TEXTS), PREDICATE),
        Function("lower(s)", (TEXTS,), TEXT),
        Function("like(s, glob)", (TEXTS, TEXTS), PREDICATE),
        Function("len(x)", (_COUNTED,), NUMBER),
        Function("min(a, b, ...)", (ORDERED, ORDERED), _like_first, variadic=True),
        Function("max(a, b, ...)", (ORDERED, ORDERED), _like_first, variadic=True),
        Function("abs(n)", ((Kind.NUMBER, Kind.DURATION),), _like_first),
        Function("total(map)", ((Kind.MAP,),), NUMBER),
        Function("number(s)", (TEXTS,), NUMBER),
        Function(
            "transitions(path, to=value, within=duration)",
            ((Kind.BOOL, Kind.TEXT),),
            NUMBER,
            path=True,
            keywords=("to", "within"),
        ),
    )
}

# These compare with the last good reading, so they speak of a moment.
CHANGED_FAMILY = frozenset({"changed", "increased", "decreased", "delta"})
# These look at the clock by themselves.
CLOCK = frozenset({"age", "until", "transitions"})
