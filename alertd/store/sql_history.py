"""History in SQL: written a slice at a time, read in the order of time, and cut so that what stays can be replayed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any, cast

from sqlalchemy import Connection, Row

from alertd.store import queries
from alertd.store.executor import Executor
from alertd.store.queries import from_instant, is_given
from alertd.store.replay import completed, last_standing
from alertd.store.rows import entry_of, history_row, job_key_row
from alertd.store.statements import KEYS_AT_ONCE, Rows, batches, change, change_each, rows, scalar
from alertd.store.tables import BATCH_ROOM, ENTRY_FULL, history_batches, history_jobs
from alertd.store.values import HistoryEntry, JobKey


def append_history(connection: Connection, entries: tuple[HistoryEntry, ...]) -> None:
    """Append changed snapshots: a batch for each tenant and instant among them."""
    numbers = _numbers(connection, entries)
    for (tenant_key, at), together in _together(entries).items():
        for some in batches(together, BATCH_ROOM):
            batch = scalar(connection, queries.ADD_BATCH, {"tenant_key": tenant_key, "at": at})
            numbered = enumerate(some, start=batch * BATCH_ROOM)
            change_each(
                connection,
                queries.ADD_ENTRY,
                numbered,
                lambda pair: history_row(pair[1], pair[0], numbers[pair[1].key]),
            )


def _numbers(connection: Connection, entries: Iterable[HistoryEntry]) -> dict[JobKey, int]:
    """Give the numbers of the entries' jobs. Nearly always the history knows all of them, so it is asked before it is told any."""
    keys = dict.fromkeys(entry.key for entry in entries)
    numbers = _known(connection, keys)
    if new := [key for key in keys if key not in numbers]:
        change_each(connection, queries.ADD_HISTORY_JOB, new, job_key_row)
        numbers |= _known(connection, new)
    return numbers


def _known(connection: Connection, keys: Iterable[JobKey]) -> dict[JobKey, int]:
    """Give the numbers of those jobs among others of their principals that the history knows."""
    principals: dict[str, set[str]] = defaultdict(set)
    for tenant_key, principal_id, _ in keys:
        principals[tenant_key].add(principal_id)
    return {
        (tenant_key, principal_id, job_id): number
        for tenant_key, ids in principals.items()
        for number, principal_id, job_id in _jobs_of(connection, tenant_key, ids)
    }


def _jobs_of(connection: Connection, tenant_key: str, principal_ids: Iterable[str]) -> Iterator[tuple[int, str, str]]:
    """Give number, principal and id of the jobs of these principals that the history knows."""
    for some in batches(sorted(set(principal_ids)), KEYS_AT_ONCE):
        found = rows(connection, queries.HISTORY_JOBS_OF, {"tenant_key": tenant_key, "principals": some})
        yield from cast("Sequence[tuple[int, str, str]]", found)


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
    async for found in executor.stream(statement, parameters):
        for entry in await executor.run(_entries, found, known, since):
            yield entry


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


def _entries(connection: Connection, found: Rows, known: set[int], since: datetime | None) -> list[HistoryEntry]:
    """Give the entries of rows, completing those that are the first of jobs that are not yet known."""
    first = {row.job: row for row in reversed(found) if row.job not in known}
    known.update(first)
    leading = _leading(connection, (job for job, row in first.items() if row.kind != ENTRY_FULL), since)
    return [_entry(row, leading) if first.get(row.job) is row else entry_of(row) for row in found]


def _entry(row: Row[Any], leading: dict[int, list[HistoryEntry]]) -> HistoryEntry:
    return completed(entry_of(row), leading[row.job]) if row.job in leading else entry_of(row)


def _leading(connection: Connection, jobs: Iterable[int], since: datetime | None) -> dict[int, list[HistoryEntry]]:
    """Give, by job, the entries that lead up to `since`, the last full one first."""
    leading: dict[int, list[HistoryEntry]] = defaultdict(list)
    if since is not None:
        for some in batches(jobs, KEYS_AT_ONCE):
            for row in rows(connection, queries.HISTORY_LEADING, {"jobs": some, "since": since}):
                leading[row.job].append(entry_of(row))
    return leading


def snapshots_before(
    connection: Connection, tenant_key: str, principal_ids: Iterable[str], instant: datetime
) -> tuple[HistoryEntry, ...]:
    """Give the jobs of these principals as they stood just before an instant."""
    jobs = [number for number, _, _ in _jobs_of(connection, tenant_key, principal_ids)]
    return last_standing(_leading(connection, jobs, instant).values())


def prune_history(connection: Connection, before: datetime) -> int:
    """Delete what no replay from `before` on needs; give the entries deleted."""
    deleted = change(connection, queries.PRUNE_HISTORY, {"before": before})
    change(connection, queries.PRUNE_BATCHES, {"before": before})
    change(connection, queries.PRUNE_HISTORY_JOBS)
    return deleted
