"""A job's record brought from one entry of its history to the next. Pure."""

from __future__ import annotations

from datetime import datetime

from alertd.diff import apply, diff
from alertd.model.change import Change
from alertd.model.facts import step
from alertd.model.resources import SynchronizationJob
from alertd.store.values import HistoryEntry, JobRecord


def advanced(
    known: JobRecord | None, entry: HistoryEntry, *, first_seen_at: datetime | None = None
) -> tuple[JobRecord | None, tuple[Change, ...]]:
    """Give the record after an entry that is not about vanishing, and what changed by it.

    None where the entry holds changes only and nothing is known that they could be applied to. first_seen_at: for a job whose history no
    longer reaches back to first sight.
    """
    before = known if entry.sequence > 1 else None
    job, changes = _applied(before, entry)
    if job is None:
        return None, ()
    record = JobRecord(
        tenant_key=entry.tenant_key,
        service_principal_id=entry.service_principal_id,
        job=job,
        facts=entry.facts or step(before.facts if before else None, before.job if before else None, job, entry.at),
        sequence=entry.sequence,
        first_seen_at=before.first_seen_at if before else (first_seen_at or entry.at),
        changed_at=entry.at,
    )
    return record, changes


def _applied(known: JobRecord | None, entry: HistoryEntry) -> tuple[SynchronizationJob | None, tuple[Change, ...]]:
    if entry.full is not None:
        return entry.full, diff(known.job, entry.full) if known else ()
    return (apply(known.job, entry.changes), entry.changes) if known else (None, ())
