"""The same alerts, routes, inhibit rules, silences and muted times through a real Alertmanager and through alertd.

What both tell is the same but for the differences that have a name: the real Alertmanager tells what the model tells, alertd tells what the
model tells with every difference turned over, and there are no others. `DIFFERENTIAL_SEED` makes up other cases.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

import attrs
import pytest

from alertd.render.environment import Templates
from tests.differential import theirs
from tests.differential.case import BEAT, Case, Messages
from tests.differential.comparison import beside
from tests.differential.difference import Difference
from tests.differential.examples import EXAMPLES, told
from tests.differential.making import make_case
from tests.differential.model import ALL, differing, play
from tests.differential.ours import Ours
from tests.real_alertmanager import needs_alertmanager

CASES = 200
ALIKE_MIN = 100  # what differs must not hide what does not
RUNS_MAX = 2
NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)

pytestmark = [pytest.mark.anyio, pytest.mark.alertmanager, needs_alertmanager]

_EXAMPLES = {example.case.name: example for example in EXAMPLES}
_THEIRS: frozenset[Difference] = frozenset()


@attrs.define
class Played:
    """What a real Alertmanager told. cases: as they were played last. stalls: who was late in the last run. runs: how many there were."""

    cases: dict[str, Case] = attrs.field(factory=dict)
    told: dict[str, Messages] = attrs.field(factory=dict)
    stalls: list[str] = attrs.field(factory=list)
    runs: int = 0


async def test_two_hundred_cases_differ_in_nothing_that_has_no_name(tmp_path: Path) -> None:
    seed = int(os.environ.get("DIFFERENTIAL_SEED", "1"))
    made = [make_case(seed, number, boundary=30) for number in range(CASES)]

    played = await _played([*made, *(example.case for example in EXAMPLES)], tmp_path)
    cases = [played.cases[case.name] for case in made]
    templates = Templates.load()
    ours = {case.name: await Ours(case, NOON - case.boundary * BEAT, templates).play() for case in cases}

    _require("alertd", [case for case in cases if ours[case.name] != play(case, ALL)], ours, ALL)
    wrong = _wrong(played.cases.values(), played.told)
    if wrong and played.stalls:
        pytest.skip(f"NOT COMPARED WITH A REAL ALERTMANAGER, for the machine had no time: {played.stalls[0]}")
    _require("Alertmanager", wrong, played.told, _THEIRS)
    _report(cases, played, ours)


async def _played(cases: Sequence[Case], folder: Path) -> Played:
    """Play the cases; those that come out unexpectedly once more, for a difference that does not come again is the machine's."""
    played = Played()
    while played.runs < RUNS_MAX and (left := _wrong(played.cases.values(), played.told) if played.runs else cases):
        begin = theirs.beginning(datetime.now(UTC))
        now = [attrs.evolve(case, boundary=begin.boundary) for case in left]
        place = folder / str(played.runs)
        place.mkdir()
        run = await theirs.play(now, begin.start, place)
        played.cases |= {case.name: case for case in now}
        played.told |= {case.name: run.told(case) for case in now}
        played.stalls, played.runs = run.stalls, played.runs + 1
    return played


def _wrong(cases: Iterable[Case], found: Mapping[str, Messages]) -> list[Case]:
    return [case for case in cases if not _as_expected(case, found[case.name])]


def _as_expected(case: Case, found: Messages) -> bool:
    example = _EXAMPLES.get(case.name)
    return found == play(case, _THEIRS) if example is None else told(found) == example.theirs


def _require(
    who: str, wrong: Sequence[Case], found: Mapping[str, Messages], differences: frozenset[Difference]
) -> None:
    shown = [beside(who, found[case.name], "its model", play(case, differences), case) for case in wrong[:3]]
    assert not wrong, "\n\n".join([f"{len(wrong)} cases", *shown])


def _report(cases: Sequence[Case], played: Played, ours: Mapping[str, Messages]) -> None:
    """Say how often what is different, and see that whatever is has a name."""
    different = [case for case in cases if played.told[case.name] != ours[case.name]]
    names = {case.name: differing(case) for case in different}
    counts = Counter(one for differences in names.values() for one in differences)
    alike = len(cases) - len(different)
    print(f"{alike} of {len(cases)} cases are told alike, message by message; runs: {played.runs}; in the others:")  # noqa: T201 - with `-s`
    for difference, count in counts.most_common():
        print(f"  {count:3}  {difference}")  # noqa: T201
    assert all(names.values())
    assert alike >= ALIKE_MIN
