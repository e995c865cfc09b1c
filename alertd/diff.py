"""Snapshots to changes, and back.

A snapshot is walked down to its leaves. An object whose properties are all null says no more than a null does, and an empty map no more than
a missing one, so neither makes a change: `apply(previous, diff(previous, current))` equals `current` but for such empty holders.
`progress` counts as one leaf, since its parts have no identity. The id of a job is not compared.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cache, lru_cache
from types import NoneType
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

import attrs

from alertd.model.change import Change
from alertd.model.resources import NamedValues, SynchronizationJob

Resource = TypeVar("Resource")

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
    if previous == current:
        return ()
    return tuple(
        change
        for name, path in _ROOTS.items()
        for change in _walk(path, getattr(previous, name), getattr(current, name))
    )


def apply(previous: SynchronizationJob, changes: Iterable[Change]) -> SynchronizationJob:
    """Give the snapshot that `changes` lead to; raises ValueError for a path that names no property."""
    fields: dict[str, Any] = {}
    for change in changes:
        _put(fields, _segments(change.path), change.after)
    rebuilt: SynchronizationJob = _rebuild(SynchronizationJob, previous, fields)
    return rebuilt


def _walk(path: str, before: Any, after: Any) -> Iterator[Change]:  # noqa: ANN401 - any property
    if before is after or before == after:
        return
    if isinstance(before, NamedValues) or isinstance(after, NamedValues):
        yield from _walk_map(path, before or {}, after or {})
    elif attrs.has(type(before)) or attrs.has(type(after)):
        holder: type[object] = type(after if before is None else before)
        for name in _properties(holder):  # type: ignore[arg-type] # classes hash by identity, whatever their instances do
            yield from _walk(f"{path}.{name}", getattr(before, name, None), getattr(after, name, None))
    else:
        yield Change(path, before, after)


def _walk_map(path: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Change]:
    for key in dict.fromkeys((*before, *after)):
        if before.get(key) != after.get(key):
            yield Change(f"{path}[{_quoted(key)}]", before.get(key), after.get(key))


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


def _put(fields: dict[str, Any], segments: tuple[str, ...], value: object) -> None:
    for segment in segments[:-1]:
        fields = fields.setdefault(segment, {})
    fields[segments[-1]] = value


def _rebuild(holder: type, value: Any, fields: Mapping[str, Any]) -> Any:  # noqa: ANN401 - any property
    properties = _properties(holder) if attrs.has(holder) else {}
    unknown = fields.keys() - properties.keys()
    if unknown:
        raise ValueError(f"{holder.__name__} has no property {min(unknown)!r}")
    renewed = {name: _renewed(properties[name], getattr(value, name, None), change) for name, change in fields.items()}
    rebuilt = (
        holder(**renewed)
        if value is None
        else holder(**{name: getattr(value, name) for name in _names(holder)} | renewed)
    )
    return None if holder is not SynchronizationJob and rebuilt == _empty(holder) else rebuilt


@cache
def _empty(holder: type) -> object:
    """Give a resource of which nothing is known."""
    made: object = holder()
    return made


@cache
def _names(holder: type) -> tuple[str, ...]:
    """Name what a resource is made from; `attrs.evolve` looks that up anew each time, which takes longer than making it."""
    return tuple(field.name for field in attrs.fields(holder))


def _renewed(kind: type, value: Any, change: Any) -> Any:  # noqa: ANN401 - any property
    if type(change) is not dict:  # as `_put` nests them; no property is one
        return change
    if issubclass(kind, NamedValues):
        _refuse_below(change)
        merged = {**(value or {}), **change}
        return kind((key, entry) for key, entry in merged.items() if entry is not None) or None
    return _rebuild(kind, value, change)


def _refuse_below(entries: Mapping[str, Any]) -> None:
    deeper = next((key for key, entry in entries.items() if isinstance(entry, Mapping)), None)
    if deeper is not None:
        raise ValueError(f"the entry {deeper!r} of a map has no properties")
