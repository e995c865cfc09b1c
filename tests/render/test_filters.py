"""How values read."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from alertd.model.resources import EntryCounts, SynchronizationSchedule
from alertd.render.filters import Window, ago_text, datetime_text, duration_text, json_text, shown, window_text

T = datetime(2026, 1, 5, 9, 15, tzinfo=UTC)
BERLIN = ZoneInfo("Europe/Berlin")


@pytest.mark.parametrize(
    ("instant", "zone", "expected"),
    [
        pytest.param(T, None, "2026-01-05 09:15 UTC", id="without a zone"),
        pytest.param(T, "Europe/Berlin", "2026-01-05 09:15 UTC (10:15 CET)", id="winter time"),
        pytest.param(
            datetime(2026, 7, 5, 9, 15, tzinfo=UTC),
            "Europe/Berlin",
            "2026-07-05 09:15 UTC (11:15 CEST)",
            id="summer time",
        ),
        pytest.param(
            datetime(2026, 1, 5, 23, 30, tzinfo=UTC),
            "Europe/Berlin",
            "2026-01-05 23:30 UTC (2026-01-06 00:30 CET)",
            id="another day there",
        ),
        pytest.param(T, "UTC", "2026-01-05 09:15 UTC", id="UTC is not said twice"),
        pytest.param(
            datetime(9999, 12, 31, 23, tzinfo=UTC), "Asia/Tokyo", "9999-12-31 23:00 UTC", id="beyond the calendar"
        ),
    ],
)
def test_datetime(instant: datetime, zone: str | None, expected: str) -> None:
    assert datetime_text(instant, ZoneInfo(zone) if zone else None) == expected


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [
        pytest.param(
            T, T + timedelta(minutes=35), "between 2026-01-05 09:15 and 09:50 UTC (10:15 and 10:50 CET)", id="one day"
        ),
        pytest.param(None, T, "seen first at 2026-01-05 09:15 UTC (10:15 CET)", id="first sight"),
        pytest.param(T, T, "at 2026-01-05 09:15 UTC (10:15 CET)", id="an instant"),
        pytest.param(
            T - timedelta(days=1),
            T,
            "between 2026-01-04 09:15 UTC (10:15 CET) and 2026-01-05 09:15 UTC (10:15 CET)",
            id="two days",
        ),
    ],
)
def test_window(start: datetime | None, end: datetime, expected: str) -> None:
    assert window_text(Window(start, end), BERLIN) == expected


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (0, "0s"),
        (45, "45s"),
        (300, "5m"),
        (4_800, "1h 20m"),
        (86_400, "1d"),
        (86_460, "1d"),
        (90_061, "1d 1h"),
        (2_347_200, "27d 4h"),
    ],
)
def test_duration(seconds: int, expected: str) -> None:
    assert duration_text(timedelta(seconds=seconds)) == expected
    assert duration_text(seconds) == expected


@pytest.mark.parametrize(
    ("instant", "expected"), [(T - timedelta(hours=3), "3h ago"), (T + timedelta(days=2), "in 2d"), (T, "just now")]
)
def test_ago(instant: datetime, expected: str) -> None:
    assert ago_text(instant, T) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, "none"),
        ("", "none"),
        (True, "yes"),
        (3, "3"),
        (timedelta(minutes=40), "40m"),
        (T, "2026-01-05 09:15 UTC"),
        (EntryCounts({"a": 1}), '{"a":1}'),
    ],
)
def test_shown(value: object, expected: str) -> None:
    assert shown(value) == expected


def test_json_writes_values_as_graph_does() -> None:
    schedule = SynchronizationSchedule(interval=timedelta(minutes=40), expiration=T, state="Active")

    assert json.loads(json_text(schedule)) == {
        "expiration": "2026-01-05T09:15:00Z",
        "interval": "PT2400S",
        "state": "Active",
    }
