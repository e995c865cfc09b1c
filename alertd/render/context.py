"""What templates see: a notification, made ready for reading. The names are a contract with users' templates.

An entry of `alerts.firing`, `alerts.resolved` or `alerts.events` *is* the alert, with everything known about it beside;
a block is given the same things by name.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import attrs

from alertd.model.alert import Alert, Child, Event, Evidence
from alertd.model.change import Change
from alertd.model.digest import Digest
from alertd.model.notification import EndingSilence, Notification, Reason, ResolvedAlert
from alertd.model.resources import SynchronizationError, SynchronizationStatus
from alertd.model.views import Job, Tenant
from alertd.redaction import redact
from alertd.render import wording
from alertd.render.filters import Window
from alertd.render.links import Links, safe_link
from alertd.render.remedies import Remedy, error_of, remedy_for

# Kinds of trouble for which a failing message of Graph's would only mislead.
_NO_ERROR_TEMPLATES = frozenset({"schedule", "gone", "tenant", "alertd"})


@attrs.frozen(kw_only=True)
class Highlight:
    """A change worth a line, with its property's name in words."""

    label: str
    before: Any
    after: Any


@attrs.frozen(kw_only=True)
class Entry:
    """One alert or event of a message.

    state: ``firing``, ``resolved`` or ``event``. ended: how it ended (``resolved gone not_watched rule_removed``), with
    `ended_words` for people; null while it fires. at: when it began to fire, ended or happened.
    title: what it is about. headline: what it says, in one line. error: the error that matters now, null without one.
    children: those that a common cause's parent speaks for, the latest first; children_total counts all. agreed: what they agree in.
    block: its rendered block; null where it has ended, the channel has none, or the message lists too many for blocks.
    """

    name: str
    severity: str
    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    startsAt: datetime | None  # noqa: N815 - the contract's spelling, Alertmanager's
    endsAt: datetime | None  # noqa: N815
    activeSince: datetime | None  # noqa: N815
    fingerprint: str
    state: str
    ended: str | None = None
    ended_words: str | None = None
    at: datetime
    title: str
    headline: str
    template: str | None = None
    status: SynchronizationStatus | None = None
    previous: SynchronizationStatus | None = None
    job: Job | None = None
    tenant: Tenant | None = None
    changes: tuple[Change, ...] = ()
    highlights: tuple[Highlight, ...] = ()
    observed_between: Window
    error: SynchronizationError | None = None
    remedy: Remedy | None = None
    links: Links
    note: str = ""
    children: tuple[Child, ...] = ()
    children_total: int = 0
    agreed: str = ""
    block: Any = None

    @property
    def detail(self) -> str:
        """The headline without the title at its beginning, for a line that gives the title first."""
        return self.headline.removeprefix(self.title).lstrip(" :-")

    @property
    def alert(self) -> Entry:
        """The same, so that `entry.alert.name` reads as in a block."""
        return self


@attrs.frozen(kw_only=True)
class Group:
    """The message as a whole.

    id: the message's key, stable over all attempts. reason: the member of the closed enum, `meaning` in words.
    tone: ``critical error warning info``, the worst that fires; else ``resolved``, ``ended`` (ended, and no all-clear) or
    ``drill``; ``info`` for a word in advance. title: the incident's name. firing, resolved, events: how many there are, those left out included.
    disable_at: when Microsoft disables the first of the jobs that are listed as firing, at the latest; null where none is to be.
    stands_in_for: with reason ``fallback``, the integrations that could not be told, without the name ``default``.
    repeated: the same message may have arrived before.
    remedy: where several alerts need the same, so that it is said once; their blocks have it too.
    silence: the one that is about to end, in messages of reason `silence_ending`; null elsewhere.
    """

    id: str
    key: str
    labels: Mapping[str, str]
    reason: str
    meaning: str
    receiver: str
    observed_between: Window
    headline: str
    title: str
    tone: str
    firing: int
    resolved: int
    events: int
    conversation: str
    sequence: int
    disable_at: datetime | None = None
    stands_in_for: tuple[str, ...] = ()
    repeated: bool = False
    remedy: Remedy | None = None
    silence: EndingSilence | None = None


