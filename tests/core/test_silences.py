"""Silences that were made for alerts, until they end."""

from __future__ import annotations

from datetime import timedelta

import attrs
import pytest

from alertd.model.alert import State
from alertd.notify.matchers import parse_matcher
from alertd.notify.silences import Episode, Silence, SilenceState, episodes_of, outlived, silencer

from .alerts import START, alert, event

A = attrs.evolve(alert("A"), state=State.FIRING, episode=2)


def made_for(*episodes: Episode, ends_after: timedelta | None = None) -> Silence:
    return Silence(
        id="s",
        matchers=(parse_matcher('alertname=~".+"'),),
        starts_at=START,
        ends_at=None if ends_after is None else START + ends_after,
        created_by="ada",
        comment="we know",
        episodes=episodes,
    )


HELD = made_for(*episodes_of([A]))


@pytest.mark.parametrize(
    ("item", "held"),
    [
        pytest.param(A, True, id="the episode it was made for"),
        pytest.param(attrs.evolve(A, episode=3), False, id="the alert's next episode is news"),
        pytest.param(attrs.evolve(alert("B"), state=State.FIRING, episode=2), False, id="another alert that matches"),
        pytest.param(event("A"), False, id="an event"),
    ],
)
def test_what_it_holds(item: object, held: bool) -> None:
    assert (silencer(item, [HELD], START + timedelta(days=99)) is not None) is held  # type: ignore[arg-type]


def test_an_end_of_its_own_comes_first() -> None:
    silence = made_for(*episodes_of([A]), ends_after=timedelta(hours=1))

    assert silencer(A, [silence], START + timedelta(minutes=59)) is silence
    assert silencer(A, [silence], START + timedelta(hours=1)) is None


@pytest.mark.parametrize(
    ("firing", "over"),
    [
        pytest.param([A], False, id="it fires"),
        pytest.param([], True, id="it ended"),
        pytest.param([attrs.evolve(A, episode=3)], True, id="it ended and fires again"),
        pytest.param([attrs.evolve(A, state=State.PENDING)], True, id="it waits again"),
    ],
)
def test_it_is_over_when_all_it_was_made_for_has_ended(firing: list[object], over: bool) -> None:
    assert bool(outlived([HELD], firing)) is over  # type: ignore[arg-type]


def test_one_that_was_made_for_no_episode_is_not_outlived() -> None:
    assert outlived([made_for()], []) == ()


@pytest.mark.parametrize(
    ("hours", "state"), [(-1, SilenceState.PENDING), (0, SilenceState.ACTIVE), (1, SilenceState.EXPIRED)]
)
def test_where_it_stands(hours: int, state: SilenceState) -> None:
    assert made_for(ends_after=timedelta(hours=1)).state(START + timedelta(hours=hours)) is state
