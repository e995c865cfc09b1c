"""What one attempt makes of a delivery and its conversation."""

from __future__ import annotations

from datetime import datetime, timedelta

import attrs
import pytest

from alertd.errors import DeliveryError, DeliveryFailureReason
from alertd.model.notification import DeliveryState, Reason, Rendered
from alertd.notify.backoff import wait_before_next
from alertd.notify.outcome import LEASE, DeliveryPolicy, Outcome, claimed, failed, interrupted, succeeded
from alertd.store.values import Conversation, Delivery

from .alerts import START, alert, announced_line, told_line

SECOND, MINUTE, HOUR, DAY = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
INSTANT = timedelta(microseconds=1)
POLICY = DeliveryPolicy()
SKIP = DeliveryPolicy(on_unknown="skip")
A, B = (announced_line(alert(name).fingerprint) for name in "AB")
NOW = START + SECOND


def message(**more: object) -> Delivery:
    """Give a first message about A and B, being attempted for the first time at START."""
    given: dict[str, object] = {
        "state": DeliveryState.SENDING,
        "firing": (A, B),
        "attempts": 1,
        "first_attempt_at": START,
        "last_attempt_at": START,
        "leased_until": START + LEASE,
        "due_at": START,
        **more,
    }
    return Delivery(
        id="c-1",
        conversation_id="c",
        group_key="root:{}",
        integration_id="ops/email/default",
        receiver="ops",
        sequence=1,
        reason=Reason.FIRST_NOTIFICATION,
        rendered=Rendered(body=b"", content_type="text/plain"),
        decided_at=START,
        retry_until=START + DAY,
        **given,
    )


TALK = Conversation(
    id="c",
    group_key="root:{}",
    integration_id="ops/email/default",
    receiver="ops",
    started_at=START,
    sequence=1,
    announced=(A, B),
    open_delivery="c-1",
)


def error(
    *,
    retriable: bool = True,
    ambiguous: bool = False,
    wait: timedelta | None = None,
    left: tuple[str, ...] | None = None,
) -> DeliveryError:
    return DeliveryError(
        DeliveryFailureReason.SERVER_ERROR,
        "503",
        retriable=retriable,
        ambiguous=ambiguous,
        retry_after=wait,
        remaining=left,
    )


def told(outcome: Outcome) -> list[str]:
    assert outcome.conversation is not None
    return sorted(line.fingerprint for line in outcome.conversation.told)


BOTH = sorted([A.fingerprint, B.fingerprint])


# Waits.


@pytest.mark.parametrize(
    ("attempts", "wait"),
    [(1, 5 * SECOND), (2, 15 * SECOND), (3, MINUTE), (4, 5 * MINUTE), (5, 5 * MINUTE), (999, 5 * MINUTE)],
)
def test_waits_between_attempts(attempts: int, wait: timedelta) -> None:
    assert wait_before_next(attempts) == wait


def test_attempts_of_the_contract() -> None:
    """0, 5s, 20s, 1m20s, 6m20s, 11m20s after the first."""
    offsets = [timedelta(0)]
    for attempts in range(1, 6):
        offsets.append(offsets[-1] + wait_before_next(attempts))

    assert [offset.total_seconds() for offset in offsets] == [0, 5, 20, 80, 380, 680]


@pytest.mark.parametrize(("chance", "wait"), [(0.0, 60), (0.5, 63), (1.0, 66)])
def test_jitter_is_a_tenth_at_most(chance: float, wait: float) -> None:
    assert wait_before_next(3, chance=chance) == timedelta(seconds=wait)


@pytest.mark.parametrize(
    ("asked", "wait"),
    [
        pytest.param(None, 15, id="not asked"),
        pytest.param(timedelta(0), 15, id="asked for none"),
        pytest.param(14 * SECOND, 15, id="shorter: our own"),
        pytest.param(90 * SECOND, 90, id="longer: the receiver's"),
    ],
)
def test_retry_after_wins_if_longer(asked: timedelta | None, wait: float) -> None:
    assert wait_before_next(2, asked) == timedelta(seconds=wait)


# Claims.


def test_a_claim_leaves_a_trace_before_the_attempt() -> None:
    waiting = message(state=DeliveryState.PENDING, attempts=0, first_attempt_at=None, last_attempt_at=None)

    taken = claimed(attrs.evolve(waiting, leased_until=None), NOW)

    assert taken == attrs.evolve(
        waiting,
        state=DeliveryState.SENDING,
        attempts=1,
        first_attempt_at=NOW,
        last_attempt_at=NOW,
        leased_until=NOW + LEASE,
    )


def test_a_later_claim_keeps_the_first_attempt() -> None:
    again = claimed(message(state=DeliveryState.UNKNOWN), NOW + MINUTE)

    assert (again.attempts, again.first_attempt_at, again.last_attempt_at) == (2, START, NOW + MINUTE)


# Accepted.


