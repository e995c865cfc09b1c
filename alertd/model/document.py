"""A YAML file that a person wrote, read so that everything wrong with it is told at once and with its place.

    document = Document.load(Path("rules.yaml"))            # or Document.parse(text, file="rules.yaml")
    root = document.root.mapping("groups")                  # any other key is a problem, with "did you mean"
    for group in root["groups"].sequence():                 # [] where it is missing
        fields = group.mapping("name", "scope", "rules")
        name = fields["name"].text()                        # no default: a missing one is a problem
        scope = fields["scope"].choice(("job", "tenant"), "job")
        interval = fields["interval"].duration(None)        # timedelta | None
        if not name.islower():
            fields["name"].problem("capital letters", expected="lower case", cure=f"write {name.lower()}")
    document.check()                                        # raises ConfigError with all problems

Reading never stops at a problem: it is noted in `document.problems`, and the accessor gives its default, or where it
has none a harmless value of its type. A key that is missing, or written without a value (`null`, `~`, nothing), takes
the default; `node.given` and `node.null` tell the two apart where that matters (`web: null`). Scalars are text until an
accessor reads them as something else, quoted or not.

`fill` puts values into texts (`${VAR}`): it is called for every scalar that is read and not a key, and raises
ValueError(cure) where it cannot. Problems show what stands in the file, never what was filled in: that may be a secret.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any, Final, TypeVar, overload

import attrs

from alertd.errors import ConfigError, Problem
from alertd.model import yaml_tree
from alertd.model.duration import parse_duration
from alertd.model.suggestion import did_you_mean

Default = TypeVar("Default")
Read = TypeVar("Read")
Fill = Callable[[str], str]

_TRUE, _FALSE = frozenset({"true", "True", "TRUE"}), frozenset({"false", "False", "FALSE"})
_INTEGER = re.compile(r"[-+]?[0-9]{1,18}")
_NUMBER = re.compile(r"[-+]?(?:[0-9]{1,18}(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][-+]?[0-9]{1,2})?")
_SHOWN_MAX = 60  # characters of a text in a problem
_BARE_KEY = re.compile(r"\w[\w-]*")


class _Required:
    """Stands for "no default"."""


REQUIRED: Final = _Required()


@attrs.define(eq=False)
class Document:
    """One file: its root node, and everything found wrong with it so far (warnings included)."""

    file: str
    fill: Fill | None = None
    problems: list[Problem] = attrs.field(factory=list)
    _tree: yaml_tree.Value | None = None

    @classmethod
    def load(cls, path: Path, *, file: str | None = None, fill: Fill | None = None) -> Document:
        """Read a file; one that cannot be read is a problem. `file`: its name in problems, by default the path."""
        name = str(path) if file is None else file
        try:
            text = path.read_text(encoding="utf-8-sig")
        except OSError as exc:
            document = cls(name)
            document._note(found=f"no readable file ({exc.strerror})", cure="check the path and the permissions")
            return document
        except UnicodeDecodeError as exc:
            document = cls(name)
            document._note(
                found=f"byte 0x{exc.object[exc.start]:02x} at {exc.start}",
                expected="UTF-8",
                cure="save the file as UTF-8",
            )
            return document
        return cls.parse(text, file=name, fill=fill)

    @classmethod
    def parse(cls, text: str, file: str = "", *, fill: Fill | None = None) -> Document:
        """Read a text; one that is no YAML gives an empty document with one problem."""
        document = cls(file, fill)
        try:
            document._tree = yaml_tree.read_tree(text)
        except yaml_tree.YamlError as exc:
            document._note(line=exc.line, column=exc.column, found=exc.found, cure=exc.cure)
        return document

    @property
    def root(self) -> Node:
        """The whole document; an empty file has a root that is not given."""
        return Node(self, "", self._tree, 1, 1)

    @property
    def errors(self) -> list[Problem]:
        """The problems that are no warnings."""
        return [problem for problem in self.problems if not problem.warning]

    def check(self) -> None:
        """Raise ConfigError with all problems if one of them is an error."""
        if self.errors:
            raise ConfigError(self.problems)

    def _note(self, **problem: Any) -> None:  # noqa: ANN401 - the fields of Problem
        self.problems.append(Problem(file=self.file, **problem))


@attrs.frozen(eq=False)
class Node:
    """One value of a document, or the place where one is missing.

    path: its key within the file, such as ``groups[0].rules[2].when``.
    line, column: where it stands, or where what should hold it does; counted from one.
    """

    document: Document
    path: str
    _value: yaml_tree.Value | None
    line: int
    column: int

    @property
    def given(self) -> bool:
        """Whether the file has it, if only as null."""
        return self._value is not None

    @property
    def null(self) -> bool:
        """Whether it is missing or written as null."""
        return self._value is None or (isinstance(self._value, yaml_tree.Scalar) and self._value.null)

    @property
    def scalar(self) -> bool:
        """Whether it is one value rather than a list, a mapping or nothing."""
        return isinstance(self._value, yaml_tree.Scalar) and not self._value.null

    @property
    def quoted(self) -> bool:
        """Whether it is a text and nothing else: written in quotes, or as a block."""
        return isinstance(self._value, yaml_tree.Scalar) and not self._value.plain

    @property
    def found(self) -> str:
        """What stands there, in words fit for a problem; text is shortened and as in the file, never as filled in."""
        match self._value:
            case yaml_tree.Mapping():
                return "a mapping"
            case yaml_tree.Sequence():
                return "a list"
            case yaml_tree.Scalar() as scalar if not scalar.null:
                return f"`{scalar.text}`" if len(scalar.text) <= _SHOWN_MAX else f"`{scalar.text[:_SHOWN_MAX]}...`"
        return "null" if self.given else "nothing"

    def problem(
        self,
        found: str | None = None,
        *,
        expected: str = "",
        cure: str = "",
        code: str = "",
        warning: bool = False,
        offset: int | None = None,
    ) -> None:
        """Note a problem here; `found` is by default what stands here.

        offset: the character of the scalar's text at which it is, where known.
        """
        line, column = self.position(offset)
        self.document.problems.append(
            Problem(
                file=self.document.file,
                line=line,
                column=column,
                path=self.path,
                found=self.found if found is None else found,
                expected=expected,
                cure=cure,
                code=code,
                warning=warning,
            )
        )

    def position(self, offset: int | None = None) -> tuple[int, int]:
        """Give line and column, of a character of the scalar's text if `offset` is given."""
        if offset is None or not isinstance(self._value, yaml_tree.Scalar):
            return self.line, self.column
        return self._value.position(offset)

    def mapping(self, *known: str) -> Fields:
        """Read it as a mapping of the known keys; unknown ones are problems. Missing or null: a mapping without any."""
        values, keys = self._values()
        for key in [key for key in values if key not in known]:
            place = Node(self.document, _join(self.path, key), values[key], keys[key].line, keys[key].column)
            place.problem(f"unknown key `{key}`", cure=did_you_mean(key, known))
        return Fields(self, {key: value for key, value in values.items() if key in known})

    def entries(self) -> list[tuple[str, Node]]:
        """Read it as a mapping of any keys, in the order of the file; missing or null: none."""
        return [(key, self._child(_join(self.path, key), value)) for key, value in self._values()[0].items()]

    def sequence(self) -> list[Node]:
        """Read it as a list; missing or null: none."""
        if self.null:
            return []
        if not isinstance(self._value, yaml_tree.Sequence):
            self.problem(expected="a list", cure="begin each entry with `- `")
            return []
        return [self._child(f"{self.path}[{index}]", value) for index, value in enumerate(self._value.items)]

    @overload
    def text(self) -> str: ...
    @overload
    def text(self, default: Default) -> str | Default: ...
    def text(self, default: object = REQUIRED) -> object:
        """Read it as text; a number or a date is the text that was written."""
        return self._read(str, default, "text", "")

    @overload
    def choice(self, members: Sequence[str]) -> str: ...
    @overload
    def choice(self, members: Sequence[str], default: Default) -> str | Default: ...
    def choice(self, members: Sequence[str], default: object = REQUIRED) -> object:
        """Read it as one of the members, which are case-sensitive."""

        def member(text: str) -> str:
            if text not in members:
                raise ValueError(did_you_mean(text, members))
            return text

        return self._read(member, default, f"one of {', '.join(members)}", members[0])

    @overload
    def boolean(self) -> bool: ...
    @overload
    def boolean(self, default: Default) -> bool | Default: ...
    def boolean(self, default: object = REQUIRED) -> object:
        """Read it as true or false; yes, no, on and off are refused, since YAML's versions do not agree about them."""
        return self._read(_boolean, default, "true or false", False)

    @overload
    def integer(self, *, least: int = ..., most: int = ...) -> int: ...
    @overload
    def integer(self, default: Default, *, least: int = ..., most: int = ...) -> int | Default: ...
    def integer(self, default: object = REQUIRED, *, least: int = -(10**18), most: int = 10**18) -> object:
        """Read it as a whole number within bounds, both included."""
        expected = "a whole number" + _bounds(least, most, -(10**18), 10**18)
        return self._read(lambda text: _within(_integer(text), least, most), default, expected, max(least, 0))

    @overload
    def number(self) -> int | float: ...
    @overload
    def number(self, default: Default) -> int | float | Default: ...
    def number(self, default: object = REQUIRED) -> object:
        """Read it as a number, whole ones as int."""
        return self._read(_number, default, "a number", 0)

    @overload
    def duration(self, *, least: timedelta = ...) -> timedelta: ...
    @overload
    def duration(self, default: Default, *, least: timedelta = ...) -> timedelta | Default: ...
    def duration(self, default: object = REQUIRED, *, least: timedelta = timedelta(0)) -> object:
        """Read it as a duration such as ``1h30m``; `least` is the shortest allowed."""

        def read(text: str) -> timedelta:
            duration = parse_duration(text)
            if duration < least:
                raise ValueError(f"it must not be shorter than {int(least.total_seconds())}s")
            return duration

        return self._read(read, default, "a duration such as 90s, 5m, 1h30m, 7d or 4w", timedelta(0))

    def plain(self) -> Any:  # noqa: ANN401 - whatever the file holds
        """Give plain values: dict, list, and for scalars null, bool, int, float or text; quoted scalars are text."""
        match self._value:
            case yaml_tree.Mapping():
                return {key: node.plain() for key, node in self.entries()}
            case yaml_tree.Sequence():
                return [node.plain() for node in self.sequence()]
            case yaml_tree.Scalar() as scalar if not scalar.null:
                return _plain(self._text(scalar)) if scalar.plain else self._text(scalar)
        return None

    def _child(self, path: str, value: yaml_tree.Value) -> Node:
        return Node(self.document, path, value, value.line, value.column)

    def _values(self) -> tuple[dict[str, yaml_tree.Value], dict[str, yaml_tree.Scalar]]:
        if isinstance(self._value, yaml_tree.Mapping):
            return self._value.values, self._value.keys
        if not self.null:
            self.problem(expected="a mapping", cure="write `key: value` lines")
        return {}, {}

    def _text(self, scalar: yaml_tree.Scalar) -> str:
        fill = self.document.fill
        if fill is None:
            return scalar.text
        try:
            return fill(scalar.text)
        except ValueError as exc:
            self.problem(cure=str(exc))
            return scalar.text

    def _read(self, convert: Callable[[str], object], default: object, expected: str, harmless: object) -> object:
        """Convert the scalar; `convert` raises ValueError with the cure, empty where `expected` says it all."""
        fallback = harmless if default is REQUIRED else default
        if self.null:
            if default is REQUIRED:
                self.problem(
                    expected=expected,
                    cure=f"add `{self.path.rpartition('.')[2]}`" if not self.given else "give it a value",
                )
            return fallback
        if not isinstance(self._value, yaml_tree.Scalar):
            self.problem(expected=expected)
            return fallback
        try:
            return convert(self._text(self._value))
        except ValueError as exc:
            self.problem(expected=expected, cure=str(exc) if str(exc) not in expected else "")
            return fallback


