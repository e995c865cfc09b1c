"""Words for people: why a message goes out, how an alert ended, what a property is called, the one-line headline."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from alertd.model.alert import SEVERITIES, Alert, Ended, Event, Evidence
from alertd.model.digest import Digest
from alertd.model.notification import Notification, Reason, ResolvedAlert
from alertd.render.hostile import plain

_NAME_MAX = 80
_SUMMARY_MAX = 200
_WORD_BORDER = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")

MEANINGS: Mapping[Reason, str] = {
    Reason.FIRST_NOTIFICATION: "the first message about this",
    Reason.NEW_ALERTS: "more has begun to fire since the last message",
    Reason.SOME_RESOLVED: "some of it has ended, the rest still fires",
    Reason.ALL_RESOLVED: "all of it is resolved",
    Reason.REPEAT: "a reminder: it still fires",
    Reason.LATE: "it began and ended while messages could not be delivered",
    Reason.EVENT: "something happened once; there will be no all-clear",
    Reason.SUBJECT_GONE: "the job is not there any more; this is no all-clear",
    Reason.NOT_WATCHED: "the configuration does not watch it any more; this is no all-clear",
    Reason.RULE_REMOVED: "the rule was removed; this is no all-clear",
    Reason.ACKNOWLEDGED: "somebody has taken it on",
    Reason.REMINDER_DEADLINE: "Microsoft disables the job soon",
    Reason.ESCALATION: "it still fires, and nobody has acknowledged it",
    Reason.FALLBACK: "another receiver could not be reached",
    Reason.MUTE_SUMMARY: "what was held back while muted",
    Reason.SILENCE_ENDING: "a silence ends soon",
    Reason.DIGEST: "the regular overview",
    Reason.DRILL: "a test of the way to you; nothing is wrong",
}
_PREFIXES: Mapping[Reason, str] = {
    Reason.ALL_RESOLVED: "Resolved",
    Reason.REPEAT: "Still firing",
    Reason.LATE: "Late",
    Reason.SUBJECT_GONE: "Gone",
    Reason.NOT_WATCHED: "No longer watched",
    Reason.RULE_REMOVED: "Rule removed",
    Reason.ACKNOWLEDGED: "Acknowledged",
    Reason.REMINDER_DEADLINE: "Deadline ahead",
    Reason.ESCALATION: "Escalated",
    Reason.FALLBACK: "Undelivered",
    Reason.MUTE_SUMMARY: "While muted",
    Reason.SILENCE_ENDING: "Silence ends soon",
    Reason.DIGEST: "Digest",
    Reason.DRILL: "Drill",
}
ENDINGS: Mapping[Ended, str] = {
    Ended.RESOLVED: "resolved",
    Ended.GONE: "the job is gone",
    Ended.NOT_WATCHED: "no longer watched",
    Ended.RULE_REMOVED: "the rule was removed",
}
# What is worth a line among the changes, in this order; the rest of a snapshot changes with every run.
PROPERTIES: Mapping[str, str] = {
    "status.code": "Status",
    "status.quarantine.reason": "Quarantine reason",
    "status.quarantine.error.code": "Quarantine error",
    "status.lastExecution.state": "Latest run",
    "status.lastExecution.error.code": "Error of the latest run",
    "status.countSuccessiveCompleteFailures": "Failed runs in a row",
    "status.escrowsPruned": "Error records cleared by the service",
    "status.lastExecution.countEscrowed": "Objects with errors",
    "status.quarantine.seriesBegan": "In quarantine since",
    "status.quarantine.nextAttempt": "Next attempt",
    "schedule.state": "Schedule",
    "schedule.interval": "Interval",
    "schedule.expiration": "Schedule expires",
    "status.synchronizedEntryCountByType": "Synchronized, {}",
    "settings": "Setting {}",
}
_RANKS = {path: rank for rank, path in enumerate(PROPERTIES)}
_MAP_ENTRY = re.compile(r'(?P<path>[\w.]+)\["(?P<key>.*)"\]')


def meaning(notification: Notification) -> str:
    """Say in words why a message goes out."""
    if notification.stands_in_for:
        return f"it could not be delivered to {' and '.join(absent(notification))}"
    return MEANINGS[notification.reason]


def absent(notification: Notification) -> tuple[str, ...]:
    """Name the integrations that failed, never by an address."""
    return tuple(plain(one.removesuffix("/default"), _NAME_MAX) for one in notification.stands_in_for)


def property_rank(path: str) -> int | None:
    """Order properties by how much a change of theirs tells; null for those that change with every run."""
    return _RANKS.get(_split(path)[0])


def property_words(path: str) -> str:
    """Name a property: ``status.code`` is its status, ``settings["Domain"]`` the setting Domain."""
    base, key = _split(path)
    return PROPERTIES.get(base, path).format(key)


def _split(path: str) -> tuple[str, str]:
    """Give a property and, of a map, the entry; the job's own properties are known without ``job.``."""
    entry = _MAP_ENTRY.fullmatch(path)
    base, key = (entry["path"], entry["key"]) if entry else (path, "")
    return base.removeprefix("job."), key


