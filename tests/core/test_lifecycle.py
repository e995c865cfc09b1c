"""The life of one alert, sentence by sentence."""

from __future__ import annotations

from datetime import timedelta

import attrs
import pytest

from alertd.alerts.lifecycle import Conditions, advance, demoted, told_about
from alertd.model.alert import Alert, Ended, State
from alertd.model.change import Change

from .alerts import START, alert, ended
from .lives import BEGAN, MINUTE, evidence, live, seen, written


@pytest.mark.parametrize(
    ("hold", "keep", "words", "states"),
    [
        pytest.param(0, 0, "--", "..", id="false: nothing to remember"),
        pytest.param(0, 0, "~~", "..", id="false and not cleared: nothing either"),
        pytest.param(0, 0, "-+++", ".FFF", id="without `for` it fires at once"),
        pytest.param(0, 0, "+-", "Fr", id="without keep_firing_for it resolves at once"),
        pytest.param(0, 0, "+~~-", "FFFr", id="clear_when keeps it firing until it holds"),
        pytest.param(0, 0, "+-~", "Frr", id="what has resolved stays so"),
        pytest.param(0, 0, "+-+", "FrF", id="true again after the end: fires again"),
        pytest.param(3, 0, "++++", "pppF", id="fires when it has held for exactly `for`"),
        pytest.param(3, 0, "+++-", "ppp.", id="false just before `for`: forgotten"),
        pytest.param(3, 0, "+~", "p.", id="a pending alert falls back though clear_when does not hold"),
        pytest.param(3, 0, "++-++++", "pp.pppF", id="`for` begins anew after a break"),
        pytest.param(3, 0, "+..+", "pppF", id="frozen in between: the wall time of the outage counts"),
        pytest.param(3, 0, "+....", "ppppp", id="`for` does not run out while frozen"),
        pytest.param(3, 0, "+....+", "pppppF", id="... but at the first good reading"),
        pytest.param(3, 0, "+....-", "ppppp.", id="... if it is still true then"),
        pytest.param(0, 3, "+----", "FFFFr", id="resolves when it has been clear for exactly keep_firing_for"),
        pytest.param(0, 3, "+---+---", "FFFFFFFF", id="true again in between: the kept time begins anew"),
        pytest.param(0, 3, "+---~----", "FFFFFFFFr", id="not cleared in between: the kept time begins anew"),
        pytest.param(0, 3, "+-..-", "FFFFr", id="frozen in between: the wall time of the outage counts"),
        pytest.param(0, 3, "+-....", "FFFFFF", id="the kept time does not run out while frozen"),
        pytest.param(0, 3, "+-...+", "FFFFFF", id="true again after the outage: still the same"),
        pytest.param(1, 1, "++++--", "pFFFFr", id="both, as Prometheus has it"),
        pytest.param(5, 5, "+++++-", "ppppp.", id="what never fired is never kept firing"),
        pytest.param(3, 0, "++++-+-", "pppFrpr", id="an end that may be untold outlives a short return"),
        pytest.param(3, 0, "++++-++++", "pppFrpppF", id="`for` counts after the end as before"),
        pytest.param(0, 2, "+-+-+-+-+-+-+", "FFFFFFFFFFFFF", id="flapping within the kept time is one episode"),
    ],
)
def test_states_minute_by_minute(hold: int, keep: int, words: str, states: str) -> None:
    lives = live(words, hold_duration=hold * MINUTE, keep_firing_for=keep * MINUTE)

    assert written(lives) == states


@pytest.mark.parametrize(
    ("held", "state"),
    [
        pytest.param(timedelta(minutes=5, microseconds=-1), State.PENDING, id="a microsecond less"),
        pytest.param(timedelta(minutes=5), State.FIRING, id="exactly"),
        pytest.param(timedelta(minutes=5, microseconds=1), State.FIRING, id="a microsecond more"),
    ],
)
def test_hold_duration_to_the_instant(held: timedelta, state: State) -> None:
    pending = advance(None, seen(True, hold_duration=5 * MINUTE), START)

    after = advance(pending, seen(True, hold_duration=5 * MINUTE), START + held)

    assert after is not None
    assert after.state is state


@pytest.mark.parametrize(
    ("clear", "state"),
    [
        pytest.param(timedelta(minutes=5, microseconds=-1), State.FIRING, id="a microsecond less"),
        pytest.param(timedelta(minutes=5), State.RESOLVED, id="exactly"),
        pytest.param(timedelta(minutes=5, microseconds=1), State.RESOLVED, id="a microsecond more"),
    ],
)
def test_keep_firing_for_to_the_instant(clear: timedelta, state: State) -> None:
    kept = advance(alert(), seen(False, keep_firing_for=5 * MINUTE), START)

    after = advance(kept, seen(False, keep_firing_for=5 * MINUTE), START + clear)

    assert after is not None
    assert after.state is state


# Instants.


