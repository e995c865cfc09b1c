"""Every statement by its name; built once, so that SQLAlchemy compiles each once."""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    Select,
    and_,
    bindparam,
    delete,
    func,
    insert,
    literal,
    or_,
    select,
    type_coerce,
    update,
)

from alertd.model.alert import State
from alertd.model.notification import DeliveryState
from alertd.store.dialect import insert_new, upsert
from alertd.store.tables import (
    BATCH_ROOM,
    ENTRY_FULL,
    ENTRY_GONE,
    WAITING,
    alert_groups,
    alerts,
    conversations,
    deliveries,
    digests,
    events,
    groups,
    history,
    history_batches,
    history_jobs,
    integrations,
    jobs,
    log,
    log_alerts,
    principals,
    reading_changes,
    rounds,
    silences,
    tenants,
    told,
    transitions,
)


def is_given(column: Column[Any], name: str = "") -> ColumnElement[bool]:
    """Compare a column with the parameter of its name, or of another that the statement does not set."""
    return column == bindparam(name or column.name)


def is_one_of(column: Column[Any], name: str) -> ColumnElement[bool]:
    """Compare a column with a list of values."""
    return column.in_(bindparam(name, expanding=True))


# Tenants and snapshots.
TENANT = select(tenants.c.content).where(is_given(tenants.c.key))
TENANTS = select(tenants.c.content).order_by(tenants.c.key)
SAVE_TENANT = upsert(tenants)
ADD_TENANT = insert_new(tenants)
REPLACE_TENANT = (
    update(tenants)
    .where(is_given(tenants.c.key, "tenant"), is_given(tenants.c.epoch, "expected"))
    .values(epoch=bindparam("epoch"), content=bindparam("content"))
)
TENANT_EPOCH = select(tenants.c.epoch).where(is_given(tenants.c.key))
PRINCIPALS = (
    select(principals.c.content).where(is_given(principals.c.tenant_key)).order_by(principals.c.service_principal_id)
)
PRINCIPALS_AFTER = PRINCIPALS.where(principals.c.service_principal_id > bindparam("after")).limit(bindparam("limit"))
PRINCIPALS_OF = PRINCIPALS.where(is_one_of(principals.c.service_principal_id, "principals"))
SAVE_PRINCIPAL = upsert(principals)
JOBS = select(jobs.c.content).where(is_given(jobs.c.tenant_key)).order_by(jobs.c.service_principal_id, jobs.c.job_id)
JOBS_OF = JOBS.where(is_one_of(jobs.c.service_principal_id, "principals"))
SAVE_JOB = upsert(jobs)
DELETE_JOB = delete(jobs).where(
    is_given(jobs.c.tenant_key), is_given(jobs.c.service_principal_id), is_given(jobs.c.job_id)
)

# Alerts and events.
ALERTS = select(alerts.c.content).order_by(alerts.c.fingerprint)
ALERTS_OF_TENANT = ALERTS.where(is_given(alerts.c.tenant_key))
ALERTS_OF = ALERTS_OF_TENANT.where(is_one_of(alerts.c.service_principal_id, "principals"))
ALERTS_IN = ALERTS.join(alert_groups, alert_groups.c.fingerprint == alerts.c.fingerprint).where(
    is_given(alert_groups.c.group_key)
)
GROUPS_OF = (
    select(alert_groups.c.group_key).where(is_given(alert_groups.c.fingerprint)).order_by(alert_groups.c.group_key)
)
FIRING_ALERTS = ALERTS.where(alerts.c.state == State.FIRING.value)
SAVE_ALERT = upsert(alerts)
LEAVE_GROUPS = delete(alert_groups).where(is_given(alert_groups.c.fingerprint))
JOIN_GROUP = insert_new(alert_groups)
DELETE_ALERT = delete(alerts).where(is_given(alerts.c.fingerprint))
EVENTS_IN = select(events.c.content).where(is_given(events.c.group_key)).order_by(events.c.at, events.c.key)
ADD_EVENT = insert_new(events)
DELETE_EVENT = delete(events).where(is_given(events.c.group_key), is_given(events.c.key))