@attrs.frozen(kw_only=True)
class Alerts:
    """What a message lists; the counts of `more_*` were left out for size."""

    firing: tuple[Entry, ...] = ()
    resolved: tuple[Entry, ...] = ()
    events: tuple[Entry, ...] = ()
    more_firing: int = 0
    more_resolved: int = 0
    more_events: int = 0

    @property
    def all(self) -> tuple[Entry, ...]:
        """All of them, what fires first."""
        return (*self.firing, *self.events, *self.resolved)

    @property
    def more(self) -> int:
        """How many were left out."""
        return self.more_firing + self.more_resolved + self.more_events

    @property
    def common_labels(self) -> dict[str, str]:
        """What all of them share."""
        return _common([entry.labels for entry in self.all])

    @property
    def common_annotations(self) -> dict[str, str]:
        """What all of them share."""
        return _common([entry.annotations for entry in self.all])


def _common(maps: Sequence[Mapping[str, str]]) -> dict[str, str]:
    shared = set(maps[0].items()).intersection(*(each.items() for each in maps[1:])) if maps else set()
    return dict(sorted(shared))


def mapped(alerts: Alerts, change: Callable[[Entry], Entry]) -> Alerts:
    """Apply a change to every entry."""
    return attrs.evolve(
        alerts,
        firing=tuple(map(change, alerts.firing)),
        resolved=tuple(map(change, alerts.resolved)),
        events=tuple(map(change, alerts.events)),
    )


@attrs.frozen(kw_only=True)
class Message:
    """The context of a frame. digest: given in messages of reason `digest` alone, which have frames of their own."""

    group: Group
    alerts: Alerts
    links: Links
    now: datetime
    digest: Digest | None = None

    def frame(self) -> dict[str, Any]:
        """Name it as a frame sees it."""
        named = {"group": self.group, "alerts": self.alerts, "links": self.links, "now": self.now}
        return named | ({"digest": self.digest} if self.digest is not None else {})

    def block(self, entry: Entry) -> dict[str, Any]:
        """Name one entry as its block sees it."""
        shared = {name: getattr(entry, name) for name in BLOCK_ROOTS if hasattr(entry, name)}
        return shared | {"alert": entry, "group": self.group, "now": self.now}


FRAME_ROOTS: Mapping[str, Any] = {"group": Group, "alerts": Alerts, "links": Links, "now": datetime}
DIGEST_ROOTS: Mapping[str, Any] = {**FRAME_ROOTS, "digest": Digest}
BLOCK_ROOTS: Mapping[str, Any] = {
    "alert": Entry,
    "status": SynchronizationStatus,
    "previous": SynchronizationStatus,
    "job": Job,
    "tenant": Tenant,
    "changes": tuple[Change, ...],
    "highlights": tuple[Highlight, ...],
    "observed_between": Window,
    "error": SynchronizationError,
    "remedy": Remedy,
    "links": Links,
    "note": str,
    "children": tuple[Child, ...],
    "group": Group,
    "now": datetime,
}


def message(notification: Notification) -> Message:
    """Make everything ready that a template may ask for."""
    own = notification.external_url
    firing = sorted((_firing(alert, own) for alert in notification.firing), key=_worst_and_newest)
    resolved = tuple(_resolved(entry, own) for entry in notification.resolved)
    events = tuple(_event(event, own) for event in notification.events)
    alerts = Alerts(firing=tuple(firing), resolved=resolved, events=events)
    jobs = {entry.links.job for entry in alerts.all}
    links = Links(job=jobs.pop() if len(jobs) == 1 else None, alertd=safe_link(own, own))
    return Message(
        group=_group(notification, alerts), alerts=alerts, links=links, now=notification.at, digest=notification.digest
    )


def _worst_and_newest(entry: Entry) -> tuple[int, float, str]:
    return wording.severity_rank(entry.severity), -entry.at.timestamp(), entry.title


def _group(notification: Notification, alerts: Alerts) -> Group:
    return Group(
        id=notification.key,
        key=notification.group_key,
        labels=notification.group_labels,
        reason=notification.reason.value,
        meaning=wording.meaning(notification),
        disable_at=notification.disable_at,
        stands_in_for=wording.absent(notification),
        receiver=notification.receiver,
        observed_between=Window(*notification.observed_between),
        headline=wording.headline(notification),
        title=wording.incident_title(notification),
        tone=_tone(notification, alerts),
        firing=len(alerts.firing),
        resolved=len(alerts.resolved),
        events=len(alerts.events),
        conversation=notification.conversation,
        sequence=notification.sequence,
        repeated=notification.repeated,
        remedy=_shared_remedy((*alerts.firing, *alerts.events)),
        silence=notification.silence,
    )


