"""Kinds of values: how one is read from a node, what is harmless in its place, and how a JSON Schema says it.

A kind stands in the annotation of the attribute it fills: ``interval: Annotated[timedelta, Duration("between two rounds")]``. From these
declarations come the reader, the JSON Schema and the test that the documentation names every key. Reading never raises: what is wrong is
noted at the node, and something harmless stands in until all problems are told.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

import attrs

from alertd.config.context import Context
from alertd.model.document import Fields, Node
from alertd.model.duration import format_duration, parse_duration
from alertd.model.suggestion import closest, did_you_mean

Schema = dict[str, Any]


class Absent:
    """Stands for a key that is not there."""


ABSENT = Absent()


@attrs.frozen
class Declared:
    """One key as the documentation has to name it; default: as it is written, attrs.NOTHING where the key must be given."""

    path: str
    doc: str
    default: Any


@attrs.frozen
class Kind(ABC):
    """How one key is read. doc: what the key means, in one sentence, as the documentation and the schema say it."""

    doc: str = ""

    expected: ClassVar[str] = "a value"
    harmless: ClassVar[Any] = None

    @abstractmethod
    def read(self, node: Node, context: Context) -> Any:
        """Read a node that is neither missing nor null."""

    @abstractmethod
    def schema(self) -> Schema:
        """Say it as JSON Schema, without the description."""

    def keys(self, name: str) -> tuple[str, ...]:
        """Give the keys that it reads: a secret has two."""
        return (name,)

    def take(self, name: str, fields: Fields, context: Context) -> Any:
        """Read the key from its mapping; ABSENT where it is not there."""
        node = fields[name]
        return ABSENT if node.null else self.read(node, context)

    def properties(self, name: str) -> dict[str, Schema]:
        """Say its keys as properties of a JSON Schema."""
        described = {"description": self.doc} if self.doc else {}
        return {key: self.schema() | described for key in self.keys(name)}

    def written(self, value: Any) -> Any:
        """Give a value the way a person writes it in YAML; None where that would not help."""
        return value if isinstance(value, bool | int | str) else None

    def declared(self, path: str, default: Any) -> Iterator[Declared]:
        """Give itself and what is declared below it, each with its path such as ``tenants[].cloud``."""
        if self.doc:
            yield Declared(path, self.doc, default if default is attrs.NOTHING else self.written(default))
        yield from self.below(path)

    def below(self, path: str) -> Iterator[Declared]:  # noqa: ARG002 - for kinds that hold others
        """Give what is declared below it alone."""
        yield from ()


@attrs.frozen
class Text(Kind):
    """Any text of one line that is not empty. pattern, says: what it must match, and that in words."""

    pattern: str = attrs.field(default=r"[^\r\n]*\S[^\r\n]*", kw_only=True)
    says: str = attrs.field(default="text", kw_only=True)

    harmless: ClassVar[Any] = ""

    @property
    def expected(self) -> str:  # type: ignore[override]
        """What the pattern says."""
        return self.says

    def read(self, node: Node, context: Context) -> str:
        """Give the text without white space at its ends."""
        text = node.text("").strip()
        if context.unresolved(text) or re.fullmatch(self.pattern, text):
            return text
        if node.scalar:
            node.problem(expected=self.says)
        return ""

    def schema(self) -> Schema:
        """Say that it is a string."""
        return {"type": "string", "minLength": 1}


GUID = r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"


@attrs.frozen
class Guid(Kind):
    """An id as Microsoft writes them; read in lower case, so that two spellings are one id."""

    expected: ClassVar[str] = "an id such as 11111111-1111-1111-1111-111111111111"
    harmless: ClassVar[Any] = ""

    def read(self, node: Node, context: Context) -> str:
        """Give the id in lower case."""
        text = node.text("").strip()
        if re.fullmatch(GUID, text) is None and not context.unresolved(text):
            if node.scalar:
                node.problem(expected=self.expected, cure="the overview page in the Entra admin center shows it")
            return ""
        return text.lower()

    def schema(self) -> Schema:
        """Say that it is a GUID, or filled from the environment."""
        return {"type": "string", "pattern": rf"^(?:{GUID}|.*\$\{{.*)$"}


@attrs.frozen
class Choice(Kind):
    """One of a closed set. later: words of the contract that this version does not know yet."""

    members: Sequence[str] = ()
    later: Sequence[str] = attrs.field(default=(), kw_only=True)

    def read(self, node: Node, context: Context) -> str:  # noqa: ARG002 - the same for every kind
        """Give the member."""
        word = node.text("")
        if word in self.members:
            return word
        if word in self.later:
            node.problem(f"`{word}`: not in this version of alertd", expected=" or ".join(self.members))
        elif node.scalar:
            near = closest(word, self.members)
            cure = f"did you mean `{near}`?" if near else ""
            node.problem(expected=f"one of {', '.join(self.members)}", cure=cure)
        return self.members[0]

    def schema(self) -> Schema:
        """List the members."""
        return {"enum": list(self.members)}


@attrs.frozen
class Boolean(Kind):
    """True or false."""

    expected: ClassVar[str] = "true or false"
    harmless: ClassVar[Any] = False

    def read(self, node: Node, context: Context) -> bool:  # noqa: ARG002 - the same for every kind
        """Give the truth value."""
        return node.boolean()

    def schema(self) -> Schema:
        """Say that it is a boolean."""
        return {"type": "boolean"}


@attrs.frozen
class Integer(Kind):
    """A whole number from `least` to `most`, both included."""

    least: int = attrs.field(default=0, kw_only=True)
    most: int = attrs.field(default=10**9, kw_only=True)

    def read(self, node: Node, context: Context) -> int:  # noqa: ARG002 - the same for every kind
        """Give the number."""
        return node.integer(least=self.least, most=self.most)

    def schema(self) -> Schema:
        """Give the bounds."""
        return {"type": "integer", "minimum": self.least, "maximum": self.most}


@attrs.frozen
class Number(Kind):
    """A number from `least` to `most`, both included, whole or not."""

    least: float = attrs.field(kw_only=True)
    most: float = attrs.field(kw_only=True)

    @property
    def expected(self) -> str:  # type: ignore[override]
        """The bounds."""
        return f"a number from {self.least:g} to {self.most:g}"

    @property
    def harmless(self) -> float:
        """The least of it."""
        return self.least

    def read(self, node: Node, context: Context) -> float:  # noqa: ARG002 - the same for every kind
        """Give the number."""
        before = len(node.document.problems)
        value = node.number()
        if len(node.document.problems) > before:
            return self.least
        if not self.least <= value <= self.most:
            node.problem(expected=self.expected)
        return value

    def schema(self) -> Schema:
        """Give the bounds."""
        return {"type": "number", "minimum": self.least, "maximum": self.most}


@attrs.frozen
class Duration(Kind):
    """A duration such as 1h30m from `least` to `most`, both included, both written as durations."""

    least: str = attrs.field(default="0s", kw_only=True)
    most: str = attrs.field(default="3650d", kw_only=True)

    expected: ClassVar[str] = "a duration such as 90s, 5m, 1h30m, 7d or 4w"
    harmless: ClassVar[Any] = timedelta(minutes=1)

    def read(self, node: Node, context: Context) -> timedelta:  # noqa: ARG002 - the same for every kind
        """Give the duration."""
        before = len(node.document.problems)
        value = node.duration()
        if len(node.document.problems) > before:
            return timedelta(minutes=1)
        if not parse_duration(self.least) <= value <= parse_duration(self.most):
            node.problem(expected=f"a duration from {self.least} to {self.most}")
        return value

    def written(self, value: Any) -> Any:
        """Write it as a duration."""
        return None if value is None else format_duration(value)

    def schema(self) -> Schema:
        """Give the shape of a duration."""
        return {"type": "string", "pattern": r"^(?=.)(\d+w)?(\d+d)?(\d+h)?(\d+m)?(\d+s)?$|\$\{"}


_SIZES = {"B": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12}


@attrs.frozen
class Size(Kind):
    """A number of bytes such as 500MB or 5GB; units count in thousands."""

    expected: ClassVar[str] = "a size such as 500MB or 5GB"
    harmless: ClassVar[Any] = 0
    least: int = attrs.field(default=10**6, kw_only=True)

    def read(self, node: Node, context: Context) -> int:  # noqa: ARG002 - the same for every kind
        """Give the bytes."""
        match = re.fullmatch(r"(\d{1,9})\s*([KMGT]?B)", node.text("").strip(), re.IGNORECASE)
        size = int(match[1]) * _SIZES[match[2].upper()] if match else 0
        if size < self.least and node.scalar:
            node.problem(expected=f"{self.expected}, of 1MB or more")
        return size

    def written(self, value: Any) -> Any:
        """Write it in the largest unit that leaves a whole number."""
        unit = next(unit for unit, size in reversed(_SIZES.items()) if value % size == 0)
        return f"{value // _SIZES[unit]}{unit}"

    def schema(self) -> Schema:
        """Give the shape of a size."""
        return {"type": "string", "pattern": r"^\d+\s*[KMGTkmgt]?[Bb]$|\$\{"}


@attrs.frozen
class TimeZone(Kind):
    """A place's name in the IANA database."""

    expected: ClassVar[str] = "a time zone such as Europe/Berlin or UTC"
    harmless: ClassVar[Any] = ZoneInfo("UTC")

    def read(self, node: Node, context: Context) -> ZoneInfo:  # noqa: ARG002 - the same for every kind
        """Give the zone."""
        import zoneinfo

        name = node.text("")
        try:
            return ZoneInfo(name) if name else ZoneInfo("UTC")
        except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
            node.problem(expected=self.expected, cure=did_you_mean(name, zoneinfo.available_timezones()))
            return ZoneInfo("UTC")

    def written(self, value: Any) -> Any:
        """Write its name."""
        return None if value is None else value.key

    def schema(self) -> Schema:
        """Say that it is a string."""
        return {"type": "string", "minLength": 1}


@attrs.frozen
class Address(Kind):
    """A mail address, bare or with a name before it."""

    expected: ClassVar[str] = "a mail address such as oncall@example.com"
    harmless: ClassVar[Any] = ""

    def read(self, node: Node, context: Context) -> str:
        """Give the address as it is written."""
        text = node.text("").strip()
        if not context.unresolved(text) and node.scalar and not _is_address(text):
            node.problem(expected=self.expected)
        return text

    def schema(self) -> Schema:
        """Say that it holds an at sign, or is filled from the environment."""
        return {"type": "string", "pattern": r"@|\$\{"}


# Not the whole of RFC 5322: no comments, no quoted local parts. What this takes, every mail server takes.
_BARE = r"[^\s@<>(),:;\"\[\]\\]+@[^\W_](?:[\w-]*\w)?(?:\.[^\W_](?:[\w-]*\w)?)*"
_ADDRESS = re.compile(rf"{_BARE}|(?:\"[^\"<>@\x00-\x1f\x7f]*\"|[^\"<>@,;:\x00-\x1f\x7f]*) *<{_BARE}>")


def _is_address(text: str) -> bool:
    return _ADDRESS.fullmatch(text) is not None
