"""Groups and their ticks: computed from the first flush, never slept."""

from __future__ import annotations

from datetime import datetime, timedelta

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from alertd.notify.group import flushed, next_tick, open_group, reopened, touch
from alertd.notify.pace import Pace
from alertd.store.values import Conversation, Group

from .alerts import START

SECOND, MINUTE, HOUR, DAY = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
INSTANT = timedelta(microseconds=1)
PACE = Pace(group_wait=30 * SECOND, group_interval=5 * MINUTE)
FIRST = START + 30 * SECOND


def fresh() -> Group:
    return open_group("root:{}", "root", {"tenant": "contoso"}, PACE, START)


def tick(number: int) -> datetime:
    return FIRST + number * 5 * MINUTE


def resting(*, at: datetime = FIRST, due: datetime = FIRST + DAY) -> Group:
    """Give a group that was flushed and has nothing new."""
    return attrs.evolve(fresh(), sequence=1, flushed_at=at, dirty=False, due_at=due)


def test_the_defaults_of_the_contract() -> None:
    assert Pace() == Pace(group_wait=30 * SECOND, group_interval=5 * MINUTE, repeat_interval=DAY)


def test_a_group_is_first_flushed_after_group_wait() -> None:
    group = fresh()

    assert (group.opened_at, group.first_flush_at, group.due_at) == (START, FIRST, FIRST)
    assert (group.dirty, group.sequence, group.flushed_at) == (True, 0, None)
    assert (group.key, group.route_id, group.labels) == ("root:{}", "root", {"tenant": "contoso"})


@pytest.mark.parametrize(
    ("instant", "expected"),
    [
        pytest.param(START - DAY, FIRST, id="long before the first flush"),
        pytest.param(FIRST - INSTANT, FIRST, id="just before the first flush"),
        pytest.param(FIRST, FIRST, id="the first flush itself"),
        pytest.param(FIRST + INSTANT, tick(1), id="just after it"),
        pytest.param(tick(1) - INSTANT, tick(1), id="just before a tick"),
        pytest.param(tick(1), tick(1), id="a tick itself"),
        pytest.param(tick(1) + INSTANT, tick(2), id="just after a tick"),
        pytest.param(tick(10_000_000), tick(10_000_000), id="a century on, to the microsecond"),
        pytest.param(tick(10_000_000) + INSTANT, tick(10_000_001), id="... and just after"),
    ],
)
def test_the_next_tick(instant: datetime, expected: datetime) -> None:
    assert next_tick(fresh(), PACE, instant) == expected


spans = st.timedeltas(timedelta(0), 400 * DAY)
intervals = st.timedeltas(SECOND, 30 * DAY)


@given(spans, intervals)
def test_a_tick_is_whole_intervals_from_the_first_flush(after: timedelta, interval: timedelta) -> None:
    """Whole numbers throughout: a float would drift by microseconds, and a tick missed by one is an interval late."""
    pace, instant = attrs.evolve(PACE, group_interval=interval), FIRST + after

    found = next_tick(fresh(), pace, instant)

    assert (found - FIRST) % interval == timedelta(0)
    assert instant <= found < instant + interval


# Something new.


@pytest.mark.parametrize(
    ("group", "now", "due"),
    [
        pytest.param(resting(), FIRST + INSTANT, tick(1), id="just after a flush: at the next tick"),
        pytest.param(resting(), tick(1) - INSTANT, tick(1), id="just before a tick: at that tick"),
        pytest.param(resting(), tick(1), tick(1), id="at a tick's own instant: at that tick"),
        pytest.param(resting(), FIRST, tick(1), id="at the instant of the flush, after it: at the next"),
        pytest.param(resting(at=tick(3)), tick(3), tick(4), id="the same at a later tick"),
        pytest.param(resting(at=tick(3) + SECOND), tick(3) + 2 * SECOND, tick(4), id="after a late flush"),
        pytest.param(resting(at=tick(3) + SECOND), tick(4), tick(4), id="a late flush moves no tick"),
        pytest.param(resting(due=tick(2)), tick(3), tick(2), id="what is overdue stays so"),
        pytest.param(resting(due=tick(1)), FIRST + SECOND, tick(1), id="what is due then anyway"),
        pytest.param(resting(due=tick(1)), tick(0) + INSTANT, tick(1), id="never later than it was"),
    ],
)
def test_a_change_goes_out_at_the_next_tick(group: Group, now: datetime, due: datetime) -> None:
    assert touch(group, PACE, now) == attrs.evolve(group, dirty=True, due_at=due)


