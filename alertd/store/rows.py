"""Values as rows, and rows as values."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import attrs
from sqlalchemy import Row

from alertd.model.alert import Alert, Event, State
from alertd.model.notification import Reason, Withheld
from alertd.notify.silences import Silence
from alertd.store.encoding import (
    decode_conversation,
    decode_delivery,
    decode_names,
    encode,
    sealed_events,
    sealed_evidence,
)
from alertd.store.history_encoding import decode_entry, encode_entry
from alertd.store.tables import ENTRY_CHANGED, ENTRY_FULL, ENTRY_GONE
from alertd.store.values import (
    Conversation,
    Delivery,
    DigestRecord,
    Group,
    HistoryEntry,
    JobKey,
    JobRecord,
    LogEntry,
    PrincipalRecord,
    ReadingChange,
    RoundEntry,
    TenantRecord,
    Told,
    TransitionEntry,
    Usage,
)

Parameters = dict[str, Any]


def tenant_row(record: TenantRecord) -> Parameters:
    """Give a tenant's row."""
    return {"key": record.key, "epoch": record.epoch, "content": encode(record)}


def principal_row(record: PrincipalRecord) -> Parameters:
    """Give a service principal's row."""
    return {"tenant_key": record.tenant_key, "service_principal_id": record.principal.id, "content": encode(record)}


def job_row(record: JobRecord) -> Parameters:
    """Give a job's row."""
    return {
        "tenant_key": record.tenant_key,
        "service_principal_id": record.service_principal_id,
        "job_id": record.job.id,
        "content": encode(record),
    }


def job_key_row(key: JobKey) -> Parameters:
    """Give what names a job's row."""
    return dict(zip(("tenant_key", "service_principal_id", "job_id"), key, strict=True))


def alert_row(alert: Alert) -> Parameters:
    """Give an alert's row."""
    return {
        "fingerprint": alert.fingerprint,
        "tenant_key": alert.identity.tenant_key,
        "service_principal_id": alert.identity.service_principal_id,
        "state": alert.state.value,
        "content": encode(sealed_evidence(alert)),
    }


def fingerprint_row(fingerprint: str) -> Parameters:
    """Give what names an alert's rows."""
    return {"fingerprint": fingerprint}


def event_row(group_key: str, event: Event) -> Parameters:
    """Give an event's row."""
    return {"group_key": group_key, "key": event.key, "at": event.at, "content": encode(sealed_evidence(event))}


def event_key_row(group_key: str, key: str) -> Parameters:
    """Give what names an event's row."""
    return {"group_key": group_key, "key": key}


def silence_row(silence: Silence) -> Parameters:
    """Give a silence's row."""
    return {
        "id": silence.id,
        "starts_at": silence.starts_at,
        "ends_at": silence.ends_at,
        "content": encode(silence),
    }


def group_row(group: Group) -> Parameters:
    """Give a group's row."""
    return {"key": group.key, "sequence": group.sequence, "due_at": group.due_at, "content": encode(group)}


def conversation_row(conversation: Conversation) -> Parameters:
    """Give a conversation's row; its lines of the told-ledger are rows of their own."""
    content = attrs.evolve(conversation, told=(), events=sealed_events(conversation.events))
    return {
        "id": conversation.id,
        "group_key": conversation.group_key,
        "integration_id": conversation.integration_id,
        "sequence": conversation.sequence,
        "content": encode(content),
    }


def told_rows(conversation: Conversation) -> list[Parameters]:
    """Give a conversation's lines of the told-ledger."""
    return [
        {
            "conversation_id": conversation.id,
            "fingerprint": line.fingerprint,
            "episode": line.episode,
            "integration_id": conversation.integration_id,
            "position": position,
            "at": line.at,
            "absent": line.absent,
        }
        for position, line in enumerate(conversation.told)
    ]


def conversation_of(content: bytes, lines: Iterable[Row[Any]]) -> Conversation:
    """Give the conversation of a row and its lines of the told-ledger, in their order."""
    told = tuple(
        Told(fingerprint=line.fingerprint, episode=line.episode, at=line.at, absent=line.absent) for line in lines
    )
    return attrs.evolve(decode_conversation(content), told=told)


