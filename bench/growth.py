"""Growth: CPU and memory for one job, from a thousand jobs to a million; every size in a process of its own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from itertools import pairwise

from bench.contest import Course, compete
from bench.contestant import Cost
from bench.pollers import AlertdPoll
from bench.progress import Progress
from bench.result import Figure, Line, Result, lines_of
from bench.serving import graph_served

_SIZES = (1_000, 10_000, 100_000, 1_000_000)
_SPREAD_PERCENT = 15  # the budget: flat within so much
_MEMORY_MB = {10_000: 150, 1_000_000: 1_500}


def growth(jobs: int, rounds: int, progress: Progress) -> Result:
    """Poll tenants of every size up to `jobs`, unchanged after first sight."""
    sizes = [*(size for size in _SIZES if size < jobs), jobs]
    courses = {size: _polled(size, rounds, progress) for size in sizes}
    lines: dict[str, Line] = {}
    for course in courses.values():
        lines |= lines_of(course)
    return Result(
        name="growth",
        sizes={"jobs": jobs, "rounds": rounds},
        thing="job read",
        lines=lines,
        figures=(
            _spread([course.cpu_us(_name(size)) for size, course in courses.items()]),
            *_added_memory({size: course.peak_mb(_name(size)) for size, course in courses.items()}),
            *(figure for size, course in courses.items() for figure in _of_size(size, course)),
        ),
        notes=(
            "Every job answers as before; the first sight of them, which stores each, is in the peak of memory and not in the CPU.",
        ),
    )


def _spread(costs: Sequence[float]) -> Figure:
    """Give how far the dearest and the cheapest size lie from the middle between them."""
    middle = (max(costs) + min(costs)) / 2
    away = (max(costs) - middle) / middle * 100
    return Figure(
        what="CPU per job, farthest from the middle of all sizes", value=away, unit="%", budget=_SPREAD_PERCENT
    )


def _added_memory(peaks: Mapping[int, float]) -> Iterator[Figure]:
    """Give what a job more takes; what the process takes without any does not count."""
    for (fewer, low), (more, high) in pairwise(peaks.items()):
        added = (high - low) * 1e6 / (more - fewer)
        yield Figure(what=f"peak memory for each job more, from {fewer:,} to {more:,}", value=added, unit="B")


def _of_size(size: int, course: Course) -> Iterator[Figure]:
    name = _name(size)
    budget = _MEMORY_MB.get(size)
    yield Figure(what=f"peak memory at {name}", value=course.peak_mb(name), unit="MB", budget=budget)
    turn = _middle(course.costs[name])
    yield Figure(what=f"a round of {name}, CPU", value=turn.cpu_seconds, unit="s")
    yield Figure(what=f"a round of {name}, wall", value=turn.wall_seconds, unit="s")


def _middle(costs: Sequence[Cost]) -> Cost:
    return sorted(costs, key=lambda cost: cost.cpu_seconds)[len(costs) // 2]


def _name(size: int) -> str:
    return f"{size:,} jobs"


def _polled(size: int, rounds: int, progress: Progress) -> Course:
    with graph_served(size) as server:
        return compete({_name(size): partial(AlertdPoll, server.origin, size)}, rounds, progress)
