"""The parts that messages are made of: how a template's output is read, and the built-in text where a template fails.

The built-in text is plain on purpose: it is what is left when everything else is broken.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import attrs
from markupsafe import Markup, escape

from alertd.model.digest import Digest
from alertd.model.notification import EndingSilence
from alertd.model.resources import SynchronizationStatus
from alertd.render import cards, filters, hostile
from alertd.render.context import Entry, Message

_LINK = "  https://"
_AUTHOR_MAX = 80
_GAP = re.compile(r"\n[ \t]*\n(?:[ \t]*\n)+")


@attrs.frozen(kw_only=True)
class Part:
    """One part of a message.

    name: as in the template's file name. read: turns a template's output into the part's value, raising ValueError.
    read_block: the same for a block; null where the part has none. builtin, builtin_block: the values without a template.
    """

    name: str
    read: Callable[[str], Any]
    builtin: Callable[[Message, str], Any]
    read_block: Callable[[str], Any] | None = None
    builtin_block: Callable[[Entry, str, Message], Any] | None = None


def plain_lines(message: Message, error: str) -> list[str]:
    """Give the whole message in plain lines, the facts first and the template's error last."""
    group = message.group
    lines = [group.headline, f"Reason: {group.reason} ({group.meaning})"]
    if group.silence is not None:
        lines.append(_silence_line(group.silence))
    for entry in message.alerts.all:
        lines += entry_lines(entry, message)
    lines += [f"+{message.alerts.more} more"] if message.alerts.more else []
    lines += list(digest_lines(message.digest)) if message.digest is not None else []
    lines += ["This may be a repeat of a message you have."] if group.repeated else []
    return [*lines, f"This is the plain message, because the template failed: {hostile.plain(error)}"]


def _silence_line(silence: EndingSilence) -> str:
    whose = hostile.plain(silence.created_by, _AUTHOR_MAX)
    return f"Silenced by {whose} until {filters.datetime_text(silence.ends_at)}: {hostile.plain(silence.comment)}"


def entry_lines(entry: Entry, message: Message) -> list[str]:
    """Give one alert in plain lines."""
    status = entry.status
    facts = [
        f"{entry.state.upper()} {entry.severity}: {entry.headline}",
        f"  Rule {entry.name}, tenant {entry.labels.get('tenant', '')}",
    ]
    facts += _when(entry, message)
    facts += _status_lines(status) if status is not None else []
    facts += [
        f"  {highlight.label}: {filters.shown(highlight.before)} -> {filters.shown(highlight.after)}"
        for highlight in entry.highlights
    ]
    facts += [f"  Next: {entry.remedy.title}"] if entry.remedy is not None else []
    facts += [f"  WARNING: {entry.remedy.warning}"] if entry.remedy is not None and entry.remedy.warning else []
    facts += [f"{_LINK}{entry.links.job.removeprefix(_LINK.strip())}"] if entry.links.job else []
    return facts


def digest_lines(digest: Digest) -> Iterator[str]:
    """Give a digest in plain lines."""
    states = ", ".join(f"{count} {state}" for state, count in digest.states.items())
    yield f"{digest.jobs} jobs in {digest.tenants_total} tenants: {states or 'none'}"
    for job in digest.quarantined:
        yield f"  In quarantine since {filters.datetime_text(job.since)}: {job.tenant}, {job.title} {job.reason}"
    for alert in digest.unresolved:
        yield f"  Unresolved since {filters.datetime_text(alert.since)}: {alert.tenant}, {alert.summary}"
    for tenant in digest.unread:
        yield f"  Not read: {tenant.tenant} {tenant.error}"
    for trend in digest.trends:
        yield f"  Objects with errors: {trend.tenant}, {trend.title}: {trend.before} -> {trend.now}"
    for failed in digest.failed:
        yield f"  Deliveries given up: {failed.count} at {failed.integration} {failed.error}"


def _when(entry: Entry, message: Message) -> list[str]:
    ended = [f"  Ended: {entry.ended_words}, {filters.datetime_text(entry.at)}"] if entry.ended else []
    began = entry.startsAt or entry.at
    return [f"  Since {filters.datetime_text(began)} ({filters.ago_text(began, message.now)})", *ended]


def _status_lines(status: SynchronizationStatus) -> list[str]:
    quarantine = status.quarantine
    reason = f", quarantine reason {quarantine.reason}" if quarantine is not None and quarantine.reason else ""
    return [f"  Status {status.code or 'unknown'}{reason}"]


def _builtin_text(message: Message, error: str) -> str:
    return "\n".join(plain_lines(message, error)) + "\n"


def _builtin_html(message: Message, error: str) -> str:
    return str(Markup("<!DOCTYPE html><html><body><pre>%s</pre></body></html>") % escape(_builtin_text(message, error)))


def _block_lines(entry: Entry, error: str, message: Message) -> list[str]:
    return [*entry_lines(entry, message), f"  (plain, because the template failed: {hostile.plain(error)})"]


