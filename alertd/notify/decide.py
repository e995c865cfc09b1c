"""What to say to one integration about one group: the truth table of notifications.

`decide` compares what this integration was *told* (accepted messages only) with what stands *now*, and answers with the reason to speak, or the
reason to be silent. It knows nothing of deliveries; `assume` gives the ledger as it would be had the open delivery been accepted, so that
the same table also answers whether a message on its way is still the right one.

    told before            now                                      decision
    nothing firing         something firing                         first_notification
    F                      a firing alert outside F                 new_alerts
    not it                 an alert for which a listener joins      why it joins, such as escalation
    F                      F, and a job is disabled soon            reminder_deadline
    F                      some of F ended, others still fire       some_resolved
    F                      all of F ended                           all_resolved, or how those ended that did not resolve
    F                      F, and somebody has taken it on          acknowledged, where incidents are kept
    F                      F, and the repeat interval is over       repeat
    announced, never told  ended meanwhile                          late; listed along with any of the above
    any                    an event                                 event
    else                                                            nothing, with the reason
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Mapping
from datetime import datetime

import attrs

from alertd.alerts.lifecycle import demoted
from alertd.model.alert import Alert, Ended, Event, State
from alertd.model.notification import Reason, ResolvedAlert, Withheld
from alertd.notify.reminders import Reminding
from alertd.store.values import Announced, Conversation, Delivery, Told


class Standing(enum.StrEnum):
    """Where a member of a group stands for the purpose of telling."""

    FIRING = "firing"
    SILENT = "silent"  # fires, or did until `for` was raised; not to be told now
    ENDED = "ended"
    QUIET = "quiet"  # nothing to say of it, ever: pending, baseline


@attrs.frozen(kw_only=True)
class Member:
    """One alert of a group; `withheld` says why a firing one is not to be told now.

    announced_as: why this listener is told of it, where that is not because it has begun to fire. to_tell_again_since: since when what was said
    before does not do any more.
    """

    alert: Alert
    standing: Standing
    withheld: Withheld | None = None
    announced_as: Reason | None = None
    to_tell_again_since: datetime | None = None


@attrs.frozen(kw_only=True)
class Manner(Reminding):
    """How an integration wants to be told, and reminded.

    integration_id: for alerts that must not go through it. send_resolved: whether ends are told.
    closes_silently: an alert whose rule was removed ends there without a word (chat and mail), since nobody can act on it.
    acknowledges: that somebody has taken it on is told, too.
    announced_as: why it is told of what others would have been told, such as that these failed; null where it is told for itself.
    """

    integration_id: str
    send_resolved: bool = True
    closes_silently: bool = False
    acknowledges: bool = False
    announced_as: Reason | None = None


@attrs.frozen(kw_only=True)
class Ledger:
    """What one integration knows of a group.

    told: by fingerprint, what it accepted as firing. announced: what only messages said that were never accepted.
    last_message_at: the repeat clock. as_of: its latest message says how things stood then. repeats: reminders in a row since something else
    was said.
    acknowledged: somebody has taken it on, so nobody need be reminded. acknowledgement_told: it knows that.
    """

    told: Mapping[str, Told] = attrs.field(factory=dict)
    announced: frozenset[Announced] = frozenset()
    last_message_at: datetime | None = None
    as_of: datetime | None = None
    repeats: int = 0
    acknowledged: bool = False
    acknowledgement_told: bool = False

    def announces(self, fingerprint: str) -> bool:
        """Whether it was announced in messages that were never accepted."""
        return any(line.fingerprint == fingerprint for line in self.announced)


@attrs.frozen(kw_only=True)
class Decision:
    """What to say and why, or why not.

    Exactly one of `reason` and `withheld` is given. forgotten: told alerts whose end is settled without a word.
    """

    reason: Reason | None = None
    withheld: Withheld | None = None
    firing: tuple[Alert, ...] = ()
    resolved: tuple[ResolvedAlert, ...] = ()
    events: tuple[Event, ...] = ()
    forgotten: frozenset[str] = frozenset()

    @property
    def speaks(self) -> bool:
        """Whether there is a message."""
        return self.reason is not None


# An all-clear that is not one says so: the first of these that applies names the message.
_ENDS = {
    Ended.GONE: Reason.SUBJECT_GONE,
    Ended.NOT_WATCHED: Reason.NOT_WATCHED,
    Ended.RULE_REMOVED: Reason.RULE_REMOVED,
    Ended.RESOLVED: Reason.ALL_RESOLVED,
}


def member(alert: Alert, withheld: Withheld | None = None) -> Member:
    """Place an alert: firing, silent, ended or quiet."""
    if alert.ended is not None:  # also while it is pending or granted anew: nobody may have heard of the end yet
        return Member(alert=alert, standing=Standing.ENDED)
    if alert.state is State.FIRING:
        standing = Standing.FIRING if withheld is None else Standing.SILENT
        return Member(alert=alert, standing=standing, withheld=withheld)
    return Member(alert=alert, standing=Standing.SILENT if demoted(alert) else Standing.QUIET)


def ledger(conversation: Conversation | None) -> Ledger:
    """Give what a conversation's integration was told; nothing before there is one."""
    if conversation is None:
        return Ledger()
    return Ledger(
        told={line.fingerprint: line for line in conversation.told},
        announced=frozenset(conversation.announced),
        last_message_at=conversation.last_message_at,
        as_of=conversation.as_of or conversation.last_message_at,
        repeats=conversation.repeats,
        acknowledged=conversation.acknowledged is not None,
        acknowledgement_told=conversation.acknowledged is not None and conversation.acknowledged.told,
    )


