"""YAML as a tree that knows where each value stands, and converts none of them.

Scalars stay the text that was written, so nothing of YAML 1.1 (``22:00`` is 1320, ``no`` is false) surprises anybody.
Anchors, aliases and merge keys (``<<``) work; tags, duplicate keys, several documents and anything that would explode
are refused.

The tree is built from events, in a loop: libyaml's own composer recurses in C, and a file with some thousands of nested
brackets kills the process.
"""

from __future__ import annotations

from collections.abc import Iterator

import attrs
import yaml

DEPTH_MAX = 100
SIZE_MAX = 1_000_000  # values once aliases are followed; a file of ten thousand tenants has 100,000
_TOO_DEEP = (f"more than {DEPTH_MAX} levels", "nothing here is that deep")

_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class YamlError(ValueError):
    """A text that is not YAML as alertd reads it; `line` and `column` count from one."""

    def __init__(self, line: int, column: int, found: str, cure: str = "") -> None:
        self.line = line
        self.column = column
        self.found = found
        self.cure = cure
        super().__init__(f"{line}:{column}: {found}")


@attrs.frozen(kw_only=True)
class Scalar:
    """One value as text.

    plain: written without quotes and not as a block. source: the slice of the file it was read from.
    """

    text: str
    plain: bool
    source: str
    line: int
    column: int
    size: int = 1

    @property
    def null(self) -> bool:
        """Whether it is the YAML word for nothing, or nothing at all."""
        return self.plain and self.text in {"", "~", "null", "Null", "NULL"}

    def position(self, offset: int) -> tuple[int, int]:
        """Give line and column of the character `offset` of the text; of the value's beginning where escapes hide it.

        White space is what YAML folds, so the characters that are none stand in the same order in text and source.
        """
        start = self._content_start()
        solid = [index for index in range(start, len(self.source)) if not self.source[index].isspace()]
        before = "".join(self.text[:offset].split())
        if "".join(self.source[index] for index in solid[: len(before)]) != before or len(before) >= len(solid):
            return self.line, self.column
        index = solid[len(before)]
        newline = self.source.rfind("\n", 0, index)
        if newline < 0:
            return self.line, self.column + index
        return self.line + self.source.count("\n", 0, index), index - newline

    def _content_start(self) -> int:
        if self.source[:1] in {"|", ">"}:
            return self.source.find("\n") + 1
        return 0 if self.plain else 1


@attrs.frozen(kw_only=True)
class Sequence:
    """Values in order."""

    items: tuple[Value, ...]
    line: int
    column: int
    size: int


@attrs.frozen(kw_only=True)
class Mapping:
    """Values by key, in the order of the file; merged ones behind. `keys` holds the keys' own places."""

    values: dict[str, Value]
    keys: dict[str, Scalar]
    line: int
    column: int
    size: int


Value = Scalar | Sequence | Mapping


def read_tree(text: str) -> Value | None:
    """Read one document; null where there is none. Raises YamlError at the first thing that is no YAML."""
    builder = _Builder(text)
    try:
        for event in yaml.parse(text, Loader=_Loader):
            builder.take(event)
    except yaml.MarkedYAMLError as exc:
        raise _from_mark(exc) from exc
    except yaml.reader.ReaderError as exc:
        raise _from_character(exc, text) from exc
    return builder.root


def _from_mark(exc: yaml.MarkedYAMLError) -> YamlError:
    mark = exc.problem_mark or exc.context_mark
    line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
    if "nesting depth" in (exc.problem or ""):  # libyaml 0.2.6 has a limit of its own, and looks ahead to it
        return YamlError(line, column, *_TOO_DEEP)
    cure = "put text that holds `: ` or begins with a special character in quotes"
    return YamlError(line, column, " ".join(filter(None, (exc.problem, exc.context))) or "no YAML", cure)


def _from_character(exc: yaml.reader.ReaderError, text: str) -> YamlError:
    """Find the character itself: the position is in bytes or characters, depending on the parser."""
    character = exc.character if isinstance(exc.character, str) else chr(exc.character)
    before = text.partition(character)[0]
    column = len(before) - before.rfind("\n")
    return YamlError(before.count("\n") + 1, column, f"character U+{ord(character):04X}", "remove it")


@attrs.define
class _Open:
    """A collection whose end has not been read yet; `children` alternates keys and values in a mapping."""

    event: yaml.CollectionStartEvent
    children: list[Value] = attrs.field(factory=list)

    @property
    def mapping(self) -> bool:
        return isinstance(self.event, yaml.MappingStartEvent)


