"""The life of one alert, sentence by sentence."""

from __future__ import annotations

from datetime import timedelta

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from alertd.alerts.lifecycle import NEW_SERIES_NOTE, Conditions, advance, demoted, end, told_about
from alertd.model.alert import Alert, Ended, Evidence, Identity, State
from alertd.model.change import Change
from alertd.model.resources import SynchronizationStatus

from .alerts import START, alert, ended

MINUTE = timedelta(minutes=1)
IDENTITY = Identity(rule="JobQuarantined", tenant_key="global/1", service_principal_id="sp-1", job_id="SF.1")


def seen(active: bool, *, cleared: bool | None = None, **more: object) -> Conditions:
    """Give what a rule says; without `clear_when` it is cleared exactly when it is not active."""
    settings: dict[str, object] = {"severity": "critical", "labels": {"alertname": "JobQuarantined"}, **more}
    return Conditions(identity=IDENTITY, active=active, cleared=not active if cleared is None else cleared, **settings)


def live(words: str, every: timedelta = MINUTE, begin: Alert | None = None, **more: object) -> list[Alert | None]:
    """Evaluate once a minute: `+` true, `-` false and cleared, `~` false and not cleared, `.` frozen."""
    lives, now = [begin], START
    for word in words:
        conditions = seen(word == "+", cleared=word == "-", **more)
        lives.append(lives[-1] if word == "." else advance(lives[-1], conditions, now))
        now += every
    return lives[1:]


LETTERS = {State.PENDING: "p", State.FIRING: "F", State.RESOLVED: "r", State.BASELINE: "b"}


def written(lives: list[Alert | None]) -> str:
    return "".join("." if one is None else LETTERS[one.state] for one in lives)


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


def evidence(code: str, *changes: Change) -> Evidence:
    return Evidence(status=SynchronizationStatus(code=code), changes=changes)


BEGAN = Change("status.code", "Active", "Quarantine")


def test_what_changed_at_its_beginning_stays_while_the_status_moves_on() -> None:
    first = advance(None, seen(True, evidence=evidence("Quarantine", BEGAN), changed=True), START)
    later = evidence("Quarantine", Change("status.escrowsPruned", False, True))
    moved = attrs.evolve(later, status=SynchronizationStatus(code="Quarantine", escrowsPruned=True))

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


# Raising and lowering `for`.


def test_raising_for_sends_a_firing_alert_back_to_pending() -> None:
    firing = live("++")[-1]

    back = advance(firing, seen(True, hold_duration=10 * MINUTE), START + 2 * MINUTE)

    assert firing is not None
    assert back == attrs.evolve(firing, state=State.PENDING)
    assert back is not None
    assert demoted(back)
    assert told_about(back)


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
