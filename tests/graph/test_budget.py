"""The budget of requests: never more than so many in any minute."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alertd.graph.budget import WINDOW, Budget

START = datetime(2026, 1, 5, 9, tzinfo=UTC)


def after(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


@pytest.mark.parametrize(
    ("count", "at", "expected"),
    [
        pytest.param(4, 10, 0, id="there is room"),
        pytest.param(5, 10, 50, id="waits for the first to be a minute old"),
        pytest.param(6, 30, 30, id="the same entry frees three"),
        pytest.param(8, 30, 35, id="waits for the second one"),
        pytest.param(10, 59, 6, id="a whole minute's worth waits for an empty minute"),
        pytest.param(99, 59, 6, id="and so does more than that"),
        pytest.param(7, 60, 0, id="an entry counts for less than a minute"),
    ],
)
def test_a_wait_is_as_long_as_it_has_to_be(count: int, at: float, expected: float) -> None:
    budget = Budget(10)
    budget.spend(3, after(0))
    budget.spend(3, after(5))

    assert budget.wait_seconds(count, after(at)) == expected


def test_what_a_reload_takes_away_is_not_there() -> None:
    budget = Budget(10)
    budget.spend(8, START)
    budget.per_minute = 5

    assert budget.room(after(1)) == -3
    assert budget.wait_seconds(1, after(1)) == 59


@given(
    st.integers(1, 50),
    st.lists(st.tuples(st.integers(1, 20), st.floats(0, 90)), max_size=60),
)
def test_no_minute_has_more_and_no_wait_is_longer_than_needed(per_minute: int, wishes: list[tuple[int, float]]) -> None:
    """Whoever waits as told never has more than `per_minute` in any sixty seconds, and a microsecond less would be too early."""
    budget, now, sent = Budget(per_minute), START, list[tuple[datetime, int]]()
    for count, pause in wishes:
        wished = min(count, per_minute)
        now += timedelta(seconds=pause)
        wait = budget.wait_seconds(wished, now)
        if wait:
            early = now + timedelta(seconds=wait) - timedelta(microseconds=1)
            assert sum(number for at, number in sent if at > early - WINDOW) + wished > per_minute
        now += timedelta(seconds=wait)
        budget.spend(wished, now)
        sent.append((now, wished))

    for end, _ in sent:
        assert sum(number for at, number in sent if end - WINDOW < at <= end) <= per_minute
