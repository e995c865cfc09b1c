"""Alerts and events: what a rule says about a subject, and how it has lived so far."""

from __future__ import annotations

import enum
import hashlib
from collections.abc import Mapping
from datetime import datetime

import attrs

from alertd.model.change import Change
from alertd.model.resources import SynchronizationStatus
from alertd.model.value import value
from alertd.model.views import Job, Tenant


class State(enum.StrEnum):
    """Where an alert stands in its life."""

    INACTIVE = "inactive"  # its condition is false; no row is kept
    PENDING = "pending"  # true, but not yet for the rule's `for`
    FIRING = "firing"
    RESOLVED = "resolved"  # it has ended; kept until everybody who was told has been told so
    BASELINE = "baseline"  # true at first sight, and the configuration says not to tell


class Ended(enum.StrEnum):
    """How an alert came to its end."""

    RESOLVED = "resolved"  # the clearing condition held
    GONE = "gone"  # its job is not there any more
    NOT_WATCHED = "not_watched"  # the configuration excludes it now
    RULE_REMOVED = "rule_removed"  # the rule is not there any more


class Scope(enum.StrEnum):
    """What a rule is asked about."""

    JOB = "job"
    TENANT = "tenant"
    ALERTD = "alertd"


SEVERITIES = ("critical", "error", "warning", "info")  # worst first


@value(kw_only=True)
class Identity:
    """What makes two sightings the same alert: renaming, moving or relabelling a rule's file, tenant or job does not.

    tenant_key: ``cloud/tenant id``, empty in scope alertd. service_principal_id, job_id: empty beyond scope job.
    cause: what the children of a common cause's parent agree in; empty for every other alert.
    """

    rule: str
    tenant_key: str = ""
    service_principal_id: str = ""
    job_id: str = ""
    cause: str = ""

    @property
    def fingerprint(self) -> str:
        """Sixteen hex digits; the parts are joined by NUL, which none can contain."""
        parts = [self.rule, self.tenant_key, self.service_principal_id, self.job_id]
        parts += [self.cause] if self.cause else []
        return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]


@value(kw_only=True)
class Child:
    """An alert that a common cause's parent speaks for. title: what it is about. url: its page in the portal."""

    fingerprint: str
    name: str
    title: str
    tenant: str = ""
    startsAt: datetime
    error_code: str = ""
    url: str | None = None


@value(kw_only=True)
class Evidence:
    """What was seen when an alert began, ended, or an event happened: enough to render its message at any later time.

    observed_from, observed_to: the change happened between these two readings; `observed_from` is null at first sight.
    note: one sentence for the message where something needs saying, such as a quarantine left and re-entered unseen.
    children: those of a common cause's parent, the latest first; `children_total` counts all of them.
    """

    status: SynchronizationStatus | None = None
    previous: SynchronizationStatus | None = None
    job: Job | None = None
    tenant: Tenant | None = None
    changes: tuple[Change, ...] = ()
    observed_from: datetime | None = None
    observed_to: datetime | None = None
    note: str = ""
    children: tuple[Child, ...] = ()
    children_total: int = 0


@value(kw_only=True)
class Alert:
    """One alert: a rule that holds for a subject.

    episode: counts the times it began to fire, from one. inherits_from: the lowest episode whose "told firing" still
        speaks for this one.
    activeSince: the condition was first seen true. startsAt: it began to fire. clearSince: the clearing condition
        has held since.
    labels: fixed for an episode. annotations: rendered while the condition is true; they keep the last text afterwards.
    wording: which words they were made of; a rule that has others since is asked for its text anew.
    withheld_integrations: ids of integrations this alert must not be told through (a failing one cannot tell of its
        own failure).
    """

    identity: Identity
    state: State
    severity: str
    labels: Mapping[str, str]
    annotations: Mapping[str, str] = attrs.field(factory=dict)
    wording: str = ""
    template: str | None = None
    episode: int = 0
    inherits_from: int = 1
    activeSince: datetime
    startsAt: datetime | None = None
    clearSince: datetime | None = None
    endsAt: datetime | None = None
    ended: Ended | None = None
    evidence: Evidence = attrs.field(factory=Evidence)
    withheld_integrations: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The rule's name, label `alertname`."""
        return self.identity.rule

    @property
    def fingerprint(self) -> str:
        """Sixteen hex digits of the identity."""
        return self.identity.fingerprint

    @property
    def disableAt(self) -> datetime | None:  # noqa: N802 - as `job` has it
        """When Microsoft disables its job at the latest; null where that is not in quarantine, or there is none."""
        return self.evidence.job.disableAt if self.evidence.job is not None else None


@value(kw_only=True)
class Event:
    """A moment that a rule wants told once: it never fires, repeats or resolves.

    sequence: the job's snapshot number at which it happened. With the identity and the instant it is the event's key: numbers begin anew
        when a job comes back under its old id.
    """

    identity: Identity
    sequence: int
    at: datetime
    severity: str
    labels: Mapping[str, str]
    annotations: Mapping[str, str] = attrs.field(factory=dict)
    template: str | None = None
    evidence: Evidence = attrs.field(factory=Evidence)
    withheld_integrations: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The rule's name, label `alertname`."""
        return self.identity.rule

    @property
    def fingerprint(self) -> str:
        """Sixteen hex digits of the identity."""
        return self.identity.fingerprint

    @property
    def key(self) -> str:
        """What makes two reports of it the same event."""
        return f"{self.fingerprint}.{self.sequence}.{int(self.at.timestamp())}"