class _Builder:
    """Takes events one by one; `root` is the document once they are all taken."""

    def __init__(self, text: str) -> None:
        self.root: Value | None = None
        self._text = text
        self._open: list[_Open] = []
        self._anchors: dict[str, Value] = {}

    def take(self, event: yaml.Event) -> None:
        if isinstance(event, yaml.DocumentStartEvent) and self.root is not None:
            raise _error(event, "a second document", "one file holds one document: remove the line `---`")
        if isinstance(event, yaml.NodeEvent):
            self._check(event)
        if isinstance(event, yaml.CollectionStartEvent):
            self._open.append(_Open(event))
        elif isinstance(event, yaml.CollectionEndEvent):
            done = self._open.pop()
            self._add(_mapping(done) if done.mapping else _sequence(done), done.event)
        elif isinstance(event, yaml.ScalarEvent):
            self._add(self._scalar(event), event)
        elif isinstance(event, yaml.AliasEvent):
            self._add(self._anchors[event.anchor or ""], None)

    def _check(self, event: yaml.NodeEvent) -> None:
        if isinstance(event, yaml.AliasEvent):
            if event.anchor not in self._anchors:
                raise _error(
                    event, f"alias `*{event.anchor}` of nothing", "an anchor stands before its alias and not around it"
                )
        elif isinstance(event, yaml.ScalarEvent | yaml.CollectionStartEvent) and event.tag not in {None, "!"}:
            raise _error(event, f"tag `{event.tag}`", "remove it: every value is plain text, a list or a mapping")
        if len(self._open) >= DEPTH_MAX:
            raise _error(event, *_TOO_DEEP)

    def _scalar(self, event: yaml.ScalarEvent) -> Scalar:
        source = self._text[_mark(event).index : _mark(event, "end_mark").index]
        return Scalar(text=event.value, plain=event.implicit[0], source=source, **_place(event))

    def _add(self, value: Value, event: yaml.NodeEvent | None) -> None:
        if event is not None and event.anchor is not None:
            self._anchors[event.anchor] = value
        if not self._open:
            self.root = value
            return
        self._open[-1].children.append(value)
        if value.size > SIZE_MAX:
            raise YamlError(value.line, value.column, f"more than {SIZE_MAX} values once aliases are followed")


def _mark(event: yaml.Event, name: str = "start_mark") -> yaml.Mark:
    mark: yaml.Mark = getattr(event, name)  # the parser sets both; only hand-made events lack them
    return mark


def _place(event: yaml.Event) -> dict[str, int]:
    mark = _mark(event)
    return {"line": mark.line + 1, "column": mark.column + 1}


def _error(event: yaml.Event, found: str, cure: str) -> YamlError:
    return YamlError(**_place(event), found=found, cure=cure)


def _sequence(done: _Open) -> Sequence:
    size = 1 + sum(child.size for child in done.children)
    return Sequence(items=tuple(done.children), size=size, **_place(done.event))


def _mapping(done: _Open) -> Mapping:
    values: dict[str, Value] = {}
    keys: dict[str, Scalar] = {}
    merged: list[Mapping] = []
    for key, value in _pairs(done.children):
        if key.plain and key.text == "<<":
            merged += _merged(key, value)
        elif key.text in values:
            first = keys[key.text].line
            raise YamlError(
                key.line, key.column, f"key `{key.text}` a second time (first in line {first})", "keep one of them"
            )
        else:
            keys[key.text], values[key.text] = key, value
    for source in merged:
        for name, value in source.values.items():
            if name not in values:
                keys[name], values[name] = source.keys[name], value
    size = 1 + sum(1 + value.size for value in values.values())
    return Mapping(values=values, keys=keys, size=size, **_place(done.event))


def _pairs(children: list[Value]) -> Iterator[tuple[Scalar, Value]]:
    for key, value in zip(children[::2], children[1::2], strict=True):
        if not isinstance(key, Scalar):
            raise YamlError(key.line, key.column, "a key that is a list or a mapping", "keys are text")
        yield key, value


def _merged(key: Scalar, value: Value) -> list[Mapping]:
    sources = value.items if isinstance(value, Sequence) else (value,)
    if not all(isinstance(source, Mapping) for source in sources):
        raise YamlError(
            key.line, key.column, "`<<` with something else than a mapping", "write `<<: *anchor` of a mapping"
        )
    return [source for source in sources if isinstance(source, Mapping)]
