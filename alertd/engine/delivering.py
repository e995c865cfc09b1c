"""Deliveries: what is in the outbox is attempted, and what the receiver said of it is written down.

An attempt has three parts: the claim is committed before a byte goes out, then the channel sends, then one transaction records the result and,
if it was accepted, the told-ledger. A process that dies in between leaves a row `sending`, which its successor takes for "unknown".
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from alertd.engine.flushing import Flushing
from alertd.engine.summaries import Summaries
from alertd.errors import DeliveryError, DeliveryFailureReason
from alertd.model.notification import DeliveryState, Rendered
from alertd.notify.channels.port import Accepted, Channel
from alertd.notify.outcome import DeliveryPolicy, Outcome, claimed, failed, interrupted, succeeded
from alertd.store.port import Store, Transaction
from alertd.store.values import Delivery, Due

Result = Accepted | DeliveryError

_FOREVER = timedelta(days=3660)  # beyond any lease, even one written before the clock was set back
_OPEN = frozenset({DeliveryState.PENDING, DeliveryState.UNKNOWN})


class Delivering:
    """Carries out attempts. It reads no clock; what it does at once and how often is its caller's matter.

    chance: a number between 0 and 1 for the jitter of the next attempt.
    """

    def __init__(
        self,
        store: Store,
        flushing: Flushing,
        channels: Mapping[str, Channel],
        policy: DeliveryPolicy,
        *,
        chance: Callable[[], float],
    ) -> None:
        self._store = store
        self._flushing = flushing
        self._channels = channels
        self.policy = policy
        self._chance = chance

    async def next_due(self) -> datetime | None:
        """Give the instant of the next attempt."""
        async with self._store.reading() as reader:
            return await reader.next_delivery_due()

    async def due(self, now: datetime, limit: int) -> tuple[Due, ...]:
        """Give the deliveries whose attempt is due, the longest due first."""
        async with self._store.reading() as reader:
            return await reader.due_deliveries(now, limit)

    async def firsts(self) -> tuple[Due, ...]:
        """Give of each integration the attempt that is due first, due or not yet."""
        async with self._store.reading() as reader:
            return await reader.first_deliveries()

    def apart(self, integration_id: str) -> timedelta:
        """Say how much time has to lie between the beginnings of two attempts at an integration."""
        channel = self._channels.get(integration_id)
        return channel.integration.limits.apart if channel else timedelta(0)

    async def claim(self, delivery_id: str, now: datetime) -> Delivery | None:
        """Take a delivery for an attempt at `now`; None where it is not due any more, or was replaced meanwhile."""
        async with self._store.transaction() as transaction:
            delivery = await transaction.delivery(delivery_id)
            if delivery is None or delivery.state not in _OPEN or delivery.due_at > now:
                return None
            taken = claimed(delivery, now)
            await transaction.save_delivery(taken)
        return taken

    async def send(self, delivery: Delivery, now: datetime) -> Result:
        """Make one attempt with the very bytes the row holds; a bug in a channel ends this attempt, not the loop."""
        channel = self._channels.get(delivery.integration_id)
        if channel is None:
            return _no_channel(delivery)
        try:
            return await channel.send(
                _bytes_for(delivery),
                key=delivery.id,
                attempt=delivery.attempts,
                now=now,
                recipients=delivery.recipients,
            )
        except DeliveryError as error:
            return error
        except Exception as error:  # noqa: BLE001 - one delivery must not stop the others; it is recorded with its reason
            return DeliveryError(
                DeliveryFailureReason.OTHER,
                f"{type(error).__name__} in {delivery.integration_id}",
                retriable=True,
                ambiguous=True,
            )

    async def finish(self, delivery_id: str, result: Result, now: datetime) -> Outcome | None:
        """Write down what an attempt came to, and take any decision that was put off meanwhile."""
        async with self._store.transaction() as transaction:
            delivery = await transaction.delivery(delivery_id)
            if delivery is None or delivery.state is not DeliveryState.SENDING:
                return None
            return await self._record(transaction, delivery, result, now)

    async def recover(self, now: datetime, *, alone: bool = False) -> int:
        """Take what a dead process left `sending` for unknown; give how many there were.

        alone: this is the only process at the store, so that nobody can hold a lease whatever the rows say.
        """
        async with self._store.transaction() as transaction:
            left = await transaction.recover_deliveries(now + _FOREVER if alone else now)
            for delivery in left:
                await self._record(transaction, delivery, interrupted(), now)
        return len(left)

    async def _record(self, transaction: Transaction, delivery: Delivery, result: Result, now: datetime) -> Outcome:
        talk = await transaction.conversation(delivery.conversation_id)
        if isinstance(result, DeliveryError):
            outcome = failed(delivery, talk, result, self.policy, now, chance=self._chance())
        else:
            outcome = succeeded(delivery, talk, result.detail, now)
        await transaction.save_delivery(outcome.delivery)
        if outcome.conversation is not None:
            await transaction.save_conversation(outcome.conversation)
        if outcome.accepted:
            await transaction.hasten(delivery.integration_id, now)
        if outcome.conversation is not None and outcome.delivery.state is DeliveryState.FAILED:
            await self._flushing.given_up(transaction, outcome.conversation, outcome.delivery, now)
        if outcome.conversation is not None and outcome.settles:
            await self._flushing.revisit(transaction, outcome.conversation, now)
        if delivery.shares:
            await Summaries(self._flushing).conclude(transaction, outcome, now)
        return outcome


def _bytes_for(delivery: Delivery) -> Rendered:
    """After an attempt of which nobody knows the outcome, the text says so where the channel cannot deduplicate."""
    return delivery.repeat_rendered if delivery.ambiguous and delivery.repeat_rendered else delivery.rendered


def _no_channel(delivery: Delivery) -> DeliveryError:
    return DeliveryError(
        DeliveryFailureReason.CLIENT_ERROR,
        f"the configuration has no integration {delivery.integration_id} any more",
        retriable=False,
    )
