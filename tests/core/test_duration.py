"""Durations as people write them."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alertd.model.duration import format_duration, parse_duration

CENTURY = timedelta(days=365 * 100)


@pytest.mark.parametrize(
    ("text", "duration"),
    [
        ("90s", timedelta(seconds=90)),
        ("5m", timedelta(minutes=5)),
        ("1h30m", timedelta(hours=1, minutes=30)),
        ("7d", timedelta(days=7)),
        ("4w", timedelta(weeks=4)),
        ("0s", timedelta(0)),
        ("007m", timedelta(minutes=7)),
        ("1w2d3h4m5s", timedelta(weeks=1, days=2, hours=3, minutes=4, seconds=5)),
        (" 5m ", timedelta(minutes=5)),
        ("36500d", CENTURY),
    ],
)
def test_reading(text: str, duration: timedelta) -> None:
    assert parse_duration(text) == duration


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="nothing"),
        pytest.param("  ", id="blank"),
        pytest.param("5", id="no unit"),
        pytest.param("m", id="no number"),
        pytest.param("-5m", id="negative"),
        pytest.param("+5m", id="signed"),
        pytest.param("1.5h", id="fraction"),
        pytest.param("5M", id="upper case"),
        pytest.param("5min", id="a word for a unit"),
        pytest.param("500ms", id="milliseconds"),
        pytest.param("1y", id="years"),
        pytest.param("30m1h", id="from small to large"),
        pytest.param("1h1h", id="a unit twice"),
        pytest.param("1h 30m", id="a blank inside"),
        pytest.param("PT5M", id="ISO 8601"),
        pytest.param("22:00", id="a time of day"),
        pytest.param("1000000000s", id="ten digits"),
        pytest.param("\N{ARABIC-INDIC DIGIT FIVE}m", id="digits of another script"),
    ],
)
def test_what_is_no_duration(text: str) -> None:
    with pytest.raises(ValueError, match="a duration such as"):
        parse_duration(text)


@pytest.mark.parametrize("text", ["36500d1s", "5215w", "999999999w"])
def test_longer_than_a_century(text: str) -> None:
    with pytest.raises(ValueError, match="below a hundred years"):
        parse_duration(text)


@pytest.mark.parametrize(
    ("duration", "text"),
    [
        (timedelta(0), "0s"),
        (timedelta(seconds=90), "1m30s"),
        (timedelta(hours=24), "1d"),
        (timedelta(weeks=4), "28d"),
        (timedelta(hours=1, seconds=1), "1h1s"),
        (timedelta(seconds=-90), "-1m30s"),
        (timedelta(milliseconds=400), "0s"),
        (timedelta(milliseconds=-400), "0s"),
        (timedelta(milliseconds=1600), "2s"),
        (timedelta(minutes=59, seconds=59, milliseconds=900), "1h"),
    ],
)
def test_writing(duration: timedelta, text: str) -> None:
    assert format_duration(duration) == text


@given(st.timedeltas(timedelta(0), CENTURY).map(lambda exact: timedelta(seconds=int(exact.total_seconds()))))
def test_what_is_written_reads_back(duration: timedelta) -> None:
    assert parse_duration(format_duration(duration)) == duration
