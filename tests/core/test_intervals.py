"""Time intervals: by the wall clock of a place, at the very instant that is asked about."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alertd.notify.intervals import DaysOfMonth, NamedIntervals, Numbers, TimeInterval, TimesOfDay, is_muted

BERLIN = ZoneInfo("Europe/Berlin")
NIGHT = TimesOfDay(start_time=22 * 60, end_time=6 * 60)


def times(start: int, end: int) -> TimesOfDay:
    return TimesOfDay(start_time=start * 60, end_time=end * 60)


def at(text: str, zone: ZoneInfo | None = None, *, fold: int = 0) -> datetime:
    """Give the instant at which clocks there show this; fold 1: for the second time."""
    return datetime.fromisoformat(text).replace(tzinfo=zone or UTC, fold=fold).astimezone(UTC)


@pytest.mark.parametrize(
    ("interval", "instant", "held"),
    [
        pytest.param(TimeInterval(times=(times(9, 17),)), "2026-01-05T08:59:59", False, id="before the start"),
        pytest.param(TimeInterval(times=(times(9, 17),)), "2026-01-05T09:00", True, id="the start is in it"),
        pytest.param(TimeInterval(times=(times(9, 17),)), "2026-01-05T16:59:59.999999", True, id="until just before the end"),
        pytest.param(TimeInterval(times=(times(9, 17),)), "2026-01-05T17:00", False, id="the end is not in it"),
        pytest.param(TimeInterval(times=(times(9, 10), times(11, 12))), "2026-01-05T10:30", False, id="between two"),
        pytest.param(TimeInterval(times=(times(9, 10), times(11, 12))), "2026-01-05T11:30", True, id="in the second of two"),
        pytest.param(TimeInterval(times=(times(20, 24),)), "2026-01-05T23:59:59", True, id="24:00 is the day's end"),
        pytest.param(TimeInterval(times=(times(20, 24),)), "2026-01-06T00:00", False, id="24:00 is not the next day"),
        pytest.param(TimeInterval(times=(times(0, 24),)), "2026-01-06T00:00", True, id="the whole day"),
        pytest.param(TimeInterval(times=(NIGHT,)), "2026-01-05T22:00", True, id="across midnight: the evening"),
        pytest.param(TimeInterval(times=(NIGHT,)), "2026-01-06T05:59", True, id="across midnight: the morning"),
        pytest.param(TimeInterval(times=(NIGHT,)), "2026-01-06T06:00", False, id="across midnight: the end is not in it"),
        pytest.param(TimeInterval(times=(NIGHT,)), "2026-01-06T12:00", False, id="across midnight: noon"),
        pytest.param(TimeInterval(times=(NIGHT,), weekdays=(Numbers(1, 1),)), "2026-01-05T23:00", True, id="Monday's evening"),
        pytest.param(TimeInterval(times=(NIGHT,), weekdays=(Numbers(1, 1),)), "2026-01-05T03:00", True, id="Monday's morning"),
        pytest.param(TimeInterval(times=(NIGHT,), weekdays=(Numbers(1, 1),)), "2026-01-06T03:00", False, id="Tuesday's is not Monday's"),
        pytest.param(TimeInterval(weekdays=(Numbers(6, 7),)), "2026-01-04T12:00", True, id="Sunday is the last of the week"),
        pytest.param(TimeInterval(weekdays=(Numbers(5, 1),)), "2026-01-05T12:00", True, id="from Friday to Monday: Monday"),
        pytest.param(TimeInterval(weekdays=(Numbers(5, 1),)), "2026-01-06T12:00", False, id="from Friday to Monday: Tuesday"),
        pytest.param(TimeInterval(months=(Numbers(11, 2),)), "2026-10-31T23:59", False, id="November to February: October"),
        pytest.param(TimeInterval(months=(Numbers(11, 2),)), "2026-11-01T00:00", True, id="November to February: November"),
        pytest.param(TimeInterval(months=(Numbers(11, 2),)), "2026-02-28T23:59", True, id="November to February: February"),
        pytest.param(TimeInterval(months=(Numbers(11, 2),)), "2026-03-01T00:00", False, id="November to February: March"),
        pytest.param(TimeInterval(years=(Numbers(2026, 2027),)), "2027-12-31T23:59", True, id="the last year"),
        pytest.param(TimeInterval(years=(Numbers(2026, 2027),)), "2028-01-01T00:00", False, id="the year after"),
        pytest.param(TimeInterval(days_of_month=(DaysOfMonth(-1, -1),)), "2026-01-31T12:00", True, id="the last of a long month"),
        pytest.param(TimeInterval(days_of_month=(DaysOfMonth(-1, -1),)), "2026-02-28T12:00", True, id="the last of February"),
        pytest.param(TimeInterval(days_of_month=(DaysOfMonth(-1, -1),)), "2028-02-28T12:00", False, id="not the last in a leap year"),
        pytest.param(TimeInterval(days_of_month=(DaysOfMonth(-3, -2),)), "2026-04-29T12:00", True, id="the last but one"),
        pytest.param(TimeInterval(days_of_month=(DaysOfMonth(-3, -2),)), "2026-04-30T12:00", False, id="not the last"),
        pytest.param(TimeInterval(days_of_month=(DaysOfMonth(15, -1),)), "2026-04-30T12:00", True, id="the second half"),
        pytest.param(TimeInterval(days_of_month=(DaysOfMonth(31, 31),)), "2026-04-30T12:00", False, id="a day that this month lacks"),
        pytest.param(TimeInterval(days_of_month=(DaysOfMonth(-31, -31),)), "2026-04-01T12:00", False, id="as seen from the end too"),
        pytest.param(
            TimeInterval(days_of_month=(DaysOfMonth(1, 7),), weekdays=(Numbers(1, 1),)), "2026-01-05T12:00", True, id="the first Monday"
        ),
        pytest.param(
            TimeInterval(days_of_month=(DaysOfMonth(1, 7),), weekdays=(Numbers(1, 1),)), "2026-01-12T12:00", False, id="the second Monday"
        ),
    ],
)  # fmt: skip
def test_what_an_interval_holds(interval: TimeInterval, instant: str, held: bool) -> None:
    assert interval.holds(at(instant)) is held


@pytest.mark.parametrize(
    ("interval", "instant", "held"),
    [
        pytest.param(TimeInterval(times=(NIGHT,), location=BERLIN), at("2026-01-05T21:00"), True, id="22:00 in winter"),
        pytest.param(TimeInterval(times=(NIGHT,), location=BERLIN), at("2026-07-05T20:00"), True, id="22:00 in summer"),
        pytest.param(TimeInterval(times=(NIGHT,), location=BERLIN), at("2026-07-05T19:59"), False, id="before it"),
        pytest.param(
            TimeInterval(weekdays=(Numbers(1, 1),), location=ZoneInfo("Pacific/Auckland")), at("2026-01-04T11:00"), True, id="Monday is early there"
        ),
        pytest.param(TimeInterval(times=(times(2, 3),), location=BERLIN), at("2026-10-25T02:30", BERLIN), True, id="an hour that comes twice"),
        pytest.param(
            TimeInterval(times=(times(2, 3),), location=BERLIN), at("2026-10-25T02:30", BERLIN, fold=1), True, id="and its second time"
        ),
        pytest.param(TimeInterval(times=(times(2, 3),), location=BERLIN), at("2026-10-25T02:00"), False, id="and not thrice"),
        pytest.param(TimeInterval(times=(times(2, 3),), location=BERLIN), at("2026-03-29T00:59:59"), False, id="a missing hour: before"),
        pytest.param(TimeInterval(times=(times(2, 3),), location=BERLIN), at("2026-03-29T01:00"), False, id="a missing hour: after"),
        pytest.param(TimeInterval(times=(times(2, 6),), location=BERLIN), at("2026-03-29T01:00"), True, id="what is left of it is held"),
    ],
)  # fmt: skip
def test_the_wall_clock_counts(interval: TimeInterval, instant: datetime, held: bool) -> None:
    assert interval.holds(instant) is held


@given(
    start=st.integers(0, 1439),
    end=st.integers(0, 1440),
    minutes=st.integers(0, 10 * 366 * 24 * 60),
)
def test_a_stretch_and_the_rest_of_the_day_are_the_whole_day(start: int, end: int, minutes: int) -> None:
    if start == end or (start, end) == (0, 1440):
        return
    one = TimeInterval(times=(TimesOfDay(start_time=start, end_time=end),), location=BERLIN)
    rest = TimeInterval(times=(TimesOfDay(start_time=end % 1440, end_time=start or 1440),), location=BERLIN)

    instant = at("2020-01-01T00:00") + timedelta(minutes=minutes)

    assert one.holds(instant) is not rest.holds(instant)


def named(name: str, *intervals: TimeInterval) -> NamedIntervals:
    return NamedIntervals(name=name, time_intervals=intervals)


DAY = named("day", TimeInterval(times=(times(8, 18),)))
LUNCH = named("lunch", TimeInterval(times=(times(12, 13),)))
NEVER = named("long ago", TimeInterval(years=(Numbers(1999, 1999),)))


@pytest.mark.parametrize(
    ("mute", "active", "hour", "muted"),
    [
        pytest.param([], [], 12, False, id="nothing said"),
        pytest.param([LUNCH], [], 12, True, id="within a muted time"),
        pytest.param([LUNCH], [], 14, False, id="outside of it"),
        pytest.param([NEVER, LUNCH], [], 12, True, id="within any of them"),
        pytest.param([], [DAY], 12, False, id="within an active time"),
        pytest.param([], [DAY], 20, True, id="outside of it"),
        pytest.param([], [NEVER, DAY], 12, False, id="within any active one"),
        pytest.param([LUNCH], [DAY], 12, True, id="muted within the active time"),
        pytest.param([LUNCH], [DAY], 20, True, id="not muted, but not active either"),
    ],
)
def test_muted(mute: list[NamedIntervals], active: list[NamedIntervals], hour: int, muted: bool) -> None:
    assert is_muted(mute, active, at("2026-01-05T00:00") + timedelta(hours=hour)) is muted
