"""Poll to decision: what a round of alertd costs for one job, beside loops that only fetch."""

from __future__ import annotations

from functools import partial

import attrs

from bench.contest import Course, compete
from bench.contestant import Factory
from bench.pollers import AiohttpLoop, AlertdPoll, TransportLoop
from bench.progress import Progress
from bench.readers import HttpxScript, OfficialSdk
from bench.result import Figure, Result, lines_of
from bench.serving import graph_served

_ALERTD, _TRANSPORT, _AIOHTTP = "alertd", "same transport, dropped", "aiohttp, dropped"


def unchanged(jobs: int, rounds: int, progress: Progress) -> Result:
    """Every job answers as before."""
    course = _contest(jobs, rounds, progress, changing=False)
    figures = (
        Figure(what=f"CPU, alertd : {_TRANSPORT}", value=course.ratio(_ALERTD, _TRANSPORT), unit="x", budget=2),
        Figure(what=f"CPU, alertd : {_AIOHTTP}", value=course.ratio(_ALERTD, _AIOHTTP), unit="x", budget=5),
    )
    return _result("poll_unchanged", jobs, rounds, course, figures)


def changed(jobs: int, rounds: int, progress: Progress) -> Result:
    """Every job has run since the round before."""
    course = _contest(jobs, rounds, progress, changing=True)
    figures = (
        Figure(what=f"CPU, alertd : {_TRANSPORT}", value=course.ratio(_ALERTD, _TRANSPORT), unit="x", budget=4),
        Figure(what=f"CPU, alertd : {_AIOHTTP}", value=course.ratio(_ALERTD, _AIOHTTP), unit="x"),
    )
    return _result("poll_changed", jobs, rounds, course, figures)


def _contest(jobs: int, rounds: int, progress: Progress, *, changing: bool) -> Course:
    with graph_served(jobs) as server:
        contestants: dict[str, Factory] = {
            _ALERTD: partial(AlertdPoll, server.origin, jobs),
            _TRANSPORT: partial(TransportLoop, server.origin, jobs),
            _AIOHTTP: partial(AiohttpLoop, server.origin, jobs),
        }
        return compete(contestants, rounds, progress, before_turn=server.advance if changing else _nothing)


def _nothing() -> None:
    """Leave the answers as they are."""


def _result(name: str, jobs: int, rounds: int, course: Course, figures: tuple[Figure, ...]) -> Result:
    return Result(
        name=name,
        sizes={"jobs": jobs, "rounds": rounds},
        thing="job read",
        lines=lines_of(course),
        figures=figures,
    )


_SDK, _HTTPX = "msgraph-sdk, read only", "httpx, read only"


def sdk(jobs: int, rounds: int, progress: Progress) -> Result:
    """Every job answers as before; the others read it and do nothing with it."""
    with graph_served(jobs) as server:
        contestants: dict[str, Factory] = {
            _ALERTD: partial(AlertdPoll, server.origin, jobs),
            _SDK: partial(OfficialSdk, server.origin, jobs),
            _HTTPX: partial(HttpxScript, server.origin, jobs),
        }
        course = compete(contestants, rounds, progress)
    figures = (
        Figure(what=f"CPU, {_SDK} : {_ALERTD}", value=course.ratio(_SDK, _ALERTD), unit="x", budget=100, at_least=True),
        Figure(
            what=f"CPU, {_HTTPX} : {_ALERTD}", value=course.ratio(_HTTPX, _ALERTD), unit="x", budget=25, at_least=True
        ),
    )
    notes = ("Both others send one request for each service principal; alertd compares, judges and stores as well.",)
    return attrs.evolve(_result("sdk", jobs, rounds, course, figures), notes=notes)
