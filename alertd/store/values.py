"""What the store keeps, as frozen values; how they are laid out in tables is the adapters' business.

Instants are aware and in UTC. A tenant's key is ``cloud/tenant id``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

import attrs

from alertd.model.alert import Event, State
from alertd.model.change import Change
from alertd.model.facts import Facts
from alertd.model.notification import DeliveryState, Reason, Rendered, Withheld
from alertd.model.resources import ServicePrincipal, SynchronizationJob
from alertd.model.value import value

JobKey = tuple[str, str, str]  # tenant key, service principal id, job id


@attrs.frozen(kw_only=True)
class TenantRecord:
    """A tenant after its latest slice.

    epoch: grows with every slice committed; a writer that read an older one is fenced off.
    asked_from: when the latest round began to ask; none of its readings is older.
    discovered_at: the latest complete discovery; null before the first.
    not_asked: principals whose turn it was not in the latest round. jobs: those known after it, read in it or not.
    """

    key: str
    name: str
    epoch: int = 0
    rounds: int = 0
    consecutivePollFailures: int = 0  # noqa: N815 - a member of `tenant` in rules
    lastPollAt: datetime | None = None  # noqa: N815
    asked_from: datetime | None = None
    lastPollError: str | None = None  # noqa: N815
    pollCoverage: float = 1.0  # noqa: N815
    failedServicePrincipals: int = 0  # noqa: N815
    credentialExpiresAt: datetime | None = None  # noqa: N815
    discovered_at: datetime | None = None
    not_asked: int = 0
    jobs: int = 0


@value(kw_only=True)
class PrincipalRecord:
    """A service principal that has or ever had jobs, or that discovery has listed.

    outcome: of its latest reading: ``ok`` or a PollErrorKind; empty before the first. outcome_since: when that began.
    last_ok_at: latest good reading; while `outcome` is ``ok`` the tenant's lastPollAt is as good and may be later.
    first_discovery: the tenant's first discovery found it, so its first jobs have not "appeared".
    not_found: readings in a row that said so. listed: the latest complete discovery has it. watched: configuration includes it.
    asked_at: its latest turn, where the rounds since have left it out; null while every round asks it.
    """

    tenant_key: str
    principal: ServicePrincipal
    has_jobs: bool = False
    first_discovery: bool = False
    listed: bool = True
    watched: bool = True
    outcome: str = ""
    outcome_since: datetime | None = None
    last_ok_at: datetime | None = None
    not_found: int = 0
    asked_at: datetime | None = None


@value(kw_only=True)
class JobRecord:
    """A job as it was at its last good reading.

    sequence: grows with every snapshot that differed. absent: good readings of its principal in a row that did not list it.
    appeared_at: first sight, for a job that appeared in a principal read before; null for jobs of the first discovery.
    """

    tenant_key: str
    service_principal_id: str
    job: SynchronizationJob
    facts: Facts
    sequence: int = 1
    first_seen_at: datetime
    changed_at: datetime
    absent: int = 0
    appeared_at: datetime | None = None

    @property
    def key(self) -> JobKey:
        """The key of its job."""
        return self.tenant_key, self.service_principal_id, self.job.id


@value(kw_only=True)
class HistoryEntry:
    """One changed snapshot, for replay: a full one, or the changes since the previous sequence number.

    full: given at first sight and every 50th time with the facts after it; then `changes` is empty. Between two of those, a replay steps the
    facts through: a step is pure, and facts with their instants are larger than most changes. gone: the job vanished here; nothing else is given.
    """

    tenant_key: str
    service_principal_id: str
    job_id: str
    sequence: int
    at: datetime
    full: SynchronizationJob | None = None
    changes: tuple[Change, ...] = ()
    facts: Facts | None = None
    gone: bool = False

    @property
    def key(self) -> JobKey:
        """The key of its job."""
        return self.tenant_key, self.service_principal_id, self.job_id


@attrs.define
class Outline:
    """A changed snapshot as far as it is known before anybody reads what its properties became; made a hundred thousand times a second.

    paths: what changed; None for a full snapshot, which does not say.
    content, reader: what is left to read, as the store has it, and how.
    """

    key: JobKey
    sequence: int
    at: datetime
    paths: tuple[str, ...] | None
    gone: bool
    content: Any
    reader: Callable[[Outline], HistoryEntry]

    def read(self) -> HistoryEntry:
        """Read the whole entry; raises StoreError where it cannot be read."""
        return self.reader(self)


@attrs.frozen(kw_only=True)
class RoundEntry:
    """One closed round of a tenant, for replay and for the figures of `status`.

    jobs: those that were read. rested, unanswered, waiting: principals whose turn it was not, as in `Tally`.
    requests, throttled, repeated: what the round came to at Graph, as `Requests` counts it.
    """

    tenant_key: str
    at: datetime
    asked: int
    ok: int
    failed: int
    jobs: int
    error: str | None = None
    rested: int = 0
    unanswered: int = 0
    waiting: int = 0
    requests: int = 0
    throttled: int = 0
    repeated: int = 0

    @property
    def in_line(self) -> int:
        """Service principals that the round was about, asked or not."""
        return self.asked + self.rested + self.unanswered + self.waiting


@attrs.frozen(kw_only=True)
class Usage:
    """What the rounds of one tenant since some instant came to at Graph, in sum; see RoundEntry."""

    tenant_key: str
    rounds: int = 0
    requests: int = 0
    throttled: int = 0
    repeated: int = 0

    def per_job(self, jobs: int) -> float | None:
        """Give the requests for each of the tenant's jobs; null where it has none."""
        return self.requests / jobs if jobs else None


