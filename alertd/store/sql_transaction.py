"""What can be changed in a SQL database, in one transaction."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime
from functools import partial

from sqlalchemy import Connection

from alertd.model.alert import Alert, Event
from alertd.model.notification import DeliveryState
from alertd.notify.silences import Silence
from alertd.store import queries
from alertd.store.fencing import fenced_off, place_taken
from alertd.store.rows import (
    alert_row,
    conversation_row,
    delivery_of,
    delivery_row,
    event_key_row,
    event_row,
    fingerprint_row,
    group_row,
    job_key_row,
    job_row,
    log_row,
    plain_row,
    principal_row,
    silence_row,
    tenant_row,
    told_rows,
    transition_row,
)
from alertd.store.sql_history import append_history, prune_history
from alertd.store.sql_reader import SqlReader
from alertd.store.statements import change, change_each, rows, scalar, values
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


class SqlTransaction(SqlReader):
    """Writes on one connection; what each method does stands in `alertd.store.port.Transaction`.

    What is given is taken whole before anything is written: what breaks while it is being made changes nothing.
    """

    async def save_tenant(self, record: TenantRecord, *, expected_epoch: int | None = None) -> None:
        """Save a tenant, if its epoch is the expected one."""
        await self._do.run(_save_tenant, record, expected_epoch)

    async def save_principals(self, records: Iterable[PrincipalRecord]) -> None:
        """Save service principals."""
        await self._do.run(change_each, queries.SAVE_PRINCIPAL, tuple(records), principal_row)

    async def save_jobs(self, records: Iterable[JobRecord]) -> None:
        """Save jobs."""
        await self._do.run(change_each, queries.SAVE_JOB, tuple(records), job_row)

    async def delete_jobs(self, keys: Iterable[tuple[str, str, str]]) -> None:
        """Forget jobs."""
        await self._do.run(change_each, queries.DELETE_JOB, tuple(keys), job_key_row)

    async def save_alerts(self, alerts: Iterable[tuple[Alert, Collection[str]]]) -> None:
        """Save alerts with their groups."""
        await self._do.run(_save_alerts, tuple(alerts))

    async def delete_alerts(self, fingerprints: Iterable[str]) -> None:
        """Forget alerts."""
        await self._do.run(change_each, queries.DELETE_ALERT, tuple(fingerprints), fingerprint_row)

    async def save_events(self, group_key: str, events: Iterable[Event]) -> None:
        """Put events into a group."""
        await self._do.run(change_each, queries.ADD_EVENT, tuple(events), partial(event_row, group_key))

    async def delete_events(self, group_key: str, keys: Iterable[str]) -> None:
        """Forget events that wait in a group."""
        await self._do.run(change_each, queries.DELETE_EVENT, tuple(keys), partial(event_key_row, group_key))

    async def save_silence(self, silence: Silence) -> None:
        """Save a silence."""
        await self._do.run(change, queries.SAVE_SILENCE, silence_row(silence))

    async def save_group(self, group: Group, *, expected_sequence: int | None = None) -> None:
        """Save a group, if its sequence is the expected one."""
        await self._do.run(_save_group, group, expected_sequence)

    async def delete_group(self, key: str, *, expected_sequence: int | None = None) -> None:
        """Forget a group, if its sequence is the expected one."""
        await self._do.run(_delete_group, key, expected_sequence)

    async def save_conversation(self, conversation: Conversation) -> None:
        """Save a conversation and its lines of the told-ledger."""
        await self._do.run(_save_conversation, conversation)

    async def delete_conversation(self, conversation_id: str) -> None:
        """Forget a conversation and its lines of the told-ledger."""
        await self._do.run(change, queries.DELETE_CONVERSATION, {"id": conversation_id})

    async def save_delivery(self, delivery: Delivery) -> None:
        """Save a delivery; what it says of its integration is counted when it ends."""
        await self._do.run(_save_delivery, delivery)

    async def recover_deliveries(self, now: datetime) -> tuple[Delivery, ...]:
        """Give deliveries found `sending` whose lease is over, by id."""
        return await self._do.run(values, delivery_of, queries.LEFT_SENDING, {"now": now})

    async def hasten(self, integration_id: str, now: datetime) -> int:
        """Make due what waits for an integration."""
        return await self._do.run(change, queries.HASTEN, {"integration": integration_id, "now": now})

    async def save_digest(self, record: DigestRecord, *, expected_sequence: int | None = None) -> None:
        """Save how far a digest has come, if its sequence is the expected one."""
        await self._do.run(_save_digest, record, expected_sequence)

    async def delete_digest(self, key: str) -> None:
        """Forget a digest."""
        await self._do.run(change, queries.DELETE_DIGEST, {"key": key})

    async def append_history(self, entries: Iterable[HistoryEntry]) -> None:
        """Append changed snapshots."""
        await self._do.run(append_history, tuple(entries))

    async def append_round(self, entry: RoundEntry) -> None:
        """Append a closed round."""
        await self._do.run(change, queries.ADD_ROUND, plain_row(entry))

    async def append_reading_changes(self, entries: Iterable[ReadingChange]) -> None:
        """Append changes of reading outcomes."""
        await self._do.run(change_each, queries.ADD_READING_CHANGE, tuple(entries), plain_row)

    async def append_transitions(self, entries: Iterable[TransitionEntry]) -> None:
        """Append alert transitions."""
        await self._do.run(change_each, queries.ADD_TRANSITION, tuple(entries), transition_row)

    async def append_log(self, entries: Iterable[LogEntry]) -> None:
        """Append decisions."""
        await self._do.run(_append_log, tuple(entries))

    async def prune(self, before: datetime) -> int:
        """Delete what is older; give rows deleted."""
        return await self._do.run(_prune, before)


def _save_tenant(connection: Connection, record: TenantRecord, expected: int | None) -> None:
    row = tenant_row(record)
    if expected is None:
        change(connection, queries.SAVE_TENANT, row)
        return
    fenced = {"tenant": record.key, "expected": expected, "epoch": record.epoch, "content": row["content"]}
    saved = change(connection, queries.REPLACE_TENANT, fenced)
    if not saved and expected == 0:
        saved = change(connection, queries.ADD_TENANT, row)
    if not saved:
        found = scalar(connection, queries.TENANT_EPOCH, {"key": record.key})
        raise fenced_off(f"tenant {record.key}", "epoch", expected, found)


def _save_alerts(connection: Connection, placed: tuple[tuple[Alert, Collection[str]], ...]) -> None:
    alerts = tuple(alert for alert, _ in placed)
    change_each(connection, queries.SAVE_ALERT, alerts, alert_row)
    change_each(connection, queries.LEAVE_GROUPS, (alert.fingerprint for alert in alerts), fingerprint_row)
    joined = ({"group_key": key, "fingerprint": alert.fingerprint} for alert, keys in placed for key in keys)
    change_each(connection, queries.JOIN_GROUP, joined, dict)


def _save_group(connection: Connection, group: Group, expected: int | None) -> None:
    row = group_row(group)
    if expected is None:
        change(connection, queries.SAVE_GROUP, row)
        return
    key = row.pop("key")
    if not change(connection, queries.REPLACE_GROUP, row | {"group": key, "expected": expected}):
        _refuse_group(connection, key, expected)


def _delete_group(connection: Connection, key: str, expected: int | None) -> None:
    if expected is None:
        change(connection, queries.DELETE_GROUP, {"key": key})
    elif not change(connection, queries.DELETE_GROUP_EXPECTED, {"key": key, "expected": expected}):
        _refuse_group(connection, key, expected)


def _refuse_group(connection: Connection, key: str, expected: int) -> None:
    found = scalar(connection, queries.GROUP_SEQUENCE, {"key": key})
    raise fenced_off(f"group {key}", "sequence", expected, found)


def _save_digest(connection: Connection, record: DigestRecord, expected: int | None) -> None:
    row = plain_row(record)
    if expected is None:
        change(connection, queries.SAVE_DIGEST, row)
        return
    key = row.pop("key")
    if not change(connection, queries.REPLACE_DIGEST, row | {"digest": key, "expected": expected}):
        found = scalar(connection, queries.DIGEST_SEQUENCE, {"key": key})
        raise fenced_off(f"digest {key}", "sequence", expected, found)


def _save_conversation(connection: Connection, conversation: Conversation) -> None:
    change(connection, queries.SAVE_CONVERSATION, conversation_row(conversation))
    change(connection, queries.DELETE_TOLD, {"conversation_id": conversation.id})
    change_each(connection, queries.ADD_TOLD, told_rows(conversation), dict)


def _save_delivery(connection: Connection, delivery: Delivery) -> None:
    place = {"delivery": delivery.id, "conversation": delivery.conversation_id, "place": delivery.sequence}
    stand = {row.id: row.state for row in rows(connection, queries.DELIVERIES_LIKE, place)}
    before = stand.pop(delivery.id, None)
    if stand:
        raise place_taken()
    if delivery.state.value != before and delivery.state in {DeliveryState.DELIVERED, DeliveryState.FAILED}:
        _count(connection, delivery.integration_id, failed=delivery.state is DeliveryState.FAILED)
    change(connection, queries.SAVE_DELIVERY, delivery_row(delivery))


def _count(connection: Connection, integration_id: str, *, failed: bool) -> None:
    change(connection, queries.ADD_INTEGRATION, {"id": integration_id, "failed": 0})
    counted = queries.COUNT_FAILURE if failed else queries.FORGET_FAILURES
    change(connection, counted, {"integration": integration_id})


def _append_log(connection: Connection, decided: tuple[LogEntry, ...]) -> None:
    for entry in decided:
        number = scalar(connection, queries.ADD_LOG, log_row(entry))
        mentioned = ({"fingerprint": fingerprint, "log_id": number} for fingerprint in entry.alerts)
        change_each(connection, queries.ADD_LOG_ALERT, mentioned, dict)


def _prune(connection: Connection, before: datetime) -> int:
    deleted = prune_history(connection, before)
    for statement in _PRUNED:
        deleted += change(connection, statement, {"before": before})
    return deleted


_PRUNED = (
    queries.PRUNE_ROUNDS,
    queries.PRUNE_READING_CHANGES,
    queries.PRUNE_TRANSITIONS,
    queries.PRUNE_LOG,
    queries.PRUNE_DELIVERIES,
    queries.PRUNE_SILENCES,
)
