"""A contest: contestants in processes of their own take turns, so that what disturbs the machine disturbs all of them alike."""

from __future__ import annotations

import asyncio
import multiprocessing
import statistics
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from multiprocessing.connection import Connection
from typing import Any

import attrs

from bench.contestant import Contestant, Cost, Factory, measured
from bench.machine import client_core, pin
from bench.progress import Progress

_PATIENCE_SECONDS = 1800.0  # for one turn: a million jobs read one by one would take longer than anybody waits
_LEAVING_SECONDS = 30.0


class ContestError(RuntimeError):
    """A contestant failed; the message holds its traceback."""


@attrs.frozen(kw_only=True)
class Course:
    """How a contest went: of every contestant the costs of its turns, in their order."""

    costs: Mapping[str, Sequence[Cost]]

    def cpu_us(self, name: str) -> float:
        """Give the median CPU time of a contestant for one thing, in microseconds."""
        return statistics.median(cost.cpu_us for cost in self.costs[name])

    def ratio(self, name: str, to: str) -> float:
        """Give how many times the CPU of another one a contestant took: the median over turns that stood side by side."""
        pairs = zip(self.costs[name], self.costs[to], strict=True)
        return statistics.median(one.cpu_us / other.cpu_us for one, other in pairs)

    def peak_mb(self, name: str) -> float:
        """Give the most memory a contestant held, in megabytes."""
        return max(cost.peak_bytes for cost in self.costs[name]) / 1e6


class _Worker:
    """A contestant's process as seen from outside."""

    def __init__(self, name: str, make: Factory) -> None:
        self._name = name
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(theirs, make, client_core()), name=f"bench {name}")
        self._process.start()
        theirs.close()

    def ask(self, what: str) -> Any:  # noqa: ANN401 - a Cost or nothing
        self._pipe.send(what)
        if not self._pipe.poll(_PATIENCE_SECONDS):
            raise ContestError(f"{self._name}: no answer to `{what}` within {_PATIENCE_SECONDS:g} s")
        try:
            answer = self._pipe.recv()
        except EOFError:
            raise ContestError(f"{self._name}: its process ended during `{what}`") from None
        if isinstance(answer, str):
            raise ContestError(f"{self._name}: {answer}")
        return answer

    def dismiss(self) -> None:
        self._pipe.close()
        self._process.join(_LEAVING_SECONDS)
        if self._process.is_alive():
            self._process.kill()


def compete(
    contestants: Mapping[str, Factory],
    rounds: int,
    progress: Progress,
    *,
    before_turn: Callable[[], None] = lambda: None,
) -> Course:
    """Let contestants take turns. before_turn: called before each, to change what they will see."""
    costs: dict[str, list[Cost]] = {name: [] for name in contestants}
    with ExitStack() as stack:
        workers = {name: stack.enter_context(_working(name, make)) for name, make in contestants.items()}
        for name, worker in workers.items():
            progress(f"prepare {name}", 0, rounds)
            worker.ask("prepare")
        for number in range(rounds):
            for name, worker in workers.items():
                progress(name, number, rounds)
                before_turn()
                costs[name].append(worker.ask("turn"))
        progress("done", rounds, rounds)
        for worker in workers.values():
            worker.ask("close")
    return Course(costs=costs)


@contextmanager
def _working(name: str, make: Factory) -> Iterator[_Worker]:
    worker = _Worker(name, make)
    try:
        yield worker
    finally:
        worker.dismiss()


def _serve(pipe: Connection, make: Factory, core: int) -> None:
    """Be a contestant's process: do as asked until nobody asks any more."""
    pin(core)
    with asyncio.Runner() as runner:
        contestant: Contestant | None = None
        while (asked := _next(pipe)) is not None:
            try:
                contestant = contestant or make()
                pipe.send(_answer(runner, contestant, asked))
            except Exception:  # noqa: BLE001 - whatever it was, the other side has to hear of it
                pipe.send(traceback.format_exc())


def _answer(runner: asyncio.Runner, contestant: Contestant, asked: str) -> Cost | None:
    if asked == "turn":
        return measured(runner, contestant)
    runner.run(contestant.prepare() if asked == "prepare" else contestant.close())
    return None


def _next(pipe: Connection) -> str | None:
    try:
        asked: str = pipe.recv()
    except EOFError:
        return None
    return asked
