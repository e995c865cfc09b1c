"""Cron expressions: read as crontab(5) reads them, refused where another dialect would mean something else."""

from __future__ import annotations

import re
from datetime import date, timedelta

import pytest

from alertd.model.cron import parse_cron

MONDAY = date(2026, 1, 5)


def days_of(text: str, start: date = MONDAY, count: int = 14) -> list[int]:
    """Give the days of a fortnight that an expression includes, the first being 0."""
    cron = parse_cron(text)
    return [number for number in range(count) if cron.includes(start + timedelta(days=number))]


@pytest.mark.parametrize(
    ("text", "minutes", "hours"),
    [
        pytest.param("0 9 * * *", (0,), (9,), id="one instant a day"),
        pytest.param("*/20 8-10 * * *", (0, 20, 40), (8, 9, 10), id="a step and a range"),
        pytest.param("5,50 */12 * * *", (5, 50), (0, 12), id="a list"),
        pytest.param("50/5 1-9/4 * * *", (50, 55), (1, 5, 9), id="a step from a number on, and one within a range"),
        pytest.param("@daily", (0,), (0,), id="a nickname"),
        pytest.param(" 00  09 * * MON ", (0,), (9,), id="spaces, zeros and capitals"),
    ],
)
def test_times(text: str, minutes: tuple[int, ...], hours: tuple[int, ...]) -> None:
    cron = parse_cron(text)

    assert (cron.minutes, cron.hours) == (minutes, hours)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("0 9 * * mon", [0, 7], id="a name"),
        pytest.param("0 9 * * 1", [0, 7], id="a number counts from Sunday"),
        pytest.param("0 9 * * 0", [6, 13], id="0 is Sunday"),
        pytest.param("0 9 * * 7", [6, 13], id="and so is 7"),
        pytest.param("0 9 * * sat-sun", [5, 6, 12, 13], id="a range that ends on Sunday"),
        pytest.param("0 9 * * 5-7", [4, 5, 6, 11, 12, 13], id="the same in numbers"),
        pytest.param("0 9 * * sun-tue", [0, 1, 6, 7, 8, 13], id="a range that begins on Sunday"),
        pytest.param("0 9 6 * *", [1], id="a day of the month"),
        pytest.param("0 9 6 * wed", [1, 2, 9], id="both restricted: either suffices"),
        pytest.param("0 9 */2 * mon", [0], id="a step of all days restricts nothing by itself: both must hold"),
        pytest.param("0 9 * feb *", [], id="another month"),
        pytest.param("@weekly", [6, 13], id="weekly is on Sunday"),
    ],
)
def test_days(text: str, expected: list[int]) -> None:
    assert days_of(text) == expected


@pytest.mark.parametrize(
    ("text", "told"),
    [
        pytest.param("0 9 * *", "five fields", id="too few"),
        pytest.param("0 0 9 * * mon", "five fields", id="seconds"),
        pytest.param("", "five fields", id="nothing"),
        pytest.param("60 9 * * *", "minute: 0 to 59, not `60`", id="a minute too many"),
        pytest.param("0 24 * * *", "hour: 0 to 23", id="midnight by its other name"),
        pytest.param("0 9 0 * *", "day of month: 1 to 31", id="a day too few"),
        pytest.param("0 9 * 13 *", "month: 1 to 12 or jan to dec", id="a month too many"),
        pytest.param("0 9 * * 8", "day of week: 0 to 7 or sun to sat", id="a weekday too many"),
        pytest.param("0 9 * * monday", "did you mean `mon`?", id="a name in full"),
        pytest.param("0 9 * jan-mai *", "not `mai`; did you mean", id="a name misspelt in a range"),
        pytest.param("0 9 * * fri-mon", "write two ranges", id="a range over the week's end"),
        pytest.param("0 22-6 * * *", "write two ranges", id="a range over midnight"),
        pytest.param("*/0 9 * * *", "a step of 1 or more", id="a step of nothing"),
        pytest.param("0 9 L * *", "day of month: 1 to 31, not `l`", id="the last day, as Quartz writes it"),
        pytest.param("0 9 ? * mon", "not `?`", id="a question mark"),
        pytest.param("0 9 * * mon#1", "not `mon#1`", id="the first Monday"),
        pytest.param("0 9 *-3 * *", "not `*-3`", id="a range of everything"),
        pytest.param("-1 9 * * *", "not `-1`", id="a negative number"),
        pytest.param("@dayly", "did you mean `@daily`?", id="a nickname misspelt"),
        pytest.param("@reboot", "five fields or one of", id="a nickname that is no time"),
    ],
)
def test_refused(text: str, told: str) -> None:
    with pytest.raises(ValueError, match=re.escape(told)):
        parse_cron(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("0 9 * * *", 1, id="daily"),
        pytest.param("0 9 * * mon", 7, id="weekly"),
        pytest.param("0 9 1 * *", 31, id="monthly"),
        pytest.param("0 9 1 jan,apr,jul,oct *", 92, id="quarterly"),
        pytest.param("0 9 29 2 *", 2921, id="leap days around 2100"),
        pytest.param("0 9 31 4,6,9,11 *", None, id="never"),
    ],
)
def test_the_longest_gap(text: str, expected: int | None) -> None:
    gap = parse_cron(text).longest_gap()

    assert (gap.days if gap is not None else None) == expected
