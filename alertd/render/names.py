"""Names that a template uses and nobody gives it, found without running it: also in branches that no sample enters."""

from __future__ import annotations

import functools
import types
import typing
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import attrs
from jinja2 import nodes

from alertd.model.suggestion import did_you_mean


@attrs.frozen
class UnknownName:
    """A name that is not there. cure: the one that was probably meant."""

    line: int
    name: str
    cure: str


_ALWAYS_THERE = frozenset({"loop", "caller", "varargs", "kwargs", "self", "super"})


def unknown_names(tree: nodes.Template, given: Iterable[str], roots: Mapping[str, Any]) -> tuple[UnknownName, ...]:
    """List what a parsed template reads beyond its context.

    given: names of the environment, there for every template. roots: name -> type of its value, `Any` where nothing is
    known of it. A name that the template assigns anywhere is taken for known.
    """
    assigned = _assigned(tree)
    known = {*assigned, *given, *roots, *_ALWAYS_THERE}
    read = {node.name: node.lineno for node in reversed(list(tree.find_all(nodes.Name))) if node.ctx == "load"}
    found = [UnknownName(line, name, did_you_mean(name, roots)) for name, line in read.items() if name not in known]
    typed = {name: kind for name, kind in roots.items() if name not in assigned}
    return (*found, *_unknown_members(tree, typed | _looped(tree, roots)))


def _assigned(tree: nodes.Template) -> set[str]:
    names = {node.name for node in tree.find_all(nodes.Name) if node.ctx in {"store", "param"}}
    names |= {node.name for node in tree.find_all(nodes.Macro)} | {node.target for node in tree.find_all(nodes.Import)}
    imported = [name for node in tree.find_all(nodes.FromImport) for name in node.names]
    return names | {name[1] if isinstance(name, tuple) else name for name in imported}


def _looped(tree: nodes.Template, roots: Mapping[str, Any]) -> dict[str, Any]:
    """Give the loops' variables that run over a tuple of known type and mean one thing in the whole template."""
    looped: dict[str, Any] = {}
    for loop in tree.find_all(nodes.For):
        if isinstance(loop.target, nodes.Name):
            kind = _element(_type_of(_unwrapped(loop.iter), roots))
            looped[loop.target.name] = kind if looped.get(loop.target.name, kind) == kind else Any
    return {name: kind for name, kind in looped.items() if kind is not Any}


def _unwrapped(node: nodes.Node) -> nodes.Node:
    while isinstance(node, nodes.Filter) and node.name.startswith("__") and node.node is not None:
        node = node.node
    return node


def _element(kind: Any) -> Any:  # noqa: ANN401 - a type expression
    arguments = typing.get_args(kind)
    return arguments[0] if typing.get_origin(kind) is tuple and arguments[1:] == (...,) else Any


def _unknown_members(tree: nodes.Template, roots: Mapping[str, Any]) -> Iterator[UnknownName]:
    seen = set()
    for node in tree.find_all(nodes.Getattr):
        owner = _type_of(node.node, roots)
        if not attrs.has(owner) or node.attr in members(owner):
            continue
        name = f"{_spelled(node.node)}.{node.attr}"
        if (node.lineno, name) not in seen:
            seen.add((node.lineno, name))
            yield UnknownName(node.lineno, name, did_you_mean(node.attr, members(owner)))


def _spelled(node: nodes.Node) -> str:
    return f"{_spelled(node.node)}.{node.attr}" if isinstance(node, nodes.Getattr) else getattr(node, "name", "...")


def _type_of(node: nodes.Node, roots: Mapping[str, Any]) -> Any:  # noqa: ANN401
    if isinstance(node, nodes.Name):
        return roots.get(node.name, Any)
    if isinstance(node, nodes.Getattr):
        owner = _type_of(node.node, roots)
        return members(owner).get(node.attr, Any) if attrs.has(owner) else Any
    return Any


@functools.cache
def members(owner: type) -> Mapping[str, Any]:
    """Give what templates see of a value of this class: name -> type, without the null that any member may be."""
    hints = typing.get_type_hints(owner)
    found = {field.name: _without_null(hints[field.name]) for field in attrs.fields(owner)}
    for name in dir(owner):
        member = getattr(owner, name)
        if isinstance(member, property) and member.fget is not None:
            found[name] = _without_null(typing.get_type_hints(member.fget).get("return", Any))
    return found


def _without_null(kind: Any) -> Any:  # noqa: ANN401
    if typing.get_origin(kind) not in {typing.Union, types.UnionType}:
        return kind
    rest = [part for part in typing.get_args(kind) if part is not types.NoneType]
    return rest[0] if len(rest) == 1 else Any
