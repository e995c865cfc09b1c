"""A job's history replayed: what every adapter does alike to keep it readable from any instant on."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import attrs

from alertd.diff import apply
from alertd.errors import StoreError
from alertd.model.change import Change
from alertd.model.facts import Facts, step
from alertd.model.resources import SynchronizationJob
from alertd.store.values import HistoryEntry


def completed(entry: HistoryEntry, leading: Sequence[HistoryEntry]) -> HistoryEntry:
    """Give an entry as a full one, rebuilt from the job's entries before it, of which the first is full.

    Where the job vanished, `full` and `facts` are the last known. Facts that the entries do not hold are stepped through anew. Without
    anything to begin from, the entry is given as it is. Raises StoreError where changes do not fit the snapshot before them.
    """
    chain = [*leading, entry] if not entry.gone else [*leading]
    if not chain or chain[0].full is None or any(known.gone for known in leading):
        return entry
    try:
        snapshot, facts = _at_once(chain[0].full, chain) if chain[-1].facts is not None else _stepwise(chain)
    except (ValueError, TypeError) as exc:
        raise StoreError(
            f"history of job {entry.job_id!r} cannot be replayed at {entry.at:%Y-%m-%d %H:%M:%S} UTC: {exc}"
        ) from exc
    return attrs.evolve(entry, full=snapshot, changes=(), facts=facts)


def last_standing(chains: Iterable[Sequence[HistoryEntry]]) -> tuple[HistoryEntry, ...]:
    """Give the last entry of each job's entries, of which the first is full, as a full one; without those that had gone."""
    found = (completed(chain[-1], chain[:-1]) for chain in chains if chain and not chain[-1].gone)
    return tuple(entry for entry in found if entry.full is not None)


def _at_once(full: SynchronizationJob, chain: Sequence[HistoryEntry]) -> tuple[SynchronizationJob, Facts | None]:
    """Apply all changes together: the last of a path holds, and the facts are told."""
    return apply(full, _changes(chain)), chain[-1].facts


def _changes(chain: Iterable[HistoryEntry]) -> Iterable[Change]:
    return {change.path: change for entry in chain for change in entry.changes}.values()


def _stepwise(chain: Sequence[HistoryEntry]) -> tuple[SynchronizationJob | None, Facts | None]:
    """Apply the changes of one entry after the other, since facts follow from each."""
    snapshot: SynchronizationJob | None = None
    facts: Facts | None = None
    for entry in chain:
        previous, snapshot = snapshot, entry.full if snapshot is None else apply(snapshot, entry.changes)
        if snapshot is not None:
            facts = entry.facts or step(facts, previous, snapshot, entry.at)
    return snapshot, facts
