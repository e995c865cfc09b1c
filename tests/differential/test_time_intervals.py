"""What is muted now: a hundred made-up time intervals around the present moment, to a real Alertmanager and to alertd.

Each mutes a route of its own, on which an alert fires; what Alertmanager tells of, it does not hold for muted.
"""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import pytest
from aiohttp import web

from alertd.config import Secrets, parse_config
from alertd.notify.intervals import is_muted
from tests.real_alertmanager import needs_alertmanager, running

pytestmark = [pytest.mark.anyio, pytest.mark.alertmanager, needs_alertmanager]

INTERVALS = 100
WAIT_SECONDS = 30
PLACES = ("UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Pacific/Chatham")
KNOWN = [place for place in PLACES if place == "UTC" or (Path("/usr/share/zoneinfo") / place).exists()]
WEEKDAYS = ("sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday")
TENANT = {"name": "t", "tenant_id": "1" * 8 + "-1111-1111-1111-" + "1" * 12, "credential": {"managed_identity": {}}}


def _interval(chance: random.Random, now: datetime) -> dict[str, Any]:
    """Make up an interval that may or may not hold the present moment, with some of its fields left out."""
    place = chance.choice(KNOWN)
    local = now.astimezone(ZoneInfo(place))
    fields: dict[str, Any] = {
        "times": [{"start_time": start, "end_time": end} for start, end in [_times(chance, local)]],
        "weekdays": [_range(chance, (local.weekday() + 1) % 7, 0, 6, WEEKDAYS)],
        "days_of_month": [_days(chance, local)],
        "months": [_range(chance, local.month, 1, 12)],
        "years": [_range(chance, local.year, 1970, 2100)],
    }
    kept = chance.sample(sorted(fields), chance.randint(1, 4))
    return {**{name: fields[name] for name in kept}, "location": place}


def _times(chance: random.Random, local: datetime) -> tuple[str, str]:
    minute = 60 * local.hour + local.minute
    start = max(0, min(minute + chance.randint(-200, 40), 1_438))
    end = min(max(start + 1, minute + chance.randint(-40, 200)), 1_440)
    return f"{start // 60:02}:{start % 60:02}", f"{end // 60:02}:{end % 60:02}"


def _range(chance: random.Random, at: int, least: int, most: int, names: tuple[str, ...] = ()) -> str:
    first, last = sorted(max(least, min(at + chance.randint(-2, 2), most)) for _ in range(2))
    written = [names[number] if names else str(number) for number in (first, last)]
    return ":".join(written if first != last else written[:1])


def _days(chance: random.Random, local: datetime) -> str:
    """Give days counted from the beginning or from the end of the month, or one of each."""
    following = (local.replace(day=28) + timedelta(days=4)).replace(day=1)
    length = (following - timedelta(days=1)).day
    first, last = sorted(max(1, min(local.day + chance.randint(-2, 2), 28)) for _ in range(2))
    least = 27 + last - length  # from where on Alertmanager takes no other day to the same end, for February's sake
    kind = chance.choice(("begin", "end", "mixed" if least >= 1 else "begin"))
    first = min(first, least) if kind == "mixed" else first
    begin = first if kind != "end" else first - length - 1
    end = last if kind == "begin" else last - length - 1
    return f"{begin}:{end}"


def _routes(count: int) -> list[dict[str, Any]]:
    return [{"matchers": [f'n="{n}"'], "mute_time_intervals": [f"i{n}"], "receiver": "hook"} for n in range(count)]


@asynccontextmanager
async def _hook(told: set[int]) -> AsyncIterator[str]:
    async def take(request: web.Request) -> web.Response:
        told.update(int(alert["labels"]["n"]) for alert in (await request.json())["alerts"])
        return web.Response()

    app = web.Application()
    app.router.add_post("/", take)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/"
    finally:
        await runner.cleanup()


async def test_alertd_and_alertmanager_hold_the_same_moment_for_muted(tmp_path: Path) -> None:
    await _away_from_a_full_minute()
    now, told = datetime.now(UTC), set[int]()
    chance = random.Random(f"{now:%Y-%m-%dT%H:%M}")  # noqa: S311 - nothing is kept secret by it
    intervals = [{"name": f"i{n}", "time_intervals": [_interval(chance, now)]} for n in range(INTERVALS)]
    always = {"matchers": [f'n="{INTERVALS}"']}
    route = {"receiver": "hook", "group_by": ["n"], "group_wait": "1s", "routes": [*_routes(INTERVALS), always]}
    ours = {"tenants": [TENANT], "receivers": [{"name": "hook"}], "route": route, "time_intervals": intervals}

    async with _hook(told) as url:
        theirs = {
            "route": route,
            "time_intervals": intervals,
            "receivers": [{"name": "hook", "webhook_configs": [{"url": url}]}],
        }
        async with running(json.dumps(theirs), tmp_path) as alertmanager:
            alerts = [{"labels": {"alertname": "A", "n": str(n)}} for n in range(INTERVALS + 1)]
            async with httpx.AsyncClient() as client:
                assert (await client.post(f"{alertmanager.url}/api/v2/alerts", json=alerts)).is_success
            async with asyncio.timeout(WAIT_SECONDS):
                while INTERVALS not in told:  # noqa: ASYNC110 - another process brings it about
                    await asyncio.sleep(0.05)
            await asyncio.sleep(1)  # the groups were opened in one go; whoever is not muted speaks within a moment
    if datetime.now(UTC).minute != now.minute:
        pytest.skip("NOT COMPARED WITH A REAL ALERTMANAGER: the machine took a minute for it")

    config = parse_config(json.dumps(ours), directory=tmp_path, secrets=Secrets.IGNORE)
    muted = {n for n, named in enumerate(config.time_intervals) if is_muted((named,), (), now)}
    differ = [intervals[n] for n in range(INTERVALS) if (n in muted) is (n in told)]
    assert not differ, f"at {now}: {differ}"
    assert INTERVALS // 10 < len(muted) < INTERVALS - INTERVALS // 10, "both outcomes have to be among them"


async def _away_from_a_full_minute() -> None:
    """Wait until there is time enough before the next minute, in which another interval may begin."""
    left = 60 - datetime.now(UTC).second
    if left < WAIT_SECONDS:
        await asyncio.sleep(left + 0.1)