def test_before_its_first_flush_a_change_moves_nothing() -> None:
    group = fresh()

    assert touch(group, PACE, START + 29 * SECOND) is group
    assert touch(attrs.evolve(group, dirty=False), PACE, START) == group


# Nothing new.


@pytest.mark.parametrize(
    ("now", "again_at", "due"),
    [
        pytest.param(FIRST, None, FIRST + DAY, id="a bounded look once a day"),
        pytest.param(FIRST + INSTANT, None, tick(289), id="... at a tick"),
        pytest.param(tick(1), tick(1), tick(2), id="something is held back: at the next tick"),
        pytest.param(tick(1) + SECOND, tick(1) + SECOND, tick(2), id="the same after a late flush"),
        pytest.param(tick(2) - SECOND, tick(2) - SECOND, tick(2), id="the same after a very late flush"),
        pytest.param(tick(1), tick(3), tick(3), id="a repeat at a tick"),
        pytest.param(tick(1), tick(3) - INSTANT, tick(3), id="a repeat just before a tick"),
        pytest.param(tick(1), tick(3) + INSTANT, tick(4), id="a repeat just after a tick: at the first tick after it"),
        pytest.param(tick(5), tick(3), tick(6), id="what was due before is due at the next"),
    ],
)
def test_when_to_look_again(now: datetime, again_at: datetime | None, due: datetime) -> None:
    after = flushed(fresh(), PACE, now, again_at=again_at)

    assert after == attrs.evolve(fresh(), sequence=1, flushed_at=now, dirty=False, due_at=due)


@given(spans, st.none() | spans, intervals)
def test_a_flush_is_never_due_at_once_again(after: timedelta, again: timedelta | None, interval: timedelta) -> None:
    """A group that stayed due at `now` would be flushed for ever."""
    pace, now = attrs.evolve(PACE, group_interval=interval), FIRST + after

    group = flushed(fresh(), pace, now, again_at=None if again is None else FIRST + again)

    assert group.due_at > now
    assert (group.due_at - FIRST) % interval == timedelta(0)
    assert touch(group, pace, now).due_at > now


@given(spans, spans, intervals)
def test_a_change_waits_for_less_than_an_interval(after: timedelta, later: timedelta, interval: timedelta) -> None:
    pace, now = attrs.evolve(PACE, group_interval=interval), FIRST + after
    group = flushed(fresh(), pace, now, again_at=None)

    touched = touch(group, pace, now + later)

    assert touched.dirty
    assert touched.due_at - (now + later) <= interval
    assert touched.due_at <= group.due_at


def test_an_interval_changed_by_a_reload_is_counted_from_the_same_first_flush() -> None:
    group = resting(at=tick(3))
    slower = attrs.evolve(PACE, group_interval=HOUR)

    assert touch(group, slower, tick(3) + SECOND).due_at == FIRST + HOUR


# A group that has ended, and of which somebody has still to hear.


@pytest.mark.parametrize(
    ("now", "due"),
    [
        pytest.param(tick(3), tick(4), id="at a tick: at the next"),
        pytest.param(tick(3) + INSTANT, tick(4), id="just after a tick"),
        pytest.param(tick(4) - INSTANT, tick(4), id="just before a tick"),
    ],
)
def test_a_group_is_opened_again_with_the_ticks_of_its_conversation(now: datetime, due: datetime) -> None:
    talk = Conversation(
        id="c",
        group_key="root:{}",
        route_id="root",
        group_labels={"tenant": "contoso"},
        integration_id="i",
        receiver="r",
        started_at=FIRST,
    )

    group = reopened(talk, PACE, now)

    assert (group.key, group.route_id, group.labels) == ("root:{}", "root", {"tenant": "contoso"})
    assert (group.opened_at, group.first_flush_at, group.flushed_at, group.due_at) == (FIRST, FIRST, now, due)
    assert touch(group, PACE, now).due_at == due