def _tone(notification: Notification, alerts: Alerts) -> str:
    if notification.reason is Reason.DRILL:
        return "drill"
    if notification.reason is Reason.SILENCE_ENDING:  # a word in advance, whatever it is about
        return "info"
    if notification.digest is not None:
        return "resolved" if notification.digest.well else notification.digest.severity or "warning"
    severity = wording.worst(entry.severity for entry in (*alerts.firing, *alerts.events))
    if severity is not None:
        return severity
    truly = all(entry.ended == "resolved" for entry in alerts.resolved)
    return ("resolved" if truly else "ended") if alerts.resolved else "info"


def _shared_remedy(entries: Sequence[Entry]) -> Remedy | None:
    remedies = {entry.remedy for entry in entries}
    return remedies.pop() if len(remedies) == 1 and len(entries) > 1 else None


def _firing(alert: Alert, own: str | None) -> Entry:
    return _entry(alert, own, state="firing", at=alert.startsAt or alert.activeSince)


def _resolved(entry: ResolvedAlert, own: str | None) -> Entry:
    alert, words = entry.alert, wording.ENDINGS[entry.ended]
    at = alert.endsAt or alert.startsAt or alert.activeSince
    return _entry(alert, own, state="resolved", at=at, ended=entry.ended.value, ended_words=words)


def _event(event: Event, own: str | None) -> Entry:
    return _entry(event, own, state="event", at=event.at)


def _entry(
    item: Alert | Event,
    own: str | None,
    *,
    state: str,
    at: datetime,
    ended: str | None = None,
    ended_words: str | None = None,
) -> Entry:
    evidence = item.evidence
    remedy = None if state == "resolved" else _remedy(item)
    return Entry(
        name=item.name,
        severity=item.severity,
        labels=item.labels,
        annotations=item.annotations,
        startsAt=item.startsAt if isinstance(item, Alert) else item.at,
        endsAt=item.endsAt if isinstance(item, Alert) else None,
        activeSince=item.activeSince if isinstance(item, Alert) else item.at,
        fingerprint=item.fingerprint,
        state=state,
        ended=ended,
        ended_words=ended_words,
        at=at,
        title=wording.subject_name(item.labels, evidence),
        headline=wording.summary(item),
        template=item.template,
        status=evidence.status,
        previous=evidence.previous,
        job=evidence.job,
        tenant=evidence.tenant,
        changes=evidence.changes,
        highlights=highlights(evidence.changes),
        observed_between=Window(evidence.observed_from, evidence.observed_to or at),
        error=None if item.template in _NO_ERROR_TEMPLATES else _shown_error(evidence.status),
        remedy=remedy,
        links=_links(evidence, remedy, own),
        note=evidence.note,
        children=evidence.children,
        children_total=evidence.children_total,
        agreed=item.identity.cause.strip("{}"),
    )


def _shown_error(status: SynchronizationStatus | None) -> SynchronizationError | None:
    """Give the error that matters; its message may quote a request with all that authorised it."""
    error = error_of(status)
    return attrs.evolve(error, message=redact(error.message)) if error is not None and error.message else error


def _remedy(item: Alert | Event) -> Remedy | None:
    tenant = item.evidence.tenant
    poll_error = tenant.lastPollError if tenant is not None else None
    return remedy_for(item.evidence.status, template=item.template, poll_error=poll_error)


def _links(evidence: Evidence, remedy: Remedy | None, own: str | None) -> Links:
    trouble = evidence.status.troubleshootingUrl if evidence.status is not None else None
    return Links(
        job=safe_link(evidence.job.url, own) if evidence.job is not None else None,
        troubleshooting=safe_link(trouble, own),
        documentation=safe_link(remedy.url, own) if remedy is not None else None,
        alertd=safe_link(own, own),
    )


def highlights(changes: Iterable[Change]) -> tuple[Highlight, ...]:
    """Pick the changes worth a line, the most telling first; those of other properties are in `changes`."""
    told = [(wording.property_rank(change.path), change) for change in changes]
    chosen = sorted((pair for pair in told if pair[0] is not None), key=lambda pair: pair[0] or 0)
    return tuple(
        Highlight(label=wording.property_words(change.path), before=change.before, after=change.after)
        for _, change in chosen
    )
