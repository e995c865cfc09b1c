"""Latency: from the moment a transition can be seen at Graph until the POST about it has come in at the receiver.

The whole daemon runs, with its clock, its loops and its store; nothing is called from outside. One server plays Graph and the receiver, so that
both instants are taken from one clock.
"""

from __future__ import annotations

import asyncio
import json
import tempfile
import time
import urllib.request
from datetime import timedelta
from functools import partial
from pathlib import Path
from random import Random
from statistics import quantiles

import aiohttp

from alertd.app import App
from alertd.config import load_config
from alertd.log import configure
from bench.bodies import SICK_EVERY
from bench.contest import compete
from bench.pollers import TENANT_ID, TOKEN
from bench.progress import Progress
from bench.result import Figure, Result
from bench.serving import graph_served

INTERVAL = timedelta(seconds=5)  # short, so that the run is; it is taken off again
A_ROUND = 10  # transitions within an interval, at any moment of it
SEED = 20_260_105
_BUDGET_SECONDS = 1.0

_CONFIG = """\
store: sqlite:///{folder}/alertd.db
poll: {{interval: {interval:g}s, timeout: 4s, discovery_interval: 7d, first_sight: baseline}}
tenants:
  - name: contoso
    tenant_id: {tenant}
    graph_url: {origin}
    credential: {{access_token_file: token}}
receivers: [{{name: receiver, webhook: [{{url: "{origin}/posts"}}]}}]
route: {{receiver: receiver, group_by: ["..."], group_wait: 0s}}
web: null
"""


def latency(jobs: int, rounds: int, progress: Progress) -> Result:
    """Let jobs go into quarantine at random moments of so many intervals."""
    wanted = min(rounds * A_ROUND, jobs // 2)
    with graph_served(jobs) as server:
        compete({"alertd": partial(Watching, server.origin, jobs, wanted)}, 1, progress)
        delays = _delays(server.origin)
    assert len(delays) == wanted, f"{len(delays)} of {wanted} transitions were told"  # noqa: S101 - the missing ones would be the slowest
    interval = INTERVAL.total_seconds()
    cuts = quantiles(delays, n=100, method="inclusive")
    return Result(
        name="latency",
        sizes={"jobs": jobs, "transitions": wanted, "rounds": rounds},
        thing="transition",
        lines={},
        figures=(
            Figure(what="transition to POST, median", value=cuts[49], unit="s"),
            Figure(what="transition to POST, p99", value=cuts[98], unit="s"),
            Figure(what="p99 beyond the poll interval", value=cuts[98] - interval, unit="s", budget=_BUDGET_SECONDS),
            Figure(what="the slowest, beyond the poll interval", value=max(delays) - interval, unit="s"),
        ),
        notes=(
            f"A round every {interval:g} s, group_wait 0 s, a conversation for each alert; a transition may happen at any moment between two rounds.",
        ),
    )


def _delays(origin: str) -> list[float]:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(f"{origin}/delays", timeout=30) as answer:
        found: list[float] = json.load(answer)
    return found


class Watching:
    """The daemon, while jobs go into quarantine."""

    def __init__(self, origin: str, jobs: int, wanted: int) -> None:
        self._origin = origin
        well = [number for number in range(jobs) if number % SICK_EVERY]
        self._source = Random(SEED)
        self._numbers = self._source.sample(well, wanted)
        self._folder = tempfile.TemporaryDirectory(prefix="alertd-bench-")

    async def prepare(self) -> None:
        """Write the configuration, and let it see all jobs while they are well."""
        configure("warning")
        folder = Path(self._folder.name)
        (folder / "token").write_text(TOKEN, encoding="ascii")
        text = _CONFIG.format(
            tenant=TENANT_ID, origin=self._origin, folder=folder.as_posix(), interval=INTERVAL.total_seconds()
        )
        (folder / "alertd.yaml").write_text(text, encoding="utf-8")
        self._app = App(load_config(folder / "alertd.yaml"))
        await self._app.open()
        await self._app.retire()
        for polling in self._app.pollings.values():
            await polling.round()

    async def turn(self) -> int:
        """Run until every transition has been told, or three rounds have not told it."""
        async with asyncio.TaskGroup() as group, aiohttp.ClientSession(self._origin) as session:
            group.create_task(self._app.run())
            await self._play(session)
            self._app.stop()
        return len(self._numbers)

    async def _play(self, session: aiohttp.ClientSession) -> None:
        interval = INTERVAL.total_seconds()
        await asyncio.sleep(interval)
        for number in self._numbers:
            await asyncio.sleep(self._source.uniform(0, 2 * interval / A_ROUND))
            await _get(session, f"/sick/{number}")
        until = time.monotonic() + 3 * interval
        while time.monotonic() < until and await _get(session, "/untold"):  # noqa: ASYNC110 - another process knows
            await asyncio.sleep(0.5)

    async def close(self) -> None:
        """Stop it and forget its store."""
        await self._app.close()
        self._folder.cleanup()


async def _get(session: aiohttp.ClientSession, path: str) -> object:
    async with session.get(path) as response:
        return await response.json()
