"""From a message to a row of the outbox: rendered once, so that every attempt sends the very same bytes."""

from __future__ import annotations

from datetime import datetime

import attrs

from alertd.model.notification import Notification, Reason, Rendered
from alertd.notify.channels.port import Channel
from alertd.notify.flush import Turn, announced
from alertd.notify.outcome import DeliveryPolicy
from alertd.store.values import Conversation, Delivery


def message_of(talk: Conversation, turn: Turn, now: datetime, *, external_url: str | None) -> Notification:
    """Give the message of a turn that speaks, as its conversation's next."""
    decision = turn.decision
    return Notification(
        key=f"{talk.id}-{talk.sequence}",
        conversation=talk.id,
        sequence=talk.sequence,
        reason=decision.reason or Reason.EVENT,
        receiver=talk.receiver,
        group_key=talk.group_key,
        group_labels=talk.group_labels,
        firing=decision.firing,
        resolved=decision.resolved,
        events=decision.events,
        at=now,
        external_url=external_url,
        title=talk.title,
        stands_in_for=talk.stands_in_for if decision.reason is Reason.FALLBACK else (),
    )


def outgoing(
    channel: Channel,
    message: Notification,
    policy: DeliveryPolicy,
    now: datetime,
    *,
    replaces: Delivery | None = None,
    repeats: int = 0,
) -> Delivery:
    """Give the delivery of a message, due now. One that replaces another keeps its first attempt and its retry clock."""
    rendered = channel.render(message)
    delivery = Delivery(
        id=message.key,
        conversation_id=message.conversation,
        group_key=message.group_key,
        integration_id=channel.integration.id,
        receiver=message.receiver,
        sequence=message.sequence,
        reason=message.reason,
        repeats=repeats,
        rendered=rendered,
        repeat_rendered=_repeat(channel, message),
        firing=tuple(announced(alert) for alert in message.firing),
        resolved=tuple(announced(entry.alert) for entry in message.resolved),
        events=message.events,
        recipients=rendered.recipients,
        decided_at=now,
        due_at=now,
        retry_until=now + policy.retry_for,
    )
    return delivery if replaces is None else _in_place_of(replaces, delivery)


def _in_place_of(replaced: Delivery, delivery: Delivery) -> Delivery:
    return attrs.evolve(
        delivery,
        due_at=replaced.due_at,
        retry_until=replaced.retry_until,
        first_attempt_at=replaced.first_attempt_at,
        attempts=replaced.attempts,
    )


def _repeat(channel: Channel, message: Notification) -> Rendered | None:
    """Give what goes out after an attempt that may have arrived, where a second time would show."""
    if channel.integration.deduplicates:
        return None
    return channel.render(attrs.evolve(message, repeated=True))
