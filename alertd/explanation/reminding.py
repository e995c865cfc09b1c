"""When those who know of an alert are reminded of it, and what keeps them from it. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from alertd.explanation.account import Held
from alertd.explanation.holding import Scene
from alertd.model.notification import Withheld
from alertd.notify.reminders import Reminding
from alertd.store.values import Conversation


def of_reminder(talk: Conversation, scene: Scene) -> Iterator[Held]:
    """Say what keeps an integration that knows of an alert from being reminded."""
    taken = talk.acknowledged
    if taken is not None:
        detail = f"{taken.created_by}: {taken.comment}; no reminders to {talk.integration_id}"
        yield Held(by=Withheld.ACKNOWLEDGED.value, detail=detail)
        return
    due_at = reminder_at(talk, scene)
    if due_at is None or due_at > scene.now:
        return
    told = {line.fingerprint for line in talk.told}
    firing = [alert for alert in scene.firing if alert.fingerprint in told]
    until = _manner(talk, scene).put_off(due_at, firing, scene.now)
    if until is not None:
        detail = f"the reminder to {talk.integration_id} waits for what the next attempt brings"
        yield Held(by=Withheld.AWAITING_ATTEMPT.value, detail=detail, until=until)


def reminder_at(talk: Conversation, scene: Scene) -> datetime | None:
    """Give when a conversation's integration is due for a reminder; None where it gets none."""
    if talk.acknowledged is not None:
        return None
    return _manner(talk, scene).due_at(talk.last_message_at, talk.repeats)


def _manner(talk: Conversation, scene: Scene) -> Reminding:
    """Give how a conversation's integration is reminded; one that its route does not name any more is not.

    Whoever stands in for others is reminded as long as these fail, which their conversations in the group show.
    """
    listeners = scene.routing.listeners(talk.route_id, [*scene.talks_in(talk.group_key), talk])
    named = (one.manner for one in listeners if one.integration_id == talk.integration_id and not one.leaving)
    return next(named, Reminding(repeat_interval=timedelta(0)))
