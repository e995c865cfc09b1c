"""How cases are made up: from a seed, so that each can be made again."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator, Sequence

from tests.differential.case import (
    EARLY,
    LAST_CHANGE,
    LATE,
    Alert,
    Case,
    InhibitRule,
    Receiver,
    Route,
    Silence,
    Span,
)
from tests.differential.difference import Difference
from tests.differential.model import ALL, play

_TEAMS = ("", "identity", "größe 日本")
_MATCHERS = (
    'severity="critical"',
    'severity!="critical"',
    'severity=~"crit.*|info"',
    'severity!~"crit|info"',
    'team="identity"',
    'team=""',
    'team!=""',
    'team=~"größe.*"',
    'alertname="A"',
    'alertname=~"A|B"',
    'alertname!~"[AB]"',
    'instance=~"[ab]"',
)
_GROUPINGS = (("alertname",), ("severity",), ("team", "severity"), ("...",), ("alertname", "instance"), ("absent",))


_LINGERS = 8  # in one case of so many, an alert may come into a group that Alertmanager has not swept away yet


def make_case(seed: int, number: int, boundary: int) -> Case:
    """Make the case of this number; `boundary` is the one thing about it that the wall clock decides.

    Alertmanager keeps an empty group for up to 30 s. With intervals of minutes that hardly ever matters; here it would matter nearly always, and
    hide everything else, so most cases are made anew until it does not.
    """
    attempts = (_attempt(seed, number, attempt, boundary) for attempt in itertools.count())
    return next(case for case in attempts if number % _LINGERS == 0 or not _lingers(case))


def _lingers(case: Case) -> bool:
    return play(case, ALL) != play(case, ALL - {Difference.GROUPS_END})


def _attempt(seed: int, number: int, attempt: int, boundary: int) -> Case:
    chance = random.Random(f"{seed}/{number}/{attempt}")  # noqa: S311 - nothing is kept secret by it
    name = f"{number:03}"
    receivers = tuple(_receiver(chance, index) for index in range(chance.randint(1, 3)))
    names = [receiver.name for receiver in receivers]
    muted = chance.random() < 0.25
    return Case(
        name=name,
        alerts=tuple(_alert(chance, name, index) for index in range(chance.randint(1, 6))),
        receivers=receivers,
        root=Route(
            receiver=names[0],
            group_by=chance.choice((*_GROUPINGS, ())),
            group_wait=chance.choice((1, 1, 3, 5)),
            group_interval=chance.choice((2, 2, 4, 6)),
            repeat_interval=chance.choice((0, 7, 11, 21)) or 3_600,
            routes=tuple(_routes(chance, names, depth=2, muted=muted)),
        ),
        inhibit_rules=tuple(_inhibit_rule(chance) for _ in range(chance.choice((0, 0, 1, 2)))),
        silences=tuple(_silence(chance) for _ in range(chance.choice((0, 0, 1, 2)))),
        boundary=boundary,
    )


def _receiver(chance: random.Random, index: int) -> Receiver:
    return Receiver(f"r{index}", tuple(chance.random() < 0.75 for _ in range(chance.choice((1, 1, 2)))))


def _alert(chance: random.Random, case: str, index: int) -> Alert:
    labels = {
        "case": case,
        "alertname": chance.choice("ABC"),
        "severity": chance.choice(("critical", "warning", "info")),
        "team": chance.choice(_TEAMS),
        "instance": "abcdef"[index],
    }
    return Alert({name: value for name, value in labels.items() if value}, tuple(_spans(chance)))


def _spans(chance: random.Random) -> Iterator[Span]:
    """Give one to four spans, all of whose ends lie on even beats."""
    beat = 2 * chance.randint(0, 8)
    while beat < LAST_CHANGE:
        lasts = 2 * chance.choice((1, 2, 3, 5, 8, 13))
        ends = beat + lasts if beat + lasts < LAST_CHANGE else None
        yield Span(beat, ends)
        beat += lasts + 2 * chance.choice((1, 2, 5, 8, 40))


def _routes(chance: random.Random, receivers: Sequence[str], *, depth: int, muted: bool) -> Iterator[Route]:
    """Give up to three routes; no two siblings have the same matchers."""
    count = chance.choice((0, 1, 2, 3)) if depth else 0
    for matcher in chance.sample(_MATCHERS, count):
        intervals = tuple(chance.sample((EARLY, LATE), 1)) if muted and chance.random() < 0.5 else ()
        activates = chance.random() < 0.3
        yield Route(
            receiver=chance.choice((None, *receivers)),
            matchers=(matcher,),
            group_by=chance.choice((None, *_GROUPINGS)),
            group_wait=chance.choice((None, 1, 3)),
            group_interval=chance.choice((None, 2, 4)),
            repeat_interval=chance.choice((None, None, 9)),
            continues=chance.random() < 0.4,
            mute=() if activates else intervals,
            active=intervals if activates else (),
            routes=tuple(_routes(chance, receivers, depth=depth - 1, muted=muted)),
        )


def _inhibit_rule(chance: random.Random) -> InhibitRule:
    source, target = chance.choice(_MATCHERS), chance.choice(_MATCHERS)
    equal = chance.choice((("case",), ("case", "team"), ("case", "alertname"), ("case", "absent")))
    return InhibitRule((source,), (target,), equal)


def _silence(chance: random.Random) -> Silence:
    starts = 2 * chance.randint(0, 18)
    return Silence((chance.choice(_MATCHERS),), starts, starts + 2 * chance.choice((2, 4, 7, 12)))
