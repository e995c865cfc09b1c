"""Cases through a real Alertmanager, all at once and in real time: alerts and silences by its API, messages by its webhooks.

The clock is the wall's, for Alertmanager has no other. What depends on it is noticed: `Run.stalls` says where this process or Alertmanager was
late, so that whoever compares can tell a difference from a machine that had no time.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import attrs
import httpx
from aiohttp import web

from tests.differential.case import BEAT, END, Alert, Case, Message, Messages, Span
from tests.differential.documents import alertmanager_config, case_matcher
from tests.differential.webhook import read_message
from tests.real_alertmanager import running

BOUNDARIES = range(12, 49, 2)  # beats on which a minute of the wall clock may begin
_SETUP = timedelta(
    seconds=8
)  # from the decision when to begin until beat 0: Alertmanager starts, and is told to begin anew
_SWEEP_BEGINS = (
    -2.5 * BEAT
)  # empty groups are looked for every 30 s from here: 27.5, 57.5, between a flush and a change
_LATE = 0.35 * BEAT
_SLOW = 0.2  # seconds: more than timers drift apart within a run
_FOREVER = timedelta(hours=1)


@attrs.frozen
class Beginning:
    """When to begin: beat 0, and the beat on which a full minute falls."""

    start: datetime
    boundary: int


@attrs.define
class Run:
    """What came of a run: messages by case; where somebody was late."""

    messages: dict[str, list[Message]] = attrs.field(factory=lambda: defaultdict(list))
    stalls: list[str] = attrs.field(factory=list)

    def told(self, case: Case) -> Messages:
        """Give what was told in a case."""
        return tuple(sorted(self.messages.get(case.name, ())))


def beginning(now: datetime) -> Beginning:
    """Choose the earliest beginning by which a minute begins within the run, and on an even beat."""
    earliest = now + _SETUP
    minutes = (earliest.replace(second=0, microsecond=0) + timedelta(minutes=number) for number in (1, 2))
    starts = (Beginning(minute - beat * BEAT, beat) for minute in minutes for beat in BOUNDARIES)
    return min((one for one in starts if one.start >= earliest), key=lambda one: one.start)


async def play(cases: Sequence[Case], start: datetime, folder: Path) -> Run:
    """Play cases side by side in one Alertmanager, from `start` on."""
    run = Run()
    async with (
        _webhooks(run, cases, start) as hooks,
        running(alertmanager_config(cases, hooks, start), folder) as alertmanager,
        httpx.AsyncClient(base_url=alertmanager.url, timeout=10) as client,
    ):
        await _sleep_until(start + _SWEEP_BEGINS)
        await _call(client, "/-/reload", None)
        for case in cases:
            await _silence(client, case, start)
        for beat in range(END):
            await _sleep_until(start + beat * BEAT)
            await _change(client, cases, beat, start)
            _note_lateness(run, f"beat {beat} was told", start + beat * BEAT)
        await _sleep_until(start + END * BEAT)
    return run


@asynccontextmanager
async def _webhooks(run: Run, cases: Iterable[Case], start: datetime) -> AsyncIterator[str]:
    """Listen for messages."""
    by_name = {case.name: case for case in cases}

    async def take(request: web.Request) -> web.Response:
        at = datetime.now(UTC)
        name, receiver, webhook = (request.match_info[part] for part in ("case", "receiver", "webhook"))
        case, beat = by_name[name], (at - start + BEAT / 4) // BEAT
        body = await request.json()
        if beat < case.down:
            return web.Response(status=503)
        run.messages[name].append(read_message(body, beat, receiver, int(webhook), start))
        _note_lateness(run, f"a message of case {name} came", start + beat * BEAT, at)
        if case.slow:
            await asyncio.sleep(_SLOW)
        return web.Response()

    app = web.Application()
    app.router.add_post("/{case}/{receiver}/{webhook}", take)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


async def _change(client: httpx.AsyncClient, cases: Iterable[Case], beat: int, start: datetime) -> None:
    """Report every alert that begins or ends at this beat, in one request."""
    changed = [
        _posted(alert, span, start, over=span.ends == beat)
        for case in cases
        for alert in case.alerts
        for span in alert.spans
        if beat in {span.appears, span.ends}
    ]
    if changed:
        await _call(client, "/api/v2/alerts", changed)


def _posted(alert: Alert, span: Span, start: datetime, *, over: bool) -> dict[str, Any]:
    ends = start + span.ends * BEAT if over and span.ends is not None else start + _FOREVER
    return {
        "labels": dict(alert.labels),
        "startsAt": (start + span.starts * BEAT).isoformat(),
        "endsAt": ends.isoformat(),
    }


async def _silence(client: httpx.AsyncClient, case: Case, start: datetime) -> None:
    for silence in case.silences:
        texts = (case_matcher(case), *silence.matchers)
        body = {
            "matchers": [_matcher(text) for text in texts],
            "startsAt": (start + silence.starts * BEAT).isoformat(),
            "endsAt": (start + silence.ends * BEAT).isoformat(),
            "createdBy": "somebody",
            "comment": "a comparison",
        }
        await _call(client, "/api/v2/silences", body)


def _matcher(text: str) -> dict[str, Any]:
    name = text.split("=", maxsplit=1)[0].rstrip("!").split("!~")[0]
    operator = next(sign for sign in ("=~", "!~", "!=", "=") if text.startswith(name + sign))
    value = text.removeprefix(name + operator).strip('"')
    return {"name": name, "value": value, "isRegex": "~" in operator, "isEqual": "!" not in operator}


async def _call(client: httpx.AsyncClient, path: str, body: Any) -> None:
    answer = await client.post(path, json=body)
    assert answer.is_success, f"{path}: {answer.status_code} {answer.text}"


async def _sleep_until(moment: datetime) -> None:
    await asyncio.sleep(max(0.0, (moment - datetime.now(UTC)).total_seconds()))


def _note_lateness(run: Run, what: str, due: datetime, at: datetime | None = None) -> None:
    late = (at or datetime.now(UTC)) - due
    if late > _LATE:
        run.stalls.append(f"{what} {late.total_seconds():.2f} s late")
