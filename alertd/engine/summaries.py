"""Summaries: at the end of a muted time the groups of a route are flushed together, and what they would say goes out as one message.

All of it happens in one transaction: the groups, their conversations and the summary are as before or as after. What silences and other alerts
hold back is looked up once for all groups.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

import attrs

from alertd.engine.outbox import message_of, outgoing
from alertd.model.alert import Alert, Event
from alertd.model.notification import DeliveryState, Reason
from alertd.notify.flush import Turn
from alertd.notify.outcome import Outcome
from alertd.notify.summary import by_integration, is_summed_up, share, summary
from alertd.render.wording import incident_title
from alertd.store.port import Transaction
from alertd.store.values import Conversation, Delivery, LogEntry

if TYPE_CHECKING:
    from alertd.engine.flushing import Flushing


@attrs.frozen
class Summaries:
    """Makes summaries of what `flushing` decides, and writes down what became of them."""

    _flushing: Flushing

    async def sum_up(self, transaction: Transaction, route_id: str, now: datetime) -> None:
        """Flush every group of a route in which the muted time that has ended held something back, whenever its tick is."""
        groups = [group for group in await transaction.groups() if group.route_id == route_id and group.muted]
        around = await self._flushing.surroundings(transaction, now)
        turns: list[Turn] = []
        for group in groups:
            turns += await self._flushing.flush_group(transaction, group, around, now, unsaid=is_summed_up)
        await self._put(transaction, route_id, turns, now)

    async def conclude(self, transaction: Transaction, outcome: Outcome, now: datetime) -> None:
        """Write an attempt at a summary into the conversations that it speaks for, and take the decisions that waited for it."""
        delivery = outcome.delivery
        found = [await transaction.conversation(share.conversation_id) for share in delivery.shares]
        talks = [outcome.shared_with(talk) for talk in found if talk is not None and talk.open_delivery == delivery.id]
        for talk in talks:
            await transaction.save_conversation(talk)
        if delivery.state is DeliveryState.FAILED:
            await self._again_later(transaction, delivery, talks, now)
        elif outcome.ended:
            await self._revisit(transaction, talks, now)
        elif delivery.state is DeliveryState.PENDING and not delivery.ambiguous:
            await self._reconsider(transaction, delivery, talks, now)

    async def _again_later(
        self, transaction: Transaction, delivery: Delivery, talks: Sequence[Conversation], now: datetime
    ) -> None:
        """After a summary was given up, the groups' next ticks decide anew, as at the end of the muted time."""
        for talk in talks:
            waiting = attrs.evolve(talk, recheck=False)
            await transaction.save_conversation(waiting)
            await self._flushing.given_up(transaction, waiting, delivery.as_told_in(talk.id), now, muted=True)
        await self._revisit(transaction, await self._read(transaction, talks), now)

    async def _revisit(self, transaction: Transaction, talks: Iterable[Conversation], now: datetime) -> None:
        around = await self._flushing.surroundings(transaction, now)
        for talk in talks:
            await self._flushing.decide_anew(transaction, talk, around, now)

    async def _reconsider(
        self, transaction: Transaction, delivery: Delivery, talks: Sequence[Conversation], now: datetime
    ) -> None:
        """Replace a summary that says no more what is so, once a decision has had to wait for it.

        One that may have arrived stays on its way: whoever has it hears afterwards what became of it.
        """
        await self._revisit(transaction, [talk for talk in talks if talk.recheck], now)
        present = await self._read(transaction, talks)
        if not any(talk.recheck for talk in present):
            return
        await self._flushing.supersede(transaction, delivery, now)
        around = await self._flushing.surroundings(transaction, now)
        turns: list[Turn] = []
        for talk in present:
            waiting = (*delivery.as_told_in(talk.id).events, *talk.events)
            withdrawn = attrs.evolve(talk, open_delivery=None, recheck=True, events=waiting)
            await transaction.save_conversation(withdrawn)
            turns += await self._flushing.decide_anew(transaction, withdrawn, around, now, unsaid=is_summed_up)
        await self._put(transaction, delivery.group_key, turns, now, replaces=delivery)

    async def _read(self, transaction: Transaction, talks: Iterable[Conversation]) -> list[Conversation]:
        found = [await transaction.conversation(talk.id) for talk in talks]
        return [talk for talk in found if talk is not None]

    async def _put(
        self,
        transaction: Transaction,
        route_id: str,
        turns: Iterable[Turn],
        now: datetime,
        *,
        replaces: Delivery | None = None,
    ) -> None:
        """Put one summary for each integration into the outbox."""
        flushing = self._flushing
        for integration_id, spoken in by_integration(turns).items():
            message = summary(route_id, spoken, now, replaces=replaces, external_url=flushing.external_url)
            made = outgoing(flushing.channels[integration_id], message, flushing.policy, now, replaces=replaces)
            talks = [(turn, turn.conversation) for turn in spoken if turn.conversation is not None]
            await transaction.save_delivery(attrs.evolve(made, shares=tuple(share(turn, talk) for turn, talk in talks)))
            for turn, talk in talks:
                title = incident_title(message_of(talk, turn, now, external_url=None))
                await transaction.save_conversation(attrs.evolve(talk, open_delivery=made.id, title=title))
                await transaction.append_log([_logged(made, talk, turn, now)])


def _logged(delivery: Delivery, talk: Conversation, turn: Turn, now: datetime) -> LogEntry:
    decision = turn.decision
    items: tuple[Alert | Event, ...] = (
        *decision.firing,
        *(entry.alert for entry in decision.resolved),
        *decision.events,
    )
    return LogEntry(
        at=now,
        group_key=talk.group_key,
        receiver=delivery.receiver,
        integration_id=delivery.integration_id,
        conversation_id=talk.id,
        delivery_id=delivery.id,
        reason=Reason.MUTE_SUMMARY,
        alerts=tuple(item.fingerprint for item in items),
    )