def test_an_accepted_message_is_told() -> None:
    outcome = succeeded(message(error="503", error_reason="server_error"), TALK, "id 7", NOW)

    assert outcome.delivery == message(
        state=DeliveryState.DELIVERED, ended_at=NOW, leased_until=None, detail="id 7", error="", error_reason=""
    )
    assert told(outcome) == BOTH
    assert outcome.conversation is not None
    assert (outcome.conversation.announced, outcome.conversation.open_delivery) == ((), None)
    assert outcome.ended
    assert outcome.accepted


@pytest.mark.parametrize(
    ("attempts", "accepted_at", "clock"),
    [
        pytest.param(1, START + SECOND, START, id="at once: from the decision, so that repeats do not drift"),
        pytest.param(1, START + LEASE, START, id="within the lease of a first attempt"),
        pytest.param(1, START + LEASE + INSTANT, START + LEASE + INSTANT, id="beyond it: from the acceptance"),
        pytest.param(1, START + 3 * DAY, START + 3 * DAY, id="first attempted days later: from the acceptance"),
        pytest.param(2, START + 5 * SECOND, START + 5 * SECOND, id="after a retry: from the acceptance"),
    ],
)
def test_the_repeat_clock(attempts: int, accepted_at: datetime, clock: datetime) -> None:
    outcome = succeeded(message(attempts=attempts), TALK, "", accepted_at)

    assert outcome.conversation is not None
    assert outcome.conversation.last_message_at == clock


def test_an_end_that_is_told_leaves_the_ledger() -> None:
    known = attrs.evolve(TALK, told=(told_line(A.fingerprint), told_line(B.fingerprint)), announced=())

    outcome = succeeded(message(firing=(B,), resolved=(A,)), known, "", NOW)

    assert told(outcome) == [B.fingerprint]


def test_what_is_still_only_announced_stands_in_a_fixed_order() -> None:
    """So that the same ledger is always the same row."""
    lines = tuple(announced_line(name, episode) for name, episode in [("d", 2), ("c", 1), ("e", 1)])

    outcome = succeeded(message(), attrs.evolve(TALK, announced=(*lines, A)), "", NOW)

    assert outcome.conversation is not None
    assert [line.fingerprint for line in outcome.conversation.announced] == ["c", "d", "e"]


def test_a_message_whose_conversation_is_gone_is_delivered_all_the_same() -> None:
    outcome = succeeded(message(), None, "", NOW)

    assert (outcome.delivery.state, outcome.conversation) == (DeliveryState.DELIVERED, None)


# Not accepted.


@pytest.mark.parametrize(
    ("attempts", "wait"),
    [(1, 5 * SECOND), (2, 15 * SECOND), (3, MINUTE), (4, 5 * MINUTE)],
)
def test_a_failed_attempt_is_repeated(attempts: int, wait: timedelta) -> None:
    outcome = failed(message(attempts=attempts), TALK, error(), POLICY, NOW)

    assert outcome.delivery == message(
        attempts=attempts,
        state=DeliveryState.PENDING,
        due_at=NOW + wait,
        leased_until=None,
        error="503",
        error_reason="server_error",
    )
    assert outcome.conversation == TALK
    assert not outcome.ended
    assert not outcome.accepted


def test_jitter_and_retry_after_reach_the_next_attempt() -> None:
    assert failed(message(), TALK, error(), POLICY, NOW, chance=1.0).delivery.due_at == NOW + 5.5 * SECOND
    assert failed(message(), TALK, error(wait=HOUR), POLICY, NOW).delivery.due_at == NOW + HOUR


def test_a_refusal_is_final() -> None:
    outcome = failed(message(), TALK, error(retriable=False), POLICY, NOW)

    assert (outcome.delivery.state, outcome.delivery.ended_at) == (DeliveryState.FAILED, NOW)
    assert outcome.conversation == attrs.evolve(TALK, open_delivery=None)
    assert outcome.ended
    assert not outcome.accepted


@pytest.mark.parametrize(
    ("now", "state"),
    [
        pytest.param(START + DAY - 5 * MINUTE, DeliveryState.PENDING, id="the next attempt is exactly at the limit"),
        pytest.param(START + DAY - 5 * MINUTE + INSTANT, DeliveryState.FAILED, id="the next would be after it"),
    ],
)
@pytest.mark.parametrize("ambiguous", [False, True])
def test_retries_end_at_the_limit(now: datetime, state: DeliveryState, ambiguous: bool) -> None:
    outcome = failed(message(attempts=9), TALK, error(ambiguous=ambiguous), POLICY, now)

    waits = DeliveryState.UNKNOWN if ambiguous else DeliveryState.PENDING
    assert outcome.delivery.state is (waits if state is DeliveryState.PENDING else state)


def test_a_wait_beyond_the_limit_is_not_waited_for() -> None:
    assert failed(message(), TALK, error(wait=2 * DAY), POLICY, NOW).delivery.state is DeliveryState.FAILED


def test_the_policy_of_the_contract() -> None:
    assert DeliveryPolicy() == DeliveryPolicy(retry_for=DAY, on_unknown="retry")


# A decision that was put off.