def test_instants_of_an_episode() -> None:
    lives = live("++++--", hold_duration=2 * MINUTE, keep_firing_for=MINUTE)

    last = lives[-1]

    assert last is not None
    assert (last.activeSince, last.startsAt, last.endsAt) == (START, START + 2 * MINUTE, START + 5 * MINUTE)
    assert last.ended is Ended.RESOLVED


def test_a_return_within_the_kept_time_keeps_every_instant() -> None:
    kept, back = live("+-+", keep_firing_for=5 * MINUTE)[1:]

    assert kept is not None
    assert back is not None
    assert kept.clearSince == START + MINUTE
    assert attrs.evolve(kept, clearSince=None) == back
    assert (back.startsAt, back.episode, back.clearSince) == (START, 1, None)


@pytest.mark.parametrize(
    ("begin", "conditions"),
    [
        pytest.param(None, seen(False), id="inactive"),
        pytest.param(alert(state=State.PENDING, episode=0), seen(True, hold_duration=MINUTE), id="pending, not yet"),
        pytest.param(alert(), seen(True), id="firing on"),
        pytest.param(alert(), seen(False, cleared=False), id="neither true nor cleared"),
        pytest.param(alert(clearSince=START), seen(False, keep_firing_for=MINUTE), id="kept firing"),
        pytest.param(ended(), seen(False), id="resolved"),
        pytest.param(alert(state=State.BASELINE, episode=0), seen(True), id="baseline"),
    ],
)
def test_nothing_new_is_the_very_same_object(begin: Alert | None, conditions: Conditions) -> None:
    """So that an unchanged alert costs no write."""
    assert advance(begin, conditions, START) is begin


# Episodes.


def test_episodes_are_counted_from_one() -> None:
    lives = live("+-+--+")

    assert [one.episode for one in lives if one] == [1, 1, 2, 2, 2, 3]
    assert [one.inherits_from for one in lives if one] == [1] * 6


def test_firing_again_before_the_end_was_told_is_a_new_episode_that_inherits() -> None:
    again = live("+-+")[-1]

    assert again is not None
    assert (again.episode, again.inherits_from, again.startsAt) == (2, 1, START + 2 * MINUTE)
    assert (again.ended, again.endsAt, again.clearSince) == (None, None, None)


def test_an_end_stays_to_be_told_while_the_condition_is_pending_again() -> None:
    lives = live("+++-+", hold_duration=2 * MINUTE)
    pending = lives[-1]

    assert pending is not None
    assert (pending.state, pending.ended, pending.endsAt) == (State.PENDING, Ended.RESOLVED, START + 3 * MINUTE)
    assert pending.activeSince == START + 4 * MINUTE
    assert not demoted(pending)
    assert not told_about(pending)


def test_falling_back_then_leaves_the_untold_end_as_it_was() -> None:
    lives = live("+++-+-", hold_duration=2 * MINUTE)

    assert lives[-1] == attrs.evolve(lives[3], activeSince=START + 4 * MINUTE)


def test_labels_severity_and_template_are_fixed_for_an_episode() -> None:
    first = advance(None, seen(True, labels={"team": "a"}, severity="error", template="a"), START)
    relabelled = seen(True, labels={"team": "b"}, severity="info", template="b")

    assert advance(first, relabelled, START + MINUTE) is first


def test_the_next_episode_takes_the_labels_of_its_time() -> None:
    over = advance(advance(None, seen(True, labels={"team": "a"}), START), seen(False), START + MINUTE)

    again = advance(over, seen(True, labels={"team": "b"}, severity="info", template="b"), START + 2 * MINUTE)

    assert again is not None
    assert (again.labels, again.severity, again.template) == ({"team": "b"}, "info", "b")


def test_labels_are_those_of_the_moment_it_begins_to_fire() -> None:
    pending = advance(None, seen(True, labels={"team": "a"}, hold_duration=MINUTE), START)

    fires = advance(pending, seen(True, labels={"team": "b"}, hold_duration=MINUTE), START + MINUTE)

    assert fires is not None
    assert fires.labels == {"team": "b"}


# Evidence.


def test_what_changed_at_its_beginning_stays_while_the_subject_moves_on() -> None:
    first = advance(None, seen(True, evidence=evidence("Quarantine", BEGAN), changed=True), START)
    moved = evidence("Paused", Change("status.code", "Quarantine", "Paused"))

    after = advance(first, seen(True, evidence=moved, changed=True), START + MINUTE)

    assert after is not None
    assert after.evidence == attrs.evolve(moved, changes=(BEGAN,))


def test_an_unchanged_reading_leaves_the_evidence() -> None:
    first = advance(None, seen(True, evidence=evidence("Quarantine", BEGAN), changed=True), START)

    assert advance(first, seen(True, evidence=evidence("Quarantine"), changed=False), START + MINUTE) is first


def test_an_end_brings_its_own_evidence() -> None:
    first = advance(None, seen(True, evidence=evidence("Quarantine", BEGAN), changed=True), START)
    left = evidence("Active", Change("status.code", "Quarantine", "Active"))

    over = advance(first, seen(False, evidence=left, changed=True), START + MINUTE)

    assert over is not None
    assert over.evidence == left
