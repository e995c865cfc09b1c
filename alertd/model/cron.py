"""Cron expressions: five fields, minute, hour, day of month, month, day of week, as crontab(5) reads them.

A field is ``*``, a number, a range ``1-5``, a step ``*/15`` or ``8-18/2``, a list of those, or a name: ``jan``, ``mon``. Days of the week count from
Sunday, 0 or 7. Where both day fields are restricted, a day that either of them allows counts. ``@daily`` and the like stand for what they mean.
What other dialects add (seconds, ``L``, ``W``, ``#``, ``?``) is refused: the same text would mean something else there.
https://man7.org/linux/man-pages/man5/crontab.5.html
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from itertools import pairwise

import attrs

from alertd.model.suggestion import did_you_mean

_FIELDS = 5
_SUNDAY = 7  # its other number, which is the one at the end of a range
_ITEM = re.compile(r"(?P<first>\*|\d{1,2}|[a-z]+)(?:-(?P<last>\d{1,2}|[a-z]+))?(?:/(?P<step>\d{1,2}))?")


def _numbered(first: int, *names: str) -> Mapping[str, int]:
    return {name: number for number, name in enumerate(names, start=first)}


_MONTHS = _numbered(1, "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_WEEKDAYS = _numbered(0, "sun", "mon", "tue", "wed", "thu", "fri", "sat")
_NICKNAMES = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@weekly": "0 0 * * sun",
    "@monthly": "0 0 1 * *",
    "@yearly": "0 0 1 jan *",
    "@annually": "0 0 1 jan *",
}


@attrs.frozen(kw_only=True)
class Cron:
    """When something recurs, by somebody's wall clock.

    text: as it was written. weekdays: from Sunday, 0, to Saturday, 6. either_day: a day of the month or one of the week suffices.
    """

    text: str
    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    days: tuple[int, ...]
    months: tuple[int, ...]
    weekdays: tuple[int, ...]
    either_day: bool = False

    def __str__(self) -> str:
        return self.text

    def includes(self, day: date) -> bool:
        """Whether it happens on this day."""
        of_month, of_week = day.day in self.days, day.isoweekday() % 7 in self.weekdays
        wanted = of_month or of_week if self.either_day else of_month and of_week
        return day.month in self.months and wanted

    def longest_gap(self) -> timedelta | None:
        """Give the longest time between two of its days that follow each other; None where thirteen years have no two of them."""
        days = [day for day in _every_day() if self.includes(day)]
        return max((after - before for before, after in pairwise(days)), default=None)


def _every_day() -> Iterator[date]:
    """Give the days of thirteen years, with two leap days as far apart as they come: 2100 is no leap year."""
    start = date(2096, 1, 1)
    return (start + timedelta(days=number) for number in range(13 * 366))


@attrs.frozen
class _Field:
    """One field. names: what stands for a number."""

    title: str
    least: int
    most: int
    names: Mapping[str, int] = attrs.field(factory=dict)

    def read(self, text: str) -> tuple[int, ...]:
        """Give its numbers in order; raises ValueError with what was expected."""
        return tuple(sorted({number for item in text.split(",") for number in self._item(item)}))

    def _item(self, text: str) -> range:
        found = _ITEM.fullmatch(text)
        if found is None or (found["first"] == "*" and found["last"]):
            raise ValueError(f"{self.title}: {self._expected()}, not `{text}`")
        first = self.least if found["first"] == "*" else self._number(found["first"])
        last = self._last(found, first)
        if first > last:
            raise ValueError(
                f"{self.title}: the first of `{text}` not after the last; write two ranges with a comma between"
            )
        step = int(found["step"] or 1)
        if not step:
            raise ValueError(f"{self.title}: a step of 1 or more, not `{text}`")
        return range(first, last + 1, step)

    def _last(self, found: re.Match[str], first: int) -> int:
        if found["first"] == "*" or (found["step"] and not found["last"]):
            return self.most
        if not found["last"]:
            return first
        last = self._number(found["last"])
        return _SUNDAY if self.names is _WEEKDAYS and last == 0 and first > 0 else last

    def _number(self, word: str) -> int:
        number = int(word) if word.isdigit() else self.names.get(word)
        if number is None:
            cure = f"; {did_you_mean(word, self.names)}" if self.names else ""
            raise ValueError(f"{self.title}: {self._expected()}, not `{word}`{cure}")
        if not self.least <= number <= self._limit:
            raise ValueError(f"{self.title}: {self._expected()}, not `{word}`")
        return number

    @property
    def _limit(self) -> int:
        return _SUNDAY if self.names is _WEEKDAYS else self.most

    def _expected(self) -> str:
        names = [name for name in self.names if self.names[name] in {self.least, self.most}]
        return f"{self.least} to {self._limit}" + (f" or {names[0]} to {names[-1]}" if names else "")


_SHAPE = (
    _Field("minute", 0, 59),
    _Field("hour", 0, 23),
    _Field("day of month", 1, 31),
    _Field("month", 1, 12, _MONTHS),
    _Field("day of week", 0, 6, _WEEKDAYS),
)


def parse_cron(text: str) -> Cron:
    """Read an expression; raises ValueError with what was expected."""
    written = " ".join(text.lower().split())
    if written.startswith("@") and written not in _NICKNAMES:
        raise ValueError(f"five fields or one of {', '.join(_NICKNAMES)}; {did_you_mean(written, _NICKNAMES)}")
    words = _NICKNAMES.get(written, written).split()
    if len(words) != _FIELDS:
        raise ValueError(
            'five fields: minute, hour, day of month, month and day of week, such as "0 9 * * mon" for Mondays at nine'
        )
    minutes, hours, days, months, weekdays = (field.read(word) for field, word in zip(_SHAPE, words, strict=True))
    return Cron(
        text=written,
        minutes=minutes,
        hours=hours,
        days=days,
        months=months,
        weekdays=tuple(sorted({day % _SUNDAY for day in weekdays})),
        either_day=not words[2].startswith("*") and not words[4].startswith("*"),
    )