@attrs.frozen(kw_only=True)
class ReadingChange:
    """A principal's reading outcome changed at `at`: run-length history, one row a run."""

    tenant_key: str
    service_principal_id: str
    at: datetime
    outcome: str


@attrs.frozen(kw_only=True)
class TransitionEntry:
    """An alert went from one state to another."""

    fingerprint: str
    rule: str
    tenant_key: str
    service_principal_id: str
    job_id: str
    at: datetime
    before: State
    after: State
    episode: int
    detail: str = ""


@attrs.frozen(kw_only=True)
class Group:
    """Alerts that are told together: one route, one set of values of its `group_by`.

    sequence: grows with every flush; a flush that read an older one is fenced off.
    opened_at: its first member began to fire. first_flush_at: the base of its ticks, a computed instant. due_at: its next flush.
    dirty: something changed since the last flush. muted: that flush found something held back by a muted time of its route.
    """

    key: str
    route_id: str
    labels: Mapping[str, str]
    sequence: int = 0
    opened_at: datetime
    first_flush_at: datetime
    flushed_at: datetime | None = None
    due_at: datetime
    dirty: bool = True
    muted: bool = False


@attrs.frozen(kw_only=True)
class Told:
    """A line of the told-ledger: this integration accepted a message that said "firing".

    at: when it was first accepted. absent: a later message went out without it, so its return is news.
    """

    fingerprint: str
    episode: int
    at: datetime
    absent: bool = False


@attrs.frozen(kw_only=True)
class Announced:
    """An alert that a message listed under `firing` and that was not (yet) accepted."""

    fingerprint: str
    episode: int


@attrs.frozen(kw_only=True)
class Acknowledgement:
    """Somebody has taken a conversation on: reminders stop until the alerts it tells of change.

    told: the integration has accepted a message that says so, where it keeps incidents that can be taken on.
    """

    at: datetime
    created_by: str
    comment: str
    told: bool = False


@attrs.frozen(kw_only=True)
class Conversation:
    """All that one integration was told of one group, from its first message to its all-clear.

    sequence: messages decided so far. last_message_at: the repeat clock. as_of: when the latest that was accepted was decided.
    repeats: reminders in a row since something else was said.
    open_delivery: id of the one delivery that is not at its end.
    recheck: a decision was put off while that delivery was under way; it is taken anew when that has ended.
    events: waiting for the next message. acknowledged: by whom, as long as its alerts stay the same.
    taken: the episodes it told of when somebody acknowledged it; they are not escalated, whatever else joins them.
    given_up: what has been handed over to a fallback since it last accepted a message. stands_in_for: the integrations that it is told in the
    place of, by id.
    route_id, group_labels: its group's, which it may outlive.
    title: what its first message was called; a mail thread keeps its subject by it.
    """

    id: str
    group_key: str
    route_id: str = ""
    group_labels: Mapping[str, str] = attrs.field(factory=dict)
    integration_id: str
    receiver: str
    started_at: datetime
    sequence: int = 0
    told: tuple[Told, ...] = ()
    announced: tuple[Announced, ...] = ()
    events: tuple[Event, ...] = ()
    last_message_at: datetime | None = None
    as_of: datetime | None = None
    repeats: int = 0
    open_delivery: str | None = None
    title: str = ""
    recheck: bool = False
    acknowledged: Acknowledgement | None = None
    taken: tuple[Announced, ...] = ()
    given_up: tuple[Announced, ...] = ()
    stands_in_for: tuple[str, ...] = ()

    @property
    def lines(self) -> tuple[Told | Announced, ...]:
        """What it says fires, accepted or not."""
        return (*self.told, *self.announced)

    def tells_of(self, fingerprint: str) -> bool:
        """Whether it says of an alert that it fires, accepted or not."""
        return any(line.fingerprint == fingerprint for line in self.lines)