class Fields(Mapping[str, Node]):
    """A mapping's values by key; one that is missing is a node that is not given, at the mapping's place."""

    def __init__(self, node: Node, values: Mapping[str, yaml_tree.Value]) -> None:
        self.node = node
        self._values = values

    def __getitem__(self, key: str) -> Node:
        value = self._values.get(key)
        line, column = (self.node.line, self.node.column) if value is None else (value.line, value.column)
        return Node(self.node.document, _join(self.node.path, key), value, line, column)

    def __contains__(self, key: object) -> bool:
        return key in self._values

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)


def _join(path: str, key: str) -> str:
    if not _BARE_KEY.fullmatch(key):
        return f'{path}["{key}"]'
    return f"{path}.{key}" if path else key


def _boolean(text: str) -> bool:
    if text in _TRUE or text in _FALSE:
        return text in _TRUE
    raise ValueError(
        "YAML's versions disagree about it" if text.lower() in {"yes", "no", "on", "off", "y", "n"} else ""
    )


def _integer(text: str) -> int:
    if not _INTEGER.fullmatch(text):
        raise ValueError("")
    return int(text)


def _number(text: str) -> int | float:
    if _INTEGER.fullmatch(text):
        return int(text)
    if not _NUMBER.fullmatch(text):
        raise ValueError("")
    return float(text)


def _within(number: int, least: int, most: int) -> int:
    if not least <= number <= most:
        raise ValueError("")
    return number


def _bounds(least: int, most: int, lowest: int, highest: int) -> str:
    if least > lowest and most < highest:
        return f" from {least} to {most}"
    return f" of {least} or more" if least > lowest else f" of at most {most}" if most < highest else ""


def _plain(text: str) -> bool | int | float | str:
    if text in _TRUE or text in _FALSE:
        return text in _TRUE
    return _number(text) if _NUMBER.fullmatch(text) else text
