"""What can be asked of a SQL database."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, TypeVar

from sqlalchemy import Connection, Executable, Row

from alertd.model.alert import Alert, Event
from alertd.model.notification import DeliveryState
from alertd.notify.silences import Silence
from alertd.store import queries
from alertd.store.encoding import (
    decode_alert,
    decode_event,
    decode_group,
    decode_job,
    decode_principal,
    decode_silence,
    decode_tenant,
)
from alertd.store.executor import Executor
from alertd.store.queries import from_instant, is_given, is_one_of
from alertd.store.rows import (
    conversation_of,
    delivery_of,
    digest_of,
    log_of,
    reading_change_of,
    round_of,
    transition_of,
    usage_of,
)
from alertd.store.sql_history import read_history, snapshots_before
from alertd.store.sql_outlines import read_outlines
from alertd.store.statements import (
    KEYS_AT_ONCE,
    Parameters,
    batches,
    content_of,
    contents,
    rows,
    scalar,
    value_of,
    values,
)
from alertd.store.tables import deliveries, log, log_alerts, reading_changes, rounds, transitions
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

Value = TypeVar("Value")


class SqlReader:
    """Answers from one connection; what each method gives stands in `alertd.store.port.Reader`."""

    def __init__(self, executor: Executor) -> None:
        self._do = executor

    async def tenant(self, key: str) -> TenantRecord | None:
        """Give a tenant."""
        return await self._do.run(content_of, decode_tenant, queries.TENANT, {"key": key})

    async def tenants(self) -> tuple[TenantRecord, ...]:
        """Give all tenants, by key."""
        return await self._do.run(contents, decode_tenant, queries.TENANTS)

    async def principals(
        self, tenant_key: str, principal_ids: Collection[str] | None = None
    ) -> tuple[PrincipalRecord, ...]:
        """Give a tenant's service principals, by id."""
        if principal_ids is not None:
            return await self._do.run(
                _of_principals, decode_principal, queries.PRINCIPALS_OF, tenant_key, principal_ids
            )
        return await self._do.run(contents, decode_principal, queries.PRINCIPALS, {"tenant_key": tenant_key})

    async def principals_after(self, tenant_key: str, after: str, limit: int) -> tuple[PrincipalRecord, ...]:
        """Give some of a tenant's service principals, by id."""
        parameters = {"tenant_key": tenant_key, "after": after, "limit": limit}
        return await self._do.run(contents, decode_principal, queries.PRINCIPALS_AFTER, parameters)

    async def jobs(self, tenant_key: str, principal_ids: Collection[str] | None = None) -> tuple[JobRecord, ...]:
        """Give a tenant's jobs, by (principal, job id)."""
        if principal_ids is None:
            return await self._do.run(contents, decode_job, queries.JOBS, {"tenant_key": tenant_key})
        return await self._do.run(_of_principals, decode_job, queries.JOBS_OF, tenant_key, principal_ids)

    async def alerts(self, *, tenant_key: str | None = None) -> tuple[Alert, ...]:
        """Give alerts, by fingerprint."""
        if tenant_key is None:
            return await self._do.run(contents, decode_alert, queries.ALERTS)
        return await self._do.run(contents, decode_alert, queries.ALERTS_OF_TENANT, {"tenant_key": tenant_key})

    async def alerts_of(self, tenant_key: str, principal_ids: Collection[str]) -> tuple[Alert, ...]:
        """Give the job alerts of these principals, by fingerprint."""
        found = await self._do.run(_of_principals, decode_alert, queries.ALERTS_OF, tenant_key, principal_ids)
        return tuple(sorted(found, key=lambda alert: alert.fingerprint))

    async def alerts_in(self, group_key: str) -> tuple[Alert, ...]:
        """Give the alerts of a group, by fingerprint."""
        return await self._do.run(contents, decode_alert, queries.ALERTS_IN, {"group_key": group_key})

    async def groups_of(self, fingerprint: str) -> tuple[str, ...]:
        """Give the groups of an alert, in order."""
        return await self._do.run(contents, str, queries.GROUPS_OF, {"fingerprint": fingerprint})

    async def firing_alerts(self) -> tuple[Alert, ...]:
        """Give every alert that fires, by fingerprint."""
        return await self._do.run(contents, decode_alert, queries.FIRING_ALERTS)

    async def events_in(self, group_key: str) -> tuple[Event, ...]:
        """Give the events that wait in a group, oldest first."""
        return await self._do.run(contents, decode_event, queries.EVENTS_IN, {"group_key": group_key})

    async def silences(self, *, ending_after: datetime | None = None) -> tuple[Silence, ...]:
        """Give silences, by start and id."""
        statement = queries.SILENCES if ending_after is None else queries.SILENCES_ENDING
        return await self._do.run(contents, decode_silence, statement, _given(after=ending_after))

    async def group(self, key: str) -> Group | None:
        """Give a group."""
        return await self._do.run(content_of, decode_group, queries.GROUP, {"key": key})

    async def groups(self) -> tuple[Group, ...]:
        """Give all groups, by key."""
        return await self._do.run(contents, decode_group, queries.GROUPS)

    async def due_groups(self, now: datetime, limit: int) -> tuple[str, ...]:
        """Give the keys of due groups, the longest due first."""
        return await self._do.run(contents, str, queries.DUE_GROUPS, {"now": now, "limit": limit})

    async def next_group_due(self) -> datetime | None:
        """Give the earliest `due_at` of any group."""
        due_at: datetime | None = await self._do.run(scalar, queries.NEXT_GROUP_DUE)
        return due_at

    async def conversation(self, conversation_id: str) -> Conversation | None:
        """Give a conversation."""
        found = await self._do.run(
            _conversations, (queries.CONVERSATION, queries.TOLD_IN), {"conversation_id": conversation_id}
        )
        return found[0] if found else None

    async def conversations_in(self, group_key: str) -> tuple[Conversation, ...]:
        """Give a group's conversations, by integration id."""
        parameters = {"group_key": group_key}
        return await self._do.run(_conversations, (queries.CONVERSATIONS_IN, queries.TOLD_IN_GROUP), parameters)

    async def conversations(self) -> tuple[Conversation, ...]:
        """Give all conversations, by id."""
        return await self._do.run(_conversations, (queries.CONVERSATIONS, queries.TOLD), {})

    async def delivery(self, delivery_id: str) -> Delivery | None:
        """Give a delivery."""
        return await self._do.run(value_of, delivery_of, queries.DELIVERY, {"id": delivery_id})

    async def due_deliveries(self, now: datetime, limit: int) -> tuple[Due, ...]:
        """Give due deliveries, the longest due first."""
        return await self._do.run(values, _due, queries.DUE_DELIVERIES, {"now": now, "limit": limit})

    async def next_delivery_due(self) -> datetime | None:
        """Give the earliest `due_at` of any delivery that waits."""
        due_at: datetime | None = await self._do.run(scalar, queries.NEXT_DELIVERY_DUE)
        return due_at

    async def first_deliveries(self) -> tuple[Due, ...]:
        """Give the first due delivery of each integration, the earliest first."""
        return await self._do.run(_first_deliveries)

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
        return await self._do.run(values, delivery_of, statement, parameters)

    async def failed_integrations(self) -> Mapping[str, int]:
        """Give the deliveries given up since each integration last accepted one."""
        return {row.id: row.failed for row in await self._do.run(rows, queries.FAILED_INTEGRATIONS)}

    async def digests(self) -> tuple[DigestRecord, ...]:
        """Give how far digests have come, by key."""
        return await self._do.run(values, digest_of, queries.DIGESTS)

    async def snapshots_before(
        self, tenant_key: str, principal_ids: Collection[str], instant: datetime
    ) -> tuple[HistoryEntry, ...]:
        """Give jobs as they stood just before an instant."""
        return await self._do.run(snapshots_before, tenant_key, tuple(principal_ids), instant)

    def history(
        self, *, tenant_key: str | None = None, job_id: str | None = None, since: datetime | None = None
    ) -> AsyncIterator[HistoryEntry]:
        """Give changed snapshots in order of time; a job's first is a full one."""
        return read_history(self._do, tenant_key, job_id, since)

    def outlines(self) -> AsyncIterator[Sequence[Outline]]:
        """Give all history as outlines."""
        return read_outlines(self._do)

    async def rounds(self, tenant_key: str, *, since: datetime | None = None) -> tuple[RoundEntry, ...]:
        """Give closed rounds, oldest first."""
        statement = queries.ROUNDS if since is None else from_instant(queries.ROUNDS, rounds.c.at)
        return await self._do.run(values, round_of, statement, _given(tenant_key=tenant_key, since=since))

    async def usage(self, since: datetime) -> Mapping[str, Usage]:
        """Give what the rounds of each tenant came to."""
        found = await self._do.run(values, usage_of, queries.USAGE, {"since": since})
        return {one.tenant_key: one for one in found}

    async def reading_changes(self, tenant_key: str, *, since: datetime | None = None) -> tuple[ReadingChange, ...]:
        """Give changes of reading outcomes, oldest first."""
        statement = queries.READING_CHANGES
        if since is not None:
            statement = from_instant(statement, reading_changes.c.at)
        return await self._do.run(values, reading_change_of, statement, _given(tenant_key=tenant_key, since=since))

    async def transitions(
        self, *, fingerprint: str | None = None, since: datetime | None = None
    ) -> tuple[TransitionEntry, ...]:
        """Give alert transitions, oldest first."""
        statement = queries.TRANSITIONS
        if fingerprint is not None:
            statement = statement.where(is_given(transitions.c.fingerprint))
        if since is not None:
            statement = from_instant(statement, transitions.c.at)
        return await self._do.run(values, transition_of, statement, _given(fingerprint=fingerprint, since=since))

    async def log(
        self, *, group_key: str | None = None, fingerprint: str | None = None, since: datetime | None = None
    ) -> tuple[LogEntry, ...]:
        """Give decisions, oldest first."""
        statement = queries.LOG if fingerprint is None else queries.LOG_OF_ALERT
        if fingerprint is not None:
            statement = statement.where(is_given(log_alerts.c.fingerprint))
        if group_key is not None:
            statement = statement.where(is_given(log.c.group_key))
        if since is not None:
            statement = from_instant(statement, log.c.at)
        parameters = _given(fingerprint=fingerprint, group_key=group_key, since=since)
        return await self._do.run(values, log_of, statement, parameters)


