"""The store as the pipeline sees it: a port with small typed operations inside fenced transactions.

    async with store.transaction() as transaction:      # BEGIN IMMEDIATE; commits at the end, rolls back on any exception
        group = await transaction.group(key)
        ...

Promises every adapter keeps, and the conformance suite checks:
- a transaction is atomic and isolated: as before or as after, whatever breaks in between, a kill included;
- transactions of one process run one after the other; nesting is refused with StoreError;
- what was saved is read back equal;
- saving is an upsert by the value's key; deleting what is not there is no error;
- a stale epoch or sequence raises FencedError and changes nothing.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from typing import Protocol

from alertd.model.alert import Alert, Event
from alertd.model.notification import DeliveryState
from alertd.notify.silences import Silence
from alertd.store.values import (
    Conversation,
    Delivery,
    DigestRecord,
    Due,
    Group,
    HistoryEntry,
    JobRecord,
    LogEntry,
    Outline,
    PrincipalRecord,
    ReadingChange,
    RoundEntry,
    TenantRecord,
    TransitionEntry,
    Usage,
)


class Reader(Protocol):
    """What can be asked, inside a transaction or from a read-only view of the store."""

    # Tenants and snapshots.
    async def tenant(self, key: str) -> TenantRecord | None:
        """Give a tenant, or None before its first slice."""
        ...

    async def tenants(self) -> tuple[TenantRecord, ...]:
        """Give all tenants, by key."""
        ...

    async def principals(
        self, tenant_key: str, principal_ids: Collection[str] | None = None
    ) -> tuple[PrincipalRecord, ...]:
        """Give a tenant's service principals, these or all, by id."""
        ...

    async def principals_after(self, tenant_key: str, after: str, limit: int) -> tuple[PrincipalRecord, ...]:
        """Give at most `limit` of a tenant's service principals, by id, from the one behind the id `after` on; empty text: from the first."""
        ...

    async def jobs(self, tenant_key: str, principal_ids: Collection[str] | None = None) -> tuple[JobRecord, ...]:
        """Give a tenant's jobs, of these principals or all, by (principal, job id)."""
        ...

    # Alerts and events.
    async def alerts(self, *, tenant_key: str | None = None) -> tuple[Alert, ...]:
        """Give the alerts of a tenant (empty text: those of scope alertd), or all, by fingerprint."""
        ...

    async def alerts_of(self, tenant_key: str, principal_ids: Collection[str]) -> tuple[Alert, ...]:
        """Give the job alerts of these principals."""
        ...

    async def alerts_in(self, group_key: str) -> tuple[Alert, ...]:
        """Give the alerts that belong to a group, by fingerprint."""
        ...

    async def groups_of(self, fingerprint: str) -> tuple[str, ...]:
        """Give the keys of the groups that an alert belongs to, in order; none where there is no such alert."""
        ...

    async def firing_alerts(self) -> tuple[Alert, ...]:
        """Give every alert that fires, by fingerprint."""
        ...

    async def events_in(self, group_key: str) -> tuple[Event, ...]:
        """Give the events that wait in a group, oldest first."""
        ...

    async def silences(self, *, ending_after: datetime | None = None) -> tuple[Silence, ...]:
        """Give silences, by start and id: those that end after an instant or have no fixed end, or all."""
        ...

    # Groups, conversations, deliveries.
    async def group(self, key: str) -> Group | None:
        """Give a group, or None."""
        ...

    async def groups(self) -> tuple[Group, ...]:
        """Give all groups, by key."""
        ...

    async def due_groups(self, now: datetime, limit: int) -> tuple[str, ...]:
        """Give the keys of groups whose flush is due, the longest due first."""
        ...

    async def next_group_due(self) -> datetime | None:
        """Give the earliest `due_at` of any group."""
        ...

    async def conversation(self, conversation_id: str) -> Conversation | None:
        """Give a conversation, or None."""
        ...

    async def conversations_in(self, group_key: str) -> tuple[Conversation, ...]:
        """Give a group's conversations, by integration id."""
        ...

    async def conversations(self) -> tuple[Conversation, ...]:
        """Give all conversations, by id."""
        ...

    async def delivery(self, delivery_id: str) -> Delivery | None:
        """Give a delivery, or None."""
        ...

    async def due_deliveries(self, now: datetime, limit: int) -> tuple[Due, ...]:
        """Give the deliveries (`pending` or `unknown`) whose attempt is due, the longest due first."""
        ...

    async def next_delivery_due(self) -> datetime | None:
        """Give the earliest `due_at` of any `pending` or `unknown` delivery."""
        ...

    async def first_deliveries(self) -> tuple[Due, ...]:
        """Give of each integration the delivery (`pending` or `unknown`) that is due first, due or not yet, the earliest first."""
        ...

    async def deliveries(
        self, *, states: Collection[DeliveryState] | None = None, integration_id: str | None = None, limit: int = 1000
    ) -> tuple[Delivery, ...]:
        """Give deliveries, the latest decided first."""
        ...

    async def failed_integrations(self) -> Mapping[str, int]:
        """Give, by integration id, the deliveries given up since that integration last accepted one; without zeros."""
        ...

    async def digests(self) -> tuple[DigestRecord, ...]:
        """Give how far scheduled digests have come, by key."""
        ...

    # History.
    async def snapshots_before(
        self, tenant_key: str, principal_ids: Collection[str], instant: datetime
    ) -> tuple[HistoryEntry, ...]:
        """Give the jobs of these principals as they stood just before an instant, each by its latest entry as a full one.

        In no order; without those that had gone by then, and those whose history does not reach so far back.
        """
        ...

    def history(
        self, *, tenant_key: str | None = None, job_id: str | None = None, since: datetime | None = None
    ) -> AsyncIterator[HistoryEntry]:
        """Give changed snapshots in order of time, then job, then sequence; a job's first entry given is a full one."""
        ...

    def outlines(self) -> AsyncIterator[Sequence[Outline]]:
        """Give all history as outlines, many at once: in order of time, and of coming where that is the same."""
        ...

    async def rounds(self, tenant_key: str, *, since: datetime | None = None) -> tuple[RoundEntry, ...]:
        """Give closed rounds, oldest first."""
        ...

    async def usage(self, since: datetime) -> Mapping[str, Usage]:
        """Give what the rounds closed since an instant came to at Graph, by tenant; none for a tenant without rounds."""
        ...

    async def reading_changes(self, tenant_key: str, *, since: datetime | None = None) -> tuple[ReadingChange, ...]:
        """Give changes of reading outcomes, oldest first."""
        ...

    async def transitions(
        self, *, fingerprint: str | None = None, since: datetime | None = None
    ) -> tuple[TransitionEntry, ...]:
        """Give alert transitions, oldest first."""
        ...

    async def log(
        self, *, group_key: str | None = None, fingerprint: str | None = None, since: datetime | None = None
    ) -> tuple[LogEntry, ...]:
        """Give decisions, oldest first."""
        ...


