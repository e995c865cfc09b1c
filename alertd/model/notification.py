"""What is told: the reasons, the message before it is rendered, and the message as it goes out."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from datetime import datetime

import attrs

from alertd.model.alert import Alert, Ended, Event
from alertd.model.digest import Digest


class Reason(enum.StrEnum):
    """Why a message goes out: shown in the message, the log, the metric, the API and the tests alike."""

    FIRST_NOTIFICATION = "first_notification"
    NEW_ALERTS = "new_alerts"
    SOME_RESOLVED = "some_resolved"
    ALL_RESOLVED = "all_resolved"
    REPEAT = "repeat"
    LATE = "late"
    EVENT = "event"
    SUBJECT_GONE = "subject_gone"
    NOT_WATCHED = "not_watched"
    RULE_REMOVED = "rule_removed"
    ACKNOWLEDGED = "acknowledged"  # only to who keeps incidents that somebody can take on
    REMINDER_DEADLINE = "reminder_deadline"
    ESCALATION = "escalation"
    FALLBACK = "fallback"
    MUTE_SUMMARY = "mute_summary"
    SILENCE_ENDING = "silence_ending"
    DIGEST = "digest"
    DRILL = "drill"


class Withheld(enum.StrEnum):
    """Why nothing was sent."""

    UNCHANGED = "unchanged"
    GROUP_WAIT = "group_wait"
    GROUP_INTERVAL = "group_interval"
    SILENCED = "silenced"
    INHIBITED = "inhibited"
    MUTED = "muted"
    ACKNOWLEDGED = "acknowledged"
    AWAITING_ATTEMPT = "awaiting_attempt"  # a reminder; the service tries the job again before long
    SEND_RESOLVED_OFF = "send_resolved_off"
    RESOLVED_BEFORE_FIRST = "resolved_before_first"
    SUPERSEDED = "superseded"
    BASELINE = "baseline"
    FROZEN = "frozen"
    NOT_ROUTED = "not_routed"


class DeliveryState(enum.StrEnum):
    """Where a delivery stands."""

    PENDING = "pending"  # committed, waiting for its (next) attempt
    SENDING = "sending"  # an attempt is under way, or the process died in it
    DELIVERED = "delivered"  # the receiver accepted it
    UNKNOWN = "unknown"  # the body went out and no answer came
    FAILED = "failed"  # given up
    SKIPPED = "skipped"  # unknown, and the configuration says not to repeat
    SUPERSEDED = "superseded"  # a newer decision replaced it before it was accepted


@attrs.frozen(kw_only=True)
class ResolvedAlert:
    """An alert that a message lists under `resolved`, and how it ended."""

    alert: Alert
    ended: Ended


@attrs.frozen(kw_only=True)
class EndingSilence:
    """A silence that is about to end, for those who will hear then of what it hides: whose it is, why, and until when."""

    id: str
    created_by: str
    comment: str
    starts_at: datetime
    ends_at: datetime


@attrs.frozen(kw_only=True)
class Notification:
    """One message to one integration, before rendering.

    key: stable over every attempt; it becomes Message-ID, webhook-id and the like.
    conversation: the same for all messages of one incident at one integration; the root of a mail thread.
    sequence: counts the conversation's messages from one.
    repeated: an earlier attempt may have arrived, and the channel cannot deduplicate: say "may be a repeat".
    stands_in_for: with reason `fallback`, the integrations that could not be told this, by id.
    title: what the conversation's first message was called (`alertd.render.wording.incident_title`), kept so that a
    mail thread keeps its subject; empty to have it worked out.
    silence: what hides that which a message of reason `silence_ending` lists.
    digest: all that a message of reason `digest` tells; it lists no alerts beside it.
    """

    key: str
    conversation: str
    sequence: int
    reason: Reason
    receiver: str
    group_key: str
    group_labels: Mapping[str, str]
    firing: tuple[Alert, ...] = ()
    resolved: tuple[ResolvedAlert, ...] = ()
    events: tuple[Event, ...] = ()
    at: datetime
    external_url: str | None = None
    repeated: bool = False
    stands_in_for: tuple[str, ...] = ()
    title: str = ""
    silence: EndingSilence | None = None
    digest: Digest | None = None

    @property
    def disable_at(self) -> datetime | None:
        """When Microsoft disables the first of the jobs listed as firing, at the latest; null where that lies behind for all, or for none."""
        instants = [alert.disableAt for alert in self.firing if alert.disableAt is not None]
        return min((instant for instant in instants if instant > self.at), default=None)

    @property
    def observed_between(self) -> tuple[datetime | None, datetime]:
        """The window in which everything told here changed: earliest start to latest end of the evidence."""
        items: tuple[Alert | Event, ...] = (*self.firing, *(entry.alert for entry in self.resolved), *self.events)
        seen = [item.evidence for item in items]
        starts = [evidence.observed_from for evidence in seen]
        ends = [evidence.observed_to for evidence in seen if evidence.observed_to is not None]
        known = [start for start in starts if start is not None]
        return (min(known) if known and len(known) == len(starts) else None), max(ends, default=self.at)


@attrs.frozen(kw_only=True)
class Rendered:
    """A message as it goes out: the very bytes that every attempt sends.

    headers: for HTTP; a mail carries its own in `body`. recipients: mail addresses, empty elsewhere.
    fallback: why the plain built-in message stands here instead of the template's; empty if it does not.
    shortened: what was left out to fit the channel's limit, in words.
    """

    body: bytes
    content_type: str
    headers: Mapping[str, str] = attrs.field(factory=dict)
    recipients: tuple[str, ...] = ()
    fallback: str = ""
    shortened: tuple[str, ...] = ()
