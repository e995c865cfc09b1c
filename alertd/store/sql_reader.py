"""What can be asked of a SQL database."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import AsyncIterator, Collection, Iterable, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Row, bindparam

from alertd.model.alert import Alert, Event
from alertd.model.notification import DeliveryState
from alertd.store import queries
from alertd.store.encoding import decode_alert, decode_event, decode_group, decode_principal, decode_tenant
from alertd.store.executor import KEYS_AT_ONCE, Executor, batches
from alertd.store.queries import from_instant, is_given, is_one_of
from alertd.store.rows import (
    conversation_of,
    delivery_of,
    job_of,
    log_of,
    reading_change_of,
    round_of,
    transition_of,
)
from alertd.store.sql_history import read_history
from alertd.store.tables import deliveries, log, log_alerts, reading_changes, rounds, transitions
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


class SqlReader:
    """Answers from one connection; what each method gives stands in `alertd.store.port.Reader`."""

    def __init__(self, executor: Executor) -> None:
        self._do = executor

    async def tenant(self, key: str) -> TenantRecord | None:
        """Give a tenant."""
        content = await self._do.value(queries.TENANT, {"key": key})
        return None if content is None else decode_tenant(content)

    async def tenants(self) -> tuple[TenantRecord, ...]:
        """Give all tenants, by key."""
        return tuple(decode_tenant(row.content) for row in await self._do.rows(queries.TENANTS))

    async def principals(self, tenant_key: str) -> tuple[PrincipalRecord, ...]:
        """Give a tenant's service principals, by id."""
        found = await self._do.rows(queries.PRINCIPALS, {"tenant_key": tenant_key})
        return tuple(decode_principal(row.content) for row in found)

    async def jobs(self, tenant_key: str, principal_ids: Collection[str] | None = None) -> tuple[JobRecord, ...]:
        """Give a tenant's jobs, by (principal, job id)."""
        if principal_ids is None:
            return tuple(map(job_of, await self._do.rows(queries.JOBS, {"tenant_key": tenant_key})))
        found: list[JobRecord] = []
        for some in batches(sorted(set(principal_ids)), KEYS_AT_ONCE):
            parameters = {"tenant_key": tenant_key, "principals": some}
            found += map(job_of, await self._do.rows(queries.JOBS_OF, parameters))
        return tuple(found)

    async def alerts(self, *, tenant_key: str | None = None) -> tuple[Alert, ...]:
        """Give alerts, by fingerprint."""
        if tenant_key is None:
            return _alerts(await self._do.rows(queries.ALERTS))
        return _alerts(await self._do.rows(queries.ALERTS_OF_TENANT, {"tenant_key": tenant_key}))

    async def alerts_of(self, tenant_key: str, principal_ids: Collection[str]) -> tuple[Alert, ...]:
        """Give the job alerts of these principals, by fingerprint."""
        found: list[Alert] = []
        for some in batches(sorted(set(principal_ids)), KEYS_AT_ONCE):
            parameters = {"tenant_key": tenant_key, "principals": some}
            found += _alerts(await self._do.rows(queries.ALERTS_OF, parameters))
        return tuple(sorted(found, key=lambda alert: alert.fingerprint))

    async def alerts_in(self, group_key: str) -> tuple[Alert, ...]:
        """Give the alerts of a group, by fingerprint."""
        return _alerts(await self._do.rows(queries.ALERTS_IN, {"group_key": group_key}))

    async def firing_alerts(self) -> tuple[Alert, ...]:
        """Give every alert that fires, by fingerprint."""
        return _alerts(await self._do.rows(queries.FIRING_ALERTS))

    async def events_in(self, group_key: str) -> tuple[Event, ...]:
        """Give the events that wait in a group, oldest first."""
        return tuple(
            decode_event(row.content) for row in await self._do.rows(queries.EVENTS_IN, {"group_key": group_key})
        )

    async def group(self, key: str) -> Group | None:
        """Give a group."""
        content = await self._do.value(queries.GROUP, {"key": key})
        return None if content is None else decode_group(content)

    async def groups(self) -> tuple[Group, ...]:
        """Give all groups, by key."""
        return tuple(decode_group(row.content) for row in await self._do.rows(queries.GROUPS))

    async def due_groups(self, now: datetime, limit: int) -> tuple[str, ...]:
        """Give the keys of due groups, the longest due first."""
        return tuple(row.key for row in await self._do.rows(queries.DUE_GROUPS, {"now": now, "limit": limit}))

    async def next_group_due(self) -> datetime | None:
        """Give the earliest `due_at` of any group."""
        due_at: datetime | None = await self._do.value(queries.NEXT_GROUP_DUE)
        return due_at

    async def conversation(self, conversation_id: str) -> Conversation | None:
        """Give a conversation."""
        content = await self._do.value(queries.CONVERSATION, {"id": conversation_id})
        if content is None:
            return None
        return conversation_of(content, await self._do.rows(queries.TOLD_IN, {"conversation_id": conversation_id}))

    async def conversations_in(self, group_key: str) -> tuple[Conversation, ...]:
        """Give a group's conversations, by integration id."""
        found = await self._do.rows(queries.CONVERSATIONS_IN, {"group_key": group_key})
        lines = await self._do.rows(queries.TOLD_IN_GROUP, {"group_key": group_key}) if found else ()
        return _conversations(found, lines)

    async def conversations(self) -> tuple[Conversation, ...]:
        """Give all conversations, by id."""
        return _conversations(await self._do.rows(queries.CONVERSATIONS), await self._do.rows(queries.TOLD))

    async def delivery(self, delivery_id: str) -> Delivery | None:
        """Give a delivery."""
        row = await self._do.row(queries.DELIVERY, {"id": delivery_id})
        return None if row is None else delivery_of(row)

    async def due_deliveries(self, now: datetime, limit: int) -> tuple[str, ...]:
        """Give the ids of due deliveries, the longest due first."""
        return tuple(row.id for row in await self._do.rows(queries.DUE_DELIVERIES, {"now": now, "limit": limit}))

    async def next_delivery_due(self) -> datetime | None:
        """Give the earliest `due_at` of any delivery that waits."""
        due_at: datetime | None = await self._do.value(queries.NEXT_DELIVERY_DUE)
        return due_at

    async def deliveries(
        self, *, states: Collection[DeliveryState] | None = None, integration_id: str | None = None, limit: int = 1000
    ) -> tuple[Delivery, ...]:
        """Give deliveries, the latest decided first."""
        statement, parameters = queries.LATEST_DELIVERIES, _given(limit=limit, integration_id=integration_id)
        if integration_id is not None:
            statement = statement.where(is_given(deliveries.c.integration_id))
        if states is not None:
            statement = statement.where(is_one_of(deliveries.c.state, "states"))
            parameters["states"] = [state.value for state in states]
        return tuple(map(delivery_of, await self._do.rows(statement, parameters)))

    async def failed_integrations(self) -> Mapping[str, int]:
        """Give the deliveries given up since each integration last accepted one."""
        return {row.id: row.failed for row in await self._do.rows(queries.FAILED_INTEGRATIONS)}

    def history(
        self, *, tenant_key: str | None = None, job_id: str | None = None, since: datetime | None = None
    ) -> AsyncIterator[HistoryEntry]:
        """Give changed snapshots in order of time; a job's first is a full one."""
        return read_history(self._do, tenant_key, job_id, since)

    async def rounds(self, tenant_key: str, *, since: datetime | None = None) -> tuple[RoundEntry, ...]:
        """Give closed rounds, oldest first."""
        statement = queries.ROUNDS if since is None else from_instant(queries.ROUNDS, rounds.c.at)
        return tuple(map(round_of, await self._do.rows(statement, _given(tenant_key=tenant_key, since=since))))

    async def reading_changes(self, tenant_key: str, *, since: datetime | None = None) -> tuple[ReadingChange, ...]:
        """Give changes of reading outcomes, oldest first."""
        statement = queries.READING_CHANGES
        if since is not None:
            statement = from_instant(statement, reading_changes.c.at)
        found = await self._do.rows(statement, _given(tenant_key=tenant_key, since=since))
        return tuple(map(reading_change_of, found))

    async def transitions(
        self, *, fingerprint: str | None = None, since: datetime | None = None
    ) -> tuple[TransitionEntry, ...]:
        """Give alert transitions, oldest first."""
        statement = queries.TRANSITIONS
        if fingerprint is not None:
            statement = statement.where(is_given(transitions.c.fingerprint))
        if since is not None:
            statement = from_instant(statement, transitions.c.at)
        found = await self._do.rows(statement, _given(fingerprint=fingerprint, since=since))
        return tuple(map(transition_of, found))

    async def log(
        self, *, group_key: str | None = None, fingerprint: str | None = None, since: datetime | None = None
    ) -> tuple[LogEntry, ...]:
        """Give decisions, oldest first."""
        statement = queries.LOG if fingerprint is None else queries.LOG_OF_ALERT
        if fingerprint is not None:
            statement = statement.where(log_alerts.c.fingerprint == bindparam("fingerprint"))
        if group_key is not None:
            statement = statement.where(is_given(log.c.group_key))
        if since is not None:
            statement = from_instant(statement, log.c.at)
        found = await self._do.rows(statement, _given(fingerprint=fingerprint, group_key=group_key, since=since))
        return tuple(map(log_of, found))


def _alerts(rows: Iterable[Row[Any]]) -> tuple[Alert, ...]:
    return tuple(decode_alert(row.content) for row in rows)


def _conversations(rows: Iterable[Row[Any]], lines: Iterable[Row[Any]]) -> tuple[Conversation, ...]:
    told: dict[str, list[Row[Any]]] = defaultdict(list)
    for line in lines:
        told[line.conversation_id].append(line)
    return tuple(conversation_of(row.content, told[row.id]) for row in rows)


def _given(**parameters: object) -> dict[str, Any]:
    return {name: value for name, value in parameters.items() if value is not None}
