"""Drills: a marked message through the real channel, by way of the outbox, so that the whole path is proven and leaves a trace."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from datetime import datetime

from alertd.clock import Clock
from alertd.engine.delivering import Delivering
from alertd.model.alert import Alert, Evidence, Identity, State
from alertd.model.notification import Notification, Reason
from alertd.notify.channels.port import Channel
from alertd.notify.outcome import claimed
from alertd.store.port import Store
from alertd.store.values import Delivery

_SUMMARY = "This is a drill: nothing is wrong, and nobody needs to do anything."


async def drill(
    channels: Iterable[Channel], *, store: Store, delivering: Delivering, clock: Clock, external_url: str | None
) -> tuple[Delivery, ...]:
    """Send one drill to each integration, in turn; give the deliveries as they ended. There is one attempt each."""
    return tuple([await _one(channel, store, delivering, clock, external_url) for channel in channels])


async def _one(
    channel: Channel, store: Store, delivering: Delivering, clock: Clock, external_url: str | None
) -> Delivery:
    now = clock.now()
    message = _message(channel, now, external_url)
    rendered = channel.render(message)
    delivery = claimed(
        Delivery(
            id=message.key,
            conversation_id=message.conversation,
            group_key=message.group_key,
            integration_id=channel.integration.id,
            receiver=message.receiver,
            sequence=message.sequence,
            reason=Reason.DRILL,
            rendered=rendered,
            recipients=rendered.recipients,
            decided_at=now,
            due_at=now,
            retry_until=now,
        ),
        now,
    )
    async with store.transaction() as transaction:
        await transaction.save_delivery(delivery)
    result = await delivering.send(delivery, now)
    outcome = await delivering.finish(delivery.id, result, clock.now())
    return outcome.delivery if outcome else delivery


def _message(channel: Channel, now: datetime, external_url: str | None) -> Notification:
    conversation = f"drill-{secrets.token_hex(8)}"
    return Notification(
        key=f"{conversation}-1",
        conversation=conversation,
        sequence=1,
        reason=Reason.DRILL,
        receiver=channel.integration.receiver,
        group_key="drill",
        group_labels={"alertname": "Drill"},
        firing=(_alert(now),),
        at=now,
        external_url=external_url,
    )


def _alert(now: datetime) -> Alert:
    return Alert(
        identity=Identity(rule="Drill"),
        state=State.FIRING,
        severity="info",
        labels={"alertname": "Drill", "severity": "info"},
        annotations={"summary": _SUMMARY},
        episode=1,
        activeSince=now,
        startsAt=now,
        evidence=Evidence(observed_to=now),
    )
