"""Snapshots to changes, and back.

A snapshot is walked down to its leaves. An object whose properties are all null says no more than a null does, and an empty map no more than
a missing one, so neither makes a change: `apply(previous, diff(previous, current))` equals `current` but for such empty holders.
`progress` counts as one leaf, since its parts have no identity. The id of a job is not compared.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache, lru_cache, partial
from operator import attrgetter
from types import NoneType, SimpleNamespace
from typing import Any, get_args, get_origin, get_type_hints

import attrs

from alertd.model.change import Change
from alertd.model.resources import NamedValues, SynchronizationJob

# Takes a value before, the one after, either of which may be null, and the list to put their differences into.
_Comparer = Callable[[Any, Any, list[Change]], None]

# Where the wire's names and the names in rules differ: `job` shows its key/value list as a map with a shorter name.
_ROOTS = {
    "templateId": "job.templateId",
    "schedule": "job.schedule",
    "status": "status",
    "synchronizationJobSettings": "job.settings",
}
_NAME, _KEY = r"[A-Za-z]\w*", r'\["(?:[^"\\]|\\.)*"\]'
_PATH = re.compile(rf"{_NAME}(?:\.{_NAME}|{_KEY})*")
_SEGMENT = re.compile(rf"{_NAME}|{_KEY}")


def diff(previous: SynchronizationJob, current: SynchronizationJob) -> tuple[Change, ...]:
    """Give what differs between two snapshots of one job, in the order in which Graph documents the properties."""
    changes: list[Change] = []
    _compare_jobs(previous, current, changes)
    return tuple(changes)


def apply(previous: SynchronizationJob, changes: Iterable[Change]) -> SynchronizationJob:
    """Give the snapshot that `changes` lead to; raises ValueError for a path that names no property."""
    given = tuple(changes)
    plan = _plan(tuple(change.path for change in given))
    applied: SynchronizationJob = plan.applied(previous, [change.after for change in given])
    return applied


def value_at(job: SynchronizationJob, path: str) -> object:
    """Give what stands at a path of a snapshot; null where it, or what would hold it, is not there."""
    value: Any = job
    for segment in _segments(path):
        value = value.get(segment) if isinstance(value, Mapping) else getattr(value, segment, None)
    return value


def _comparer(holder: type, paths: Mapping[str, str]) -> _Comparer:
    """Write the function that compares two resources of a class; paths: of what is to be compared, by the properties' names.

    It goes straight down the properties: a loop over them takes twice as long, and the end of every run of every job passes here.
    """
    scope: dict[str, Any] = {"Change": Change, "nothing": SimpleNamespace(**dict.fromkeys(paths))}
    lines = [
        "def compare(before, after, changes):",
        "  if before is None: before = nothing",
        "  if after is None: after = nothing",
    ]
    for name, path in paths.items():
        sides = f"before.{name}, after.{name}"
        scope[name] = _comparer_below(_properties(holder)[name], path)
        found = f"changes.append(Change({path!r}, {sides}))" if scope[name] is None else f"{name}({sides}, changes)"
        lines.append(f"  if not before.{name} == after.{name}: {found}")
    exec("\n".join(lines), scope)  # noqa: S102 - names of our own classes
    compare: _Comparer = scope["compare"]
    return compare


def _comparer_below(kind: type, path: str) -> _Comparer | None:
    """Give what compares the properties or entries of a value at a path; null for a leaf."""
    if attrs.has(kind):
        return _comparer(kind, {name: f"{path}.{name}" for name in _properties(kind)})
    return partial(_compare_maps, path) if issubclass(kind, NamedValues) else None


def _compare_maps(
    path: str, before: Mapping[str, Any] | None, after: Mapping[str, Any] | None, changes: list[Change]
) -> None:
    before, after = before or {}, after or {}
    changes.extend(
        Change(f"{path}[{_quoted(key)}]", before.get(key), after.get(key))
        for key in dict.fromkeys((*before, *after))
        if before.get(key) != after.get(key)
    )


def _quoted(key: str) -> str:
    escaped = key.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


@cache
def _properties(holder: type) -> Mapping[str, type]:
    """Name the properties of a resource, all of them optional, with the class that each holds; a scalar's is its own type."""
    hints = get_type_hints(holder)
    return {field.name: _held(hints[field.name]) for field in attrs.fields(holder) if field.name != "id"}


def _held(hint: Any) -> type:  # noqa: ANN401 - any annotation
    held: type
    (held,) = (kind for kind in get_args(hint) if kind is not NoneType)
    return get_origin(held) or held


