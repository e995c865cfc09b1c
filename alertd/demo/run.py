"""From the command's options to an exit code: the demo played for a while, or until somebody has seen enough."""

from __future__ import annotations

import asyncio
import tempfile
import webbrowser
from collections.abc import Awaitable
from datetime import timedelta
from pathlib import Path

from alertd.clock import SystemClock
from alertd.demo.plan import plan_for
from alertd.demo.programme import Programme
from alertd.demo.stage import Stage
from alertd.interruption import Interruption

_LOOK_SECONDS = 0.25


async def run(*, fast: bool, duration: timedelta | None, port: int, open_browser: bool) -> int:
    """Play the demo; give 1 where a duration was given and something expected has not arrived by then, else 0."""
    programme = Programme(stays=duration is None)
    with tempfile.TemporaryDirectory(prefix="alertd-demo-", ignore_cleanup_errors=True) as folder:
        stage = Stage(plan_for(duration, fast=fast), Path(folder), port=port)
        with Interruption() as interruption:
            ends = [interruption.wait(), *_ends(stage, duration, fast=fast)]
            await _play(stage, programme, ends, open_browser=open_browser)
    if duration is None:
        return 0
    programme.close(stage.expectations, stage.began_at)
    return 0 if stage.expectations.met or interruption.happened else 1


async def _play(stage: Stage, programme: Programme, ends: list[Awaitable[object]], *, open_browser: bool) -> None:
    async with stage:
        programme.open(stage)
        stage.receivers.inbox.watch(lambda arrival: programme.arrived(stage, arrival))
        if open_browser:
            await asyncio.to_thread(webbrowser.open, f"{stage.page.origin}/")
        await stage.play(_first_of(ends, _narrate(stage, programme)))
        programme.turn(stage, SystemClock().now())


def _ends(stage: Stage, duration: timedelta | None, *, fast: bool) -> list[Awaitable[object]]:
    """Give what ends a play of a given length: its time is over or, played fast, all has arrived."""
    if duration is None:
        return []
    over = asyncio.sleep(duration.total_seconds())
    return [over, stage.met.wait()] if fast else [over]


async def _narrate(stage: Stage, programme: Programme) -> None:
    while True:
        programme.turn(stage, SystemClock().now())
        await asyncio.sleep(_LOOK_SECONDS)


async def _first_of(ends: list[Awaitable[object]], beside: Awaitable[None]) -> None:
    """Wait for whichever comes first, doing something beside."""
    tasks = [asyncio.ensure_future(end) for end in (*ends, beside)]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    for task in done:
        task.result()
