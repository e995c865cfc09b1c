"""What can be asked of tables in memory."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import TypeVar

import attrs

from alertd.errors import StoreError
from alertd.model.alert import Alert, Event
from alertd.model.notification import DeliveryState
from alertd.notify.silences import Silence
from alertd.store.memory_state import FIRING, MemoryState, Placed, job_key
from alertd.store.memory_tables import Table
from alertd.store.replay import completed, last_standing
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

Entry = TypeVar("Entry", HistoryEntry, RoundEntry, ReadingChange, TransitionEntry, LogEntry)


class MemoryReader:
    """Answers from one state; what each method gives stands in `alertd.store.port.Reader`."""

    def __init__(self, state: MemoryState) -> None:
        self._state: MemoryState | None = state

    def end(self) -> None:
        """Refuse every later use."""
        self._state = None

    @property
    def _tables(self) -> MemoryState:
        if self._state is None:
            raise StoreError("a transaction or view was used after its end: open a new one")
        return self._state

    async def tenant(self, key: str) -> TenantRecord | None:
        """Give a tenant."""
        return self._tables.tenants.get(key)

    async def tenants(self) -> tuple[TenantRecord, ...]:
        """Give all tenants, by key."""
        return self._tables.tenants.ordered()

    async def principals(
        self, tenant_key: str, principal_ids: Collection[str] | None = None
    ) -> tuple[PrincipalRecord, ...]:
        """Give a tenant's service principals, by id."""
        principals = self._tables.principals
        if principal_ids is None:
            return principals.under("tenant", tenant_key)
        found = (principals.get((tenant_key, each)) for each in sorted(set(principal_ids)))
        return tuple(record for record in found if record is not None)

    async def principals_after(self, tenant_key: str, after: str, limit: int) -> tuple[PrincipalRecord, ...]:
        """Give some of a tenant's service principals, by id."""
        return tuple(one for one in await self.principals(tenant_key) if one.principal.id > after)[:limit]

    async def jobs(self, tenant_key: str, principal_ids: Collection[str] | None = None) -> tuple[JobRecord, ...]:
        """Give a tenant's jobs, by (principal, job id)."""
        jobs = self._tables.jobs
        if principal_ids is None:
            return jobs.under("tenant", tenant_key)
        return tuple(job for each in sorted(set(principal_ids)) for job in jobs.under("principal", (tenant_key, each)))

    async def alerts(self, *, tenant_key: str | None = None) -> tuple[Alert, ...]:
        """Give alerts, by fingerprint."""
        alerts = self._tables.alerts
        return _alerts(alerts.ordered() if tenant_key is None else alerts.under("tenant", tenant_key))

    async def alerts_of(self, tenant_key: str, principal_ids: Collection[str]) -> tuple[Alert, ...]:
        """Give the job alerts of these principals, by fingerprint."""
        table = self._tables.alerts
        placed = (found for each in set(principal_ids) for found in table.under("principal", (tenant_key, each)))
        return tuple(sorted(_alerts(placed), key=lambda alert: alert.fingerprint))

    async def alerts_in(self, group_key: str) -> tuple[Alert, ...]:
        """Give the alerts of a group, by fingerprint."""
        return _alerts(self._tables.alerts.under("group", group_key))

    async def groups_of(self, fingerprint: str) -> tuple[str, ...]:
        """Give the groups of an alert, in order."""
        placed = self._tables.alerts.get(fingerprint)
        return tuple(sorted(placed[1])) if placed is not None else ()

    async def firing_alerts(self) -> tuple[Alert, ...]:
        """Give every alert that fires, by fingerprint."""
        return _alerts(self._tables.alerts.under("state", FIRING))

    async def events_in(self, group_key: str) -> tuple[Event, ...]:
        """Give the events that wait in a group, oldest first."""
        return tuple(
            sorted((event for _, event in self._tables.events.under("group", group_key)), key=lambda event: event.at)
        )

    async def silences(self, *, ending_after: datetime | None = None) -> tuple[Silence, ...]:
        """Give silences, by start and id."""
        found = sorted(self._tables.silences.values(), key=lambda silence: (silence.starts_at, silence.id))
        if ending_after is None:
            return tuple(found)
        return tuple(silence for silence in found if silence.ends_at is None or silence.ends_at > ending_after)

    async def group(self, key: str) -> Group | None:
        """Give a group."""
        return self._tables.groups.get(key)

    async def groups(self) -> tuple[Group, ...]:
        """Give all groups, by key."""
        return self._tables.groups.ordered()

    async def due_groups(self, now: datetime, limit: int) -> tuple[str, ...]:
        """Give the keys of due groups, the longest due first."""
        due: tuple[str, ...] = self._tables.groups.index("due").due(now, limit)
        return due

    async def next_group_due(self) -> datetime | None:
        """Give the earliest `due_at` of any group."""
        first: datetime | None = self._tables.groups.index("due").first()
        return first

    async def conversation(self, conversation_id: str) -> Conversation | None:
        """Give a conversation."""
        return self._tables.conversations.get(conversation_id)

    async def conversations_in(self, group_key: str) -> tuple[Conversation, ...]:
        """Give a group's conversations, by integration id."""
        found = self._tables.conversations.under("group", group_key)
        return tuple(sorted(found, key=lambda talk: talk.integration_id))

    async def conversations(self) -> tuple[Conversation, ...]:
        """Give all conversations, by id."""
        return self._tables.conversations.ordered()

    async def delivery(self, delivery_id: str) -> Delivery | None:
        """Give a delivery."""
        return self._tables.deliveries.get(delivery_id)

    async def due_deliveries(self, now: datetime, limit: int) -> tuple[Due, ...]:
        """Give due deliveries, the longest due first."""
        rows = [self._tables.deliveries[key] for key in self._tables.deliveries.index("due").due(now, limit)]
        return tuple(Due(row.due_at, row.id, row.integration_id) for row in rows)

    async def next_delivery_due(self) -> datetime | None:
        """Give the earliest `due_at` of any delivery that waits."""
        first: datetime | None = self._tables.deliveries.index("due").first()
        return first

    async def first_deliveries(self) -> tuple[Due, ...]:
        """Give the first due delivery of each integration, the earliest first."""
        found: dict[str, Due] = {}
        for due_at, key in self._tables.deliveries.index("due").entries():
            integration_id = self._tables.deliveries[key].integration_id
            found.setdefault(integration_id, Due(due_at, key, integration_id))
        return tuple(found.values())

    async def deliveries(
        self, *, states: Collection[DeliveryState] | None = None, integration_id: str | None = None, limit: int = 1000
    ) -> tuple[Delivery, ...]:
        """Give deliveries, the latest decided first."""
        found = [
            delivery
            for delivery in self._tables.deliveries.ordered()
            if (states is None or delivery.state in states)
            and (integration_id is None or delivery.integration_id == integration_id)
        ]
        found.sort(key=lambda delivery: (delivery.decided_at, delivery.sequence), reverse=True)
        return tuple(found[:limit])

    async def failed_integrations(self) -> Mapping[str, int]:
        """Give the deliveries given up since each integration last accepted one."""
        failures = self._tables.failures
        return {integration_id: failures[integration_id] for integration_id in sorted(failures)}

    async def digests(self) -> tuple[DigestRecord, ...]:
        """Give how far digests have come, by key."""
        return self._tables.digests.ordered()

    async def snapshots_before(
        self, tenant_key: str, principal_ids: Collection[str], instant: datetime
    ) -> tuple[HistoryEntry, ...]:
        """Give jobs as they stood just before an instant."""
        table, wanted = self._tables.history, {(tenant_key, each) for each in principal_ids}
        jobs = dict.fromkeys(key for key in map(job_key, table.ordered()) if key[:2] in wanted)
        return last_standing(_leading(table.under("job", key), instant) for key in jobs)

    async def history(
        self, *, tenant_key: str | None = None, job_id: str | None = None, since: datetime | None = None
    ) -> AsyncIterator[HistoryEntry]:
        """Give changed snapshots in order of time; a job's first is a full one."""
        known: set[tuple[str, str, str]] = set()
        table = self._tables.history
        chosen = [
            entry
            for entry in _in_order(table)
            if (tenant_key is None or entry.tenant_key == tenant_key)
            and (job_id is None or entry.job_id == job_id)
            and (since is None or entry.at >= since)
        ]
        for entry in chosen:
            key = job_key(entry)
            if key not in known and entry.full is None and since is not None:
                entry = completed(entry, _leading(table.under("job", key), since))  # noqa: PLW2901 - the same, completed
            known.add(key)
            yield entry

    async def outlines(self) -> AsyncIterator[Sequence[Outline]]:
        """Give all history as outlines."""
        yield [_outline(entry) for entry in _from(self._tables.history.ordered(), None)]

    async def rounds(self, tenant_key: str, *, since: datetime | None = None) -> tuple[RoundEntry, ...]:
        """Give closed rounds, oldest first."""
        return _from(self._tables.rounds.under("tenant", tenant_key), since)

    async def usage(self, since: datetime) -> Mapping[str, Usage]:
        """Give what the rounds of each tenant came to."""
        found: dict[str, Usage] = {}
        for entry in self._tables.rounds.values():
            if entry.at >= since:
                known = found.get(entry.tenant_key) or Usage(tenant_key=entry.tenant_key)
                found[entry.tenant_key] = attrs.evolve(
                    known,
                    rounds=known.rounds + 1,
                    requests=known.requests + entry.requests,
                    throttled=known.throttled + entry.throttled,
                    repeated=known.repeated + entry.repeated,
                )
        return found

    async def reading_changes(self, tenant_key: str, *, since: datetime | None = None) -> tuple[ReadingChange, ...]:
        """Give changes of reading outcomes, oldest first."""
        return _from(self._tables.reading_changes.under("tenant", tenant_key), since)

    async def transitions(
        self, *, fingerprint: str | None = None, since: datetime | None = None
    ) -> tuple[TransitionEntry, ...]:
        """Give alert transitions, oldest first."""
        table = self._tables.transitions
        return _from(table.ordered() if fingerprint is None else table.under("alert", fingerprint), since)

    async def log(
        self, *, group_key: str | None = None, fingerprint: str | None = None, since: datetime | None = None
    ) -> tuple[LogEntry, ...]:
        """Give decisions, oldest first."""
        table = self._tables.log
        found = table.ordered() if fingerprint is None else table.under("alert", fingerprint)
        return _from((entry for entry in found if group_key is None or entry.group_key == group_key), since)


