"""Turns in the life of an alert: a changed `for`, a new series, baseline, ends beyond its condition; and what always holds."""

from __future__ import annotations

from datetime import timedelta

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from alertd.alerts.lifecycle import NEW_SERIES_NOTE, Conditions, advance, demoted, end, told_about
from alertd.model.alert import Alert, Ended, State

from .alerts import START, alert, ended
from .lives import BEGAN, MINUTE, evidence, live, seen, written

# Raising and lowering `for`.


def test_raising_for_sends_a_firing_alert_back_to_pending() -> None:
    firing = live("++")[-1]

    back = advance(firing, seen(True, hold_duration=10 * MINUTE), START + 2 * MINUTE)

    assert firing is not None
    assert back == attrs.evolve(firing, state=State.PENDING)
    assert back is not None
    assert demoted(back)
    assert told_about(back)


def test_only_a_pending_alert_is_a_demoted_one() -> None:
    assert not demoted(alert())
    assert not demoted(ended())


def test_a_demoted_alert_fires_on_as_the_same_episode() -> None:
    lives = live("++++", begin=alert(), hold_duration=3 * MINUTE)

    assert written(lives) == "pppF"
    assert lives[-1] == alert()


@pytest.mark.parametrize(
    ("words", "states"),
    [
        pytest.param("+-", "pr", id="it ends: told as for any firing alert"),
        pytest.param("+~-", "ppr", id="no end before clear_when holds"),
        pytest.param("+~~+", "pppF", id="true again before it was cleared"),
        pytest.param("+-+", "prp", id="after its end it is an ordinary pending alert"),
    ],
)
def test_a_demoted_alert_ends_as_a_firing_one(words: str, states: str) -> None:
    lives = live(words, begin=alert(), hold_duration=3 * MINUTE)

    assert written(lives) == states


def test_the_end_of_a_demoted_alert_is_a_true_end() -> None:
    over = live("+-", begin=alert(), hold_duration=3 * MINUTE)[-1]

    assert over is not None
    assert (over.ended, over.endsAt, over.episode, over.startsAt) == (Ended.RESOLVED, START + MINUTE, 1, START)


def test_a_raised_for_that_has_been_served_already_changes_nothing() -> None:
    firing = alert()

    assert advance(firing, seen(True, hold_duration=10 * MINUTE), START + 10 * MINUTE) is firing


def test_a_raised_for_does_not_touch_an_alert_that_is_kept_firing() -> None:
    kept = alert(clearSince=START)

    assert advance(kept, seen(False, hold_duration=9 * MINUTE, keep_firing_for=9 * MINUTE), START + MINUTE) is kept


def test_a_raised_for_ends_a_kept_time() -> None:
    """It is true again, so what was clear is so no more."""
    back = advance(alert(clearSince=START), seen(True, hold_duration=9 * MINUTE), START + MINUTE)

    assert back == alert(state=State.PENDING, startsAt=START)


def test_lowering_for_lets_a_pending_alert_fire_at_the_next_evaluation() -> None:
    pending = live("+", hold_duration=60 * MINUTE)[-1]

    fires = advance(pending, seen(True, hold_duration=5 * MINUTE), START + 5 * MINUTE)

    assert fires is not None
    assert (fires.state, fires.startsAt, fires.activeSince) == (State.FIRING, START + 5 * MINUTE, START)


# A new series: quarantine left and entered again between two readings.


def test_a_new_series_is_a_new_episode_that_inherits_nothing() -> None:
    firing = alert(clearSince=None)

    renewed = advance(
        firing, seen(True, new_series=True, changed=True, evidence=evidence("Quarantine")), START + MINUTE
    )

    assert renewed is not None
    assert (renewed.state, renewed.episode, renewed.inherits_from) == (State.FIRING, 2, 2)
    assert renewed.startsAt == START + MINUTE
    assert renewed.evidence == attrs.evolve(evidence("Quarantine"), note=NEW_SERIES_NOTE)


def test_a_new_series_ends_a_kept_time() -> None:
    renewed = advance(alert(clearSince=START), seen(True, new_series=True), START + MINUTE)

    assert renewed is not None
    assert renewed.clearSince is None


@pytest.mark.parametrize(
    "begin",
    [
        pytest.param(None, id="inactive"),
        pytest.param(alert(state=State.PENDING, episode=0), id="pending"),
        pytest.param(ended(), id="resolved"),
    ],
)
def test_a_new_series_means_nothing_to_what_does_not_fire(begin: Alert | None) -> None:
    plain = advance(begin, seen(True), START + MINUTE)

    assert advance(begin, seen(True, new_series=True), START + MINUTE) == plain


def test_the_episode_after_a_renewed_one_inherits_from_that() -> None:
    renewed = advance(alert(), seen(True, new_series=True), START + MINUTE)
    over = advance(renewed, seen(False), START + 2 * MINUTE)

    again = advance(over, seen(True), START + 3 * MINUTE)

    assert again is not None
    assert (again.episode, again.inherits_from) == (3, 2)


# Baseline.


def test_what_is_true_at_first_sight_can_be_taken_for_granted() -> None:
    lives = live("+", baseline=True)

    assert written(lives) == "b"
    assert lives[0] is not None
    assert (lives[0].episode, lives[0].startsAt) == (0, None)
    assert not told_about(lives[0])


