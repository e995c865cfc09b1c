"""History in SQL: written a slice at a time, read in the order of time, and cut so that what stays can be replayed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import AsyncIterator, Collection, Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row

from alertd.store import queries
from alertd.store.executor import KEYS_AT_ONCE, Executor, Rows, batches
from alertd.store.queries import from_instant, is_given
from alertd.store.replay import completed
from alertd.store.rows import entry_of, history_row
from alertd.store.tables import BATCH_ROOM, ENTRY_FULL, history_batches, history_jobs
from alertd.store.values import HistoryEntry


async def append_history(executor: Executor, entries: Collection[HistoryEntry]) -> None:
    """Append changed snapshots: a batch for each tenant and instant among them."""
    known = {(entry.tenant_key, entry.service_principal_id, entry.job_id) for entry in entries}
    names = ("tenant_key", "service_principal_id", "job_id")
    await executor.change_all(queries.ADD_HISTORY_JOB, [dict(zip(names, key, strict=True)) for key in sorted(known)])
    for (tenant_key, at), together in _together(entries).items():
        for some in batches(together, BATCH_ROOM):
            batch = await executor.value(queries.ADD_BATCH, {"tenant_key": tenant_key, "at": at})
            rows = [history_row(entry, batch * BATCH_ROOM + place) for place, entry in enumerate(some)]
            await executor.change_all(queries.ADD_ENTRY, rows)


def _together(entries: Iterable[HistoryEntry]) -> dict[tuple[str, datetime], list[HistoryEntry]]:
    by_instant: dict[tuple[str, datetime], list[HistoryEntry]] = defaultdict(list)
    for entry in entries:
        by_instant[entry.tenant_key, entry.at].append(entry)
    return by_instant


async def read_history(
    executor: Executor, tenant_key: str | None, job_id: str | None, since: datetime | None
) -> AsyncIterator[HistoryEntry]:
    """Stream changed snapshots; one that is a job's first and not full is completed from what led up to `since`."""
    statement, parameters = _selection(tenant_key, job_id, since)
    known: set[int] = set()
    async for rows in executor.stream(statement, parameters):
        first = _first(rows, known)
        leading = await _leading(executor, [job for job, row in first.items() if row.kind != ENTRY_FULL], since)
        for row in rows:
            entry = entry_of(row)
            yield completed(entry, leading[row.job]) if row is first.get(row.job) and row.job in leading else entry


def _selection(tenant_key: str | None, job_id: str | None, since: datetime | None) -> tuple[Any, dict[str, Any]]:
    statement = queries.HISTORY if job_id is None else queries.HISTORY_OF_JOB
    parameters: dict[str, Any] = {}
    if job_id is not None:
        statement, parameters["job_id"] = statement.where(is_given(history_jobs.c.job_id)), job_id
    if tenant_key is not None:
        held_by = history_batches if job_id is None else history_jobs
        statement, parameters["tenant_key"] = statement.where(is_given(held_by.c.tenant_key)), tenant_key
    if since is not None:
        statement, parameters["since"] = from_instant(statement, history_batches.c.at), since
    return statement, parameters


def _first(rows: Rows, known: set[int]) -> dict[int, Row[Any]]:
    """Find the rows that are their job's first, and remember the jobs."""
    first: dict[int, Row[Any]] = {}
    for row in rows:
        if row.job not in known:
            known.add(row.job)
            first[row.job] = row
    return first


async def _leading(executor: Executor, jobs: Sequence[int], since: datetime | None) -> dict[int, list[HistoryEntry]]:
    """Give, by job, the entries that lead up to `since`, the last full one first."""
    leading: dict[int, list[HistoryEntry]] = defaultdict(list)
    if since is not None:
        for some in batches(jobs, KEYS_AT_ONCE):
            for row in await executor.rows(queries.HISTORY_LEADING, {"jobs": some, "since": since}):
                leading[row.job].append(entry_of(row))
    return leading


async def prune_history(executor: Executor, before: datetime) -> int:
    """Delete what no replay from `before` on needs; give the entries deleted."""
    deleted = await executor.change(queries.PRUNE_HISTORY, {"before": before})
    await executor.change(queries.PRUNE_BATCHES, {"before": before})
    await executor.change(queries.PRUNE_HISTORY_JOBS)
    return deleted