def assume(known: Ledger, delivery: Delivery, now: datetime) -> Ledger:
    """Give the ledger as it is once `delivery` is accepted at `now`.

    What it lists as firing is told; what it lists as resolved is forgotten, if not meanwhile told of a later episode; what it does not list
    although it was told before is absent, so that its return is news.
    """
    ended = {line.fingerprint: line.episode for line in delivery.resolved}
    kept = {
        fingerprint: attrs.evolve(line, absent=True)
        for fingerprint, line in known.told.items()
        if line.episode > ended.get(fingerprint, 0)
    }
    fires = {line.fingerprint: _told(known, line, now) for line in delivery.firing}
    said = {line.fingerprint: line.episode for line in (*delivery.firing, *delivery.resolved)}
    unheard = frozenset(line for line in known.announced if line.episode > said.get(line.fingerprint, 0))
    return Ledger(
        told=kept | fires,
        announced=unheard,
        last_message_at=now,
        as_of=delivery.decided_at,
        repeats=delivery.repeats,
        acknowledged=known.acknowledged,
        acknowledgement_told=known.acknowledgement_told or delivery.reason is Reason.ACKNOWLEDGED,
    )


def repeats_after(repeats: int, reason: Reason) -> int:
    """Give how many reminders there have been in a row once a message for this reason is told."""
    return repeats + 1 if reason is Reason.REPEAT else 0


def _told(known: Ledger, line: Announced, now: datetime) -> Told:
    before = known.told.get(line.fingerprint)
    since = before.at if before is not None and before.episode == line.episode else now
    return Told(fingerprint=line.fingerprint, episode=line.episode, at=since)


def decide(
    known: Ledger, members: Iterable[Member], events: tuple[Event, ...], manner: Manner, now: datetime
) -> Decision:
    """Say what to tell one integration now, and why."""
    everyone = tuple(members)
    fires = tuple(
        entry
        for entry in everyone
        if entry.standing is Standing.FIRING and manner.integration_id not in entry.alert.withheld_integrations
    )
    firing = tuple(entry.alert for entry in fires)
    ended = tuple(entry.alert for entry in everyone if entry.standing is Standing.ENDED)
    ends = tuple(alert for alert in ended if alert.fingerprint in known.told)
    announced = {line.fingerprint for line in known.announced} - known.told.keys()
    unheard = tuple(alert for alert in ended if alert.fingerprint in announced)
    told_ends = tuple(alert for alert in ends if _tells_end(alert, manner))
    reason = _reason(known, everyone, fires, told_ends, unheard, manner, now) or _event_reason(events, manner)
    forgotten = frozenset(alert.fingerprint for alert in ends if not _tells_end(alert, manner))
    if reason is None:
        withheld = _unreminded(known, firing, manner, now) or _silence(everyone, ends)
        return Decision(withheld=withheld, forgotten=forgotten)
    resolved = tuple(ResolvedAlert(alert=alert, ended=_how(alert)) for alert in (*told_ends, *unheard))
    return Decision(reason=reason, firing=firing, resolved=resolved, events=events, forgotten=forgotten)