@attrs.frozen(kw_only=True)
class Share:
    """What a summary says in the name of one conversation: the decision taken there, whose message the summary stands for.

    sequence: the message's place in that conversation. events: their keys; the delivery holds them whole.
    """

    conversation_id: str
    sequence: int
    reason: Reason
    repeats: int = 0
    firing: tuple[Announced, ...] = ()
    resolved: tuple[Announced, ...] = ()
    events: tuple[str, ...] = ()


@attrs.frozen(kw_only=True)
class Delivery:
    """One message on its way to one integration: a row of the outbox.

    id: the message's key (Message-ID, webhook-id ...). sequence: its place in the conversation.
    repeats: reminders in a row, this one included; none if it says something else.
    firing, resolved: what it says, as (fingerprint, episode); events: what it carries, whole, so that a replacement can carry it on.
    repeat_rendered: what goes out after an `unknown` attempt where the channel cannot deduplicate: it says "may be a repeat".
    shares: of a summary, which belongs to no conversation and speaks for several; empty elsewhere.
    recipients: mail recipients still open. due_at: next attempt. retry_until: given up afterwards.
    leased_until: a claim by a worker; a row found `sending` with no lease is one whose process died.
    """

    id: str
    conversation_id: str
    group_key: str
    integration_id: str
    receiver: str
    sequence: int
    reason: Reason
    repeats: int = 0
    state: DeliveryState = DeliveryState.PENDING
    rendered: Rendered
    repeat_rendered: Rendered | None = None
    firing: tuple[Announced, ...] = ()
    resolved: tuple[Announced, ...] = ()
    events: tuple[Event, ...] = ()
    shares: tuple[Share, ...] = ()
    recipients: tuple[str, ...] = ()
    decided_at: datetime
    due_at: datetime
    retry_until: datetime
    first_attempt_at: datetime | None = None
    last_attempt_at: datetime | None = None
    leased_until: datetime | None = None
    ended_at: datetime | None = None
    attempts: int = 0
    error: str = ""
    error_reason: str = ""
    detail: str = ""
    ambiguous: bool = False

    def as_told_in(self, conversation_id: str) -> Delivery:
        """Give it as one conversation sees it: of a summary, only what it says there."""
        share = next((share for share in self.shares if share.conversation_id == conversation_id), None)
        if share is None:
            return self
        return attrs.evolve(
            self,
            reason=share.reason,
            repeats=share.repeats,
            firing=share.firing,
            resolved=share.resolved,
            events=tuple(event for event in self.events if event.key in share.events),
        )


@attrs.frozen
class Due:
    """The next attempt at an integration."""

    due_at: datetime
    delivery_id: str
    integration_id: str


@attrs.frozen(kw_only=True)
class DigestRecord:
    """How far a scheduled digest has come.

    sequence: grows with every one sent; whoever read an older one is fenced off. since: the one before, or when it was set up.
    due_at: the next one; null where its schedule has no more.
    """

    key: str
    sequence: int = 0
    since: datetime
    due_at: datetime | None


@attrs.frozen(kw_only=True)
class LogEntry:
    """One decision, kept for `explain` and `history`: what was sent and why, or why nothing was.

    exactly one of `reason` and `withheld` is given. alerts: the fingerprints it was about.
    """

    at: datetime
    group_key: str
    receiver: str
    integration_id: str = ""
    conversation_id: str = ""
    delivery_id: str = ""
    reason: Reason | None = None
    withheld: Withheld | None = None
    alerts: tuple[str, ...] = ()