@pytest.mark.parametrize(
    ("put_off", "error", "settles"),
    [
        pytest.param(True, error(), True, id="pending again: it can be replaced"),
        pytest.param(False, error(), False, id="pending again, and nothing was put off"),
        pytest.param(True, error(ambiguous=True), False, id="nobody knows yet"),
        pytest.param(True, error(retriable=False), True, id="given up"),
        pytest.param(False, error(retriable=False), True, id="given up, and nothing was put off"),
    ],
)
def test_when_it_can_be_taken(put_off: bool, error: DeliveryError, settles: bool) -> None:
    outcome = failed(message(), attrs.evolve(TALK, recheck=put_off), error, POLICY, NOW)

    assert outcome.settles is settles


def test_without_a_conversation_nothing_was_put_off() -> None:
    assert not failed(message(), None, error(), POLICY, NOW).settles
    assert succeeded(message(), None, "", NOW).settles


# Nobody knows.


@pytest.mark.parametrize("retriable", [True, False])
def test_an_ambiguous_attempt_is_unknown_and_repeated(retriable: bool) -> None:
    outcome = failed(message(), TALK, error(ambiguous=True, retriable=retriable), POLICY, NOW)

    assert outcome.delivery.state is DeliveryState.UNKNOWN
    assert outcome.delivery.due_at == NOW + 5 * SECOND
    assert outcome.delivery.ambiguous
    assert outcome.conversation == TALK
    assert not outcome.ended


def test_once_ambiguous_always_ambiguous() -> None:
    """A later clean refusal says nothing about the attempt before it: the text goes on saying "may be a repeat"."""
    assert failed(message(attempts=2, ambiguous=True), TALK, error(), POLICY, NOW).delivery.ambiguous


def test_an_ambiguous_attempt_can_be_left_at_that() -> None:
    outcome = failed(message(), TALK, error(ambiguous=True), SKIP, NOW)

    assert (outcome.delivery.state, outcome.delivery.ended_at) == (DeliveryState.SKIPPED, NOW)
    assert told(outcome) == BOTH
    assert outcome.conversation is not None
    assert (outcome.conversation.open_delivery, outcome.conversation.last_message_at) == (None, NOW)
    assert outcome.ended
    assert not outcome.accepted


def test_skipping_is_for_unknown_outcomes_alone() -> None:
    assert failed(message(), TALK, error(), SKIP, NOW).delivery.state is DeliveryState.PENDING


def test_an_attempt_in_which_the_process_died_is_unknown() -> None:
    noted = failed(message(), TALK, interrupted(), POLICY, NOW).delivery
    assert (noted.state, noted.error, noted.error_reason) == (
        DeliveryState.UNKNOWN,
        "the process ended during an attempt",
        "cancelled",
    )
    assert failed(message(), TALK, interrupted(), SKIP, NOW).delivery.state is DeliveryState.SKIPPED


# Mail: some recipients took it.

OPEN = ("a@example.com", "b@example.com", "c@example.com")


def test_a_partial_acceptance_shrinks_the_list_and_counts_as_told() -> None:
    outcome = failed(message(recipients=OPEN), TALK, error(left=OPEN[1:]), POLICY, NOW)

    assert outcome.delivery.recipients == OPEN[1:]
    assert (outcome.delivery.state, outcome.delivery.id) == (DeliveryState.PENDING, "c-1")
    assert told(outcome) == BOTH
    assert outcome.conversation is not None
    assert outcome.conversation.open_delivery == "c-1"
    assert outcome.conversation.last_message_at == NOW


@pytest.mark.parametrize(
    "left",
    [
        pytest.param(OPEN, id="nobody took it"),
        pytest.param(OPEN[::-1], id="in any order"),
        pytest.param(None, id="no list"),
    ],
)
def test_without_a_partial_acceptance_nothing_is_told(left: tuple[str, ...] | None) -> None:
    outcome = failed(message(recipients=OPEN), TALK, error(left=left), POLICY, NOW)

    assert outcome.delivery.recipients == OPEN
    assert told(outcome) == []


def test_recipients_that_refuse_for_good_end_a_message_that_others_took() -> None:
    outcome = failed(message(recipients=OPEN), TALK, error(left=OPEN[2:], retriable=False), POLICY, NOW)

    assert (outcome.delivery.state, outcome.delivery.recipients) == (DeliveryState.FAILED, OPEN[2:])
    assert told(outcome) == BOTH


def test_the_rest_of_a_partial_acceptance() -> None:
    first = failed(message(recipients=OPEN), TALK, error(left=OPEN[1:]), POLICY, NOW)

    rest = succeeded(claimed(first.delivery, NOW + MINUTE), first.conversation, "", NOW + MINUTE)

    assert rest.delivery.recipients == ()
    assert told(rest) == BOTH
    assert rest.conversation is not None
    assert {line.at for line in rest.conversation.told} == {NOW}, "told when the first of them took it"


def test_a_reminder_that_recipients_take_one_after_the_other_is_one_reminder() -> None:
    reminder = attrs.evolve(message(recipients=OPEN), reason=Reason.REPEAT, repeats=3)
    first = failed(reminder, TALK, error(left=OPEN[1:]), POLICY, NOW)

    rest = succeeded(claimed(first.delivery, NOW + MINUTE), first.conversation, "", NOW + MINUTE)

    assert rest.conversation is not None
    assert rest.conversation.repeats == 3
