"""A job's history replayed: what every adapter does alike to keep it readable from any instant on."""

from __future__ import annotations

from collections.abc import Iterable

import attrs

from alertd.diff import apply
from alertd.errors import StoreError
from alertd.model.facts import Facts, step
from alertd.model.resources import SynchronizationJob
from alertd.store.values import HistoryEntry


def completed(entry: HistoryEntry, earlier: Iterable[HistoryEntry]) -> HistoryEntry:
    """Give an entry as a full one, rebuilt from the job's earlier entries, of which the first is full and the oldest.

    Where the job vanished, `full` and `facts` are the last known. Facts that no entry holds are stepped through anew. Without anything
    to begin from, the entry is given as it is. Raises StoreError where changes do not fit the snapshot before them.
    """
    snapshot: SynchronizationJob | None = None
    facts: Facts | None = None
    for known in (*earlier, entry):
        if known.gone and known is not entry:
            snapshot = facts = None
        elif not known.gone:
            previous, snapshot = snapshot, _after(snapshot, known)
            facts = known.facts or (step(facts, previous, snapshot, known.at) if snapshot else None)
    return entry if snapshot is None else attrs.evolve(entry, full=snapshot, changes=(), facts=facts)


def _after(snapshot: SynchronizationJob | None, entry: HistoryEntry) -> SynchronizationJob | None:
    if entry.full is not None or snapshot is None:
        return entry.full
    try:
        return apply(snapshot, entry.changes)
    except (ValueError, TypeError) as exc:
        raise StoreError(
            f"history of job {entry.job_id!r} cannot be replayed at {entry.at:%Y-%m-%d %H:%M:%S} UTC: {exc}"
        ) from exc