_compare_jobs = _comparer(SynchronizationJob, _ROOTS)


@lru_cache(maxsize=4096)  # a replay of history splits the same few dozen paths for every snapshot
def _segments(path: str) -> tuple[str, ...]:
    """Split a path as rules write it into the wire's property names and map keys."""
    if _PATH.fullmatch(path) is None or path == "job":
        raise ValueError(f"no path of a snapshot: {path!r}")
    parts = [_unquoted(segment) for segment in _SEGMENT.findall(path)]
    if parts[0] == "job":
        parts = ["synchronizationJobSettings" if parts[1] == "settings" else parts[1], *parts[2:]]
    return tuple(parts)


def _unquoted(segment: str) -> str:
    return re.sub(r"\\(.)", r"\1", segment[2:-2]) if segment.startswith("[") else segment


_Tree = dict[str, Any]  # property or key -> the number of a change, or a tree of what lies below


@lru_cache(maxsize=4096)  # runs change the same few sets of properties, and a replay meets them a million times
def _plan(paths: tuple[str, ...]) -> _Plan:
    """Find out what has to be made anew for changes of these paths; raises ValueError for one that names no property."""
    tree: _Tree = {}
    for number, path in enumerate(paths):
        _put(tree, path, number)
    return _plan_of(SynchronizationJob, tree)


def _put(tree: _Tree, path: str, number: int) -> None:
    *above, last = _segments(path)
    for segment in above:
        if isinstance(tree, dict):  # else another change gives a whole value at, or above, this place
            tree = tree.setdefault(segment, {})
    if not isinstance(tree, dict) or isinstance(tree.get(last), dict):
        raise ValueError(f"{path!r} lies above or below another change")  # noqa: TRY004 - a path that does not fit, like any other
    tree[last] = number


def _plan_of(holder: type, tree: _Tree) -> _Plan:
    properties = _properties(holder) if attrs.has(holder) else {}
    unknown = tree.keys() - properties.keys()
    if unknown:
        raise ValueError(f"{holder.__name__} has no property {min(unknown)!r}")
    names = tuple(field.name for field in attrs.fields(holder))
    below = {name: part for name, part in tree.items() if isinstance(part, dict)}
    return _Plan(
        holder=holder,
        names=names,
        get=attrgetter(*names),
        leaves=tuple((names.index(name), part) for name, part in tree.items() if name not in below),
        branches=tuple((names.index(name), _branch(properties[name], part)) for name, part in below.items()),
    )


def _branch(kind: type, tree: _Tree) -> _Plan | _MapPlan:
    if not issubclass(kind, NamedValues):
        return _plan_of(kind, tree)
    deeper = next((key for key, part in tree.items() if isinstance(part, dict)), None)
    if deeper is not None:
        raise ValueError(f"the entry {deeper!r} of a map has no properties")
    return _MapPlan(kind=kind, numbers=tuple(tree.items()))


@attrs.frozen(kw_only=True)
class _Plan:
    """How an object is made anew: places of its properties with the numbers of their changes, and with the plans of what lies below.

    `attrs.evolve` looks up anew each time what a class is made from, which takes longer than making it.
    """

    holder: type
    names: tuple[str, ...]
    get: Callable[[Any], tuple[Any, ...]]
    leaves: tuple[tuple[int, int], ...]
    branches: tuple[tuple[int, _Plan | _MapPlan], ...]

    def applied(self, value: Any, afters: Sequence[Any]) -> Any:  # noqa: ANN401 - any resource
        """Give the object with the changes in it, or null where none of its properties is left."""
        parts = [None] * len(self.names) if value is None else list(self.get(value))
        for place, number in self.leaves:
            parts[place] = afters[number]
        for place, plan in self.branches:
            parts[place] = plan.applied(parts[place], afters)
        if parts.count(None) == len(parts):
            return None
        return self.holder(**dict(zip(self.names, parts, strict=True)))


@attrs.frozen(kw_only=True)
class _MapPlan:
    """How a map is made anew: its keys with the numbers of their changes."""

    kind: type[NamedValues[Any]]
    numbers: tuple[tuple[str, int], ...]

    def applied(self, value: Mapping[str, Any] | None, afters: Sequence[Any]) -> NamedValues[Any] | None:
        """Give the map with the changes in it, or null where nothing is left."""
        merged = {**(value or {}), **{key: afters[number] for key, number in self.numbers}}
        return self.kind((key, entry) for key, entry in merged.items() if entry is not None) or None
