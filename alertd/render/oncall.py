"""The part that an incident at PagerDuty is made of, read and held to what its Events API v2 takes.

https://developer.pagerduty.com/docs/send-alert-event
"""

from __future__ import annotations

from typing import Any

from alertd.model.alert import SEVERITIES
from alertd.render import cards, hostile
from alertd.render.context import Entry, Message
from alertd.render.parts import Part, entry_lines, plain_lines, read_object

SUMMARY_MAX = 1_024
_FIELD_MAX = 255  # PagerDuty names no limit for the short fields; none of ours needs more


def filled(value: cards.Json) -> cards.Json:
    """Leave out nulls and what is empty."""
    if isinstance(value, dict):
        kept = {name: filled(item) for name, item in value.items()}
        return {name: item for name, item in kept.items() if item not in (None, "", [], {})}
    return [filled(item) for item in value if item not in (None, "", {})] if isinstance(value, list) else value


def _read(text: str) -> cards.Json:
    event = filled(read_object(text))
    event["payload"] = _payload(event.get("payload"))
    return event


def _payload(payload: Any) -> dict[str, Any]:  # noqa: ANN401 - whatever a template wrote
    """Check what has to be there, and cut what has a limit."""
    if not isinstance(payload, dict):
        raise TypeError("an event has an object `payload`")
    missing = [name for name in ("summary", "source", "severity") if not isinstance(payload.get(name), str)]
    if missing:
        raise ValueError(f"the payload has no {' and no '.join(missing)}")
    if payload["severity"] not in SEVERITIES:
        raise ValueError(f"severity {payload['severity']!r} is none of {', '.join(SEVERITIES)}")
    short = {name: payload[name] for name in ("source", "component", "group", "class") if name in payload}
    cut = {name: hostile.shorten(str(text), _FIELD_MAX) for name, text in short.items()}
    return {**payload, **cut, "summary": hostile.shorten(payload["summary"], SUMMARY_MAX)}


def _read_details(text: str) -> cards.Json:
    return filled(read_object(text))


def _builtin(message: Message, error: str) -> cards.Json:
    tone = message.group.tone
    details = {"Message": "\n".join(plain_lines(message, error))}
    payload = {
        "summary": hostile.shorten(message.group.headline, SUMMARY_MAX),
        "source": "alertd",
        "severity": tone if tone in SEVERITIES else "info",
        "custom_details": details,
    }
    return {"client": "alertd", "payload": payload}


def _builtin_block(entry: Entry, error: str, message: Message) -> cards.Json:
    return {"Says": "\n".join(entry_lines(entry, message)), "Template": f"failed: {hostile.plain(error)}"}


PAGERDUTY = Part(
    name="event.json", read=_read, read_block=_read_details, builtin=_builtin, builtin_block=_builtin_block
)