def _builtin_card(message: Message, error: str) -> cards.Json:
    lines = plain_lines(message, error)
    title = {"type": "TextBlock", "text": hostile.md(lines[0]), "weight": "Bolder", "size": "Large", "wrap": True}
    link = message.links.job or message.links.alertd
    return {
        "type": "AdaptiveCard",
        "$schema": cards.SCHEMA,
        "version": cards.VERSION,
        "msteams": {"width": "Full"},
        "fallbackText": lines[0],
        "body": [title, *(_card_line(line) for line in lines[1:])],
        "actions": [{"type": "Action.OpenUrl", "title": "Open", "url": link}] if link else [],
    }


def _card_line(line: str) -> cards.Json:
    run: dict[str, cards.Json] = {"type": "TextRun", "text": line.strip()}
    if line.startswith(_LINK):
        run = {
            "type": "TextRun",
            "text": "Open in Entra",
            "selectAction": {"type": "Action.OpenUrl", "url": line.strip()},
        }
    return {"type": "RichTextBlock", "inlines": [run], "spacing": "None" if line.startswith(" ") else "Medium"}


def _read_card(text: str) -> cards.Json:
    card = cards.tidy(cards.parse(text))
    wrong = cards.faults(card)
    if wrong:
        raise ValueError("; ".join(wrong[:3]))
    return card


def _read_text(text: str) -> str:
    """Close the gaps that left-out parts leave: never more than one empty line, none at the ends."""
    return _GAP.sub("\n\n", text).strip("\n") + "\n"


def _read_elements(text: str) -> cards.Json:
    elements = cards.parse(text)
    if not isinstance(elements, list):
        raise TypeError(f"a block is a list of elements, not {type(elements).__name__}")
    return elements


CARD = Part(
    name="card.json",
    read=_read_card,
    read_block=_read_elements,
    builtin=_builtin_card,
    builtin_block=lambda entry, error, message: [_card_line(line) for line in _block_lines(entry, error, message)],
)
SUBJECT = Part(name="subject.txt", read=hostile.plain, builtin=lambda message, _: f"[alertd] {message.group.title}")
TITLE = Part(name="title.txt", read=hostile.plain, builtin=lambda message, _: message.group.headline)
TEXT = Part(
    name="body.txt",
    read=_read_text,
    read_block=_read_text,
    builtin=_builtin_text,
    builtin_block=lambda entry, error, message: "\n".join(_block_lines(entry, error, message)) + "\n",
)
HTML = Part(
    name="body.html",
    read=str,
    read_block=Markup,
    builtin=_builtin_html,
    builtin_block=lambda entry, error, message: (
        Markup("<pre>%s</pre>") % "\n".join(_block_lines(entry, error, message))
    ),
)


def _builtin_alertd(message: Message, error: str) -> cards.Json:
    group, alerts = message.group, message.alerts
    lists = {name: [_item(entry) for entry in getattr(alerts, name)] for name in ("firing", "resolved", "events")}
    facts: dict[str, Any] = {
        "key": group.id,
        "conversation": group.conversation,
        "sequence": group.sequence,
        "reason": group.reason,
        "headline": group.headline,
        "receiver": group.receiver,
        "group": {"key": group.key, "labels": dict(group.labels)},
        "template_error": error,
        "truncated": alerts.more,
        "silence": group.silence,
    }
    digest = {"digest": message.digest} if message.digest is not None else {}
    return plain_json({"type": f"alertd.{group.reason}", "timestamp": message.now, "data": facts | lists | digest})


def _builtin_alertmanager(message: Message, error: str) -> cards.Json:
    group, alerts = message.group, message.alerts
    body = {
        "version": "4",
        "groupKey": group.key,
        "truncatedAlerts": alerts.more,
        "status": "firing" if group.firing or group.events else "resolved",
        "receiver": group.receiver,
        "groupLabels": dict(group.labels),
        "commonLabels": alerts.common_labels,
        "commonAnnotations": alerts.common_annotations | {"template_error": error},
        "externalURL": message.links.alertd or "",
        "alerts": [_alertmanager_item(entry) for entry in alerts.all],
    }
    return plain_json(body | ({"digest": message.digest} if message.digest is not None else {}))


_ITEM = (
    "name",
    "state",
    "ended",
    "severity",
    "labels",
    "annotations",
    "startsAt",
    "endsAt",
    "activeSince",
    "fingerprint",
    "status",
)


def _item(entry: Entry) -> cards.Json:
    return {name: getattr(entry, name) for name in _ITEM}


def _alertmanager_item(entry: Entry) -> cards.Json:
    return {
        "status": "resolved" if entry.ended else "firing",
        "labels": entry.labels,
        "annotations": entry.annotations,
        "startsAt": entry.startsAt,
        "endsAt": (entry.endsAt or entry.at) if entry.ended else "0001-01-01T00:00:00Z",
        "generatorURL": entry.links.job or "",
        "fingerprint": entry.fingerprint,
    }


def plain_json(value: cards.Json) -> cards.Json:
    """Give values of ours as JSON knows them: instants and spans of time as text."""
    return json.loads(filters.json_text(value))


def read_object(text: str) -> cards.Json:
    """Read a JSON object; raises ValueError or TypeError."""
    value = cards.parse(text)
    if not isinstance(value, dict):
        raise TypeError(f"the body is an object, not {type(value).__name__}")
    return value


ALERTD = Part(name="alertd.json", read=read_object, builtin=_builtin_alertd)
ALERTMANAGER = Part(name="alertmanager.json", read=read_object, builtin=_builtin_alertmanager)
