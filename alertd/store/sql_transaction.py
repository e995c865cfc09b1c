"""What can be changed in a SQL database, in one transaction."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime

from alertd.model.alert import Alert, Event
from alertd.model.notification import DeliveryState
from alertd.store import queries
from alertd.store.fencing import fenced_off
from alertd.store.rows import (
    alert_row,
    conversation_row,
    delivery_of,
    delivery_row,
    event_row,
    group_row,
    job_row,
    log_row,
    plain_row,
    principal_row,
    tenant_row,
    told_rows,
    transition_row,
)
from alertd.store.sql_history import append_history, prune_history
from alertd.store.sql_reader import SqlReader
from alertd.store.values import (
    Conversation,
    Delivery,
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
    """Writes on one connection; what each method does stands in `alertd.store.port.Transaction`."""

    async def save_tenant(self, record: TenantRecord, *, expected_epoch: int | None = None) -> None:
        """Save a tenant, if its epoch is the expected one."""
        row = tenant_row(record)
        if expected_epoch is None:
            await self._do.change(queries.SAVE_TENANT, row)
            return
        fenced = {"tenant": record.key, "expected": expected_epoch, "epoch": record.epoch, "content": row["content"]}
        saved = await self._do.change(queries.REPLACE_TENANT, fenced)
        if not saved and expected_epoch == 0:
            saved = await self._do.change(queries.ADD_TENANT, row)
        if not saved:
            found = await self._do.value(queries.TENANT_EPOCH, {"key": record.key})
            raise fenced_off(f"tenant {record.key}", "epoch", expected_epoch, found)

    async def save_principals(self, records: Iterable[PrincipalRecord]) -> None:
        """Save service principals."""
        await self._do.change_all(queries.SAVE_PRINCIPAL, [principal_row(record) for record in records])

    async def save_jobs(self, records: Iterable[JobRecord]) -> None:
        """Save jobs."""
        await self._do.change_all(queries.SAVE_JOB, [job_row(record) for record in records])

    async def delete_jobs(self, keys: Iterable[tuple[str, str, str]]) -> None:
        """Forget jobs."""
        rows = [
            {"tenant_key": tenant, "service_principal_id": principal, "job_id": job} for tenant, principal, job in keys
        ]
        await self._do.change_all(queries.DELETE_JOB, rows)

    async def save_alerts(self, alerts: Iterable[tuple[Alert, Collection[str]]]) -> None:
        """Save alerts with their groups."""
        placed = tuple(alerts)
        await self._do.change_all(queries.SAVE_ALERT, [alert_row(alert) for alert, _ in placed])
        await self._do.change_all(queries.LEAVE_GROUPS, [{"fingerprint": alert.fingerprint} for alert, _ in placed])
        joined = [{"group_key": key, "fingerprint": alert.fingerprint} for alert, keys in placed for key in keys]
        await self._do.change_all(queries.JOIN_GROUP, joined)

    async def delete_alerts(self, fingerprints: Iterable[str]) -> None:
        """Forget alerts."""
        await self._do.change_all(queries.DELETE_ALERT, [{"fingerprint": fingerprint} for fingerprint in fingerprints])

    async def save_events(self, group_key: str, events: Iterable[Event]) -> None:
        """Put events into a group."""
        await self._do.change_all(queries.ADD_EVENT, [event_row(group_key, event) for event in events])

    async def delete_events(self, group_key: str, keys: Iterable[str]) -> None:
        """Forget events that wait in a group."""
        await self._do.change_all(queries.DELETE_EVENT, [{"group_key": group_key, "key": key} for key in keys])

    async def save_group(self, group: Group, *, expected_sequence: int | None = None) -> None:
        """Save a group, if its sequence is the expected one."""
        row = group_row(group)
        if expected_sequence is None:
            await self._do.change(queries.SAVE_GROUP, row)
            return
        key = row.pop("key")
        if not await self._do.change(queries.REPLACE_GROUP, row | {"group": key, "expected": expected_sequence}):
            await self._refuse_group(key, expected_sequence)

    async def delete_group(self, key: str, *, expected_sequence: int | None = None) -> None:
        """Forget a group, if its sequence is the expected one."""
        if expected_sequence is None:
            await self._do.change(queries.DELETE_GROUP, {"key": key})
        elif not await self._do.change(queries.DELETE_GROUP_EXPECTED, {"key": key, "expected": expected_sequence}):
            await self._refuse_group(key, expected_sequence)

    async def _refuse_group(self, key: str, expected: int) -> None:
        found = await self._do.value(queries.GROUP_SEQUENCE, {"key": key})
        raise fenced_off(f"group {key}", "sequence", expected, found)

    async def save_conversation(self, conversation: Conversation) -> None:
        """Save a conversation and its lines of the told-ledger."""
        await self._do.change(queries.SAVE_CONVERSATION, conversation_row(conversation))
        await self._do.change(queries.DELETE_TOLD, {"conversation_id": conversation.id})
        await self._do.change_all(queries.ADD_TOLD, told_rows(conversation))

    async def delete_conversation(self, conversation_id: str) -> None:
        """Forget a conversation and its lines of the told-ledger."""
        await self._do.change(queries.DELETE_CONVERSATION, {"id": conversation_id})

    async def save_delivery(self, delivery: Delivery) -> None:
        """Save a delivery; what it says of its integration is counted when it ends."""
        if delivery.state in {DeliveryState.DELIVERED, DeliveryState.FAILED}:
            await self._count(delivery)
        await self._do.change(queries.SAVE_DELIVERY, delivery_row(delivery))

    async def _count(self, delivery: Delivery) -> None:
        before = await self._do.value(queries.DELIVERY_STATE, {"id": delivery.id})
        if before == delivery.state.value:
            return
        await self._do.change(queries.ADD_INTEGRATION, {"id": delivery.integration_id, "failed": 0})
        failed = delivery.state is DeliveryState.FAILED
        counted = queries.COUNT_FAILURE if failed else queries.FORGET_FAILURES
        await self._do.change(counted, {"integration": delivery.integration_id})

    async def recover_deliveries(self, now: datetime) -> tuple[Delivery, ...]:
        """Give deliveries found `sending` whose lease is over, by id."""
        return tuple(map(delivery_of, await self._do.rows(queries.LEFT_SENDING, {"now": now})))

    async def hasten(self, integration_id: str, now: datetime) -> int:
        """Make due what waits for an integration."""
        return await self._do.change(queries.HASTEN, {"integration": integration_id, "now": now})

    async def append_history(self, entries: Iterable[HistoryEntry]) -> None:
        """Append changed snapshots."""
        await append_history(self._do, tuple(entries))

    async def append_round(self, entry: RoundEntry) -> None:
        """Append a closed round."""
        await self._do.change(queries.ADD_ROUND, plain_row(entry))

    async def append_reading_changes(self, entries: Iterable[ReadingChange]) -> None:
        """Append changes of reading outcomes."""
        await self._do.change_all(queries.ADD_READING_CHANGE, [plain_row(entry) for entry in entries])

    async def append_transitions(self, entries: Iterable[TransitionEntry]) -> None:
        """Append alert transitions."""
        await self._do.change_all(queries.ADD_TRANSITION, [transition_row(entry) for entry in entries])

    async def append_log(self, entries: Iterable[LogEntry]) -> None:
        """Append decisions."""
        decided = tuple(entries)
        numbers = await self._do.insert_all(queries.ADD_LOG, [log_row(entry) for entry in decided])
        mentioned = [
            {"fingerprint": fingerprint, "log_id": number}
            for number, entry in zip(numbers, decided, strict=True)
            for fingerprint in entry.alerts
        ]
        await self._do.change_all(queries.ADD_LOG_ALERT, mentioned)

    async def prune(self, before: datetime) -> int:
        """Delete what is older; give rows deleted."""
        pruned = (
            queries.PRUNE_ROUNDS,
            queries.PRUNE_READING_CHANGES,
            queries.PRUNE_TRANSITIONS,
            queries.PRUNE_LOG,
            queries.PRUNE_DELIVERIES,
        )
        deleted = await prune_history(self._do, before)
        for statement in pruned:
            deleted += await self._do.change(statement, {"before": before})
        return deleted
