"""Time intervals: recurring times by the wall clock of a place, at which a route is mute, or the only ones at which it is not. Pure.

An interval holds an instant if every one of its fields does, and a field if any of its entries does; a field that is not given holds
everything. All of them look at the local date and time of that very instant. So ``22:00`` to ``06:00`` with ``monday`` is Monday's first six
hours and its last two, and where clocks are turned, an hour that comes twice is held twice and one that is left out never.
"""

from __future__ import annotations

import calendar
from collections.abc import Iterable
from datetime import datetime
from zoneinfo import ZoneInfo

import attrs

UTC = ZoneInfo("UTC")
DAY_MINUTES = 24 * 60


@attrs.frozen(kw_only=True)
class TimesOfDay:
    """From `start_time`, included, to `end_time`, excluded, in minutes since midnight; across midnight if that is the earlier one."""

    start_time: int
    end_time: int

    def holds(self, minute: int) -> bool:
        """Whether the minute of a day lies in it."""
        if self.start_time < self.end_time:
            return self.start_time <= minute < self.end_time
        return minute >= self.start_time or minute < self.end_time


@attrs.frozen
class Numbers:
    """From `first` to `last`, both included; the other way round where counting begins anew in between: November to February."""

    first: int
    last: int

    def holds(self, number: int) -> bool:
        """Whether a number lies in it."""
        if self.first <= self.last:
            return self.first <= number <= self.last
        return number >= self.first or number <= self.last


@attrs.frozen
class DaysOfMonth:
    """From the `first` to the `last` day, both included; negative ones count from the month's end, -1 being its last day."""

    first: int
    last: int

    def holds(self, day: int, length: int) -> bool:
        """Whether a day lies in it, in a month of so many days."""
        first, last = (number if number > 0 else length + 1 + number for number in (self.first, self.last))
        return first <= day <= last


@attrs.frozen(kw_only=True)
class TimeInterval:
    """One recurring time. weekdays: Monday is 1. months: January is 1. location: whose wall clock counts."""

    times: tuple[TimesOfDay, ...] = ()
    weekdays: tuple[Numbers, ...] = ()
    days_of_month: tuple[DaysOfMonth, ...] = ()
    months: tuple[Numbers, ...] = ()
    years: tuple[Numbers, ...] = ()
    location: ZoneInfo = UTC

    def holds(self, instant: datetime) -> bool:
        """Whether an instant lies in it."""
        local = instant.astimezone(self.location)
        length = calendar.monthrange(local.year, local.month)[1]
        fields = (
            (self.times, [one.holds(local.hour * 60 + local.minute) for one in self.times]),
            (self.weekdays, [one.holds(local.isoweekday()) for one in self.weekdays]),
            (self.days_of_month, [one.holds(local.day, length) for one in self.days_of_month]),
            (self.months, [one.holds(local.month) for one in self.months]),
            (self.years, [one.holds(local.year) for one in self.years]),
        )
        return all(any(held) for entries, held in fields if entries)


@attrs.frozen(kw_only=True)
class NamedIntervals:
    """What a route calls by its name: an instant lies in it if it lies in any of the intervals."""

    name: str
    time_intervals: tuple[TimeInterval, ...]

    def holds(self, instant: datetime) -> bool:
        """Whether an instant lies in it."""
        return any(interval.holds(instant) for interval in self.time_intervals)


def is_muted(mute: Iterable[NamedIntervals], active: Iterable[NamedIntervals], now: datetime) -> bool:
    """Whether nothing is to be told now: within any of `mute`, or outside all of `active` where there are such."""
    allowed = tuple(active)
    if allowed and not any(one.holds(now) for one in allowed):
        return True
    return any(one.holds(now) for one in mute)
