"""Time intervals as they are written: Alertmanager's notation, with ranges of weekdays and months that may run over the end of week and year."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, ClassVar

import attrs

from alertd.config.context import Context
from alertd.config.kinds import Kind, Schema, Text, TimeZone
from alertd.config.shape import ListOf, Section, Shape
from alertd.model.document import Node
from alertd.model.suggestion import did_you_mean
from alertd.notify.intervals import DAY_MINUTES, DaysOfMonth, NamedIntervals, Numbers, TimeInterval, TimesOfDay

_NUMBER = r"-?\d{1,4}"


def _numbered(*names: str) -> Mapping[str, int]:
    return {name: number for number, name in enumerate(names, start=1)}


WEEKDAYS = _numbered("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
MONTHS = _numbered(
    "january", "february", "march", "april", "may", "june",
    "july", "august", "september", "october", "november", "december",
)  # fmt: skip


@attrs.frozen
class TimeOfDay(Kind):
    """A wall clock's time, in minutes since midnight. end: it may be 24:00."""

    end: bool = attrs.field(default=False, kw_only=True)

    harmless: ClassVar[Any] = 0

    @property
    def expected(self) -> str:  # type: ignore[override]
        """The bounds."""
        return f'a time such as "06:00", at most {"24:00" if self.end else "23:59"}'

    def read(self, node: Node, context: Context) -> int:  # noqa: ARG002 - the same for every kind
        """Give the minutes."""
        match = re.fullmatch(r"(\d\d):([0-5]\d)", node.text("").strip())
        minutes = int(match[1]) * 60 + int(match[2]) if match else DAY_MINUTES + 1
        if minutes < DAY_MINUTES or (self.end and minutes == DAY_MINUTES):
            return minutes
        if node.scalar:
            node.problem(expected=self.expected)
        return 0

    def schema(self) -> Schema:
        """Give the shape of a time."""
        return {"type": "string", "pattern": r"^\d\d:[0-5]\d$|\$\{"}


@attrs.frozen
class Times(Section[TimesOfDay]):
    """A stretch of every day; an empty one is a mistake."""

    def read(self, node: Node, context: Context) -> TimesOfDay:
        """Read both ends."""
        before = len(node.document.problems)
        times = super().read(node, context)
        if times.start_time == times.end_time and len(node.document.problems) == before:
            node.problem("start_time and end_time are the same", cure='a whole day is "00:00" to "24:00"')
        return times


@attrs.frozen
class Range(Kind):
    """One number or name, or two of them with a colon between.

    names: what stands for a number. numbered: the number itself may be written too. least, most: its bounds.
    build: what is made of the two. cyclic: the second may come before the first.
    """

    names: Mapping[str, int] = attrs.field(factory=dict, kw_only=True)
    numbered: bool = attrs.field(default=True, kw_only=True)
    least: int = attrs.field(default=1, kw_only=True)
    most: int = attrs.field(kw_only=True)
    says: str = attrs.field(kw_only=True)
    build: type[Numbers | DaysOfMonth] = attrs.field(default=Numbers, kw_only=True)
    cyclic: bool = attrs.field(default=False, kw_only=True)

    @property
    def expected(self) -> str:  # type: ignore[override]
        """What it says."""
        return self.says

    @property
    def harmless(self) -> Any:
        """The least of it."""
        return self.build(self.most, self.most)

    def read(self, node: Node, context: Context) -> Any:  # noqa: ARG002 - the same for every kind
        """Give the two ends, both included."""
        words = [word.strip().lower() for word in node.text("").split(":")]
        ends = [self._number(word) for word in words]
        if len(ends) not in {1, 2} or None in ends:
            if node.scalar:
                node.problem(expected=self.says, cure=self._cure(words))
            return self.harmless
        first, last = ends[0], ends[-1]
        if not self.cyclic and first * last > 0 and first > last:
            node.problem(expected="the first not after the last", cure="write two entries")
        return self.build(first, last)

    def _number(self, word: str) -> Any:
        if word in self.names:
            return self.names[word]
        number = int(word) if re.fullmatch(_NUMBER, word) else 0
        allowed = number and self.least <= number <= self.most
        return number if allowed and self.numbered else None

    def _cure(self, words: list[str]) -> str:
        wrong = next((word for word in words if word.isalpha() and word not in self.names), "")
        return did_you_mean(wrong, self.names) if self.names and wrong else ""

    def schema(self) -> Schema:
        """Allow numbers beside texts."""
        return {"type": ["string", "integer"]}


_INTERVAL = Shape(
    TimeInterval,
    {
        "times": ListOf(
            "Times of day.",
            kind=Times(
                build=Shape(
                    TimesOfDay,
                    {
                        "start_time": TimeOfDay("Included."),
                        "end_time": TimeOfDay("Excluded; before start_time: on the next day.", end=True),
                    },
                )
            ),
        ),
        "weekdays": ListOf(
            "Days of the week and ranges of them.",
            kind=Range(
                names=WEEKDAYS, numbered=False, most=7, cyclic=True, says="a weekday or a range such as monday:friday"
            ),
        ),
        "days_of_month": ListOf(
            "Days of the month and ranges of them; negative ones count from its end.",
            kind=Range(least=-31, most=31, build=DaysOfMonth, says="a day or a range such as 1:7 or -3:-1"),
        ),
        "months": ListOf(
            "Months and ranges of them, by name or number.",
            kind=Range(names=MONTHS, most=12, cyclic=True, says="a month or a range such as november:february or 6:8"),
        ),
        "years": ListOf(
            "Years and ranges of them.",
            kind=Range(least=1970, most=9999, says="a year or a range such as 2026:2027"),
        ),
        "location": TimeZone("Whose wall clock counts."),
    },
)


@attrs.frozen
class Interval(Section[TimeInterval]):
    """One recurring time; one that says nothing would be always, which nobody means."""

    def read(self, node: Node, context: Context) -> TimeInterval:
        """Read its fields."""
        before = len(node.document.problems)
        interval = super().read(node, context)
        if interval == TimeInterval(location=interval.location) and len(node.document.problems) == before:
            node.problem("an interval that is always", expected="times, weekdays, days_of_month, months or years")
        return interval


NAMED = Shape(
    NamedIntervals,
    {
        "name": Text("What routes call it; unique."),
        "time_intervals": ListOf("The times; any of them counts.", kind=Interval(build=_INTERVAL), least=1),
    },
)
