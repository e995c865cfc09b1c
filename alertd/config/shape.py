"""Shapes: what a mapping may hold, read into an attrs value. Composed of kinds; a shape can be part of another.

An attrs class of ours declares the kinds in its annotations (`shape_of`). Values that other packages define, such as the settings of an
integration, stay free of configuration: their shape is a table beside them (`Shape`). Whether a key may be left out is said once, by the
attrs class: what has a default there is optional here.
"""

from __future__ import annotations

import typing
from collections.abc import Iterator, Mapping
from typing import Any, Generic, TypeVar

import attrs

from alertd.config.context import Context
from alertd.config.kinds import ABSENT, Declared, Kind, Schema
from alertd.model.document import Fields, Node

T = TypeVar("T", bound=attrs.AttrsInstance)


@attrs.frozen
class Shape(Generic[T]):
    """A mapping that becomes one value of `build`.

    kinds: by key. attributes: the attribute that a key fills where the names differ, such as ``from``.
    """

    build: type[T]
    kinds: Mapping[str, Kind]
    attributes: Mapping[str, str] = attrs.field(factory=dict)

    def read(self, node: Node, context: Context) -> T:
        """Read a mapping; what is wrong is noted, and harmless values stand in."""
        fields = node.mapping(*self.known)
        if not node.null and node.found != "a mapping":
            return self.make({})
        values = self.partial(fields, context)
        self.require(values, fields)
        return self.make(values)

    def require(self, values: Mapping[str, Any], fields: Fields) -> None:
        """Note every key that must be there and is not."""
        for key in self.missing(values):
            kind = self.kinds[key]
            words = " or ".join(f"`{name}`" for name in kind.keys(key))
            fields[key].problem("nothing", expected=kind.expected, cure=f"add {words}")

    def partial(self, fields: Fields, context: Context) -> dict[str, Any]:
        """Read the keys that are there."""
        if "allow_http" in self.kinds:
            context = attrs.evolve(context, allow_http=fields["allow_http"].boolean(default=False))
        taken = {key: kind.take(key, fields, context) for key, kind in self.kinds.items()}
        return {key: value for key, value in taken.items() if value is not ABSENT}

    def missing(self, values: Mapping[str, Any]) -> list[str]:
        """Give the keys that must be there and are not."""
        return [key for key in self.kinds if key not in values and self.default(key) is attrs.NOTHING]

    def make(self, values: Mapping[str, Any]) -> T:
        """Build the value; what is missing is harmless, for a problem has been noted then and nobody will use it."""
        complete = {key: self.kinds[key].harmless for key in self.missing(values)} | dict(values)
        by_attribute = {self.attributes.get(key, key): value for key, value in complete.items()}
        return self.build(**{name: value for name, value in by_attribute.items() if name in self._attributes})

    @property
    def _attributes(self) -> Mapping[str, attrs.Attribute[Any]]:
        return attrs.fields_dict(self.build)

    @property
    def known(self) -> tuple[str, ...]:
        """All keys, twins included."""
        return tuple(name for key, kind in self.kinds.items() for name in kind.keys(key))

    def default(self, key: str) -> Any:
        """Give the value that stands where the key is missing; attrs.NOTHING where it must be given."""
        attribute = self._attributes.get(self.attributes.get(key, key))
        if attribute is None:  # a key without an attribute only steers the reading
            return None
        factory = getattr(attribute.default, "factory", None)
        return attribute.default if factory is None else factory()

    def schema(self) -> Schema:
        """Say it as JSON Schema."""
        properties = {name: said for key in self.kinds for name, said in self._properties(key).items()}
        required = [
            key for key, kind in self.kinds.items() if self.default(key) is attrs.NOTHING and len(kind.keys(key)) == 1
        ]
        schema: Schema = {"type": "object", "properties": properties, "additionalProperties": False}
        return schema | ({"required": required} if required else {})

    def _properties(self, key: str) -> dict[str, Schema]:
        default = self.default(key)
        written = None if default is attrs.NOTHING else self.kinds[key].written(default)
        given = {} if written is None else {"default": written}
        return {name: said | (given if name == key else {}) for name, said in self.kinds[key].properties(key).items()}

    def declared(self, prefix: str = "") -> Iterator[Declared]:
        """Give every key with its path (``tenants[].cloud``), depth first: what the documentation has to name."""
        for key, kind in self.kinds.items():
            yield from kind.declared(f"{prefix}.{key}" if prefix else key, self.default(key))


def shape_of(build: type[T]) -> Shape[T]:
    """Give the shape that an attrs class declares in its annotations; ``metadata={"key": ...}`` where Python does not allow a key as a name."""
    kinds: dict[str, Kind] = {}
    names: dict[str, str] = {}
    hints = typing.get_type_hints(build, include_extras=True)
    for attribute in attrs.fields(build):
        found = [part for part in getattr(hints[attribute.name], "__metadata__", ()) if isinstance(part, Kind)]
        if found:
            key = attribute.metadata.get("key", attribute.name)
            kinds[key] = found[0]
            names[key] = attribute.name
    return Shape(build, kinds, names)