def _event_reason(events: tuple[Event, ...], manner: Manner) -> Reason | None:
    return (manner.announced_as or Reason.EVENT) if events else None


def _tells_end(alert: Alert, manner: Manner) -> bool:
    return manner.send_resolved and not (manner.closes_silently and alert.ended is Ended.RULE_REMOVED)


def _how(alert: Alert) -> Ended:
    return alert.ended or Ended.RESOLVED


def _reason(
    known: Ledger,
    everyone: tuple[Member, ...],
    firing: tuple[Member, ...],
    ends: tuple[Alert, ...],
    unheard: tuple[Alert, ...],
    manner: Manner,
    now: datetime,
) -> Reason | None:
    if news := [entry for entry in firing if is_news(known, entry.alert)]:
        joining = next((entry.announced_as for entry in news if entry.announced_as is not None), manner.announced_as)
        return joining or (Reason.NEW_ALERTS if known.told else Reason.FIRST_NOTIFICATION)
    if any(_has_to_be_told_again(known, entry) for entry in firing):
        return Reason.REMINDER_DEADLINE
    if ends:
        return Reason.SOME_RESOLVED if _others_fire(known, everyone) else _closing(ends)
    alerts = tuple(entry.alert for entry in firing)
    if alerts and manner.acknowledges and known.acknowledged and not known.acknowledgement_told:
        return Reason.ACKNOWLEDGED
    if alerts and _repeat_is_due(known, manner, now) and not _unreminded(known, alerts, manner, now):
        return Reason.REPEAT
    return (manner.announced_as or Reason.LATE) if unheard else None


def _has_to_be_told_again(known: Ledger, entry: Member) -> bool:
    """Whether no message has listed it since it should have been told again: every one lists all that fires."""
    since = entry.to_tell_again_since
    return since is not None and (known.as_of is None or known.as_of < since)


def is_news(known: Ledger, alert: Alert) -> bool:
    """Whether it was never told, or not since it left and came back; an episode whose end was never told speaks for the next."""
    line = known.told.get(alert.fingerprint)
    return line is None or line.episode < alert.inherits_from or line.absent


def _others_fire(known: Ledger, everyone: tuple[Member, ...]) -> bool:
    """Whether something this integration was told of still fires, silently or not."""
    return any(
        entry.standing in {Standing.FIRING, Standing.SILENT} and entry.alert.fingerprint in known.told
        for entry in everyone
    )


def _closing(ends: tuple[Alert, ...]) -> Reason:
    how = {_how(alert) for alert in ends}
    return next(reason for ended, reason in _ENDS.items() if ended in how)


def _repeat_is_due(known: Ledger, manner: Manner, now: datetime) -> bool:
    due_at = manner.due_at(known.last_message_at, known.repeats)
    return due_at is not None and due_at <= now


def _unreminded(known: Ledger, firing: tuple[Alert, ...], manner: Manner, now: datetime) -> Withheld | None:
    """Name why a reminder that is due is not told; None where none is due, or nothing is in its way."""
    due_at = manner.due_at(known.last_message_at, known.repeats)
    if due_at is None or due_at > now or not firing:
        return None
    if known.acknowledged:
        return Withheld.ACKNOWLEDGED
    return Withheld.AWAITING_ATTEMPT if manner.put_off(due_at, firing, now) else None


def _silence(everyone: tuple[Member, ...], ends: tuple[Alert, ...]) -> Withheld:
    """Name why nothing is said: what is held back first, then ends that are not told, then that nothing is new."""
    held = next((entry.withheld for entry in everyone if entry.withheld is not None), None)
    if held is not None:
        return held
    if ends:
        return Withheld.SEND_RESOLVED_OFF
    if all(entry.standing is Standing.ENDED for entry in everyone) and everyone:
        return Withheld.RESOLVED_BEFORE_FIRST
    return Withheld.UNCHANGED
