"""An explanation as a program reads it: mappings, lists and scalars that JSON knows. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import attrs

from alertd.explanation.account import Condition, Explanation, Held, RuleAccount
from alertd.rules.trace import Node


def plain(explanation: Explanation) -> dict[str, Any]:
    """Give all of it."""
    look = explanation.look
    return {
        "job": explanation.job,
        "at": _value(explanation.at),
        "looked_at": _value(look.at),
        "changed_at": _value(look.changed_at),
        "changes": [
            {"path": one.path, "before": _value(one.before), "after": _value(one.after)} for one in look.changes
        ],
        "gone": look.gone,
        "reading": {"outcome": look.reading.outcome, "since": _value(look.reading.since)},
        "asked_at": _value(explanation.asked_at),
        "next_poll": _value(explanation.next_poll),
        "next_look": explanation.next_look.value if explanation.next_look is not None else None,
        "rules": [_rule(account) for account in explanation.rules],
    }


def _rule(account: RuleAccount) -> dict[str, Any]:
    rule, standing = account.rule, account.standing
    return {
        "rule": rule.name,
        "scope": account.scope.value,
        "severity": rule.severity,
        "enabled": rule.enabled,
        "state": None if rule.event is not None else standing.state.value,
        "since": _value(standing.since),
        "episode": standing.episode,
        "ended": standing.ended,
        "conditions": [_condition(one) for one in account.conditions],
        "held_back": [_held(one) for one in account.held],
        "knows": [_entry(one) for one in account.ledger],
        "told": [_entry(one) for one in account.told],
        "coming": [_entry(one) for one in account.coming],
        "next_tick": _value(account.next_tick),
    }


def _condition(condition: Condition) -> dict[str, Any]:
    return {
        "key": condition.key,
        "text": condition.text,
        "holds": condition.holds,
        "tree": _node(condition.tree),
    }


def _node(node: Node) -> dict[str, Any]:
    said: dict[str, Any] = {"text": node.text, "value": _value(node.value)}
    return said | ({"children": [_node(child) for child in node.children]} if node.children else {})


def _held(held: Held) -> dict[str, Any]:
    return {"by": held.by, "until": _value(held.until), "detail": held.detail}


def _entry(entry: attrs.AttrsInstance) -> dict[str, Any]:
    return {name: _value(value) for name, value in attrs.asdict(entry, recurse=False).items()}


def _value(value: Any) -> Any:  # noqa: ANN401 - whatever an expression can see
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, Mapping):
        return {str(key): _value(entry) for key, entry in value.items()}
    if isinstance(value, tuple):
        return [_value(entry) for entry in value]
    if attrs.has(type(value)):
        return {name: _value(entry) for name, entry in attrs.asdict(value, recurse=False).items() if entry is not None}
    return value
