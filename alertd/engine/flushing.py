"""Flushes: what is due is decided, rendered and put into the outbox, one transaction per group.

A flush is a compare-and-set on the group's sequence number, and a delivery's id follows from its conversation and place in it, so a flush that
is done twice is done once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta

import attrs

from alertd.engine.falling_back import fall_back
from alertd.engine.outbox import message_of, outgoing
from alertd.engine.silence_endings import SilenceEndings
from alertd.engine.summaries import Summaries
from alertd.model.alert import Alert, Event, State
from alertd.model.notification import DeliveryState, Reason, Withheld
from alertd.notify.channels.port import Channel
from alertd.notify.decide import Member, repeats_after
from alertd.notify.flush import Flush, Situation, Turn, converse, flush, is_over, place, settled
from alertd.notify.group import reopened, touch
from alertd.notify.listener import Listener
from alertd.notify.outcome import DeliveryPolicy
from alertd.notify.routing import Routing
from alertd.notify.silences import Silence, outlived
from alertd.render.wording import incident_title
from alertd.store.port import Store, Transaction
from alertd.store.values import Conversation, Delivery, Group, LogEntry

# While the round that saw a possible child begin is under way, its group is looked at so often, and no longer than this: a round that does not
# end must not keep an alert from anybody.
_NEXT_LOOK = timedelta(seconds=1)
_LONGEST_ROUND = timedelta(minutes=5)
BATCH = 200  # groups looked up at once: bounds what a pass holds in memory


@attrs.frozen(kw_only=True)
class Surroundings:
    """What decides beside the groups themselves: every alert that fires, where that matters, and the silences."""

    firing: tuple[Alert, ...]
    silences: tuple[Silence, ...]


class Flushing:
    """Flushes groups. It sends nothing and reads no clock.

    channels: by integration id; they render. external_url: for links in messages.
    """

    def __init__(
        self,
        store: Store,
        routing: Routing,
        channels: Mapping[str, Channel],
        policy: DeliveryPolicy,
        *,
        external_url: str | None = None,
    ) -> None:
        self._store = store
        self.channels = channels
        self.policy = policy
        self.external_url = external_url
        self.routing = routing

    @property
    def _endings(self) -> SilenceEndings:
        return SilenceEndings(
            store=self._store,
            routing=self.routing,
            channels=self.channels,
            policy=self.policy,
            external_url=self.external_url,
        )

    async def next_due(self) -> datetime | None:
        """Give the instant of the next flush, or of the next word before a silence ends."""
        async with self._store.reading() as reader:
            group_due = await reader.next_group_due()
        dues = (group_due, await self._endings.next_due())
        return min((due for due in dues if due is not None), default=None)

    async def flush_due(self, now: datetime, *, opened_too: bool = False) -> int:
        """Flush every group that is due, and give the words before silences end; give how many of both.

        opened_too: also groups that still wait for their first flush.
        """
        flushed = await self._endings.give_due(now)
        seen: set[str] = set()  # one that is put off stays a group that waits for its first flush
        while keys := [key for key in await self._due(now, opened_too=opened_too) if key not in seen]:
            for key in keys:
                await self._flush_one(key, now)
            seen.update(keys)
            flushed += len(keys)
        return flushed

    async def _due(self, now: datetime, *, opened_too: bool) -> tuple[str, ...]:
        async with self._store.reading() as reader:
            if not opened_too:
                return await reader.due_groups(now, BATCH)
            return tuple(
                group.key for group in await reader.groups() if group.flushed_at is None or group.due_at <= now
            )

    async def _flush_one(self, key: str, now: datetime) -> None:
        async with self._store.transaction() as transaction:
            group = await transaction.group(key)
            if group is None or (group.flushed_at is not None and group.due_at > now):
                return
            if await self._awaits_round(transaction, key, now):
                await transaction.save_group(attrs.evolve(group, due_at=now + _NEXT_LOOK))
            elif self.routing.sums_up(group, now):
                await Summaries(self).sum_up(transaction, group.route_id, now)
            else:
                await self.flush_group(transaction, group, await self.surroundings(transaction, now), now)

    async def flush_group(
        self,
        transaction: Transaction,
        group: Group,
        around: Surroundings,
        now: datetime,
        *,
        unsaid: Callable[[Turn], bool] = lambda _: False,
    ) -> list[Turn]:
        """Flush one group. unsaid: tells the turns that are not carried out but given, for somebody else to speak for them."""
        key = group.key
        situation = await self._situation(transaction, key, group.route_id, group.labels, around, now)
        result = flush(group, situation, self.routing.pace(group.route_id), now)
        for turn in result.turns:
            if not unsaid(turn):
                await self._act(transaction, turn, key, now)
        await transaction.append_log(_unsaid(result, key, now))
        await transaction.delete_events(key, result.spent_events)
        await settle(transaction, key, result.settled)
        if result.group is None:
            await transaction.delete_group(key, expected_sequence=group.sequence)
        else:
            await transaction.save_group(result.group, expected_sequence=group.sequence)
        return [turn for turn in result.turns if unsaid(turn)]

    async def _awaits_round(self, transaction: Transaction, key: str, now: datetime) -> bool:
        """Whether a common cause may yet speak for an alert of the group, since the round that saw it begin has not closed."""
        causes = self.routing.common_causes
        if not causes:
            return False
        fresh = {
            (alert.identity.tenant_key, alert.startsAt)
            for alert in await transaction.alerts_in(key)
            if alert.startsAt is not None
            and now - alert.startsAt < _LONGEST_ROUND
            and any(cause.key(alert) for cause in causes)
        }
        for tenant_key, began in fresh:
            tenant = await transaction.tenant(tenant_key)
            if tenant is not None and (tenant.lastPollAt is None or tenant.lastPollAt < began):
                return True
        return False

    async def revisit(self, transaction: Transaction, conversation: Conversation, now: datetime) -> None:
        """Take a decision anew that was put off while a delivery was under way, and let go of what nobody waits for."""
        await self.decide_anew(transaction, conversation, await self.surroundings(transaction, now), now)

    async def decide_anew(
        self,
        transaction: Transaction,
        conversation: Conversation,
        around: Surroundings,
        now: datetime,
        *,
        unsaid: Callable[[Turn], bool] = lambda _: False,
    ) -> list[Turn]:
        """Revisit a conversation. unsaid: tells a turn that is not carried out but given, for somebody else to speak for it."""
        key, labels = conversation.group_key, conversation.group_labels
        situation = await self._situation(transaction, key, conversation.route_id, labels, around, now)
        members = place(situation.alerts, situation.withhold)
        listener = _listener_of(conversation, situation.listeners)
        turns: list[Turn] = []
        if conversation.recheck:
            if listener is not None:
                turns = [converse(listener, situation, members, (), now)]
                for turn in turns:
                    if not unsaid(turn):
                        await self._act(transaction, turn, key, now)
                await self._look_again(transaction, key, members, now)
        elif is_over(conversation, situation.heard(listener, members, now) if listener else members):
            await transaction.delete_conversation(conversation.id)
        talks = await transaction.conversations_in(key)
        await settle(transaction, key, settled((entry.alert for entry in members), talks))
        return [turn for turn in turns if unsaid(turn)]

    async def tell_acknowledgements(self, now: datetime) -> None:
        """Tell those who keep incidents what somebody has taken on: at once, since they call out the next person meanwhile."""
        async with self._store.reading() as reader:
            known = [talk.id for talk in await reader.conversations() if self._is_untold(talk)]
        for conversation_id in known:
            async with self._store.transaction() as transaction:
                talk = await transaction.conversation(conversation_id)
                if talk is not None and self._is_untold(talk):
                    await self._tell_acknowledgement(transaction, talk, now)

    def _is_untold(self, talk: Conversation) -> bool:
        integration = self.routing.integration(talk.integration_id)
        acknowledges = integration is not None and integration.acknowledges
        return acknowledges and talk.acknowledged is not None and not talk.acknowledged.told

    async def _tell_acknowledgement(self, transaction: Transaction, talk: Conversation, now: datetime) -> None:
        """Say that, and nothing besides, for which the next tick is early enough; or say it behind what is on its way."""
        if talk.open_delivery is not None:
            await transaction.save_conversation(attrs.evolve(talk, recheck=True))
            return
        key = talk.group_key
        around = await self.surroundings(transaction, now)
        situation = await self._situation(transaction, key, talk.route_id, talk.group_labels, around, now)
        listener = _listener_of(talk, situation.listeners)
        if listener is None:
            return
        turn = converse(listener, situation, place(situation.alerts, situation.withhold), (), now)
        if turn.decision.reason is Reason.ACKNOWLEDGED:
            await self._act(transaction, turn, key, now)

    async def _look_again(self, transaction: Transaction, key: str, members: Iterable[Member], now: datetime) -> None:
        """Have the end of a hold noticed that no flush has seen: it began after the last one."""
        group = await transaction.group(key)
        if group is not None and any(entry.withheld is not None for entry in members):
            await transaction.save_group(touch(group, self.routing.pace(group.route_id), now))

    async def given_up(
        self,
        transaction: Transaction,
        conversation: Conversation,
        delivery: Delivery,
        now: datetime,
        *,
        muted: bool = False,
    ) -> None:
        """After a delivery was given up, the group's next tick decides anew against what was really told, also for whoever takes over.

        A group that has ended meanwhile is opened again: somebody has still to hear how it ended. A conversation begins at a tick.
        muted: it is then told in a summary.
        """
        key, pace = conversation.group_key, self.routing.pace(conversation.route_id)
        taken_over = await fall_back(transaction, self.routing, conversation, delivery, now)
        group = await transaction.group(key)
        if group is not None:
            after = touch(group, pace, now)
        elif conversation.told or conversation.announced or conversation.events or taken_over:
            after = reopened(conversation, pace, now)
        else:
            return
        await transaction.save_group(attrs.evolve(after, muted=muted or after.muted))

    async def surroundings(self, transaction: Transaction, now: datetime) -> Surroundings:
        """Give what decides beside the groups themselves; a silence whose alerts have all ended is over with that."""
        silences = await transaction.silences(ending_after=now)
        bound = [silence for silence in silences if silence.episodes]
        firing = await transaction.firing_alerts() if self.routing.inhibitors or bound else ()
        for silence in outlived(bound, firing):
            await transaction.save_silence(attrs.evolve(silence, ends_at=now))
        return Surroundings(firing=firing, silences=silences)

    async def _situation(
        self,
        transaction: Transaction,
        key: str,
        route_id: str,
        labels: Mapping[str, str],
        around: Surroundings,
        now: datetime,
    ) -> Situation:
        talks = await transaction.conversations_in(key)
        under_way = [(talk, await transaction.delivery(talk.open_delivery)) for talk in talks if talk.open_delivery]
        return Situation(
            group_key=key,
            route_id=route_id,
            group_labels=labels,
            alerts=await transaction.alerts_in(key),
            events=await transaction.events_in(key),
            conversations={talk.integration_id: talk for talk in talks},
            open_deliveries={one.id: one.as_told_in(talk.id) for talk, one in under_way if one is not None},
            listeners=self.routing.listeners(route_id, talks),
            withhold=self.routing.withhold(route_id, around.firing, around.silences, now),
        )

    async def _act(self, transaction: Transaction, turn: Turn, key: str, now: datetime) -> None:
        """Write down one listener's turn: the message, what it supersedes, and the conversation."""
        talk = turn.conversation
        if turn.replaces is not None:
            await self.supersede(transaction, turn.replaces, now)
        await transaction.append_log(_decided(turn, key, now))
        if talk is None:
            return
        if turn.decision.speaks:
            message = message_of(talk, turn, now, external_url=self.external_url)
            channel = self.channels[talk.integration_id]
            repeats = repeats_after(talk.repeats, message.reason)
            delivery = outgoing(channel, message, self.policy, now, replaces=turn.replaces, repeats=repeats)
            await transaction.save_delivery(delivery)
            talk = attrs.evolve(talk, open_delivery=delivery.id, title=incident_title(message))
        if is_over(talk, turn.heard):
            await transaction.delete_conversation(talk.id)
        else:
            await transaction.save_conversation(talk)

    async def supersede(self, transaction: Transaction, delivery: Delivery, now: datetime) -> None:
        """End a message that a newer decision takes the place of."""
        over = attrs.evolve(delivery, state=DeliveryState.SUPERSEDED, ended_at=now, leased_until=None)
        await transaction.save_delivery(over)


