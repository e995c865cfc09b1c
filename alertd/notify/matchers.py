"""Matchers: conditions on labels, in Alertmanager's notation.

``severity="critical"``, ``service_principal=~"Workday.*"``; operators ``=``, ``!=``, ``=~``, ``!~``. Regular expressions are RE2, so that no
pattern can take more than linear time, and match the whole value. A label that is missing equals an empty one.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

import attrs
import re2


class Operator(enum.StrEnum):
    """How a label is compared."""

    EQUAL = "="
    NOT_EQUAL = "!="
    MATCHES = "=~"
    NOT_MATCHES = "!~"


_BARE = re.compile(r"""[^\s"'{}=!~,]+""")
_SHAPE = re.compile(
    rf"""\s*(?P<name>"(?:[^"\\]|\\.)+"|{_BARE.pattern})\s*(?P<operator>=~|!~|!=|=)\s*(?P<value>"(?:[^"\\]|\\.)*"|{_BARE.pattern}|)\s*""",
    re.DOTALL,
)
_ESCAPES = {"n": "\n", "t": "\t", '"': '"', "\\": "\\"}


@attrs.frozen
class Matcher:
    """One condition on one label."""

    name: str
    operator: Operator
    value: str

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Whether the condition holds for these labels."""
        found = labels.get(self.name, "")
        if self.operator is Operator.EQUAL:
            return found == self.value
        if self.operator is Operator.NOT_EQUAL:
            return found != self.value
        return (_pattern(self.value).fullmatch(found) is not None) == (self.operator is Operator.MATCHES)

    def __str__(self) -> str:
        name = self.name if _BARE.fullmatch(self.name) else _quoted(self.name)
        return f"{name}{self.operator}{_quoted(self.value)}"


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


@lru_cache(maxsize=4096)
def _pattern(expression: str) -> Any:  # noqa: ANN401 - the binding has no types
    options = re2.Options()
    options.log_errors = False
    return re2.compile(expression, options)


def parse_matcher(text: str) -> Matcher:
    """Read one matcher; raises ValueError with what was expected."""
    match = _SHAPE.fullmatch(text)
    if match is None:
        raise ValueError('a matcher such as severity="critical" or service_principal=~"Workday.*"')
    matcher = Matcher(_unquoted(match["name"]), Operator(match["operator"]), _unquoted(match["value"]))
    if matcher.operator in {Operator.MATCHES, Operator.NOT_MATCHES}:
        _check_pattern(matcher.value)
    return matcher


def _unquoted(text: str) -> str:
    if not text.startswith('"'):
        return text
    return re.sub(r"\\(.)", lambda escape: _ESCAPES.get(escape[1], escape[0]), text[1:-1])


def _check_pattern(expression: str) -> None:
    try:
        _pattern(expression)
    except re2.error as exc:
        raise ValueError(f"a regular expression that RE2 accepts ({exc.args[0].decode()})") from exc


def all_match(matchers: Iterable[Matcher], labels: Mapping[str, str]) -> bool:
    """Whether every one of the matchers holds; no matchers hold for everything."""
    return all(matcher.matches(labels) for matcher in matchers)
