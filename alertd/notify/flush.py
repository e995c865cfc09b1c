"""What one flush of a group makes of its conversations: decisions, superseded messages, and what need not be remembered any more.

A conversation has at most one delivery that is not at its end. While that one is `pending`, a newer decision replaces it; while it is `sending`
or `unknown`, nobody knows what the integration was told, so the decision is put off and taken anew when that has ended.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime

import attrs

from alertd.model.alert import Alert, Event
from alertd.model.notification import DeliveryState, Reason, Withheld
from alertd.notify.decide import (
    Decision,
    Ledger,
    Member,
    Standing,
    assume,
    decide,
    ledger,
    member,
    repeats_after,
)
from alertd.notify.group import flushed
from alertd.notify.listener import Listener, Taken
from alertd.notify.pace import Pace
from alertd.store.values import Announced, Conversation, Delivery, Group

Withhold = Callable[[Alert | Event], Withheld | None]


@attrs.frozen(kw_only=True)
class Turn:
    """What one flush means for one integration.

    conversation: as it stands afterwards; None where there is none, before as after. heard: the members as this listener sees them.
    replaces: the pending delivery that the decision supersedes; with a silent decision it is withdrawn without a successor.
    """

    listener: Listener
    conversation: Conversation | None
    decision: Decision
    heard: tuple[Member, ...] = ()
    replaces: Delivery | None = None


@attrs.frozen(kw_only=True)
class Flush:
    """What one flush of a group means.

    group: as it stands afterwards; None where it ends. spent_events: keys of events that wait no longer; unsaid: those of them that were held
    back for good, with the reason. settled: ended alerts that nobody waits for any more.
    """

    group: Group | None
    turns: tuple[Turn, ...]
    spent_events: tuple[str, ...] = ()
    unsaid: tuple[tuple[Event, Withheld], ...] = ()
    settled: tuple[Alert, ...] = ()


@attrs.frozen(kw_only=True)
class Situation:
    """All that a flush looks at: what is in the group, and how far each conversation has come.

    conversations: by integration id. open_deliveries: by delivery id. withhold: why an alert or event is not to be told now, or None.
    """

    group_key: str
    route_id: str
    group_labels: Mapping[str, str]
    alerts: tuple[Alert, ...]
    events: tuple[Event, ...]
    conversations: Mapping[str, Conversation]
    open_deliveries: Mapping[str, Delivery]
    listeners: tuple[Listener, ...]
    withhold: Withhold

    def heard(self, listener: Listener, members: tuple[Member, ...], now: datetime) -> tuple[Member, ...]:
        """Give the members as a listener sees them."""
        known = ledger(self.conversations.get(listener.integration_id))
        return listener.heard(members, known, Taken.by(self.conversations.values()), now)


def flush(group: Group, situation: Situation, pace: Pace, now: datetime) -> Flush:
    """Decide for every listener of a group."""
    events, withhold = situation.events, situation.withhold
    members = place(situation.alerts, withhold)
    told, held, unsaid = _sort_events(events, withhold)
    turns = tuple(converse(listener, situation, members, told, now) for listener in situation.listeners)
    lives = bool(held) or any(entry.standing in {Standing.FIRING, Standing.SILENT} for entry in members)
    again_at = _again_at(members, held, turns, now)
    after = attrs.evolve(flushed(group, pace, now, again_at=again_at), muted=bool(held) or _muted(members))
    return Flush(
        group=after if lives else None,
        turns=turns,
        spent_events=tuple(event.key for event in events if event not in held),
        unsaid=unsaid,
        settled=settled((entry.alert for entry in members), (turn.conversation for turn in turns)),
    )


def _muted(members: Iterable[Member]) -> bool:
    return any(entry.withheld is Withheld.MUTED for entry in members)


def place(alerts: Iterable[Alert], withhold: Withhold) -> tuple[Member, ...]:
    """Place alerts as members of their group."""
    return tuple(member(alert, withhold(alert)) for alert in alerts)


def converse(
    listener: Listener,
    situation: Situation,
    members: tuple[Member, ...],
    events: tuple[Event, ...],
    now: datetime,
) -> Turn:
    """Take one integration's turn: speak, keep silent, replace what is on its way, or wait for how that ends."""
    conversation = situation.conversations.get(listener.integration_id)
    heard = situation.heard(listener, members, now)
    waiting = (*(conversation.events if conversation else ()), *_audible(events, listener))
    known = ledger(conversation)
    under_way = situation.open_deliveries.get(conversation.open_delivery or "") if conversation else None
    if conversation is None or under_way is None:
        decision = decide(known, heard, waiting, listener.manner, now)
        return _turn(listener, conversation or _begin(listener, situation, now), decision, heard)
    if under_way.state is not DeliveryState.PENDING:
        later = attrs.evolve(conversation, recheck=True, events=waiting)
        silent = Decision(withheld=Withheld.UNCHANGED)
        return Turn(listener=listener, conversation=later, decision=silent, heard=heard)
    return _reconsider(listener, conversation, under_way, known, heard, waiting, now)


