"""A backtest of a month: every job of a tenant at every round, put before one rule, and before all shipped ones on two sides."""

from __future__ import annotations

import asyncio
import statistics
import tempfile
from collections.abc import Callable, Sequence
from datetime import timedelta
from functools import partial
from pathlib import Path

from alertd.alerts.sighting import Watched
from alertd.backtest.runner import Played, play
from alertd.rehearsal.setting import Setting
from alertd.rules.loader import load_rules
from alertd.rules.shipped import builtin_rules
from alertd.store.sql import SqlStore
from bench.contest import Course, compete
from bench.past import START, TENANT, write_past
from bench.progress import Progress
from bench.result import Figure, Result, lines_of

_DAYS, _DAYS_OF_ALL = 30, 2
_STATE = "one rule, of a state: JobQuarantined"
_RUNS = "one rule, of every run: FailureStreak"
_ALL = f"all shipped rules on two sides, {_DAYS_OF_ALL} days"
_ROUNDS_A_DAY = 288


def backtest(jobs: int, rounds: int, progress: Progress) -> Result:
    """Write the past once, and play it."""
    with tempfile.TemporaryDirectory(prefix="alertd-bench-") as folder:
        path = Path(folder) / "alertd.db"
        changes = asyncio.run(_write(path, jobs, progress))
        contestants = {
            _STATE: partial(Playing, path, _DAYS, ("JobQuarantined",), 1),
            _RUNS: partial(Playing, path, _DAYS, ("FailureStreak",), 1),
            _ALL: partial(Playing, path, _DAYS_OF_ALL, (), 2),
        }
        course = compete(contestants, rounds, progress)
    return Result(
        name="backtest",
        sizes={"jobs": jobs, "days": _DAYS, "changed snapshots": changes, "rounds": rounds},
        thing="changed snapshot",
        lines=lines_of(course),
        figures=_figures(course, jobs, changes),
        notes=(
            "Rounds of five minutes; every job runs each 40 minutes, and a run changes eight properties and more: see `bench/past.py`.",
            "One run in a hundred fails, and what fails five times in a row goes into quarantine.",
            "A snapshot is a job at a round. History keeps the changed ones, and a replay has to read those alone; both are counted here.",
            "Everything counts: reading the store, judging, grouping, deciding, and remembering what would have been sent.",
            "What no rule looks at is left unread: an earlier bench of one rule went from 6,000-7,000 to 55,000-58,000 changed snapshots/s by it.",
            "To ask only the rules that look at what changed was tried and left out: it was not shown to tell what the daemon tells.",
        ),
    )


def _figures(course: Course, jobs: int, changes: int) -> Sequence[Figure]:
    snapshots = jobs * _DAYS * _ROUNDS_A_DAY
    one, every, both = (course.cpu_us(name) for name in (_STATE, _RUNS, _ALL))
    wall = statistics.median(cost.wall_seconds for cost in course.costs[_STATE])
    return (
        Figure(
            what="one rule of a state",
            value=round(1e6 / one * snapshots / changes),
            unit="snapshots/s",
            budget=100_000,
            at_least=True,
        ),
        Figure(what="the same, the changed ones alone", value=round(1e6 / one), unit="changed snapshots/s"),
        Figure(what="the same, the whole month", value=round(one * changes / 1e6, 1), unit="s of CPU"),
        Figure(what="the same, the whole month", value=round(wall, 1), unit="s of wall"),
        Figure(what="one rule of every run", value=round(1e6 / every), unit="changed snapshots/s"),
        Figure(what="all shipped rules, two sides", value=round(1e6 / both), unit="changed snapshots/s"),
    )


async def _write(path: Path, jobs: int, progress: Progress) -> int:
    store = await SqlStore.open(path)
    report: Callable[[int, int], None] = partial(progress, "write the past")
    changes = await write_past(store, jobs=jobs, days=_DAYS, progress=report)
    await store.close()
    return changes


class Playing:
    """A replay of some days under some shipped rules, or all of them, on one side or two."""

    def __init__(self, path: Path, days: int, names: Sequence[str], sides: int) -> None:
        self._path = path
        self._until = START + timedelta(days=days)
        self._names = names
        self._sides = sides

    async def prepare(self) -> None:
        """Read the rules."""
        rules = [rule for rule in load_rules(builtin_rules()).rules if not self._names or rule.name in self._names]
        self._settings = [Setting.of(rules, None) for _ in range(self._sides)]

    async def turn(self) -> int:
        """Play; give how many changed snapshots there were."""
        played = await self._play()
        return played.figures.changes

    async def _play(self) -> Played:
        watched = Watched(key=TENANT.key, name=TENANT.name, tenant_id=TENANT.key.partition("/")[2])
        store = await SqlStore.open_read_only(self._path)
        async with store.reading() as reader:
            played = await play(reader, [watched], self._settings, since=START, until=self._until)
        await store.close()
        return played

    async def close(self) -> None:
        """Nothing is left."""
