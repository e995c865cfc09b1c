"""From cron expressions to instants: weekdays as cron counts them, either day field, and the nights in which clocks are turned."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import islice
from zoneinfo import ZoneInfo

import pytest

from alertd.engine.cron import next_instant
from alertd.model.cron import parse_cron

BERLIN = ZoneInfo("Europe/Berlin")


def instants(text: str, zone: ZoneInfo, after: str, count: int) -> list[str]:
    def following() -> Iterator[str]:
        instant = datetime.fromisoformat(after).replace(tzinfo=UTC)
        while (found := next_instant(parse_cron(text), zone, instant)) is not None:
            instant = found
            yield f"{instant:%a %m-%d %H:%M}"

    return list(islice(following(), count))


@pytest.mark.parametrize(
    ("text", "zone", "after", "expected"),
    [
        pytest.param("0 9 * * mon", BERLIN, "2026-01-05 08:00", ["Mon 01-12 08:00"], id="strictly later"),
        pytest.param("0 9 * * mon", BERLIN, "2026-01-05 07:59", ["Mon 01-05 08:00"], id="by the wall clock over there"),
        pytest.param("0 9 * * 1", BERLIN, "2026-01-06", ["Mon 01-12 08:00"], id="1 is Monday"),
        pytest.param("0 9 * * 0", BERLIN, "2026-01-06", ["Sun 01-11 08:00"], id="0 is Sunday"),
        pytest.param("0 0 6 * wed", ZoneInfo("UTC"), "2026-01-05", ["Tue 01-06 00:00", "Wed 01-07 00:00", "Wed 01-14 00:00"], id="either day"),
        pytest.param("0 9 * * *", BERLIN, "2026-03-28", ["Sat 03-28 08:00", "Sun 03-29 07:00", "Mon 03-30 07:00"], id="into summer"),
        pytest.param("30 2 * * *", BERLIN, "2026-03-28", ["Sat 03-28 01:30", "Sun 03-29 01:30", "Mon 03-30 00:30"], id="skipped: later"),
        pytest.param("30 2 * * *", BERLIN, "2026-10-24", ["Sat 10-24 00:30", "Sun 10-25 00:30", "Mon 10-26 01:30"], id="twice: once"),
        pytest.param("0 * * * *", BERLIN, "2026-10-24 23:30", ["Sun 10-25 00:00", "Sun 10-25 01:00", "Sun 10-25 02:00"], id="every hour"),
        pytest.param("0 0 30 2 *", BERLIN, "2026-01-01", [], id="never"),
    ],
)  # fmt: skip
def test_instants(text: str, zone: ZoneInfo, after: str, expected: list[str]) -> None:
    assert instants(text, zone, after, max(len(expected), 1)) == expected
