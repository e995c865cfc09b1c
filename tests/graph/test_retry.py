"""When to try again."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from alertd.graph.retry import backoff_seconds, parse_retry_after

NOW = datetime(2026, 1, 5, 9, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        pytest.param("2.128", 2.128, id="decimal seconds, as Graph writes them"),
        pytest.param("120", 120.0, id="whole seconds"),
        pytest.param(" 3 ", 3.0, id="blanks"),
        pytest.param("0", 0.0, id="at once"),
        pytest.param("Mon, 05 Jan 2026 09:00:30 GMT", 30.0, id="a date"),
        pytest.param("Mon, 05 Jan 2026 09:00:30 -0000", 30.0, id="a date without a zone"),
        pytest.param("Mon, 05 Jan 2026 08:00:00 GMT", 0.0, id="a date gone by"),
        pytest.param("86400000", 600.0, id="absurdly long"),
        pytest.param("Mon, 05 Jan 2099 09:00:30 GMT", 600.0, id="a date absurdly far"),
        pytest.param(None, None, id="missing"),
        pytest.param("", None, id="empty"),
        pytest.param("soon", None, id="a word"),
        pytest.param("-5", None, id="negative"),
        pytest.param("1e3", None, id="no plain number"),
        pytest.param("NaN", None, id="not a number"),
        pytest.param("²", None, id="a digit that is none"),
    ],
)
def test_retry_after(value: str | None, expected: float | None) -> None:
    assert parse_retry_after(value, NOW) == expected


def test_backoff_doubles_up_to_half_a_minute() -> None:
    assert [backoff_seconds(attempt, 0.0) for attempt in (1, 2, 3, 6, 100)] == [1, 2, 4, 30, 30]


def test_jitter_takes_off_up_to_a_half() -> None:
    assert backoff_seconds(3, 1.0) == 2.0
