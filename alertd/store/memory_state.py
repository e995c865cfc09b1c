"""All tables of a store in memory."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from typing import Any

from alertd.model.alert import Alert, Event, State
from alertd.model.notification import DeliveryState
from alertd.notify.silences import Silence
from alertd.store.memory_tables import Agenda, Buckets, Table, Undo
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

Placed = tuple[Alert, tuple[str, ...]]  # an alert and the groups it belongs to

WAITING = frozenset({DeliveryState.PENDING, DeliveryState.UNKNOWN})
FIRING = "firing"


class MemoryState:
    """The tables, each under the key of its values; what only grows is numbered in order of its coming."""

    def __init__(self) -> None:
        self.journal: list[Undo] = []
        self.numbers: Iterator[int] = count(1)
        self.tenants: Table[str, TenantRecord] = Table(self.journal)
        self.principals: Table[tuple[str, str], PrincipalRecord] = Table(
            self.journal, tenant=Buckets(lambda record: (record.tenant_key,))
        )
        self.jobs: Table[tuple[str, str, str], JobRecord] = Table(
            self.journal,
            tenant=Buckets(lambda record: (record.tenant_key,)),
            principal=Buckets(lambda record: ((record.tenant_key, record.service_principal_id),)),
        )
        self.alerts: Table[str, Placed] = Table(
            self.journal,
            tenant=Buckets(lambda placed: (placed[0].identity.tenant_key,)),
            principal=Buckets(lambda placed: (_principal_of(placed[0]),)),
            group=Buckets(lambda placed: placed[1]),
            state=Buckets(lambda placed: (FIRING,) if placed[0].state is State.FIRING else ()),
        )
        self.events: Table[tuple[str, str], tuple[str, Event]] = Table(
            self.journal, group=Buckets(lambda held: (held[0],))
        )
        self.silences: Table[str, Silence] = Table(self.journal)
        self.groups: Table[str, Group] = Table(self.journal, due=Agenda(lambda group: group.due_at))
        self.conversations: Table[str, Conversation] = Table(
            self.journal, group=Buckets(lambda talk: (talk.group_key,))
        )
        self.deliveries: Table[str, Delivery] = Table(
            self.journal,
            due=Agenda(lambda delivery: delivery.due_at if delivery.state in WAITING else None),
            state=Buckets(lambda delivery: (delivery.state,)),
            place=Buckets(lambda delivery: ((delivery.conversation_id, delivery.sequence),)),
        )
        self.digests: Table[str, DigestRecord] = Table(self.journal)
        self.failures: Table[str, int] = Table(self.journal)
        self.history: Table[int, HistoryEntry] = Table(self.journal, job=Buckets(lambda entry: (job_key(entry),)))
        self.rounds: Table[int, RoundEntry] = Table(self.journal, tenant=Buckets(lambda entry: (entry.tenant_key,)))
        self.reading_changes: Table[int, ReadingChange] = Table(
            self.journal,
            tenant=Buckets(lambda entry: (entry.tenant_key,)),
            principal=Buckets(lambda entry: ((entry.tenant_key, entry.service_principal_id),)),
        )
        self.transitions: Table[int, TransitionEntry] = Table(
            self.journal, alert=Buckets(lambda entry: (entry.fingerprint,))
        )
        self.log: Table[int, LogEntry] = Table(
            self.journal, group=Buckets(lambda entry: (entry.group_key,)), alert=Buckets(lambda entry: entry.alerts)
        )

    def undo(self) -> None:
        """Put back what the journal noted, the latest first."""
        while self.journal:
            table, key, value = self.journal.pop()
            table.restore(key, value)

    def copy(self) -> MemoryState:
        """Give the same rows in tables of their own."""
        twin = MemoryState()
        twin.numbers = self.numbers
        for name, table in self._tables():
            twin_table: Table[Any, Any] = getattr(twin, name)
            for key in table:
                twin_table.restore(key, table[key])
        return twin

    def committed(self) -> MemoryState:
        """Give the rows as they were before the transaction under way, in tables of their own."""
        twin = self.copy()
        names = {id(table): name for name, table in self._tables()}
        for table, key, value in reversed(self.journal):
            getattr(twin, names[id(table)]).restore(key, value)
        return twin

    def _tables(self) -> Iterator[tuple[str, Table[Any, Any]]]:
        return ((name, table) for name, table in vars(self).items() if isinstance(table, Table))


def job_key(entry: HistoryEntry) -> tuple[str, str, str]:
    """Give tenant key, service principal id and job id."""
    return entry.tenant_key, entry.service_principal_id, entry.job_id


def _principal_of(alert: Alert) -> tuple[str, str]:
    return alert.identity.tenant_key, alert.identity.service_principal_id