def test_baseline_comes_before_for() -> None:
    assert written(live("+", baseline=True, hold_duration=MINUTE)) == "b"


def test_baseline_means_nothing_to_what_is_false() -> None:
    assert written(live("-~", baseline=True)) == ".."


@pytest.mark.parametrize(
    ("words", "states"),
    [
        pytest.param("+++", "bbb", id="as long as it is true"),
        pytest.param("-+", ".F", id="until it has once been false"),
        pytest.param("~+", ".F", id="whether or not clear_when holds"),
        pytest.param("..+", "bbb", id="not by a failed reading"),
    ],
)
def test_baseline_lasts(words: str, states: str) -> None:
    lives = live(words, begin=alert(state=State.BASELINE, episode=0))

    assert written(lives) == states


def test_baseline_does_not_swallow_an_end_that_may_be_untold() -> None:
    """A job vanished while its alert fired, and came back before the channel that is down could be told."""
    vanished = ended(how=Ended.GONE)

    granted = advance(vanished, seen(True, baseline=True), START + MINUTE)
    left = advance(granted, seen(False), START + 2 * MINUTE)

    assert granted is not None
    assert (granted.state, granted.ended) == (State.BASELINE, Ended.GONE)
    assert left is not None
    assert (left.state, left.ended, left.endsAt) == (State.RESOLVED, Ended.GONE, vanished.endsAt)


# Ends beyond the condition.


@pytest.mark.parametrize("how", [Ended.GONE, Ended.NOT_WATCHED, Ended.RULE_REMOVED])
@pytest.mark.parametrize(
    "begin",
    [
        pytest.param(alert(), id="firing"),
        pytest.param(alert(clearSince=START), id="kept firing"),
        pytest.param(alert(state=State.PENDING, startsAt=START), id="demoted"),
    ],
)
def test_an_end_of_another_kind(begin: Alert, how: Ended) -> None:
    over = end(begin, how, START + MINUTE)

    assert over == attrs.evolve(begin, state=State.RESOLVED, ended=how, endsAt=START + MINUTE, clearSince=None)


@pytest.mark.parametrize("state", [State.PENDING, State.BASELINE])
def test_what_nobody_could_have_heard_of_ends_without_a_trace(state: State) -> None:
    assert end(alert(state=state, episode=0), Ended.GONE, START) is None


@pytest.mark.parametrize("state", [State.PENDING, State.BASELINE])
def test_an_earlier_end_keeps_its_own_kind(state: State) -> None:
    waiting = ended(state=state)

    assert end(waiting, Ended.GONE, START + 9 * MINUTE) == attrs.evolve(waiting, state=State.RESOLVED)


def test_what_has_ended_does_not_end_again() -> None:
    over = ended()

    assert end(over, Ended.GONE, START + 9 * MINUTE) is over


def test_an_end_without_evidence_of_its_own_keeps_what_was_seen() -> None:
    firing = alert(evidence=evidence("Quarantine", BEGAN))

    over = end(firing, Ended.NOT_WATCHED, START + MINUTE)

    assert over is not None
    assert over.evidence == firing.evidence


# What must hold whatever a job does.

moments = st.tuples(
    st.sampled_from("+-~."),
    st.integers(0, 4).map(lambda minutes: minutes * MINUTE),
    st.integers(0, 3).map(lambda minutes: minutes * MINUTE),
    st.integers(0, 3).map(lambda minutes: minutes * MINUTE),
    st.booleans(),
)


@given(st.lists(moments, max_size=25))
def test_no_life_breaks_these_rules(
    story: list[tuple[str, timedelta, timedelta, timedelta, bool]],
) -> None:
    """`for` and keep_firing_for change at every step, as if the configuration were reloaded all the time."""
    before, now = None, START
    for word, waited, hold, keep, renewed in story:
        now += waited
        if word == ".":
            continue
        conditions = seen(
            word == "+", cleared=word == "-", hold_duration=hold, keep_firing_for=keep, new_series=renewed
        )
        after = advance(before, conditions, now)
        _check(before, after, conditions, now)
        before = after


def _check(before: Alert | None, after: Alert | None, conditions: Conditions, now: object) -> None:
    told = before is not None and told_about(before)
    if told:
        assert after is not None, "what was told of is never forgotten in silence"
        assert told_about(after) or (conditions.cleared and after.ended is Ended.RESOLVED and after.endsAt == now)
    if after is None:
        assert not conditions.active
        return
    assert after.inherits_from <= max(after.episode, 1)
    assert (after.startsAt is None) == (after.episode == 0)
    if after.state is State.FIRING:
        assert after.ended is None
        assert after.startsAt is not None
        if not told:
            assert conditions.active, "nothing begins to fire while it is false"
            assert now - after.activeSince >= conditions.hold_duration
            assert after.episode == (before.episode if before else 0) + 1
    elif after.state is State.RESOLVED:
        assert after.ended is not None
        assert not conditions.active
    if before is not None:
        assert after.episode - before.episode in {0, 1}
        assert (after.episode == before.episode) or after.startsAt == now
