"""History in SQL as outlines: a month of a thousand jobs is a million rows, of which a backtest reads few to the end.

So a row costs as little as it can: nothing is joined or sorted per row, a job's key is looked up once, and one batch has one instant.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from datetime import timedelta
from typing import cast

from sqlalchemy import Connection

from alertd.store import queries
from alertd.store.executor import Executor
from alertd.store.history_encoding import changed_paths, decode_entry
from alertd.store.statements import KEYS_AT_ONCE, batches, rows
from alertd.store.tables import ENTRY_CHANGED, ENTRY_GONE, EPOCH
from alertd.store.values import HistoryEntry, JobKey, Outline

_Row = tuple[int, int, int, int, bytes]  # microseconds, job, sequence, kind, content


async def read_outlines(executor: Executor) -> AsyncIterator[Sequence[Outline]]:
    """Stream the outlines of all history."""
    keys: dict[int, JobKey] = {}
    async for found in executor.stream(queries.OUTLINES, {}):
        yield await executor.run(_outlines, cast("Sequence[_Row]", found), keys)


def _outlines(connection: Connection, found: Sequence[_Row], keys: dict[int, JobKey]) -> Sequence[Outline]:
    _learn(connection, {job for _, job, _, _, _ in found} - keys.keys(), keys)
    return list(_read(found, keys))


def _learn(connection: Connection, jobs: set[int], keys: dict[int, JobKey]) -> None:
    for some in batches(sorted(jobs), KEYS_AT_ONCE):
        for row in rows(connection, queries.HISTORY_JOBS, {"jobs": some}):
            keys[row.id] = (row.tenant_key, row.service_principal_id, row.job_id)


def _read(found: Iterable[_Row], keys: dict[int, JobKey]) -> Iterator[Outline]:
    known, at = None, EPOCH
    for microseconds, job, sequence, kind, content in found:
        if microseconds != known:
            known, at = microseconds, EPOCH + timedelta(microseconds=microseconds)
        key, gone = keys[job], kind == ENTRY_GONE
        paths = changed_paths(content) if kind == ENTRY_CHANGED else () if gone else None
        yield Outline(key, sequence, at, paths, gone, content, _entry)


def _entry(outline: Outline) -> HistoryEntry:
    changes, facts, full = decode_entry(outline.content, outline.at)
    tenant_key, service_principal_id, job_id = outline.key
    return HistoryEntry(
        tenant_key=tenant_key,
        service_principal_id=service_principal_id,
        job_id=job_id,
        sequence=outline.sequence,
        at=outline.at,
        full=full,
        changes=changes,
        facts=facts,
        gone=outline.gone,
    )
