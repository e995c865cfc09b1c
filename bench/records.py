"""What the store is given: jobs that ran, with the history of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta

from alertd.diff import diff
from alertd.graph.paging import decode_page
from alertd.model.decoding import decode_job
from alertd.model.facts import step
from alertd.store.values import HistoryEntry, JobRecord
from bench.bodies import Bodies, principal_id

SLICE = 1000  # jobs in one transaction, as rounds have it
TENANT = "global/6c1f3a52-0d3e-4a53-9f5e-1a2b3c4d5e6f"
BEGIN = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)

Changed = tuple[list[JobRecord], list[HistoryEntry]]


def runs(jobs: int) -> tuple[Changed, Changed, Changed]:
    """Give jobs at first sight, after a run, and after another one; the latter two may be saved in turn for ever."""
    first = _records(jobs, 0, None)
    second = _records(jobs, 1, first[0])
    return first, second, _records(jobs, 2, second[0])


def slices(changed: Changed) -> Iterator[Changed]:
    """Cut into slices."""
    made, history = changed
    for first in range(0, len(made), SLICE):
        yield made[first : first + SLICE], history[first : first + SLICE]


def principals_of_slices(jobs: int) -> Iterator[list[str]]:
    """Give the principals of each slice."""
    for first in range(0, jobs, SLICE):
        yield [principal_id(number) for number in range(first, min(first + SLICE, jobs))]


def _records(jobs: int, turn: int, before: Sequence[JobRecord] | None) -> Changed:
    bodies = Bodies(BEGIN)
    known: Sequence[JobRecord | None] = before or (None,) * jobs
    made = [_record(bodies, number, turn, known[number]) for number in range(jobs)]
    return made, [_entry(record, one) for record, one in zip(made, known, strict=True)]


def _record(bodies: Bodies, number: int, turn: int, known: JobRecord | None) -> JobRecord:
    job = decode_job(decode_page(bodies.jobs(number, turn)).value[0])
    at = BEGIN + timedelta(minutes=5 * turn + 1, microseconds=number // SLICE)  # a slice has one instant
    return JobRecord(
        tenant_key=TENANT,
        service_principal_id=principal_id(number),
        job=job,
        facts=step(known.facts if known else None, known.job if known else None, job, at),
        sequence=known.sequence + 1 if known else 1,
        first_seen_at=known.first_seen_at if known else at,
        changed_at=at,
    )


def _entry(record: JobRecord, known: JobRecord | None) -> HistoryEntry:
    return HistoryEntry(
        tenant_key=record.tenant_key,
        service_principal_id=record.service_principal_id,
        job_id=record.job.id,
        sequence=record.sequence,
        at=record.changed_at,
        full=None if known else record.job,
        changes=diff(known.job, record.job) if known else (),
        facts=None if known else record.facts,
    )