class Transaction(Reader, Protocol):
    """One atomic change."""

    async def save_tenant(self, record: TenantRecord, *, expected_epoch: int | None = None) -> None:
        """Save a tenant; `expected_epoch` is the one read (0 for a new tenant). Raises FencedError if another stands there."""
        ...

    async def save_principals(self, records: Iterable[PrincipalRecord]) -> None:
        """Save service principals."""
        ...

    async def save_jobs(self, records: Iterable[JobRecord]) -> None:
        """Save jobs."""
        ...

    async def delete_jobs(self, keys: Iterable[tuple[str, str, str]]) -> None:
        """Forget jobs by (tenant key, principal id, job id); their history stays."""
        ...

    async def save_alerts(self, alerts: Iterable[tuple[Alert, Collection[str]]]) -> None:
        """Save alerts, each with the keys of the groups it belongs to (several where routes continue, none before it fires)."""
        ...

    async def delete_alerts(self, fingerprints: Iterable[str]) -> None:
        """Forget alerts; their transitions stay."""
        ...

    async def save_events(self, group_key: str, events: Iterable[Event]) -> None:
        """Put events into a group; one that is there already stays as it is."""
        ...

    async def delete_events(self, group_key: str, keys: Iterable[str]) -> None:
        """Forget events that wait in a group, by their keys; the same event in another group stays."""
        ...

    async def save_silence(self, silence: Silence) -> None:
        """Save a silence."""
        ...

    async def save_group(self, group: Group, *, expected_sequence: int | None = None) -> None:
        """Save a group; `expected_sequence` is the one read. Raises FencedError if another stands there."""
        ...

    async def delete_group(self, key: str, *, expected_sequence: int | None = None) -> None:
        """Forget a group."""
        ...

    async def save_conversation(self, conversation: Conversation) -> None:
        """Save a conversation with its lines of the told-ledger."""
        ...

    async def delete_conversation(self, conversation_id: str) -> None:
        """Forget a conversation; its deliveries stay."""
        ...

    async def save_delivery(self, delivery: Delivery) -> None:
        """Save a delivery."""
        ...

    async def recover_deliveries(self, now: datetime) -> tuple[Delivery, ...]:
        """Give every delivery found `sending` whose lease is over (`leased_until` null or not after `now`); the caller decides what becomes of it."""
        ...

    async def hasten(self, integration_id: str, now: datetime) -> int:
        """Make all that waits for an integration (`pending` or `unknown`) due at `now`; give how many."""
        ...

    async def save_digest(self, record: DigestRecord, *, expected_sequence: int | None = None) -> None:
        """Save how far a digest has come; `expected_sequence` is the one read. Raises FencedError if another stands there."""
        ...

    async def delete_digest(self, key: str) -> None:
        """Forget a digest that is scheduled no more."""
        ...

    async def append_history(self, entries: Iterable[HistoryEntry]) -> None:
        """Append changed snapshots."""
        ...

    async def append_round(self, entry: RoundEntry) -> None:
        """Append a closed round."""
        ...

    async def append_reading_changes(self, entries: Iterable[ReadingChange]) -> None:
        """Append changes of reading outcomes."""
        ...

    async def append_transitions(self, entries: Iterable[TransitionEntry]) -> None:
        """Append alert transitions."""
        ...

    async def append_log(self, entries: Iterable[LogEntry]) -> None:
        """Append decisions."""
        ...

    async def prune(self, before: datetime) -> int:
        """Delete history, rounds, transitions, log, ended deliveries and silences older than `before`; give rows deleted.

        A job's entries stay replayable.
        """
        ...


class Store(Protocol):
    """A place to keep things."""

    def transaction(self) -> AbstractAsyncContextManager[Transaction]:
        """Open the one write transaction; waits for the one before to end."""
        ...

    def reading(self) -> AbstractAsyncContextManager[Reader]:
        """Open a consistent read-only view."""
        ...

    async def size_bytes(self) -> int:
        """Give what the store occupies."""
        ...

    async def close(self) -> None:
        """Release everything; idempotent."""
        ...
