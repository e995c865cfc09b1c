"""Whose turn it is in a round that cannot ask everybody."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alertd.engine.line import Turn, in_order, is_in_line, witness
from alertd.store.values import PrincipalRecord

from ..core.alerts import START
from ..core.tenant import POLL, principal

DAY = timedelta(hours=6)


def order(*turns: Turn) -> list[str]:
    return [turn.principal_id for turn in in_order(turns, START, interval=POLL, discovery_interval=DAY)]


def waited(identifier: str, rounds: float | None, *, answered: bool = True, often: bool = True) -> Turn:
    return Turn(identifier, None if rounds is None else START - rounds * POLL, answered, often)


@pytest.mark.parametrize(
    ("record", "everyone", "expected"),
    [
        pytest.param(principal(outcome="ok", has_jobs=True), False, True, id="it has jobs"),
        pytest.param(principal(outcome="ok"), False, False, id="it has none"),
        pytest.param(principal(outcome="ok"), True, True, id="it has none, and it is a discovery's round"),
        pytest.param(principal(outcome="ok", asked_at=START), False, True, id="a discovery's round has left it out"),
        pytest.param(principal(outcome="server"), False, True, id="it did not answer"),
        pytest.param(principal(), False, True, id="it was never asked"),
        pytest.param(principal(has_jobs=True, watched=False), True, False, id="nobody watches it"),
    ],
)
def test_who_is_in_line(record: PrincipalRecord, everyone: bool, expected: bool) -> None:
    assert is_in_line(record, everyone=everyone) is expected


def test_those_go_first_that_have_waited_longest() -> None:
    line = order(waited("a", 1), waited("b", 3), waited("new", None, answered=False), waited("c", 2))

    assert line == ["new", "b", "c", "a"]


def test_one_that_answered_is_among_the_first_two() -> None:
    """Else a short budget might ask none but those that never answer, and the tenant would look unreachable."""
    turns = [waited("x", 9, answered=False), waited("y", 8, answered=False), waited("good", 1)]

    assert order(*turns) == ["x", "good", "y"]
    assert order(turns[2]) == ["good"]
    assert order(*turns[:2]) == ["x", "y"]


@pytest.mark.parametrize(
    ("turns", "expected"),
    [
        pytest.param([("x", 9, False, True), ("good", 1, True, True)], "good", id="one that answered"),
        pytest.param([("x", 9, False, True)], None, id="nobody did"),
        pytest.param([("none", 9, True, False)], None, id="one without jobs is not asked in every round"),
        pytest.param([("b", 2, True, True), ("a", 1, True, True)], "b", id="each in its turn: the longest waiting"),
    ],
)
def test_the_one_that_every_round_asks(turns: list[tuple[str, float, bool, bool]], expected: str | None) -> None:
    line = in_order(
        [waited(name, rounds, answered=answered, often=often) for name, rounds, answered, often in turns],
        START,
        interval=POLL,
        discovery_interval=DAY,
    )

    found = witness(line)

    assert (found.principal_id if found else None) == expected


def test_waiting_is_measured_in_ones_own_interval() -> None:
    """One without jobs, due every six hours, has not waited long after one; it goes first when it is twice as late as the others."""
    assert order(waited("jobs", 1), waited("none", 12, often=False)) == ["jobs", "none"]
    assert order(waited("jobs", 1), waited("none", 150, often=False)) == ["none", "jobs"]
    assert order(waited("a", 3), waited("jobs", 1), waited("none", 150, often=False)) == ["a", "none", "jobs"]


@given(
    st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=40),
    st.integers(1, 10),
)
def test_nobody_starves(kinds: list[tuple[bool, bool]], room: int) -> None:
    """However few are asked in a round, everybody is asked again before long: the line drains at the rate of the budget."""
    turns = {f"{index:03}": Turn(f"{index:03}", None, kind[0], kind[1]) for index, kind in enumerate(kinds)}
    asked = dict.fromkeys(turns, 0)
    rare = 4 * POLL
    rounds = 2 * (len(kinds) // room + 3) * (rare // POLL)
    for number in range(rounds):
        now = START + number * POLL
        line = in_order(turns.values(), now, interval=POLL, discovery_interval=rare)
        for turn in line[:room]:
            asked[turn.principal_id] += 1
            turns[turn.principal_id] = Turn(turn.principal_id, now, turn.answered, turn.often)

    assert min(asked.values()) >= 2
