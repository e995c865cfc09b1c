"""History as lines of JSON: a header that names the format and its version, then one value a line. Pure.

    {"alertd": "history", "version": 1, "exported_at": "...", "since": "..."}
    {"tenant": {"key": "global/1111...", "name": "contoso", ...}}
    {"principal": {...}}   {"job": {...}}   {"round": {...}}   {"reading": {...}}
    {"snapshot": {"job_id": "SF.1", "sequence": 7, "at": "...", "changes": [["status.code", "Active", "Quarantine"]], "facts": {...}}}

Jobs and full snapshots are written as Microsoft Graph does. A change's value that is no JSON scalar says what it is: ``{"instant": "..."}``,
``{"duration": "PT40M"}``, ``{"progress": [...]}``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

import attrs
import msgspec

from alertd.model.change import Change
from alertd.model.decoding import MalformedResource, convert, encode
from alertd.model.resources import SynchronizationJob, SynchronizationProgress
from alertd.store.values import HistoryEntry, JobRecord, PrincipalRecord, ReadingChange, RoundEntry, TenantRecord

VERSION = 1
_NAME = "history"

Archived = TenantRecord | PrincipalRecord | JobRecord | RoundEntry | ReadingChange | HistoryEntry

_WORDS: Mapping[type[Any], str] = {
    TenantRecord: "tenant",
    PrincipalRecord: "principal",
    JobRecord: "job",
    RoundEntry: "round",
    ReadingChange: "reading",
    HistoryEntry: "snapshot",
}
_KINDS = {word: kind for kind, word in _WORDS.items()}


@attrs.frozen(kw_only=True)
class Header:
    """What an archive says of itself."""

    exported_at: datetime
    since: datetime | None = None


def header_line(header: Header) -> bytes:
    """Write the first line, without its end."""
    known = {"alertd": _NAME, "version": VERSION, "exported_at": header.exported_at, "since": header.since}
    return msgspec.json.encode(known)


def read_header(line: bytes) -> Header:
    """Read the first line; raises ValueError with what is wrong."""
    said = _decoded(line)
    if not isinstance(said, dict) or said.get("alertd") != _NAME:
        raise ValueError('expected a header such as {"alertd": "history", "version": 1, ...}')
    if said.get("version") != VERSION:
        raise ValueError(f"version {said.get('version')!r} of the format, and this alertd reads version {VERSION}")
    header: Header = _converted({name: said.get(name) for name in ("exported_at", "since")}, Header)
    return header


def line_of(value: Archived) -> bytes:
    """Write one value as a line, without its end."""
    return msgspec.json.encode({_WORDS[type(value)]: _plain(value)})


def read_line(line: bytes) -> Archived:
    """Read one value; raises ValueError with what is wrong."""
    said = _decoded(line)
    if not isinstance(said, dict) or len(said) != 1:
        raise ValueError("expected an object with one key")
    ((word, plain),) = said.items()
    kind = _KINDS.get(word)
    if kind is None or not isinstance(plain, dict):
        raise ValueError(f"`{word}`, expected one of {', '.join(_KINDS)} with an object")
    read: Archived = _converted(_read_parts(kind, plain), kind)
    return read


def _plain(value: Archived) -> dict[str, Any]:
    said = _said(value)
    if "full" in said:
        said["full"] = msgspec.Raw(encode(said["full"]))
    if "changes" in said:
        said["changes"] = [[one.path, _tagged(one.before), _tagged(one.after)] for one in said["changes"]]
    if "job" in said:
        said["job"] = msgspec.Raw(encode(said["job"]))
    if "facts" in said:
        said["facts"] = _said(said["facts"])
    return said


def _said(value: Any) -> dict[str, Any]:  # noqa: ANN401 - any of our values
    """Name only what is not as it is where nothing is said."""
    return {
        field.name: getattr(value, field.name)
        for field in attrs.fields(type(value))
        if field.default is attrs.NOTHING or getattr(value, field.name) != _unsaid(field)
    }


def _unsaid(field: attrs.Attribute[Any]) -> Any:  # noqa: ANN401 - a default of any type
    factory = getattr(field.default, "factory", None)
    return field.default if factory is None else factory()


def _tagged(value: object) -> object:
    if isinstance(value, datetime):
        return {"instant": value}
    if isinstance(value, timedelta):
        return {"duration": value}
    return {"progress": value} if isinstance(value, tuple) else value


_TAGS: Mapping[str, Any] = {
    "instant": datetime,
    "duration": timedelta,
    "progress": tuple[SynchronizationProgress, ...],
}


def _untagged(value: Any) -> Any:  # noqa: ANN401 - any value of a change
    if not isinstance(value, dict):
        return value
    if len(value) != 1 or not value.keys() <= _TAGS.keys():
        raise ValueError(f"a value of a change with the keys {sorted(value)}")
    ((tag, plain),) = value.items()
    return _converted(plain, _TAGS[tag])


def _read_parts(kind: type[Any], plain: Mapping[str, Any]) -> dict[str, Any]:
    """Read what is written in a way of its own; the rest follows from the types."""
    unknown = plain.keys() - {field.name for field in attrs.fields(kind)}
    if unknown:
        raise ValueError(f"an unknown key `{min(unknown)}` of `{_WORDS[kind]}`")
    said = dict(plain)
    for name in ("full",) if kind is HistoryEntry else ("job",) if kind is JobRecord else ():
        if said.get(name) is not None:
            said[name] = _job(said[name])
    if "changes" in said:
        said["changes"] = _changes(said["changes"])
    return said


def _job(plain: object) -> SynchronizationJob:
    try:
        return convert(plain, SynchronizationJob)
    except MalformedResource as exc:
        raise ValueError(str(exc)) from exc


def _changes(plain: object) -> tuple[Change, ...]:
    if not isinstance(plain, list) or not all(isinstance(one, list) and len(one) == 3 for one in plain):  # noqa: PLR2004 - path, before, after
        raise ValueError("`changes`, expected a list of [path, before, after]")
    return tuple(_change(one) for one in plain)


def _change(parts: Iterable[Any]) -> Change:
    path, before, after = parts
    if not isinstance(path, str):
        raise ValueError("the path of a change that is no text")  # noqa: TRY004 - a ValueError like all the others
    return Change(path, _untagged(before), _untagged(after))


def _decoded(line: bytes) -> object:
    try:
        return msgspec.json.decode(line)
    except (msgspec.MsgspecError, UnicodeDecodeError) as exc:
        raise ValueError(f"no JSON: {exc}") from exc


def _converted(plain: Any, kind: Any) -> Any:  # noqa: ANN401 - any kind
    try:
        return msgspec.convert(plain, kind, dec_hook=_hook, from_attributes=False)
    except msgspec.MsgspecError as exc:
        raise ValueError(str(exc)) from exc


def _hook(kind: type[Any], plain: Any) -> Any:  # noqa: ANN401 - what has been read already, and scalars of any kind
    if kind is object or isinstance(plain, kind):
        return plain
    raise ValueError(f"expected {kind.__name__}")
