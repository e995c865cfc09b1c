"""The benches by name: what each shows, and how large it is unless told otherwise."""

from __future__ import annotations

import importlib
from collections.abc import Callable

import attrs

from bench.progress import Progress
from bench.result import Result

Run = Callable[[int, int, Progress], Result]  # jobs, rounds


@attrs.frozen(kw_only=True)
class Bench:
    """A bench. target: module and function. jobs, rounds: by default. packages: what it needs beyond alertd's own, from the extra `bench`."""

    name: str
    summary: str
    target: str
    jobs: int
    rounds: int
    packages: tuple[str, ...] = ()

    def run(self, jobs: int | None, rounds: int | None, progress: Progress) -> Result:
        """Run it."""
        module, _, function = self.target.partition(":")
        run: Run = getattr(importlib.import_module(f"bench.{module}"), function)
        return run(jobs or self.jobs, rounds or self.rounds, progress)


BENCHES = (
    Bench(
        name="poll_unchanged",
        summary="a round in which every job answers as before, beside loops that fetch the same and drop it",
        target="poll:unchanged",
        jobs=100_000,
        rounds=5,
    ),
    Bench(
        name="poll_changed",
        summary="a round in which every job has run since, beside the same loops",
        target="poll:changed",
        jobs=100_000,
        rounds=5,
    ),
    Bench(
        name="graph",
        summary="what poll.max_added_delay saves at Graph and adds in delay, over simulated days (rounds: days)",
        target="graph:graph",
        jobs=1_000,
        rounds=7,
    ),
    Bench(
        name="store",
        summary="saving and reading jobs and history, beside bare sqlite3; bytes of history",
        target="store:store",
        jobs=20_000,
        rounds=7,
    ),
    Bench(
        name="backtest",
        summary="a month of history under one rule, and under all shipped rules on two sides",
        target="backtest:backtest",
        jobs=1_000,
        rounds=3,
    ),
    Bench(
        name="sdk",
        summary="the same round beside Microsoft's own SDK and an httpx script, which only read",
        target="poll:sdk",
        jobs=2_000,
        rounds=3,
        packages=("msgraph-sdk",),
    ),
    Bench(
        name="rules",
        summary="all shipped rules asked about one status",
        target="rules:rules",
        jobs=20_000,
        rounds=7,
    ),
    Bench(
        name="expr",
        summary="one expression, beside Python by hand, Google's CEL and a Jinja expression",
        target="rules:expr",
        jobs=50_000,
        rounds=7,
        packages=("cel-expr-python", "jinja2"),
    ),
    Bench(
        name="diff",
        summary="two snapshots compared: equal, and with a run between them",
        target="pure:compare",
        jobs=20_000,
        rounds=7,
    ),
    Bench(
        name="render",
        summary="a Teams card about one job",
        target="pure:render",
        jobs=500,
        rounds=7,
    ),
    Bench(
        name="growth",
        summary="CPU and memory of a round, from a thousand jobs up to --jobs",
        target="growth:growth",
        jobs=1_000_000,
        rounds=3,
    ),
    Bench(
        name="latency",
        summary="from a transition at Graph to the POST at the receiver, the whole daemon running",
        target="latency:latency",
        jobs=10_000,
        rounds=20,
    ),
    Bench(
        name="startup",
        summary="`alertd --help` and `alertd check` as processes",
        target="startup:startup",
        jobs=1,
        rounds=11,
    ),
)


def named(name: str) -> Bench | None:
    """Give a bench by its name."""
    return next((bench for bench in BENCHES if bench.name == name), None)
