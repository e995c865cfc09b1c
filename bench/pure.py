"""The pure steps between a reading and a message: comparing snapshots, and rendering a card."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from alertd.diff import diff
from alertd.notify.channels.teams import FORM
from alertd.render.environment import Templates
from alertd.render.message import render as message_of
from alertd.render.samples import notification
from bench.contest import compete
from bench.contestant import Factory
from bench.loop import Loop
from bench.progress import Progress
from bench.records import runs
from bench.result import Result, lines_of

_SAME, _RAN = "diff: equal", "diff: a run that ended"


def compare(jobs: int, rounds: int, progress: Progress) -> Result:
    """Compare snapshots."""
    contestants: dict[str, Factory] = {_SAME: partial(Loop, equal, jobs), _RAN: partial(Loop, ran, jobs)}
    course = compete(contestants, rounds, progress)
    return Result(
        name="diff", sizes={"pairs": jobs, "rounds": rounds}, thing="pair", lines=lines_of(course), figures=()
    )


def equal() -> Callable[[], object]:
    """Two snapshots that are equal and not the same object."""
    one, other = runs(2)[0][0][1].job, runs(2)[0][0][1].job
    return lambda: diff(one, other)


def ran() -> Callable[[], object]:
    """A run of ten properties between them."""
    first, second, _ = runs(2)
    one, other = first[0][1].job, second[0][1].job
    return lambda: diff(one, other)


_TEAMS = "alertd: a Teams card, checked and fitted"


def render(jobs: int, rounds: int, progress: Progress) -> Result:
    """Render a card."""
    course = compete({_TEAMS: partial(Loop, card, jobs)}, rounds, progress)
    size = len(_rendered())
    return Result(
        name="render",
        sizes={"messages": jobs, "rounds": rounds, "bytes": size},
        thing="message",
        lines=lines_of(course),
        figures=(),
    )


def card() -> Callable[[], object]:
    """A first notification about one job, for Teams."""
    templates, message = Templates.load(None), notification()
    return lambda: message_of(message, FORM, templates)


def _rendered() -> bytes:
    return message_of(notification(), FORM, Templates.load(None)).body
