"""An explanation as a person reads it. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta

import attrs

from alertd.alerts.next_look import LookReason
from alertd.explanation.account import Condition, Explanation, Held, Message, RuleAccount
from alertd.model.duration import format_duration
from alertd.rules.trace import Node

_PATH = re.compile(r'[A-Za-z_]\w*(?:\.[A-Za-z_]\w*|\[(?:"(?:[^"\\]|\\.)*"|\'(?:[^\'\\]|\\.)*\')\])*')
_REASONS: Mapping[LookReason, str] = {
    LookReason.UNKNOWN: "every round: nobody knows when it runs",
    LookReason.RUN_EXPECTED: "its next run is expected by then",
    LookReason.RETRY_EXPECTED: "in quarantine until its next attempt",
    LookReason.STANDING_STILL: "it stands still, so only a person can change that: as late as poll.max_added_delay allows",
    LookReason.ALERT_RUNNING: "every round: a `for` or `keep_firing_for` of an alert runs out",
    LookReason.UNANSWERED: "every round: its service principal did not answer",
    LookReason.ABSENT: "every round: the latest answer did not list it",
    LookReason.MOST: "nothing is expected before: as late as poll.max_added_delay allows",
    LookReason.NOBODY: "no job is left: as late as poll.max_added_delay allows",
}
_TOLD_MAX = 5  # messages per rule; --json gives all
_SHOWN_MAX = 80  # characters of a value


def lines(explanation: Explanation) -> Iterator[str]:
    """Say all of it."""
    yield from _heading(explanation)
    for account in explanation.rules:
        yield ""
        yield from _rule(account)


def _heading(explanation: Explanation) -> Iterator[str]:
    look = explanation.look
    yield f"{explanation.job} at {_time(explanation.at)}"
    if look.gone:
        yield f"  gone since {_time(look.changed_at)}; what follows is its last known state"
    else:
        yield f"  last looked at {_time(look.at)}, last changed {_time(look.changed_at)}"
    if explanation.asked_at is not None:
        yield f"  last asked {_time(explanation.asked_at)}; it has not been its turn since"
    if look.reading.frozen and look.reading.since:
        yield f"  cannot be read since {_time(look.reading.since)} ({look.reading.outcome}): frozen"
    for change in look.changes:
        yield f"  {change.path}: {described(change.before)} -> {described(change.after)}"
    if explanation.next_poll is not None:
        why = f" ({_REASONS[explanation.next_look]})" if explanation.next_look is not None else ""
        yield f"  next poll about {_time(explanation.next_poll)}{why}"


def _rule(account: RuleAccount) -> Iterator[str]:
    yield f"{account.rule.name} ({account.rule.severity}): {_standing(account)}"
    for condition in account.conditions:
        yield from _condition(condition)
    for held in account.held:
        yield f"  held back: {_held(held)}"
    for line in account.ledger:
        reminded = f", reminded about {_time(line.reminder_at)}" if line.reminder_at else ""
        yield f"  {line.integration_id} knows since {_time(line.at)} that it fires{reminded}"
    left = len(account.told) - _TOLD_MAX
    if left > 0:
        yield f"  told: {left} earlier messages"
    for message in account.told[-_TOLD_MAX:]:
        yield f"  told: {_message(message)}"
    for coming in account.coming:
        yield f"  {coming.reason} to {coming.receiver} at {_time(coming.at)}{f', unless {coming.unless}' if coming.unless else ''}"
    if account.next_tick is not None:
        yield f"  next tick of its group: {_time(account.next_tick)}"


def _standing(account: RuleAccount) -> str:
    if account.rule.event is not None:
        return "an event, told once when it happens"
    standing = account.standing
    since = f" since {_time(standing.since)}" if standing.since else ""
    ended = f" ({standing.ended})" if standing.ended else ""
    return f"{standing.state}{since}{ended}"


def _condition(condition: Condition) -> Iterator[str]:
    yield f"  {condition.key}: {str(condition.holds).lower()}"
    yield from _node(condition.tree, "    ")


def _node(node: Node, indent: str) -> Iterator[str]:
    children = shown_children(node)
    if children and not any(shown_children(child) for child in children):
        told = ", ".join(f"{child.text} is {described(child.value)}" for child in children)
        yield f"{indent}{_one_line(node.text)} is {described(node.value)}: {told}"
        return
    yield f"{indent}{_one_line(node.text)} is {described(node.value)}"
    for child in children:
        yield from _node(child, f"{indent}  ")


def shown_children(node: Node) -> tuple[Node, ...]:
    """Give the parts of a part that tell something: not the objects on the way to a property, and no constants."""
    if _PATH.fullmatch(node.text) and not node.text.startswith(("true", "false", "null")):
        return ()
    return tuple(child for child in node.children if _tells(child))


def _tells(node: Node) -> bool:
    told = described(node.value)
    if node.children:
        return told != node.text  # a list of constants says no more than itself
    return _PATH.fullmatch(node.text) is not None and told != node.text.lower()


def _held(held: Held) -> str:
    until = f" until {_time(held.until)}" if held.until else ""
    return f"{held.by}{until}{f': {held.detail}' if held.detail else ''}"


def _message(message: Message) -> str:
    state = f", {message.state}" if message.state else ""
    ended = f" {_time(message.ended_at)}" if message.ended_at else ""
    error = f" ({message.error})" if message.error and message.state != "delivered" else ""
    return f"{message.integration_id} {message.reason}, decided {_time(message.decided_at)}{state}{ended}{error}"


def described(value: object) -> str:
    """Write a value as rules write it, as far as they can."""
    if isinstance(value, str):
        return _cut(json.dumps(value, ensure_ascii=False))
    if isinstance(value, Mapping):
        return _cut("{" + ", ".join(f"{key}: {described(entry)}" for key, entry in value.items()) + "}")
    if isinstance(value, tuple):
        return _cut("[" + ", ".join(described(entry) for entry in value) + "]")
    return _scalar(value)


def _scalar(value: object) -> str:
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, datetime):
        return _time(value)
    if isinstance(value, timedelta):
        return format_duration(value)
    return "there" if attrs.has(type(value)) else str(value)


def _cut(text: str) -> str:
    return text if len(text) <= _SHOWN_MAX else f"{text[:_SHOWN_MAX]}..."


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _time(instant: datetime) -> str:
    return instant.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%SZ")
