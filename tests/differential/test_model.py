"""alertd tells what the model says, everywhere and always; no Alertmanager is needed for that."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime

import pytest

from alertd.render.environment import Templates
from tests.differential.case import BEAT, Case
from tests.differential.comparison import beside
from tests.differential.difference import Difference
from tests.differential.examples import EXAMPLES, Example, told
from tests.differential.making import make_case
from tests.differential.model import ALL, differing, play
from tests.differential.ours import Ours

START = datetime(2026, 1, 5, 11, 59, 30, tzinfo=UTC)  # its beat 30 is noon
BOUNDARY = 30


@pytest.fixture(scope="module")
def templates() -> Templates:
    return Templates.load()


@pytest.mark.anyio
async def test_alertd_tells_what_the_model_says_once_every_difference_is_turned_over(templates: Templates) -> None:
    cases = (make_case(2, number, BOUNDARY) for number in itertools.count())
    for case in itertools.islice((case for case in cases if _holds_back(case)), 60):
        ours = await Ours(case, START, templates).play()
        assert ours == play(case, ALL), beside("alertd", ours, "the model of alertd", play(case, ALL), case)


@pytest.mark.anyio
@pytest.mark.parametrize("minute", ["00:00", "00:01", "12:00", "23:59"])
async def test_muted_times_are_the_same_at_any_time_of_day(templates: Templates, minute: str) -> None:
    """The comparison runs whenever somebody starts it."""
    start = datetime.fromisoformat(f"2026-01-05T{minute}:00Z") - BOUNDARY * BEAT
    cases = (make_case(3, number, BOUNDARY) for number in itertools.count())
    for case in itertools.islice((case for case in cases if _is_muted(case)), 5):
        assert await Ours(case, start, templates).play() == play(case, ALL)


def _is_muted(case: Case) -> bool:
    return any(route.mute or route.active for route in case.root.every())


def _holds_back(case: Case) -> bool:
    """Whether it is one of the harder ones."""
    return bool(case.silences) and len(case.alerts) > 2


@pytest.mark.anyio
@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.difference.name)
async def test_an_example_is_what_alertd_tells(example: Example, templates: Templates) -> None:
    assert told(await Ours(example.case, START, templates).play()) == example.ours


@pytest.mark.parametrize(
    "example", [one for one in EXAMPLES if one.difference in ALL], ids=lambda example: example.difference.name
)
def test_an_example_shows_its_difference_and_no_other(example: Example) -> None:
    assert differing(example.case) == {example.difference}
    assert told(play(example.case, frozenset())) == example.theirs
    assert told(play(example.case, ALL)) == example.ours


def test_every_difference_has_its_example() -> None:
    assert [example.difference for example in EXAMPLES] == list(Difference)