def severity_rank(severity: str) -> int:
    """Order severities, worst first; unknown ones last."""
    return SEVERITIES.index(severity) if severity in SEVERITIES else len(SEVERITIES)


def worst(severities: Iterable[str]) -> str | None:
    """Give the worst of them; null of none."""
    return min(severities, key=severity_rank, default=None)


def rule_words(name: str) -> str:
    """Spell a rule's name as words: ``JobQuarantined`` becomes ``Job quarantined``."""
    words = _WORD_BORDER.sub(" ", plain(name, _NAME_MAX)).split(" ")
    return " ".join([words[0], *(word if word[1:].isupper() else word[:1].lower() + word[1:] for word in words[1:])])


def subject_name(labels: Mapping[str, str], evidence: Evidence) -> str:
    """Say what an alert is about: the application's name, else the job's id, the tenant, or alertd itself."""
    displayed = evidence.job.displayName if evidence.job is not None else None
    names = (
        displayed,
        labels.get("service_principal"),
        labels.get("job_id"),
        labels.get("tenant"),
        labels.get("error_code"),
        "alertd",
    )
    return next(name for name in (plain(name, _NAME_MAX) for name in names) if name)


def headline(notification: Notification) -> str:
    """Say it in one line: what a person reads on a locked phone."""
    prefix, words = _prefix(notification), _words(notification)
    return plain(f"{prefix}: {words}" if prefix else words, _SUMMARY_MAX)


def digest_words(digest: Digest) -> str:
    """Say a digest in one line: what needs somebody, else that nothing does."""
    jobs, tenants = _many(digest.jobs, "job"), _many(digest.tenants_total, "tenant")
    if digest.well and not digest.jobs:
        return f"no job has been seen in {tenants}"
    if digest.well:
        return f"all is well with {jobs} in {tenants}"
    whole = sum(one.whole for one in digest.unread)
    partly = digest.unread_total - whole
    told = (
        f"{digest.quarantined_total:,} of {jobs} in quarantine" if digest.quarantined_total else "",
        f"{_many(digest.unresolved_total, 'alert')} unresolved" if digest.unresolved_total else "",
        f"{_many(whole, 'tenant')} cannot be read" if whole else "",
        f"{_many(partly, 'tenant')} only in part" if partly else "",
        f"deliveries given up at {_many(digest.failed_total, 'integration')}" if digest.failed_total else "",
    )
    return ", ".join(part for part in told if part)


def _many(count: int, what: str) -> str:
    return f"{count:,} {what}" if count == 1 else f"{count:,} {what}s"


def _prefix(notification: Notification) -> str:
    disable_at = notification.disable_at
    if notification.reason is Reason.REMINDER_DEADLINE and disable_at is not None:
        return f"Disabled in {_about(disable_at - notification.at)}"
    return _PREFIXES.get(notification.reason, "")


def _about(span: timedelta) -> str:
    """Say how long in one round number: a reminder for three days may go out a tick later."""
    units = (("day", timedelta(days=1)), ("hour", timedelta(hours=1)), ("minute", timedelta(minutes=1)))
    unit, size = next(((unit, size) for unit, size in units if span >= 1.5 * size), units[-1])
    count = max(1, round(span / size))
    return f"{count} {unit}{'s' if count != 1 else ''}"