# Silences; one without an end is past every instant.
SILENCES = select(silences.c.content).order_by(silences.c.starts_at, silences.c.id)
SILENCES_ENDING = SILENCES.where(or_(silences.c.ends_at.is_(None), silences.c.ends_at > bindparam("after")))
SAVE_SILENCE = upsert(silences)

# Groups.
GROUP = select(groups.c.content).where(is_given(groups.c.key))
GROUPS = select(groups.c.content).order_by(groups.c.key)
DUE_GROUPS = (
    select(groups.c.key)
    .where(groups.c.due_at <= bindparam("now"))
    .order_by(groups.c.due_at, groups.c.key)
    .limit(bindparam("limit"))
)
NEXT_GROUP_DUE = select(func.min(groups.c.due_at))
SAVE_GROUP = upsert(groups)
REPLACE_GROUP = (
    update(groups)
    .where(is_given(groups.c.key, "group"), is_given(groups.c.sequence, "expected"))
    .values(sequence=bindparam("sequence"), due_at=bindparam("due_at"), content=bindparam("content"))
)
DELETE_GROUP = delete(groups).where(is_given(groups.c.key))
DELETE_GROUP_EXPECTED = DELETE_GROUP.where(is_given(groups.c.sequence, "expected"))
GROUP_SEQUENCE = select(groups.c.sequence).where(is_given(groups.c.key))

# Conversations, each with its lines of the told-ledger.
CONVERSATION = select(conversations.c.id, conversations.c.content).where(
    is_given(conversations.c.id, "conversation_id")
)
CONVERSATIONS_IN = (
    select(conversations.c.id, conversations.c.content)
    .where(is_given(conversations.c.group_key))
    .order_by(conversations.c.integration_id, conversations.c.id)
)
CONVERSATIONS = select(conversations.c.id, conversations.c.content).order_by(conversations.c.id)
_LINES = select(told.c.conversation_id, told.c.fingerprint, told.c.episode, told.c.at, told.c.absent).order_by(
    told.c.conversation_id, told.c.position
)
TOLD = _LINES
TOLD_IN = _LINES.where(is_given(told.c.conversation_id))
TOLD_IN_GROUP = _LINES.join(conversations, conversations.c.id == told.c.conversation_id).where(
    is_given(conversations.c.group_key)
)
SAVE_CONVERSATION = upsert(conversations)
DELETE_CONVERSATION = delete(conversations).where(is_given(conversations.c.id))
ADD_TOLD = insert(told)
DELETE_TOLD = delete(told).where(is_given(told.c.conversation_id))

# Deliveries. The column `due_at` is the one that holds; `hasten` changes it alone.
DELIVERIES = select(deliveries.c.content, deliveries.c.due_at)
DELIVERY = DELIVERIES.where(is_given(deliveries.c.id))
LATEST_DELIVERIES = DELIVERIES.order_by(
    deliveries.c.decided_at.desc(), deliveries.c.sequence.desc(), deliveries.c.id
).limit(bindparam("limit"))
# The condition is spelled out, since SQLite takes a partial index only where it sees its very terms.
_waiting = deliveries.c.state.in_([literal(state.value, literal_execute=True) for state in WAITING])
DUE_DELIVERIES = (
    select(deliveries.c.due_at, deliveries.c.id, deliveries.c.integration_id)
    .where(_waiting, deliveries.c.due_at <= bindparam("now"))
    .order_by(deliveries.c.due_at, deliveries.c.id)
    .limit(bindparam("limit"))
)
NEXT_DELIVERY_DUE = select(func.min(deliveries.c.due_at)).where(_waiting)
WAITING_DELIVERIES = (
    select(deliveries.c.due_at, deliveries.c.id, deliveries.c.integration_id)
    .where(_waiting)
    .order_by(deliveries.c.due_at, deliveries.c.id)
)
SAVE_DELIVERY = upsert(deliveries)
# What stands under an id or at a place in a conversation: the same row, unless somebody else wrote first.
DELIVERIES_LIKE = select(deliveries.c.id, deliveries.c.state).where(
    or_(
        is_given(deliveries.c.id, "delivery"),
        and_(is_given(deliveries.c.conversation_id, "conversation"), is_given(deliveries.c.sequence, "place")),
    )
)
LEFT_SENDING = DELIVERIES.where(
    deliveries.c.state == literal(DeliveryState.SENDING.value, literal_execute=True),
    or_(deliveries.c.leased_until.is_(None), deliveries.c.leased_until <= bindparam("now")),
).order_by(deliveries.c.id)
HASTEN = (
    update(deliveries)
    .where(
        is_given(deliveries.c.integration_id, "integration"),
        _waiting,
        deliveries.c.due_at > bindparam("now"),
    )
    .values(due_at=bindparam("now"))
)
FAILED_INTEGRATIONS = (
    select(integrations.c.id, integrations.c.failed).where(integrations.c.failed > 0).order_by(integrations.c.id)
)
ADD_INTEGRATION = insert_new(integrations)
COUNT_FAILURE = (
    update(integrations).where(is_given(integrations.c.id, "integration")).values(failed=integrations.c.failed + 1)
)
FORGET_FAILURES = update(integrations).where(is_given(integrations.c.id, "integration")).values(failed=0)

