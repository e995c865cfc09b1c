"""What one attempt at an integration makes of its delivery and its conversation.

    pending -> sending -> delivered | pending (retry) | unknown | failed      unknown -> sending | skipped      pending -> superseded

The told-ledger changes only here, and only when a receiver accepted something. A message that was skipped after an unknown outcome counts as
told: whoever chose to skip holds that it arrived, and announcing it anew would be the repeat that was declined.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Literal

import attrs

from alertd.errors import DeliveryError, DeliveryFailureReason
from alertd.model.notification import DeliveryState
from alertd.notify.backoff import wait_before_next
from alertd.notify.decide import assume, ledger
from alertd.store.values import Conversation, Delivery

LEASE = timedelta(minutes=2)  # an attempt is bounded by 30 s; four times that is a dead worker


@attrs.frozen(kw_only=True)
class DeliveryPolicy:
    """How long to try, and what to do when nobody knows whether a message arrived."""

    retry_for: timedelta = timedelta(hours=24)
    on_unknown: Literal["retry", "skip"] = "retry"


@attrs.frozen(kw_only=True)
class Outcome:
    """A delivery and its conversation after an attempt.

    ended: no further attempt will be made, so a decision that was put off can be taken. accepted: the integration works again.
    told_at: since when what it says counts as told; null where nobody took it.
    """

    delivery: Delivery
    conversation: Conversation | None
    told_at: datetime | None = None

    @property
    def ended(self) -> bool:
        """Whether the delivery is at its end."""
        return self.delivery.ended_at is not None

    @property
    def settles(self) -> bool:
        """Whether a decision that was put off can be taken: the delivery is at its end, or pending again and so replaceable."""
        put_off = self.conversation is not None and self.conversation.recheck
        return self.ended or (put_off and self.delivery.state is DeliveryState.PENDING)

    def shared_with(self, conversation: Conversation) -> Conversation:
        """Give one of the conversations that a summary speaks for, after the attempt."""
        return _after(self.delivery, conversation, self.told_at)

    @property
    def accepted(self) -> bool:
        """Whether this attempt was accepted whole."""
        return self.delivery.state is DeliveryState.DELIVERED


def claimed(delivery: Delivery, now: datetime) -> Delivery:
    """Give the delivery as it is written before an attempt, so that a crash in it leaves a trace."""
    return attrs.evolve(
        delivery,
        state=DeliveryState.SENDING,
        attempts=delivery.attempts + 1,
        first_attempt_at=delivery.first_attempt_at or now,
        last_attempt_at=now,
        leased_until=now + LEASE,
    )


def succeeded(delivery: Delivery, conversation: Conversation | None, detail: str, now: datetime) -> Outcome:
    """Give what an accepted attempt makes of both."""
    ended = attrs.evolve(
        delivery,
        state=DeliveryState.DELIVERED,
        ended_at=now,
        leased_until=None,
        recipients=(),
        detail=detail,
        error="",
        error_reason="",
    )
    return _outcome(ended, conversation, _told_at(delivery, now))


def failed(
    delivery: Delivery,
    conversation: Conversation | None,
    error: DeliveryError,
    policy: DeliveryPolicy,
    now: datetime,
    *,
    chance: float = 0.0,
) -> Outcome:
    """Give what a failed attempt makes of both: another attempt, an unknown outcome, or the end."""
    shrunk = _shrunk(delivery, error)
    told_at = None if shrunk is delivery else now
    noted = attrs.evolve(shrunk, leased_until=None, error=str(error), error_reason=error.reason.value)
    if error.ambiguous and policy.on_unknown == "skip":
        ended = attrs.evolve(noted, state=DeliveryState.SKIPPED, ended_at=now)
        return _outcome(ended, conversation, now)
    due = now + wait_before_next(delivery.attempts, error.retry_after, chance=chance)
    if due > delivery.retry_until or not (error.retriable or error.ambiguous):
        ended = attrs.evolve(noted, state=DeliveryState.FAILED, ended_at=now)
        return _outcome(ended, conversation, told_at)
    state = DeliveryState.UNKNOWN if error.ambiguous else DeliveryState.PENDING
    again = attrs.evolve(noted, state=state, due_at=due, ambiguous=delivery.ambiguous or error.ambiguous)
    return _outcome(again, conversation, told_at)


def interrupted() -> DeliveryError:
    """Give the error of an attempt in which the process died: nobody knows whether the message went out."""
    return DeliveryError(
        DeliveryFailureReason.CANCELLED, "the process ended during an attempt", retriable=True, ambiguous=True
    )


def _shrunk(delivery: Delivery, error: DeliveryError) -> Delivery:
    """Keep only the recipients that are still open after a partial acceptance."""
    if error.remaining is None or set(error.remaining) == set(delivery.recipients):
        return delivery
    return attrs.evolve(delivery, recipients=error.remaining)


def _told_at(delivery: Delivery, now: datetime) -> datetime:
    """Start the repeat clock at the decision of a message that went out at once, so that repeats stay on their tick; else now."""
    at_once = delivery.attempts == 1 and now - delivery.decided_at <= LEASE
    return delivery.decided_at if at_once else now


def _outcome(delivery: Delivery, conversation: Conversation | None, told_at: datetime | None) -> Outcome:
    talk = None if conversation is None else _after(delivery, conversation, told_at)
    return Outcome(delivery=delivery, conversation=talk, told_at=told_at)


def _after(delivery: Delivery, conversation: Conversation, told_at: datetime | None) -> Conversation:
    """Give a conversation after an attempt at a message that speaks for it, alone or with others."""
    talk = conversation
    if told_at is not None:
        talk = _told(conversation, delivery.as_told_in(conversation.id), told_at)
    return talk if delivery.ended_at is None else attrs.evolve(talk, open_delivery=None)


def _told(conversation: Conversation, delivery: Delivery, at: datetime) -> Conversation:
    known = assume(ledger(conversation), delivery, at)
    return attrs.evolve(
        conversation,
        told=tuple(sorted(known.told.values(), key=lambda line: line.fingerprint)),
        announced=tuple(sorted(known.announced, key=lambda line: (line.fingerprint, line.episode))),
        last_message_at=known.last_message_at,
        as_of=known.as_of,
        given_up=(),
        repeats=known.repeats,
        acknowledged=conversation.acknowledged
        and attrs.evolve(conversation.acknowledged, told=known.acknowledgement_told),
    )
