"""What can be changed in tables in memory, in one transaction."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Any

import attrs

from alertd.model.alert import Alert, Event
from alertd.model.notification import DeliveryState
from alertd.notify.silences import Silence
from alertd.store.fencing import fenced_off, place_taken
from alertd.store.memory_reader import MemoryReader
from alertd.store.memory_state import WAITING, job_key
from alertd.store.memory_tables import Table
from alertd.store.values import (
    Conversation,
    Delivery,
    DigestRecord,
    Group,
    HistoryEntry,
    JobRecord,
    LogEntry,
    PrincipalRecord,
    ReadingChange,
    RoundEntry,
    TenantRecord,
    TransitionEntry,
)


class MemoryTransaction(MemoryReader):
    """Writes to one state; what each method does stands in `alertd.store.port.Transaction`.

    What is given is taken whole before anything is written: what breaks while it is being made changes nothing.
    """

    async def save_tenant(self, record: TenantRecord, *, expected_epoch: int | None = None) -> None:
        """Save a tenant, if its epoch is the expected one."""
        tenants = self._tables.tenants
        found = tenants.get(record.key)
        epoch = found.epoch if found else None
        if expected_epoch is not None and (epoch or 0 if expected_epoch == 0 else epoch) != expected_epoch:
            raise fenced_off(f"tenant {record.key}", "epoch", expected_epoch, epoch)
        tenants.put(record.key, record)

    async def save_principals(self, records: Iterable[PrincipalRecord]) -> None:
        """Save service principals."""
        for record in tuple(records):
            self._tables.principals.put((record.tenant_key, record.principal.id), record)

    async def save_jobs(self, records: Iterable[JobRecord]) -> None:
        """Save jobs."""
        for record in tuple(records):
            self._tables.jobs.put(record.key, record)

    async def delete_jobs(self, keys: Iterable[tuple[str, str, str]]) -> None:
        """Forget jobs."""
        _remove(self._tables.jobs, keys)

    async def save_alerts(self, alerts: Iterable[tuple[Alert, Collection[str]]]) -> None:
        """Save alerts with their groups."""
        for alert, groups in tuple(alerts):
            self._tables.alerts.put(alert.fingerprint, (alert, tuple(groups)))

    async def delete_alerts(self, fingerprints: Iterable[str]) -> None:
        """Forget alerts."""
        _remove(self._tables.alerts, fingerprints)

    async def save_events(self, group_key: str, events: Iterable[Event]) -> None:
        """Put events into a group."""
        table = self._tables.events
        for event in tuple(events):
            if table.get((group_key, event.key)) is None:
                table.put((group_key, event.key), (group_key, event))

    async def delete_events(self, group_key: str, keys: Iterable[str]) -> None:
        """Forget events that wait in a group."""
        _remove(self._tables.events, ((group_key, key) for key in keys))

    async def save_silence(self, silence: Silence) -> None:
        """Save a silence."""
        self._tables.silences.put(silence.id, silence)

    async def save_group(self, group: Group, *, expected_sequence: int | None = None) -> None:
        """Save a group, if its sequence is the expected one."""
        self._expect_sequence(group.key, expected_sequence)
        self._tables.groups.put(group.key, group)

    async def delete_group(self, key: str, *, expected_sequence: int | None = None) -> None:
        """Forget a group, if its sequence is the expected one."""
        self._expect_sequence(key, expected_sequence)
        self._tables.groups.remove(key)

    def _expect_sequence(self, key: str, expected: int | None) -> None:
        found = self._tables.groups.get(key)
        sequence = found.sequence if found else None
        if expected is not None and sequence != expected:
            raise fenced_off(f"group {key}", "sequence", expected, sequence)

    async def save_conversation(self, conversation: Conversation) -> None:
        """Save a conversation and its lines of the told-ledger."""
        self._tables.conversations.put(conversation.id, conversation)

    async def delete_conversation(self, conversation_id: str) -> None:
        """Forget a conversation and its lines of the told-ledger."""
        self._tables.conversations.remove(conversation_id)

    async def save_delivery(self, delivery: Delivery) -> None:
        """Save a delivery; what it says of its integration is counted when it ends."""
        deliveries = self._tables.deliveries
        if any(
            other.id != delivery.id
            for other in deliveries.under("place", (delivery.conversation_id, delivery.sequence))
        ):
            raise place_taken()
        before = deliveries.get(delivery.id)
        if before is None or before.state is not delivery.state:
            self._count(delivery)
        deliveries.put(delivery.id, delivery)

    def _count(self, delivery: Delivery) -> None:
        failures, integration = self._tables.failures, delivery.integration_id
        if delivery.state is DeliveryState.FAILED:
            failures.put(integration, (failures.get(integration) or 0) + 1)
        elif delivery.state is DeliveryState.DELIVERED:
            failures.remove(integration)

    async def recover_deliveries(self, now: datetime) -> tuple[Delivery, ...]:
        """Give deliveries found `sending` whose lease is over, by id."""
        sending = self._tables.deliveries.under("state", DeliveryState.SENDING)
        return tuple(found for found in sending if found.leased_until is None or found.leased_until <= now)

    async def hasten(self, integration_id: str, now: datetime) -> int:
        """Make due what waits for an integration."""
        waiting = [found for state in WAITING for found in self._tables.deliveries.under("state", state)]
        later = [found for found in waiting if found.integration_id == integration_id and found.due_at > now]
        for delivery in later:
            self._tables.deliveries.put(delivery.id, attrs.evolve(delivery, due_at=now))
        return len(later)

    async def save_digest(self, record: DigestRecord, *, expected_sequence: int | None = None) -> None:
        """Save how far a digest has come, if its sequence is the expected one."""
        digests = self._tables.digests
        found = digests.get(record.key)
        if expected_sequence is not None and (found is None or found.sequence != expected_sequence):
            raise fenced_off(
                f"digest {record.key}", "sequence", expected_sequence, found.sequence if found is not None else None
            )
        digests.put(record.key, record)

    async def delete_digest(self, key: str) -> None:
        """Forget a digest."""
        _remove(self._tables.digests, [key])

    async def append_history(self, entries: Iterable[HistoryEntry]) -> None:
        """Append changed snapshots."""
        self._append(self._tables.history, entries)

    async def append_round(self, entry: RoundEntry) -> None:
        """Append a closed round."""
        self._append(self._tables.rounds, (entry,))

    async def append_reading_changes(self, entries: Iterable[ReadingChange]) -> None:
        """Append changes of reading outcomes."""
        self._append(self._tables.reading_changes, entries)

    async def append_transitions(self, entries: Iterable[TransitionEntry]) -> None:
        """Append alert transitions."""
        self._append(self._tables.transitions, entries)

    async def append_log(self, entries: Iterable[LogEntry]) -> None:
        """Append decisions."""
        self._append(self._tables.log, entries)

    def _append(self, table: Table[int, Any], entries: Iterable[Any]) -> None:
        for entry in tuple(entries):
            table.put(next(self._tables.numbers), entry)

    async def prune(self, before: datetime) -> int:
        """Delete what is older; give rows deleted."""
        tables = self._tables
        return (
            _remove(tables.history, _unneeded(tables.history, before))
            + _remove(tables.reading_changes, _superseded(tables.reading_changes, before))
            + sum(_remove(table, _older(table, before)) for table in (tables.rounds, tables.transitions, tables.log))
            + _remove(tables.deliveries, _ended(tables.deliveries, before))
            + _remove(tables.silences, _expired(tables.silences, before))
        )


def _remove(table: Table[Any, Any], keys: Iterable[Any]) -> int:
    gone = tuple(keys)
    for key in gone:
        table.remove(key)
    return len(gone)


def _older(table: Table[int, Any], before: datetime) -> list[int]:
    return [number for number in table if table[number].at < before]


def _ended(table: Table[str, Delivery], before: datetime) -> list[str]:
    ended = ((delivery.id, delivery.ended_at) for delivery in table.values())
    return [key for key, ended_at in ended if ended_at is not None and ended_at < before]


def _expired(table: Table[str, Silence], before: datetime) -> list[str]:
    ended = ((silence.id, silence.ends_at) for silence in table.values())
    return [key for key, ends_at in ended if ends_at is not None and ends_at < before]


def _superseded(table: Table[int, ReadingChange], before: datetime) -> list[int]:
    """Find runs of readings that ended before: a principal's last one is needed up to the next."""
    latest: dict[tuple[str, str], int] = {}
    for number in sorted(table):
        change = table[number]
        if change.at <= before:
            latest[change.tenant_key, change.service_principal_id] = number
    return [
        number
        for number in _older(table, before)
        if number < latest[table[number].tenant_key, table[number].service_principal_id]
    ]


def _unneeded(table: Table[int, HistoryEntry], before: datetime) -> list[int]:
    """Find entries before the one that the job's replay begins at: its last full one, or, if it had vanished, what is behind that."""
    floor: dict[tuple[str, str, str], int] = {}
    for number in sorted(table):
        entry = table[number]
        if entry.full is not None and entry.at <= before:
            floor[job_key(entry)] = number
        elif entry.gone and entry.at < before:
            floor[job_key(entry)] = number + 1
    return [number for number in _older(table, before) if number < floor.get(job_key(table[number]), 0)]
