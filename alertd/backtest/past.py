"""What a store remembers of its tenants, put in order for a replay: who was there, how rounds went, and every change at its instant."""

from __future__ import annotations

from bisect import bisect_left
from collections import deque
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from heapq import merge
from itertools import groupby, pairwise
from operator import attrgetter

import attrs

from alertd.alerts.sighting import Watched
from alertd.store.port import Reader
from alertd.store.values import JobRecord, Outline, PrincipalRecord, ReadingChange, RoundEntry, TenantRecord

JobKey = tuple[str, str, str]  # tenant key, service principal id, job id

_LOOK_AHEAD_LEAST = timedelta(hours=1)  # of history in memory: some hundred entries for a thousand jobs


@attrs.frozen(kw_only=True)
class TenantPast:
    """One tenant's past.

    record: as it stands now. principals, jobs: likewise, by id and key. rounds, outcomes: oldest first, whenever they were; outcomes by principal.
    """

    watched: Watched
    record: TenantRecord
    principals: Mapping[str, PrincipalRecord]
    jobs: Mapping[JobKey, JobRecord]
    rounds: tuple[RoundEntry, ...]
    outcomes: Mapping[str, tuple[ReadingChange, ...]]

    @property
    def rounds_apart(self) -> timedelta:
        """What usually lies between two rounds; zero where there are not two."""
        gaps = sorted(later.at - earlier.at for earlier, later in pairwise(self.rounds))
        return gaps[len(gaps) // 2] if gaps else timedelta(0)

    def round_of(self, at: datetime) -> int:
        """Give the place of the first round that ended at or after an instant."""
        return bisect_left(self.rounds, at, key=attrgetter("at"))

    def outcome_at(self, principal_id: str, at: datetime) -> str:
        """Say how a principal's reading went at an instant; empty before its first."""
        changes = [change for change in self.outcomes.get(principal_id, ()) if change.at <= at]
        return changes[-1].outcome if changes else ""

    def first_missed(self, entry: Outline) -> datetime:
        """Say when a job that is gone with this entry was first not listed: at the good reading before, of which there is no row."""
        _, principal_id, _ = entry.key
        place = self.round_of(entry.at) - 1
        while place >= 0 and self.outcome_at(principal_id, self.rounds[place].at) != "ok":
            place -= 1
        return self.rounds[place].at if place >= 0 else entry.at


@attrs.frozen(kw_only=True)
class Moment:
    """All that happened at one instant. rounds: those that closed."""

    at: datetime
    entries: tuple[Outline, ...] = ()
    outcomes: tuple[ReadingChange, ...] = ()
    rounds: tuple[RoundEntry, ...] = ()


async def read_past(reader: Reader, tenants: Iterable[Watched]) -> tuple[TenantPast, ...]:
    """Gather what is known of these tenants; those of which there is nothing are left out."""
    found = [await _tenant_past(reader, watched) for watched in tenants]
    return tuple(past for past in found if past is not None)


async def _tenant_past(reader: Reader, watched: Watched) -> TenantPast | None:
    record = await reader.tenant(watched.key)
    if record is None:
        return None
    principals = {one.principal.id: one for one in await reader.principals(watched.key) if one.watched}
    return TenantPast(
        watched=watched,
        record=record,
        principals=principals,
        jobs={job.key: job for job in await reader.jobs(watched.key)},
        rounds=await reader.rounds(watched.key),
        outcomes=_by_principal(await reader.reading_changes(watched.key)),
    )


def _by_principal(changes: Iterable[ReadingChange]) -> Mapping[str, tuple[ReadingChange, ...]]:
    found: dict[str, list[ReadingChange]] = {}
    for change in changes:
        found.setdefault(change.service_principal_id, []).append(change)
    return {principal: tuple(theirs) for principal, theirs in found.items()}


class Chronology:
    """The moments of a past, oldest first, read ahead just far enough to know who is about to be found gone.

    missing: by job, the instants from which on it was not listed before it was found gone, in order: a job may come back and go again.
    """

    def __init__(self, tenants: Sequence[TenantPast], pages: AsyncIterator[Sequence[Outline]]) -> None:
        self._tenants = {past.watched.key: past for past in tenants}
        self._pages = pages
        self._ahead = max([_LOOK_AHEAD_LEAST, *(2 * past.rounds_apart for past in tenants)])
        self._buffer: deque[Outline] = deque()
        self._done = False
        self.missing: dict[JobKey, deque[datetime]] = {}

    async def moments(self) -> AsyncIterator[Moment]:
        """Give every instant at which something was read or a round closed."""
        outcomes = merge(*(theirs for past in self._tenants.values() for theirs in past.outcomes.values()), key=_at)
        rounds = merge(*(past.rounds for past in self._tenants.values()), key=_at)
        for at, known in groupby(merge(outcomes, rounds, key=_at), key=_at):
            async for moment in self._before(at):
                yield moment
            here = tuple(known)
            yield Moment(
                at=at,
                entries=self._taken(at),
                outcomes=tuple(one for one in here if isinstance(one, ReadingChange)),
                rounds=tuple(one for one in here if isinstance(one, RoundEntry)),
            )
        async for moment in self._before(None):  # of a round that never closed
            yield moment

    async def _before(self, at: datetime | None) -> AsyncIterator[Moment]:
        """Give the moments before an instant; None: all that are left."""
        await self._fill(at)
        while self._buffer and (at is None or self._buffer[0].at < at):
            instant = self._buffer[0].at
            yield Moment(at=instant, entries=self._taken(instant))
            await self._fill(at)

    def _taken(self, at: datetime) -> tuple[Outline, ...]:
        buffer, taken = self._buffer, []
        while buffer and buffer[0].at == at:
            taken.append(buffer.popleft())
        return tuple(taken)

    async def _fill(self, at: datetime | None) -> None:
        """Read on until what is read lies far enough behind an instant."""
        while not self._done and (not self._buffer or at is None or self._buffer[-1].at <= at + self._ahead):
            page = await anext(self._pages, None)
            if page is None:
                self._done = True
            else:
                self._take(page)

    def _take(self, page: Sequence[Outline]) -> None:
        principals = {key: past.principals for key, past in self._tenants.items()}
        ours = [entry for entry in page if entry.key[1] in principals.get(entry.key[0], ())]
        self._buffer.extend(ours)
        for entry in ours:
            if entry.gone:
                missed = self._tenants[entry.key[0]].first_missed(entry)
                self.missing.setdefault(entry.key, deque()).append(missed)


_at = attrgetter("at")
