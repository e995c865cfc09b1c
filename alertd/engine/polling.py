"""One round of one tenant: discovery when it is due, then every service principal that has or ever had jobs, slice by slice.

A round ends within its deadline. A discovery that fails leaves what is known in force; a tenant of which nothing is known yet and whose
discovery fails has a failed round, since it was asked and nobody answered.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Protocol

import attrs
import structlog

from alertd.alerts.observation import Tally, Watched
from alertd.clock import Clock
from alertd.engine.rounds import Found, Rounds
from alertd.graph.discovery import Discovery
from alertd.metrics import Metrics
from alertd.model.reading import Failed, Ok, Reading
from alertd.store.values import PrincipalRecord, TenantRecord

log = structlog.get_logger(__name__)

JOBS_PER_SLICE = 1000  # bounds a transaction to some megabytes and some tens of milliseconds


class Source(Protocol):
    """Where a tenant's readings come from."""

    @property
    def credential_expires_at(self) -> datetime | None:
        """When the credential ends, where that is known."""
        ...

    async def discover(self, deadline: datetime) -> Discovery:
        """List all service principals."""
        ...

    async def read(self, principal_ids: Sequence[str], deadline: datetime) -> Mapping[str, Reading]:
        """Read the jobs of these service principals."""
        ...


Progress = Callable[[int, int], None]  # principals done, principals asked


class Polling:
    """Polls one tenant, one round at a time."""

    def __init__(
        self,
        watched: Watched,
        source: Source,
        rounds: Rounds,
        clock: Clock,
        *,
        interval: timedelta,
        discovery_interval: timedelta,
        metrics: Metrics,
    ) -> None:
        self.watched = watched
        self._source = source
        self._rounds = rounds
        self._clock = clock
        self._interval = interval
        self._discovery_interval = discovery_interval
        self._metrics = metrics
        self._jobs_of: dict[str, int] = {}
        self.made_at = clock.now()
        self.closed_at: datetime | None = None

    async def round(self, progress: Progress = lambda _done, _asked: None) -> Tally:
        """Poll once; raises FencedError if another process polled meanwhile, and StoreError if nothing can be written."""
        began = self._clock.now()
        deadline = began + self._interval
        tenant = await self._rounds.begin(self.watched)
        tenant, discovery = await self._discover(tenant, began, deadline)
        asked = await self._asked(everyone=discovery is not None)
        tenant, tally = await self._read(tenant, asked, deadline, progress)
        if not tally.asked and discovery is not None and discovery.error is not None:
            tally = Tally(asked=1, kinds={discovery.error.kind.value: 1})
        tenant = attrs.evolve(tenant, credentialExpiresAt=self._source.credential_expires_at)
        await self._rounds.close(self.watched, tenant, tally, self._clock.now())
        self.closed_at = self._clock.now()
        seconds = (self.closed_at - began).total_seconds()
        self._metrics.round_closed(ok=tally.ok, kinds=tally.kinds, seconds=seconds)
        _report(self.watched.name, tenant, tally)
        return tally

    async def _discover(
        self, tenant: TenantRecord, now: datetime, deadline: datetime
    ) -> tuple[TenantRecord, Discovery | None]:
        known = tenant.discovered_at
        if known is not None and now - known < self._discovery_interval:
            return tenant, None
        discovery = await self._source.discover(deadline)
        if discovery.error is not None:
            _warn(self.watched.name, "discovery.failed", discovery.error)
        found = [Found(principal=one, watched=True) for one in discovery.principals]
        found += [Found(principal=one, watched=False) for one in discovery.not_watched]
        renewed = await self._rounds.discovered(
            self.watched, tenant, found, complete=discovery.complete, now=self._clock.now()
        )
        return renewed, discovery

    async def _asked(self, *, everyone: bool) -> list[str]:
        principals = await self._rounds.principals(self.watched)
        return [record.principal.id for record in principals if record.watched and (everyone or _is_hot(record))]

    async def _read(
        self, tenant: TenantRecord, asked: Sequence[str], deadline: datetime, progress: Progress
    ) -> tuple[TenantRecord, Tally]:
        tally, done = Tally(), 0
        progress(0, len(asked))
        for part in self._slices(asked):
            readings = await self._source.read(part, deadline)
            self._jobs_of |= {key: len(reading.jobs) for key, reading in readings.items() if isinstance(reading, Ok)}
            tenant, counted = await self._rounds.commit(self.watched, tenant, readings, self._clock.now())
            tally, done = tally + counted, done + len(part)
            progress(done, len(asked))
        return tenant, tally

    def _slices(self, asked: Iterable[str]) -> Iterator[list[str]]:
        """Cut into whole principals of a thousand jobs together; one never read counts as one job."""
        part: list[str] = []
        size = 0
        for key in asked:
            jobs = max(1, self._jobs_of.get(key, 1))
            if part and size + jobs > JOBS_PER_SLICE:
                yield part
                part, size = [], 0
            part.append(key)
            size += jobs
        if part:
            yield part


def _is_hot(record: PrincipalRecord) -> bool:
    """Whether a principal is asked in every round: it has or ever had jobs, or has never answered."""
    return record.has_jobs or record.outcome != "ok"


def _report(name: str, tenant: TenantRecord, tally: Tally) -> None:
    """Log change, count the rest: a new failure is a warning, recovery is news, success is routine."""
    bad = tally.asked > 0 and tally.ok == 0
    figures = {"tenant": name, "asked": tally.asked, "ok": tally.ok, "jobs": tally.jobs}
    if bad and not tenant.consecutivePollFailures:
        log.warning("poll.failed", kind=tally.worst, **figures)
    elif not bad and tenant.consecutivePollFailures:
        log.info("poll.recovered", failed_rounds=tenant.consecutivePollFailures, **figures)
    else:
        log.debug("poll.done", kind=tally.worst, **figures)


def _warn(name: str, event: str, failure: Failed) -> None:
    log.warning(event, tenant=name, kind=failure.kind.value, reason=failure.message, cure=failure.cure)
