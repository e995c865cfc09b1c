"""How values read in a message: instants, spans of time, anything.

Instants stand in UTC and, beside it, in the configured time zone: whoever reads at night should not have to reckon.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import attrs
import msgspec

_UNITS = ((86_400, "d"), (3_600, "h"), (60, "m"), (1, "s"))


class Window(NamedTuple):
    """When something changed: between two readings. start: null at first sight."""

    start: datetime | None
    end: datetime


def datetime_text(instant: datetime | None, zone: ZoneInfo | None = None) -> str:
    """Write an instant: ``2026-01-05 09:15 UTC (10:15 CET)``; the local day too where it is another."""
    if instant is None:
        return ""
    local = _local(instant, zone, f"{instant:%Y-%m-%d}")
    return f"{instant:%Y-%m-%d %H:%M} UTC{local}"


def _local(instant: datetime, zone: ZoneInfo | None, day: str) -> str:
    local = _in_zone(instant, zone)
    if local is None:
        return ""
    date = "" if f"{local:%Y-%m-%d}" == day else f"{local:%Y-%m-%d} "
    return f" ({date}{local:%H:%M %Z})"


def _in_zone(instant: datetime, zone: ZoneInfo | None) -> datetime | None:
    """Give the local time; null where it says nothing new, or lies outside the calendar."""
    try:
        local = instant.astimezone(zone) if zone is not None else None
    except OverflowError:
        return None
    return local if local is not None and (local.utcoffset() or local.tzname() != "UTC") else None


def window_text(window: Window, zone: ZoneInfo | None = None) -> str:
    """Write when something changed: ``between 2026-01-05 10:05 and 10:40 UTC (11:05 and 11:40 CET)``."""
    start, end = window
    if start is None:
        return f"seen first at {datetime_text(end, zone)}"
    if start == end:
        return f"at {datetime_text(end, zone)}"
    if start.date() != end.date():
        return f"between {datetime_text(start, zone)} and {datetime_text(end, zone)}"
    local_start, local_end = _in_zone(start, zone), _in_zone(end, zone)
    local = f" ({local_start:%H:%M} and {local_end:%H:%M %Z})" if local_start and local_end else ""
    return f"between {start:%Y-%m-%d %H:%M} and {end:%H:%M} UTC{local}"


def duration_text(span: timedelta | float | None) -> str:
    """Write a span of time (a number counts seconds) by its two greatest units: ``27d 4h``, ``1h 20m``, ``45s``."""
    if span is None:
        return ""
    rest = round(abs(span.total_seconds() if isinstance(span, timedelta) else span))
    parts = []
    for size, unit in _UNITS:
        number, rest = divmod(rest, size)
        parts.append(f"{number}{unit}" if number else "")
    first = next((index for index, part in enumerate(parts) if part), len(parts))
    return " ".join(part for part in parts[first : first + 2] if part) or "0s"


def ago_text(instant: datetime | None, now: datetime) -> str:
    """Write how far an instant lies from now: ``3h 5m ago``, ``in 2d``, ``just now``."""
    if instant is None:
        return ""
    span = now - instant
    if abs(span) < timedelta(seconds=1):
        return "just now"
    return f"{duration_text(span)} ago" if span > timedelta(0) else f"in {duration_text(span)}"


def shown(value: object, zone: ZoneInfo | None = None) -> str:
    """Write any value of a snapshot for a person; ``none`` for null, as one side of a change is."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return datetime_text(value, zone)
    if isinstance(value, timedelta):
        return duration_text(value)
    if value is None or value == "":
        return "none"
    return value if isinstance(value, str) else json_text(value) if _is_tree(value) else str(value)


def _is_tree(value: object) -> bool:
    return isinstance(value, Mapping | list | tuple) or attrs.has(type(value))


def json_text(value: Any) -> str:  # noqa: ANN401 - any value a template holds
    """Write JSON: instants in UTC with ``Z``, spans of time as ISO 8601, attrs values as objects with every member."""
    return msgspec.json.encode(_jsonable(value)).decode()


def _jsonable(value: Any) -> Any:  # noqa: ANN401
    if isinstance(value, Mapping):
        return {str(key): _jsonable(item) for key, item in value.items()}
    if isinstance(value, Window):
        return {"start": value.start, "end": value.end}
    if isinstance(value, list | tuple | set | frozenset):
        return [_jsonable(item) for item in value]
    if attrs.has(type(value)):
        return {field.name: _jsonable(getattr(value, field.name)) for field in attrs.fields(type(value))}
    if value is None or isinstance(value, bool | int | float | datetime | timedelta):
        return value
    return (
        str(value).encode(errors="replace").decode()
    )  # enums, markup; a name that does not exist raises here and says which
