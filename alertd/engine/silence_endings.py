"""Puts the word before a silence ends into the outbox: one message per integration, in the transaction that notes it as given.

It belongs to no group and changes no told-ledger: what the silence hides is told by its groups once it has ended. A message that no receiver
takes before that is given up, for it would come too late to be of use.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

import attrs

from alertd.engine.outbox import outgoing
from alertd.model.alert import Alert
from alertd.model.notification import Notification, Reason
from alertd.notify.channels.port import Channel, Integration
from alertd.notify.matchers import Operator
from alertd.notify.outcome import DeliveryPolicy
from alertd.notify.routing import Routing
from alertd.notify.silence_endings import ending, hearers, word_due_at
from alertd.notify.silences import Silence
from alertd.store.port import Store, Transaction
from alertd.store.values import LogEntry


@attrs.frozen(kw_only=True)
class SilenceEndings:
    """Gives the words. warning: how long before the end; null: never."""

    store: Store
    routing: Routing
    channels: Mapping[str, Channel]
    policy: DeliveryPolicy
    external_url: str | None

    async def next_due(self) -> datetime | None:
        """Give the instant of the next word."""
        warning = self.routing.silence_warning
        if warning is None:
            return None
        async with self.store.reading() as reader:
            dues = [word_due_at(silence, warning) for silence in await reader.silences()]
        return min((due for due in dues if due is not None), default=None)

    async def give_due(self, now: datetime) -> int:
        """Give every word that is due; give the number of silences that are noted now."""
        warning = self.routing.silence_warning
        if warning is None:
            return 0
        async with self.store.reading() as reader:
            due = _due(await reader.silences(), warning, now)
        for silence in due:
            await self._give(silence.id, warning, now)
        return len(due)

    async def _give(self, silence_id: str, warning: timedelta, now: datetime) -> None:
        async with self.store.transaction() as transaction:
            silences = await transaction.silences()
            silence = next((one for one in _due(silences, warning, now) if one.id == silence_id), None)
            if silence is None:
                return
            firing = await transaction.firing_alerts()
            for integration, hidden in hearers(silence, firing, silences, self.routing, now).items():
                await self._send(transaction, silence, integration, hidden, now)
            await transaction.save_silence(attrs.evolve(silence, end_noted=True))

    async def _send(
        self,
        transaction: Transaction,
        silence: Silence,
        integration: Integration,
        hidden: tuple[Alert, ...],
        now: datetime,
    ) -> None:
        ends_at = silence.ends_at or now
        message = self._message(silence, integration, hidden, ends_at, now)
        delivery = outgoing(self.channels[integration.id], message, self.policy, now)
        await transaction.save_delivery(attrs.evolve(delivery, retry_until=min(delivery.retry_until, ends_at)))
        await transaction.append_log([_logged(message, integration, hidden, now)])

    def _message(
        self, silence: Silence, integration: Integration, hidden: tuple[Alert, ...], ends_at: datetime, now: datetime
    ) -> Notification:
        conversation = hashlib.sha256(f"silence\0{silence.id}\0{integration.id}".encode()).hexdigest()[:24]
        return Notification(
            key=f"{conversation}-1",
            conversation=conversation,
            sequence=1,
            reason=Reason.SILENCE_ENDING,
            receiver=integration.receiver,
            group_key=f"silence {silence.id}",
            group_labels={one.name: one.value for one in silence.matchers if one.operator is Operator.EQUAL},
            firing=hidden,
            at=now,
            external_url=self.external_url,
            silence=ending(silence, ends_at),
        )


def _due(silences: Iterable[Silence], warning: timedelta, now: datetime) -> list[Silence]:
    dues = [(silence, word_due_at(silence, warning)) for silence in silences]
    return [silence for silence, due in dues if due is not None and due <= now]


def _logged(message: Notification, integration: Integration, hidden: tuple[Alert, ...], now: datetime) -> LogEntry:
    return LogEntry(
        at=now,
        group_key=message.group_key,
        receiver=integration.receiver,
        integration_id=integration.id,
        conversation_id=message.conversation,
        delivery_id=message.key,
        reason=message.reason,
        alerts=tuple(alert.fingerprint for alert in hidden),
    )