@attrs.frozen
class Section(Kind, Generic[T]):
    """A mapping within a mapping. build: the attrs class that declares it, or its shape."""

    build: type[T] | Shape[T] = attrs.field(kw_only=True)

    expected = "a mapping"

    @property
    def shape(self) -> Shape[T]:
        """The shape."""
        return self.build if isinstance(self.build, Shape) else shape_of(self.build)

    @property
    def harmless(self) -> T:
        """A value without content."""
        return self.shape.make({})

    def read(self, node: Node, context: Context) -> T:
        """Read the mapping."""
        return self.shape.read(node, context)

    def schema(self) -> Schema:
        """Say its shape."""
        return self.shape.schema()

    def below(self, path: str) -> Iterator[Declared]:
        """Give its keys."""
        yield from self.shape.declared(path)


@attrs.frozen
class Nullable(Kind):
    """A kind whose `null` is a value of its own: it turns the thing off, where a missing key leaves the default."""

    kind: Kind = attrs.field(kw_only=True)

    def read(self, node: Node, context: Context) -> Any:
        """Read what is not null."""
        return self.kind.read(node, context)

    def take(self, name: str, fields: Fields, context: Context) -> Any:
        """Tell null from nothing."""
        node = fields[name]
        return None if node.given and node.null else self.kind.take(name, fields, context)

    def schema(self) -> Schema:
        """Allow null."""
        return {"anyOf": [self.kind.schema(), {"type": "null"}]}

    def below(self, path: str) -> Iterator[Declared]:
        """Give what is below the kind."""
        yield from self.kind.below(path)


@attrs.frozen
class ListOf(Kind):
    """A list; `least` entries must be there."""

    kind: Kind = attrs.field(kw_only=True)
    least: int = attrs.field(default=0, kw_only=True)

    expected = "a list"
    harmless = ()

    def read(self, node: Node, context: Context) -> tuple[Any, ...]:
        """Read the entries in order."""
        items = node.sequence()
        if node.found == "a list" and len(items) < self.least:
            node.problem("an empty list", expected=f"{self.least} or more entries")
        return tuple(self._entry(item, context) for item in items)

    def _entry(self, node: Node, context: Context) -> Any:
        if node.null:
            node.problem("nothing", expected=self.kind.expected, cure="remove the lone `-`, or give it a value")
            return self.kind.harmless
        return self.kind.read(node, context)

    def written(self, value: Any) -> Any:
        """Write the entries, if there are any and all can be written."""
        entries = [self.kind.written(item) for item in value or ()]
        return entries if entries and None not in entries else None

    def schema(self) -> Schema:
        """Say what the entries are."""
        return {"type": "array", "items": self.kind.schema(), "minItems": self.least}

    def below(self, path: str) -> Iterator[Declared]:
        """Give what is below an entry."""
        yield from self.kind.below(f"{path}[]")


@attrs.frozen
class MapOf(Kind):
    """A mapping of any keys to one kind."""

    kind: Kind = attrs.field(kw_only=True)

    expected = "a mapping"
    harmless: typing.ClassVar[Mapping[str, Any]] = {}

    def read(self, node: Node, context: Context) -> dict[str, Any]:
        """Read the entries in order."""
        return {key: self.kind.read(entry, context) for key, entry in node.entries() if not entry.null}

    def schema(self) -> Schema:
        """Say what the values are."""
        return {"type": "object", "additionalProperties": self.kind.schema()}


@attrs.frozen
class NotYet(Kind):
    """A key of the contract that this version does not do anything with: refused, never ignored."""

    instead: str = attrs.field(default="", kw_only=True)

    def take(self, name: str, fields: Fields, context: Context) -> Any:  # noqa: ARG002 - the same for every kind
        """Refuse it."""
        if not fields[name].null:
            fields[name].problem(f"`{name}`: not in this version of alertd", cure=self.instead or "remove it")
        return ABSENT

    def read(self, node: Node, context: Context) -> Any:  # noqa: ARG002 - the same for every kind
        """Refuse it."""
        return None

    def schema(self) -> Schema:
        """Refuse it."""
        return {"not": {}}

    def declared(self, path: str, default: Any) -> Iterator[Declared]:
        """Give itself as what is to come."""
        del default
        yield Declared(path, f"Not in this version. {self.doc}", None)


@attrs.frozen
class Elsewhere(Kind):
    """A key that is looked for here and stands elsewhere: refused with its place. It is no key of this shape, so nothing documents it."""

    cure: str = attrs.field(default="", kw_only=True)

    def take(self, name: str, fields: Fields, context: Context) -> Any:  # noqa: ARG002 - the same for every kind
        """Refuse it."""
        if not fields[name].null:
            fields[name].problem(f"`{name}` at the root", cure=self.cure)
        return ABSENT

    def read(self, node: Node, context: Context) -> Any:  # noqa: ARG002 - the same for every kind
        """Refuse it."""
        return None

    def schema(self) -> Schema:
        """Refuse it."""
        return {"not": {}}