def _words(notification: Notification) -> str:
    if notification.digest is not None:
        return digest_words(notification.digest)
    ended = [entry.alert for entry in notification.resolved]
    items: Sequence[Alert | Event] = (*notification.firing, *ended, *notification.events)
    if not items:
        return _EMPTY.get(notification.reason, f"a message from alertd to {notification.receiver}")
    if len(items) > 1:
        return f"{_counts(notification)}{_common_tenant(items)}{_common_rule(items)}"
    return _end_words(notification.resolved[0]) if ended else summary(items[0])


_EMPTY: Mapping[Reason, str] = {
    Reason.DRILL: "this is a test of alertd, nothing is wrong",
    Reason.DIGEST: "nothing is firing",
}


def summary(item: Alert | Event) -> str:
    """Say what an alert or event says: its summary, else what its status tells, else its rule and subject."""
    told = plain(item.annotations.get("summary"), _SUMMARY_MAX)
    if told:
        return told
    name = subject_name(item.labels, item.evidence)
    return f"{name} entered quarantine" if _entered(item.evidence) else f"{name}: {rule_words(item.name)}"


def _end_words(entry: ResolvedAlert) -> str:
    alert = entry.alert
    name = subject_name(alert.labels, alert.evidence)
    healthy = entry.ended is Ended.RESOLVED and _left(alert.evidence)
    return f"{name} left quarantine" if healthy else f"{name} ({rule_words(alert.name)})"


def _entered(evidence: Evidence) -> bool:
    before = evidence.previous.code if evidence.previous is not None else None
    now = evidence.status.code if evidence.status is not None else None
    return now == "Quarantine" and before != "Quarantine"


def _left(evidence: Evidence) -> bool:
    before = evidence.previous.code if evidence.previous is not None else None
    now = evidence.status.code if evidence.status is not None else None
    return before == "Quarantine" and now not in {None, "Quarantine"}


def _counts(notification: Notification) -> str:
    firing, resolved, events = len(notification.firing), len(notification.resolved), len(notification.events)
    if firing and not resolved and not events:
        return f"{firing} alerts"
    ended = "ended" if any(entry.ended is not Ended.RESOLVED for entry in notification.resolved) else "resolved"
    named = ((firing, "firing"), (resolved, ended), (events, "event" if events == 1 else "events"))
    return ", ".join(f"{count} {word}" for count, word in named if count)


def _common_tenant(items: Sequence[Alert | Event]) -> str:
    tenants = {item.labels.get("tenant", "") for item in items} - {""}
    if len(tenants) > 1:
        return f" in {len(tenants)} tenants"
    return "".join(f" in {plain(tenant, _NAME_MAX)}" for tenant in tenants)


def _common_rule(items: Sequence[Alert | Event]) -> str:
    rules = {item.name for item in items}
    return f": {rule_words(rules.pop())}" if len(rules) == 1 else ""


# Messages about many things, or about a silence: they are titled by what they say, not after their oldest alert.
_NO_INCIDENTS = frozenset({Reason.MUTE_SUMMARY, Reason.SILENCE_ENDING})


def incident_title(notification: Notification) -> str:
    """Name an incident after its oldest alert, for a mail's subject: ``contoso: Salesforce - JobQuarantined``.

    Mail programs thread by subject, so it must stay as it is when other jobs join. It does not when the oldest alert
    has ended and is listed no more; whoever keeps conversations can therefore hand the first message's title on
    in `Notification.title`.
    """
    if notification.title:
        return plain(notification.title, _SUMMARY_MAX)
    if notification.digest is not None or notification.reason in _NO_INCIDENTS:
        return headline(notification)
    ended = [entry.alert for entry in notification.resolved]
    items: list[Alert | Event] = [*notification.firing, *ended, *notification.events]
    if not items:
        return _words(notification)
    oldest = min(items, key=lambda item: (_began(item), item.fingerprint))
    tenant = notification.group_labels.get("tenant") or oldest.labels.get("tenant", "")
    subject = subject_name(oldest.labels, oldest.evidence)
    about = " - ".join(part for part in (subject if subject != tenant else "", oldest.name) if part)
    return plain(": ".join(part for part in (plain(tenant, _NAME_MAX), about) if part), _SUMMARY_MAX)


def _began(item: Alert | Event) -> datetime:
    return item.at if isinstance(item, Event) else item.startsAt or item.activeSince
