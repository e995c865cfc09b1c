"""What is handed over when a message has been given up, so that somebody else is told in that integration's place. Pure.

Whoever takes over has a conversation of its own, in which what was handed over counts as announced and not yet accepted. So it is told what of
that still fires, and what has ended since, and from then on hears of it like everybody who was told. An integration hands each thing over once:
what it goes on failing to say is no news. That it works again it shows by accepting a message.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import attrs

from alertd.model.alert import Alert, Event
from alertd.model.notification import Reason
from alertd.store.values import Announced, Conversation, Delivery, Told


def chain_of(receivers: Iterable[str], fallbacks: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    """Give every receiver that may fail, with the one told in its place: first those given, then fallbacks that have one of their own."""
    waiting, found = list(receivers), dict[str, str]()
    while waiting:
        receiver = waiting.pop(0)
        if receiver in fallbacks and receiver not in found:
            found[receiver] = fallbacks[receiver]
            waiting.append(fallbacks[receiver])
    return tuple(found.items())


@attrs.frozen(kw_only=True)
class HandOver:
    """What could not be told. absent: the integrations that failed to, in that order."""

    absent: tuple[str, ...]
    lines: tuple[Announced, ...] = ()
    events: tuple[Event, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.lines or self.events)


def hand_over(talk: Conversation, delivery: Delivery) -> HandOver:
    """Give what a message that was given up said and its integration has not accepted otherwise, nor handed over before.

    What it knows already is worth a word elsewhere where that is about a deadline. Nothing where some of its recipients have it: they were told.
    """
    absent = tuple(dict.fromkeys((*talk.stands_in_for, talk.integration_id)))
    if set(delivery.recipients) != set(delivery.rendered.recipients):
        return HandOver(absent=absent)
    told = {line.fingerprint: line for line in talk.told}
    urgent = delivery.reason is Reason.REMINDER_DEADLINE
    news = (line for line in delivery.firing if urgent or _is_new(told.get(line.fingerprint), line))
    lines = tuple(line for line in (*news, *delivery.resolved) if line not in talk.given_up)
    return HandOver(absent=absent, lines=lines, events=delivery.events)


def _is_new(told: Told | None, line: Announced) -> bool:
    return told is None or told.absent or told.episode < line.episode


def handed(talk: Conversation, over: HandOver) -> Conversation:
    """Give the conversation that remembers what it has handed over."""
    return attrs.evolve(talk, given_up=(*talk.given_up, *over.lines))


def take_over(
    known: Conversation | None, fresh: Conversation, over: HandOver, alerts: Iterable[Alert]
) -> Conversation | None:
    """Give the conversation of an integration that takes over; None where there is nothing that it has not been told.

    known: the one it has in this group; fresh: the one it begins otherwise. alerts: of the group; what is about this very integration's
    failing does not go through it.
    """
    talk = known or fresh
    barred = {alert.fingerprint for alert in alerts if talk.integration_id in alert.withheld_integrations}
    told = {line.fingerprint: line.episode for line in talk.told}
    lines = [line for line in over.lines if line.fingerprint not in barred]
    unheard = {line.fingerprint: line for line in lines if told.get(line.fingerprint, 0) < line.episode}
    events = [event for event in over.events if talk.integration_id not in event.withheld_integrations]
    if not unheard and not events:
        return None
    announced = {line.fingerprint: line for line in talk.announced} | unheard
    return attrs.evolve(
        talk,
        announced=tuple(announced[fingerprint] for fingerprint in sorted(announced)),
        events=(*talk.events, *events),
        stands_in_for=tuple(dict.fromkeys((*talk.stands_in_for, *over.absent))),
    )