# Digests.
DIGESTS = select(digests).order_by(digests.c.key)
SAVE_DIGEST = upsert(digests)
REPLACE_DIGEST = (
    update(digests)
    .where(is_given(digests.c.key, "digest"), is_given(digests.c.sequence, "expected"))
    .values(sequence=bindparam("sequence"), since=bindparam("since"), due_at=bindparam("due_at"))
)
DIGEST_SEQUENCE = select(digests.c.sequence).where(is_given(digests.c.key))
DELETE_DIGEST = delete(digests).where(is_given(digests.c.key))

# History. An entry's id leads to its batch, and a batch's to the ids of its entries.
_of_batch = history_batches.c.id == history.c.id // BATCH_ROOM
_in_batch = and_(
    history.c.id >= history_batches.c.id * BATCH_ROOM, history.c.id < (history_batches.c.id + 1) * BATCH_ROOM
)
_ENTRY = (
    history_batches.c.at,
    history_jobs.c.id.label("job"),
    history_jobs.c.tenant_key,
    history_jobs.c.service_principal_id,
    history_jobs.c.job_id,
    history.c.sequence,
    history.c.kind,
    history.c.content,
)
_ORDER = (
    history_batches.c.at,
    history_jobs.c.tenant_key,
    history_jobs.c.service_principal_id,
    history_jobs.c.job_id,
    history.c.sequence,
    history.c.id,
)
# By time: the batches lead. By job: the index of its entries leads, found through `history_jobs`.
HISTORY = (
    select(*_ENTRY)
    .select_from(history_batches.join(history, _in_batch).join(history_jobs, history_jobs.c.id == history.c.job))
    .order_by(*_ORDER)
)
# As the index of batches has it, and each batch from end to end: nothing is sorted. Jobs are numbers here, instants microseconds.
OUTLINES = (
    select(
        type_coerce(history_batches.c.at, BigInteger).label("at"),
        history.c.job,
        history.c.sequence,
        history.c.kind,
        history.c.content,
    )
    .select_from(history_batches.join(history, _in_batch))
    .order_by(history_batches.c.at, history_batches.c.id, history.c.id)
)
HISTORY_JOBS = select(history_jobs).where(is_one_of(history_jobs.c.id, "jobs"))
HISTORY_OF_JOB = (
    select(*_ENTRY)
    .select_from(history_jobs.join(history, history.c.job == history_jobs.c.id).join(history_batches, _of_batch))
    .order_by(*_ORDER)
)
_earlier = history.alias("earlier")
_earlier_batch = history_batches.alias("earlier_batch")
# What leads up to an instant: of each of these jobs its last full entry before it, and all from there to the instant.
HISTORY_LEADING = HISTORY_OF_JOB.where(
    is_one_of(history_jobs.c.id, "jobs"),
    history_batches.c.at < bindparam("since"),
    history.c.id
    >= select(func.max(_earlier.c.id))
    .join(_earlier_batch, _earlier_batch.c.id == _earlier.c.id // BATCH_ROOM)
    .where(
        _earlier.c.job == history.c.job,
        _earlier.c.kind == ENTRY_FULL,
        _earlier_batch.c.at < bindparam("since"),
    )
    .correlate(history)
    .scalar_subquery(),
)
# The jobs of these principals that the history knows.
HISTORY_JOBS_OF = (
    select(history_jobs.c.id, history_jobs.c.service_principal_id, history_jobs.c.job_id)
    .where(is_given(history_jobs.c.tenant_key), is_one_of(history_jobs.c.service_principal_id, "principals"))
    .order_by(history_jobs.c.service_principal_id, history_jobs.c.job_id)
)
ADD_HISTORY_JOB = insert_new(history_jobs)
ADD_BATCH = insert(history_batches).returning(history_batches.c.id)
ADD_ENTRY = insert(history)
# Where a job's replay begins: at its last full entry, or, if it had vanished by then, behind that.
_floor = (
    select(func.max(_earlier.c.id + (_earlier.c.kind == ENTRY_GONE).cast(_earlier.c.id.type)))
    .join(_earlier_batch, _earlier_batch.c.id == _earlier.c.id // BATCH_ROOM)
    .where(
        _earlier.c.job == history.c.job,
        or_(
            and_(_earlier.c.kind == ENTRY_FULL, _earlier_batch.c.at <= bindparam("before")),
            and_(_earlier.c.kind == ENTRY_GONE, _earlier_batch.c.at < bindparam("before")),
        ),
    )
    .correlate(history)
    .scalar_subquery()
)
_old_batches = select(history_batches.c.id).where(history_batches.c.at < bindparam("before"))
PRUNE_HISTORY = delete(history).where((history.c.id // BATCH_ROOM).in_(_old_batches), history.c.id < _floor)
PRUNE_BATCHES = delete(history_batches).where(
    history_batches.c.at < bindparam("before"), ~select(history.c.id).where(_in_batch).exists()
)
PRUNE_HISTORY_JOBS = delete(history_jobs).where(
    ~select(history.c.id).where(history.c.job == history_jobs.c.id).exists()
)

# Rounds, readings, transitions, decisions.
ROUNDS = select(rounds).where(is_given(rounds.c.tenant_key)).order_by(rounds.c.at, rounds.c.id)
ADD_ROUND = insert(rounds)
USAGE = (
    select(
        rounds.c.tenant_key,
        func.count().label("rounds"),
        *(func.sum(rounds.c[name]).label(name) for name in ("requests", "throttled", "repeated")),
    )
    .where(rounds.c.at >= bindparam("since"))
    .group_by(rounds.c.tenant_key)
)
READING_CHANGES = (
    select(reading_changes)
    .where(is_given(reading_changes.c.tenant_key))
    .order_by(reading_changes.c.at, reading_changes.c.id)
)
ADD_READING_CHANGE = insert(reading_changes)
TRANSITIONS = select(transitions).order_by(transitions.c.at, transitions.c.id)
ADD_TRANSITION = insert(transitions)
LOG = select(log).order_by(log.c.at, log.c.id)
LOG_OF_ALERT = LOG.join(log_alerts, log_alerts.c.log_id == log.c.id)
ADD_LOG = insert(log).returning(log.c.id)
ADD_LOG_ALERT = insert_new(log_alerts)

PRUNE_ROUNDS = delete(rounds).where(rounds.c.at < bindparam("before"))
PRUNE_TRANSITIONS = delete(transitions).where(transitions.c.at < bindparam("before"))
PRUNE_LOG = delete(log).where(log.c.at < bindparam("before"))
PRUNE_SILENCES = delete(silences).where(silences.c.ends_at < bindparam("before"))
PRUNE_DELIVERIES = delete(deliveries).where(deliveries.c.ended_at < bindparam("before"))
_later = reading_changes.alias("later")
# A principal's last run of readings is needed up to the next one.
PRUNE_READING_CHANGES = delete(reading_changes).where(
    reading_changes.c.at < bindparam("before"),
    select(_later.c.id)
    .where(
        _later.c.tenant_key == reading_changes.c.tenant_key,
        _later.c.service_principal_id == reading_changes.c.service_principal_id,
        _later.c.id > reading_changes.c.id,
        _later.c.at <= bindparam("before"),
    )
    .exists(),
)


def from_instant(statement: Select[Any], column: Column[Any]) -> Select[Any]:
    """Leave out what was before the parameter `since`."""
    return statement.where(column >= bindparam("since"))