def delivery_row(delivery: Delivery) -> Parameters:
    """Give a delivery's row."""
    return {
        "id": delivery.id,
        "conversation_id": delivery.conversation_id,
        "sequence": delivery.sequence,
        "integration_id": delivery.integration_id,
        "state": delivery.state.value,
        "decided_at": delivery.decided_at,
        "due_at": delivery.due_at,
        "leased_until": delivery.leased_until,
        "ended_at": delivery.ended_at,
        "content": encode(attrs.evolve(delivery, events=sealed_events(delivery.events))),
    }


def delivery_of(row: Row[Any]) -> Delivery:
    """Give the delivery of a row."""
    delivery = decode_delivery(row.content)
    return delivery if delivery.due_at == row.due_at else attrs.evolve(delivery, due_at=row.due_at)


def history_row(entry: HistoryEntry, number: int, job: int) -> Parameters:
    """Give the row of a changed snapshot under this id, of the job that the history knows by this number."""
    return {
        "id": number,
        "job": job,
        "sequence": entry.sequence,
        "kind": ENTRY_GONE if entry.gone else ENTRY_FULL if entry.full is not None else ENTRY_CHANGED,
        "content": encode_entry(entry),
    }


def entry_of(row: Row[Any]) -> HistoryEntry:
    """Give the changed snapshot of a row."""
    changes, facts, full = decode_entry(row.content, row.at)
    return HistoryEntry(
        tenant_key=row.tenant_key,
        service_principal_id=row.service_principal_id,
        job_id=row.job_id,
        sequence=row.sequence,
        at=row.at,
        full=full,
        changes=changes,
        facts=facts,
        gone=row.kind == ENTRY_GONE,
    )


def plain_row(entry: RoundEntry | ReadingChange | DigestRecord) -> Parameters:
    """Give the row of a value that is all columns."""
    return attrs.asdict(entry, recurse=False)


def digest_of(row: Row[Any]) -> DigestRecord:
    """Give the digest of a row."""
    return DigestRecord(**row._mapping)  # noqa: SLF001 - SQLAlchemy's public name for it


def round_of(row: Row[Any]) -> RoundEntry:
    """Give the round of a row."""
    return RoundEntry(**_without_number(row))


def usage_of(row: Row[Any]) -> Usage:
    """Give the sum of a row."""
    return Usage(**row._mapping)  # noqa: SLF001 - SQLAlchemy's public name for it


def reading_change_of(row: Row[Any]) -> ReadingChange:
    """Give the change of a reading outcome of a row."""
    return ReadingChange(**_without_number(row))


def transition_row(entry: TransitionEntry) -> Parameters:
    """Give an alert transition's row."""
    return attrs.asdict(entry, recurse=False) | {"before": entry.before.value, "after": entry.after.value}


def transition_of(row: Row[Any]) -> TransitionEntry:
    """Give the alert transition of a row."""
    return TransitionEntry(**_without_number(row) | {"before": State(row.before), "after": State(row.after)})


def log_row(entry: LogEntry) -> Parameters:
    """Give a decision's row."""
    reason = entry.reason.value if entry.reason else None
    withheld = entry.withheld.value if entry.withheld else None
    return attrs.asdict(entry, recurse=False) | {"reason": reason, "withheld": withheld, "alerts": encode(entry.alerts)}


def log_of(row: Row[Any]) -> LogEntry:
    """Give the decision of a row."""
    reason = Reason(row.reason) if row.reason else None
    withheld = Withheld(row.withheld) if row.withheld else None
    alerts = decode_names(row.alerts)
    return LogEntry(**_without_number(row) | {"reason": reason, "withheld": withheld, "alerts": alerts})


def _without_number(row: Row[Any]) -> dict[str, Any]:
    return {name: value for name, value in row._mapping.items() if name != "id"}  # noqa: SLF001 - SQLAlchemy's public name for it
