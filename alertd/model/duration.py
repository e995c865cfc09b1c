"""Durations as people write them in configuration, rules and tests: ``90s``, ``5m``, ``1h30m``, ``7d``, ``4w``."""

from __future__ import annotations

import re
from datetime import timedelta

_UNITS = {"w": 604_800, "d": 86_400, "h": 3_600, "m": 60, "s": 1}
_SHAPE = re.compile(r"(?:(\d{1,9})w)?(?:(\d{1,9})d)?(?:(\d{1,9})h)?(?:(\d{1,9})m)?(?:(\d{1,9})s)?", re.ASCII)
_LONGEST = timedelta(days=365 * 100)


def parse_duration(text: str) -> timedelta:
    """Read a duration such as ``1h30m``; units go from large to small, each at most once.

    Raises ValueError with what was expected when the text is anything else or longer than a century.
    """
    match = _SHAPE.fullmatch(text.strip())
    if match is None or not any(match.groups()):
        raise ValueError("a duration such as 90s, 5m, 1h30m, 7d or 4w")
    seconds = sum(int(number or 0) * unit for number, unit in zip(match.groups(), _UNITS.values(), strict=True))
    if seconds > _LONGEST.total_seconds():
        raise ValueError("a duration below a hundred years")
    return timedelta(seconds=seconds)


def format_duration(duration: timedelta) -> str:
    """Write a duration the way `parse_duration` reads it, rounded to whole seconds; ``0s`` for none."""
    rest = round(abs(duration.total_seconds()))
    sign = "-" if duration < timedelta(0) and rest else ""
    parts = []
    for unit, size in list(_UNITS.items())[1:]:
        number, rest = divmod(rest, size)
        parts += [f"{number}{unit}"] if number else []
    return sign + ("".join(parts) or "0s")
