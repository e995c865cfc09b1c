"""One message at the end of a muted time, instead of one for each group that had something held back. Pure.

Every group decides for itself, as at any tick; where the route wants a summary, what they would say goes out as one message per integration. It
carries a share for each conversation, so that its acceptance is written into each told-ledger as that conversation's own message would be, and
what becomes of things afterwards is told in the groups' conversations.

While a summary is on its way the groups' own decisions wait for it. One that could not be delivered and says no more what is so is replaced by a
newer one, as any message is; one that was given up is decided anew at the groups' next ticks, as a summary again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from alertd.model.alert import Alert, Event
from alertd.model.notification import Notification, Reason, ResolvedAlert
from alertd.notify.decide import repeats_after
from alertd.notify.flush import Turn, announced
from alertd.store.values import Conversation, Delivery, Share


def is_summed_up(turn: Turn) -> bool:
    """Whether what a turn says goes into a summary. A message that replaces one from before the muted time does not."""
    return turn.listener.summed_up and turn.decision.speaks and turn.replaces is None


def by_integration(turns: Iterable[Turn]) -> Mapping[str, tuple[Turn, ...]]:
    """Give turns by integration id, in order."""
    found: dict[str, list[Turn]] = {}
    for turn in turns:
        found.setdefault(turn.listener.integration_id, []).append(turn)
    return {integration_id: tuple(found[integration_id]) for integration_id in sorted(found)}


def share(turn: Turn, talk: Conversation) -> Share:
    """Give what a summary says in the name of one conversation."""
    decision = turn.decision
    reason = decision.reason or Reason.EVENT
    return Share(
        conversation_id=talk.id,
        sequence=talk.sequence,
        reason=reason,
        repeats=repeats_after(talk.repeats, reason),
        firing=tuple(announced(alert) for alert in decision.firing),
        resolved=tuple(announced(entry.alert) for entry in decision.resolved),
        events=tuple(event.key for event in decision.events),
    )


def summary(
    route_id: str, turns: Sequence[Turn], now: datetime, *, replaces: Delivery | None, external_url: str | None
) -> Notification:
    """Give the one message that says what these turns of one integration say."""
    listener = turns[0].listener
    seed = f"{route_id}\0{listener.integration_id}\0{now.isoformat()}"
    conversation = replaces.conversation_id if replaces else hashlib.sha256(seed.encode()).hexdigest()[:24]
    sequence = replaces.sequence + 1 if replaces else 1
    return Notification(
        key=f"{conversation}-{sequence}",
        conversation=conversation,
        sequence=sequence,
        reason=Reason.MUTE_SUMMARY,
        receiver=listener.receiver,
        group_key=route_id,
        group_labels=_common([turn.conversation.group_labels for turn in turns if turn.conversation]),
        firing=_firing(turns),
        resolved=_resolved(turns),
        events=_events(turns),
        at=now,
        external_url=external_url,
    )


def _firing(turns: Iterable[Turn]) -> tuple[Alert, ...]:
    return tuple({alert.fingerprint: alert for turn in turns for alert in turn.decision.firing}.values())


def _resolved(turns: Iterable[Turn]) -> tuple[ResolvedAlert, ...]:
    """Give every end once: an alert whose labels changed ends in more than one group."""
    ends = (entry for turn in turns for entry in turn.decision.resolved)
    return tuple({(entry.alert.fingerprint, entry.alert.episode): entry for entry in ends}.values())


def _events(turns: Iterable[Turn]) -> tuple[Event, ...]:
    return tuple({event.key: event for turn in turns for event in turn.decision.events}.values())


def _common(labels: Sequence[Mapping[str, str]]) -> Mapping[str, str]:
    first, *others = (set(each.items()) for each in labels)
    return dict(sorted(first.intersection(*others)))