def _reconsider(
    listener: Listener,
    conversation: Conversation,
    under_way: Delivery,
    known: Ledger,
    members: tuple[Member, ...],
    waiting: tuple[Event, ...],
    now: datetime,
) -> Turn:
    """Leave a pending message alone if it is still the right one; otherwise decide anew from what was really told.

    A message that may have arrived is never withdrawn without another: whoever has it must hear what became of it.
    """
    beyond = decide(assume(known, under_way, now), members, waiting, listener.manner, now)
    if not beyond.speaks and not beyond.forgotten:
        kept = attrs.evolve(conversation, recheck=False)
        return Turn(listener=listener, conversation=kept, decision=beyond, heard=members)
    if under_way.shares:  # it speaks for others too, so it is decided anew as a whole, once an attempt at it has failed
        later = attrs.evolve(conversation, recheck=True, events=waiting)
        silent = Decision(withheld=Withheld.UNCHANGED)
        return Turn(listener=listener, conversation=later, decision=silent, heard=members)
    decision = decide(known, members, (*under_way.events, *waiting), listener.manner, now)
    if under_way.ambiguous and not decision.speaks:
        later = attrs.evolve(conversation, recheck=True)
        silent = Decision(withheld=Withheld.UNCHANGED)
        return Turn(listener=listener, conversation=later, decision=silent, heard=members)
    withdrawn = attrs.evolve(conversation, open_delivery=None)
    return attrs.evolve(_turn(listener, withdrawn, decision, members), replaces=under_way)


def _turn(listener: Listener, talk: Conversation, decision: Decision, members: tuple[Member, ...]) -> Turn:
    if not (talk.sequence or talk.stands_in_for or decision.speaks):
        return Turn(listener=listener, conversation=None, decision=decision, heard=members)  # it has never begun
    told = tuple(line for line in talk.told if line.fingerprint not in decision.forgotten)
    spoken = talk.sequence + (1 if decision.speaks else 0)
    announced = _announced(talk, decision, members)
    after = attrs.evolve(
        talk,
        told=told,
        announced=announced,
        sequence=spoken,
        events=(),
        recheck=False,
        acknowledged=None if _changes_set(talk, decision) else talk.acknowledged,
        taken=tuple(line for line in talk.taken if talk.tells_of(line.fingerprint)),
    )
    return Turn(listener=listener, conversation=after, decision=decision, heard=members)


def _changes_set(talk: Conversation, decision: Decision) -> bool:
    """Whether other alerts than before are told to fire, or to have ended: whoever took on the old ones has not seen that."""
    if decision.reason is Reason.REMINDER_DEADLINE:
        return bool(decision.resolved) or not all(talk.tells_of(alert.fingerprint) for alert in decision.firing)
    same = {None, Reason.REPEAT, Reason.EVENT, Reason.LATE, Reason.ACKNOWLEDGED}
    return decision.reason not in same or bool(decision.forgotten)


def _begin(listener: Listener, situation: Situation, now: datetime) -> Conversation:
    return begun(
        situation.group_key,
        situation.route_id,
        situation.group_labels,
        integration_id=listener.integration_id,
        receiver=listener.receiver,
        now=now,
    )