def _alerts(placed: Iterable[Placed]) -> tuple[Alert, ...]:
    return tuple(alert for alert, _ in placed)


def _from(entries: Iterable[Entry], since: datetime | None) -> tuple[Entry, ...]:
    """Give what is not older, in order of time, and of coming where that is the same."""
    return tuple(sorted((entry for entry in entries if since is None or entry.at >= since), key=lambda entry: entry.at))


def _in_order(table: Table[int, HistoryEntry]) -> tuple[HistoryEntry, ...]:
    return tuple(sorted(table.ordered(), key=lambda entry: (entry.at, job_key(entry), entry.sequence)))


def _content(outline: Outline) -> HistoryEntry:
    entry: HistoryEntry = outline.content
    return entry


def _outline(entry: HistoryEntry) -> Outline:
    paths = None if entry.full is not None else tuple(change.path for change in entry.changes)
    return Outline(job_key(entry), entry.sequence, entry.at, paths, entry.gone, entry, _content)


def _leading(entries: tuple[HistoryEntry, ...], since: datetime) -> tuple[HistoryEntry, ...]:
    """Give what leads up to an instant, from the last full entry before it."""
    earlier = [entry for entry in entries if entry.at < since]
    full = [place for place, entry in enumerate(earlier) if entry.full is not None]
    return tuple(earlier[full[-1] :]) if full else ()
