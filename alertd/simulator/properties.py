"""Graph's properties as people write them in a timeline: read against the resources' own types, merged deeply, made a job again.

What is read is plain: a dict by property name, whose leaves have Python's types. `Offset` stands for an instant relative to the step it
is written at, `Entries` for a map with free keys (entry counts, settings), and null for a property that is to be null.
"""

from __future__ import annotations

import functools
import types
import typing
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import attrs

from alertd.model.decoding import MalformedResource, convert
from alertd.model.document import Node
from alertd.model.duration import parse_duration
from alertd.model.resources import (
    EntryCounts,
    JobSettings,
    SynchronizationJob,
    SynchronizationProgress,
    SynchronizationSchedule,
    SynchronizationStatus,
)

Properties = dict[str, Any]


@attrs.frozen
class Offset:
    """An instant relative to the step it is written at."""

    distance: timedelta


class Entries(dict[str, Any]):
    """A map whose keys are data, not properties: a null takes the key away."""


def read_overlay(node: Node) -> Properties:
    """Read a mapping step: any property of the status, `schedule`, and `job` for the rest of the job; problems are noted at their node.

    Gives a job's properties: ``{"status": {...}, "schedule": {...}, ...}``, each only where it is written.
    """
    fields = node.mapping(*_kinds(SynchronizationStatus), "schedule", "job")
    status = {
        name: _read(place, _kinds(SynchronizationStatus)[name]) for name, place in fields.items() if name not in _BESIDE
    }
    job: Properties = {"status": status} if status else {}
    if "schedule" in fields:
        job["schedule"] = _read(fields["schedule"], SynchronizationSchedule)
    if "job" in fields:
        job = merge(job, _read_job(fields["job"]))
    return job


_BESIDE = ("schedule", "job")
_JOB = {
    "templateId": str,
    "schedule": SynchronizationSchedule,
    "synchronizationJobSettings": JobSettings,
    "settings": JobSettings,
}


def _read_job(node: Node) -> Properties:
    fields = node.mapping(*_JOB)
    read = {name: _read(place, _JOB[name]) for name, place in fields.items()}
    if "settings" in read:  # as rules call them
        read["synchronizationJobSettings"] = read.pop("settings")
    return read


@functools.cache
def _kinds(resource: type) -> Mapping[str, Any]:
    """Give the type of each property, its null left out."""
    hints = typing.get_type_hints(resource)
    return {name: _without_null(hint) for name, hint in hints.items()}


def _without_null(hint: Any) -> Any:  # noqa: ANN401 - a type expression
    if isinstance(hint, types.UnionType) or typing.get_origin(hint) is typing.Union:
        return next(member for member in typing.get_args(hint) if member is not type(None))
    return hint


def _read(node: Node, kind: Any) -> Any:  # noqa: ANN401 - whatever the property holds
    if node.null:
        return None
    if attrs.has(kind):
        fields = node.mapping(*_kinds(kind))
        return {name: _read(place, _kinds(kind)[name]) for name, place in fields.items()}
    if kind in {EntryCounts, JobSettings}:
        return _read_entries(node, *(("key", int) if kind is EntryCounts else ("name", str)))
    if typing.get_origin(kind) is tuple:
        return [_read(place, SynchronizationProgress) for place in node.sequence()]
    return _SCALARS[kind](node)


def _read_entries(node: Node, key: str, kind: type) -> Entries:
    """Read a map, or Graph's own list of pairs."""
    if isinstance(node.plain(), list):
        pairs = [place.mapping(key, "value") for place in node.sequence()]
        return Entries({pair[key].text(): _read(pair["value"], kind) for pair in pairs})
    return Entries({name: _read(place, kind) for name, place in node.entries()})


def _scalar(node: Node, read: Callable[[str], Any], expected: str) -> Any:  # noqa: ANN401
    text = node.text(None)
    if text is None:
        return None
    try:
        return read(text)
    except (ValueError, OverflowError):
        node.problem(expected=expected)
        return None


def read_instant(text: str) -> datetime | Offset:
    """Read ``2026-01-05T09:00:00Z``, or ``-25d`` and ``+2h`` relative to the step; a naive instant is UTC. Raises ValueError."""
    if text[:1] in {"-", "+"}:
        distance = parse_duration(text[1:])
        return Offset(-distance if text[0] == "-" else distance)
    instant = datetime.fromisoformat(text)
    return instant.replace(tzinfo=UTC) if instant.tzinfo is None else instant.astimezone(UTC)


def _interval(text: str) -> timedelta | None:
    if not text.startswith("P"):
        return parse_duration(text)
    try:
        schedule = convert({"interval": text}, SynchronizationSchedule)
    except MalformedResource as exc:
        raise ValueError(text) from exc
    return schedule.interval


_SCALARS: Mapping[Any, Callable[[Node], Any]] = {
    str: lambda node: node.text(None),
    int: lambda node: node.integer(None),
    bool: lambda node: node.boolean(None),
    datetime: lambda node: _scalar(node, read_instant, "an instant such as 2026-01-05T09:00:00Z, -25d or +2h"),
    timedelta: lambda node: _scalar(node, _interval, "an interval such as PT40M or 40m"),
}


def merge(base: Properties, overlay: Properties, *, at: datetime | None = None) -> Properties:
    """Lay properties over others, deeply; neither is changed.

    at: the step's instant, to which offsets are added; without one they stay offsets.
    """
    return base | {name: _laid_over(base.get(name), value, at) for name, value in overlay.items()}


def _laid_over(below: Any, value: Any, at: datetime | None) -> Any:  # noqa: ANN401
    match value:
        case Offset() if at is not None:
            return at + value.distance
        case Entries():
            merged = (below if isinstance(below, Entries) else {}) | value
            return Entries({key: entry for key, entry in merged.items() if entry is not None})
        case dict():
            return merge(below or {}, value, at=at)
        case list():
            return [_laid_over(None, entry, at) for entry in value]
    return value


def make_job(job_id: str, properties: Properties) -> SynchronizationJob:
    """Make the job that these properties describe; what is not among them is null."""
    values: SynchronizationJob = _made(properties, SynchronizationJob, id=job_id)
    return values


def _made(value: Any, kind: Any, **more: Any) -> Any:  # noqa: ANN401
    if value is None:
        return None
    if attrs.has(kind):
        return kind(**{name: _made(part, _kinds(kind)[name]) for name, part in value.items()}, **more)
    if typing.get_origin(kind) is tuple:
        return tuple(_made(part, SynchronizationProgress) for part in value)
    return kind(value) if kind in {EntryCounts, JobSettings} else value