def begun(
    group_key: str, route_id: str, group_labels: Mapping[str, str], *, integration_id: str, receiver: str, now: datetime
) -> Conversation:
    """Give a conversation in which nothing has been said yet."""
    seed = f"{group_key}\0{integration_id}\0{now.isoformat()}"
    return Conversation(
        id=hashlib.sha256(seed.encode()).hexdigest()[:24],
        group_key=group_key,
        route_id=route_id,
        group_labels=group_labels,
        integration_id=integration_id,
        receiver=receiver,
        started_at=now,
    )


def _announced(talk: Conversation, decision: Decision, members: tuple[Member, ...]) -> tuple[Announced, ...]:
    """Name what messages say that nobody has accepted yet, with its latest episode.

    What was told needs no such line, not even if that is forgotten now; an alert that is over and done is no longer among the members.
    """
    lines = {line.fingerprint: line.episode for line in talk.announced}
    lines |= {alert.fingerprint: alert.episode for alert in decision.firing}
    fresh = lines.keys() & {entry.alert.fingerprint for entry in members} - {line.fingerprint for line in talk.told}
    return tuple(Announced(fingerprint=fingerprint, episode=lines[fingerprint]) for fingerprint in sorted(fresh))


def announced(alert: Alert) -> Announced:
    """Name an alert's present episode."""
    return Announced(fingerprint=alert.fingerprint, episode=alert.episode)


def settled(alerts: Iterable[Alert], conversations: Iterable[Conversation | None]) -> tuple[Alert, ...]:
    """Give the ended alerts that no conversation has still to be told of."""
    talks = [talk for talk in conversations if talk is not None]
    if any(talk.recheck for talk in talks):
        return ()
    awaited = {line.fingerprint for talk in talks for line in talk.lines}
    return tuple(alert for alert in alerts if alert.ended is not None and alert.fingerprint not in awaited)


def is_over(conversation: Conversation, members: Iterable[Member]) -> bool:
    """Whether a conversation has come to its all-clear: nothing told fires, nothing waits to be said."""
    fires = any(entry.standing is Standing.FIRING for entry in members)
    busy = conversation.open_delivery or conversation.events or conversation.recheck
    return not (conversation.told or conversation.announced or busy or fires)


def _audible(events: tuple[Event, ...], listener: Listener) -> tuple[Event, ...]:
    if listener.leaving or listener.late:
        return ()
    return tuple(event for event in events if listener.integration_id not in event.withheld_integrations)


def _sort_events(
    events: Sequence[Event], withhold: Withhold
) -> tuple[tuple[Event, ...], tuple[Event, ...], tuple[tuple[Event, Withheld], ...]]:
    """Split into what is told now, what waits for the end of a muted interval, and what is recorded but never told."""
    reasons = [(event, withhold(event)) for event in events]
    told = tuple(event for event, reason in reasons if reason is None)
    held = tuple(event for event, reason in reasons if reason is Withheld.MUTED)
    unsaid = tuple((event, reason) for event, reason in reasons if reason not in {None, Withheld.MUTED} and reason)
    return told, held, unsaid


def _again_at(
    members: tuple[Member, ...], held: Sequence[Event], turns: Iterable[Turn], now: datetime
) -> datetime | None:
    """Give the earliest instant at which there may be something to say though nothing changes: the end of a hold, a repeat, a step."""
    if held or any(entry.withheld is not None for entry in members):
        return now
    firing = [entry.alert for entry in members if entry.standing is Standing.FIRING]
    if not firing:
        return None
    steps = (turn.listener.next_step(firing, now) for turn in turns)
    dues = [*(_repeat_at(turn, firing, now) for turn in turns), *steps]
    return min((due for due in dues if due is not None), default=None)


def _repeat_at(turn: Turn, firing: Sequence[Alert], now: datetime) -> datetime | None:
    """Give when a turn's listener is due for a repeat; a message decided now counts as accepted, until it turns out otherwise."""
    talk, manner = turn.conversation, turn.listener.manner
    if talk is None or turn.listener.leaving or talk.acknowledged:
        return None
    if turn.decision.reason is not None:
        return manner.due_at(now, repeats_after(talk.repeats, turn.decision.reason))
    due_at = manner.due_at(talk.last_message_at or now, talk.repeats)
    if due_at is None or due_at > now:
        return due_at
    return manner.put_off(due_at, firing, now) or due_at