async def settle(transaction: Transaction, key: str, alerts: Iterable[Alert]) -> None:
    """Let go of ended alerts in a group; the last of its groups forgets an alert, or its end if it is pending again."""
    for alert in alerts:
        others = [group for group in await transaction.groups_of(alert.fingerprint) if group != key]
        if others:
            await transaction.save_alerts([(alert, others)])
        elif alert.state is State.RESOLVED:
            await transaction.delete_alerts([alert.fingerprint])
        else:
            await transaction.save_alerts([(attrs.evolve(alert, startsAt=None, endsAt=None, ended=None), ())])


def _listener_of(conversation: Conversation, listeners: Iterable[Listener]) -> Listener | None:
    return next((one for one in listeners if one.integration_id == conversation.integration_id), None)


def _unsaid(result: Flush, key: str, now: datetime) -> Iterable[LogEntry]:
    events: tuple[tuple[Event, Withheld], ...] = result.unsaid
    return [
        LogEntry(at=now, group_key=key, receiver="", withheld=reason, alerts=(event.fingerprint,))
        for event, reason in events
    ]


def _decided(turn: Turn, key: str, now: datetime) -> list[LogEntry]:
    """Log what is said, and what is not said for a reason that somebody may ask for."""
    decision, talk = turn.decision, turn.conversation
    if not decision.speaks and decision.withheld is Withheld.UNCHANGED and turn.replaces is None:
        return []
    said = tuple(alert.fingerprint for alert in decision.firing)
    said += tuple(entry.alert.fingerprint for entry in decision.resolved)
    said += tuple(event.fingerprint for event in decision.events)
    entry = LogEntry(
        at=now,
        group_key=key,
        receiver=turn.listener.receiver,
        integration_id=turn.listener.integration_id,
        conversation_id=talk.id if talk else "",
        delivery_id=f"{talk.id}-{talk.sequence}" if talk and decision.speaks else "",
        reason=decision.reason,
        withheld=decision.withheld,
        alerts=said,
    )
    return [entry]