def _of_principals(
    connection: Connection,
    decode: Callable[[bytes], Value],
    statement: Executable,
    tenant_key: str,
    principal_ids: Collection[str],
) -> tuple[Value, ...]:
    """Ask about principals in their order, as many at once as one question may name."""
    return tuple(
        value
        for some in batches(sorted(set(principal_ids)), KEYS_AT_ONCE)
        for value in contents(connection, decode, statement, {"tenant_key": tenant_key, "principals": some})
    )


def _conversations(
    connection: Connection, statements: tuple[Executable, Executable], parameters: Parameters
) -> tuple[Conversation, ...]:
    """Give the conversations that the first statement finds, with the lines of the ledger that the second one finds."""
    talks, lines = statements
    found = rows(connection, talks, parameters)
    told: dict[str, list[Row[Any]]] = defaultdict(list)
    for line in rows(connection, lines, parameters) if found else ():
        told[line.conversation_id].append(line)
    return tuple(conversation_of(row.content, told[row.id]) for row in found)


def _first_deliveries(connection: Connection) -> tuple[Due, ...]:
    """Read what waits in its order, which an index has: a window function would go through all that ever ended, too."""
    first: dict[str, Due] = {}
    for due_at, delivery_id, integration_id in connection.execute(queries.WAITING_DELIVERIES):
        first.setdefault(integration_id, Due(due_at, delivery_id, integration_id))
    return tuple(first.values())


def _due(row: Row[Any]) -> Due:
    return Due(row.due_at, row.id, row.integration_id)


def _given(**parameters: object) -> dict[str, Any]:
    return {name: value for name, value in parameters.items() if value is not None}
