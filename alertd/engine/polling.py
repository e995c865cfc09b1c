"""One round of one tenant: discovery when it is due, then the service principals whose turn it is, committed slice by slice as they answer.

A round ends within its deadline. A discovery that fails leaves what is known in force; a tenant of which nothing is known yet and whose
discovery fails has a failed round, since it was asked and nobody answered.

What a round holds does not grow with the tenant, but for the ids of those in line: some hundred bytes a service principal.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Iterable, Mapping, Sequence
from contextlib import aclosing
from datetime import datetime, timedelta
from typing import Protocol

import attrs
import structlog

from alertd.alerts.next_look import Pace, look_at_principal
from alertd.alerts.sighting import Watched
from alertd.alerts.tally import Tally
from alertd.clock import Clock
from alertd.engine.line import Turn, in_order, is_in_line, turn_of, witness
from alertd.engine.rounds import Found, Rounds
from alertd.graph.cures import BUDGET_CURE
from alertd.graph.discovery import Discovery
from alertd.metrics import Metrics
from alertd.model.reading import Failed, Known, NotAsked, Ok, Reading
from alertd.model.requests import Requests
from alertd.store.values import TenantRecord

log = structlog.get_logger(__name__)

JOBS_PER_SLICE = 1000  # bounds a transaction to some megabytes and some tens of milliseconds
IN_HAND_MAX = timedelta(seconds=0.5)  # news does not wait for a slice to fill where Microsoft answers slowly
PLANNED_AT_ONCE = 500  # service principals whose stored jobs are looked through for their next look

Readings = AsyncGenerator[Mapping[str, Reading], None]


class Source(Protocol):
    """Where a tenant's readings come from."""

    @property
    def credential_expires_at(self) -> datetime | None:
        """When the credential ends, where that is known."""
        ...

    @property
    def requests(self) -> Requests:
        """The requests sent so far."""
        ...

    def listing(self, deadline: datetime) -> AsyncGenerator[Discovery, None]:
        """List all service principals, part by part."""
        ...

    def readings(self, principal_ids: Iterable[str], deadline: datetime, known: Known) -> Readings:
        """Read the jobs of these service principals, some at a time; what was not asked in time is NotAsked, what answers as is known Unchanged."""
        ...

    def room(self, now: datetime) -> int | None:
        """Give how many requests may go out at once; null for as many as are wanted."""
        ...


Progress = Callable[[int, int], None]  # principals done, principals in line


class Polling:
    """Polls one tenant, one round at a time. max_added_delay: how much later than in every round a job may be looked at."""

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
        max_added_delay: timedelta = timedelta(0),
    ) -> None:
        self.watched = watched
        self._source = source
        self._rounds = rounds
        self._clock = clock
        self._interval = interval
        self._discovery_interval = discovery_interval
        self._max_added_delay = max_added_delay
        self._metrics = metrics
        self._left_out = 0  # of the latest round: those for whom the budget had no room
        self._short = False
        self.made_at = clock.now()
        self.closed_at: datetime | None = None

    async def round(self, progress: Progress = lambda _done, _asked: None) -> Tally:
        """Poll once; raises FencedError if another process polled meanwhile, and StoreError if nothing can be written."""
        began, sent = self._clock.now(), self._source.requests
        deadline = began + self._interval
        tenant = await self._rounds.begin(self.watched)
        everyone, error = self._is_discovery_due(tenant, began), None
        if everyone:
            tenant, error = await self._discover(tenant, began, deadline)
        length, readings = await self._begin(tenant, began, deadline, everyone=everyone)
        tenant, tally = await self._read(tenant, length, readings, began, progress)
        if not tally.asked and not tally.not_asked and error is not None:
            tally = Tally(asked=1, kinds={error.kind.value: 1})
        tally = attrs.evolve(tally, requests=self._source.requests - sent)
        tenant = attrs.evolve(tenant, credentialExpiresAt=self._source.credential_expires_at)
        await self._rounds.close(self.watched, tenant, tally, self._clock.now(), began=began)
        self.closed_at = self._clock.now()
        self._count(tally, (self.closed_at - began).total_seconds())
        _report(self.watched.name, tenant, tally)
        return tally

    async def _discover(
        self, tenant: TenantRecord, now: datetime, deadline: datetime
    ) -> tuple[TenantRecord, Failed | None]:
        """List all service principals, each part committed as it comes; gives why the list is not complete, if it is not."""
        listed: set[str] = set()
        error: Failed | None = None
        async with aclosing(self._source.listing(self._discovery_deadline(now, deadline))) as parts:
            async for part in parts:
                found = [Found(principal=one, watched=watched) for one, watched in part.entries()]
                tenant = await self._rounds.listed(self.watched, tenant, found, self._clock.now())
                listed.update(one.principal.id for one in found)
                error = part.error or error
        if error is not None:
            _warn(self.watched.name, "discovery.failed", error)
        tenant = await self._rounds.end_discovery(
            self.watched, tenant, listed, complete=error is None, now=self._clock.now()
        )
        return tenant, error

    def _is_discovery_due(self, tenant: TenantRecord, now: datetime) -> bool:
        return tenant.discovered_at is None or now - tenant.discovered_at >= self._discovery_interval

    def _discovery_deadline(self, now: datetime, deadline: datetime) -> datetime:
        """With a budget, half of the round is for those that are known: a directory too large for the other half would starve them."""
        return deadline if self._source.room(now) is None else now + (deadline - now) / 2

    # Whose turn it is.

    async def _begin(
        self, tenant: TenantRecord, now: datetime, deadline: datetime, *, everyone: bool
    ) -> tuple[int, Readings]:
        """Give how many are in line, and their readings as they come. The order of the line matters where not everybody can be asked."""
        known = self._rounds.digests(self.watched, tenant)
        if not self._max_added_delay and self._source.room(now) is None:
            ids = await self._rounds.in_line(self.watched, tenant, everyone=everyone)
            return len(ids), self._ask(ids, deadline, known)
        line = await self._line(tenant, now, everyone=everyone)
        if not self._max_added_delay:
            return len(line), self._ask([turn.principal_id for turn in line], deadline, known)
        return len(line), self._paced(line, self._pace(tenant, now), now, deadline, known)

    async def _line(self, tenant: TenantRecord, now: datetime, *, everyone: bool) -> list[Turn]:
        """Give those in line, in the order in which they are asked."""
        turns = [
            turn_of(record, tenant)
            async for record in self._rounds.principals(self.watched)
            if is_in_line(record, everyone=everyone)
        ]
        return in_order(turns, now, interval=self._interval, discovery_interval=self._discovery_interval)

    async def _due(self, turns: Sequence[Turn], pace: Pace, now: datetime) -> list[Turn]:
        """Give those of whom there may be news by now, and those without jobs of whom it is their discovery's turn."""
        jobs, alerts = await self._rounds.known(self.watched, [turn.principal_id for turn in turns])

        def is_due(turn: Turn) -> bool:
            key, asked = turn.principal_id, turn.asked_at
            if asked is None or not turn.often:
                return True
            look = look_at_principal(
                jobs.get(key, ()), alerts.get(key, ()), asked=asked, answered=turn.answered, pace=pace
            )
            return pace.due(look, asked, now)

        return [turn for turn in turns if is_due(turn)]

    def _pace(self, tenant: TenantRecord, now: datetime) -> Pace:
        """Give the pace of rounds: the configured one, or the slower one at which somebody calls `alertd poll`."""
        apart = now - tenant.lastPollAt if tenant.lastPollAt is not None else self._interval
        return Pace(interval=max(self._interval, apart), max_added_delay=self._max_added_delay)

    # Reading.

    async def _read(
        self, tenant: TenantRecord, length: int, readings: Readings, began: datetime, progress: Progress
    ) -> tuple[TenantRecord, Tally]:
        """Commit readings as they come, whole service principals of a thousand jobs together."""
        tally, done = Tally(), 0
        self._left_out, hand = 0, _Hand()
        progress(0, length)
        async with aclosing(readings) as stream:
            async for some in stream:
                hand.take(some)
                done += len(some)
                if self._is_time_to_commit(hand):
                    tenant, tally = await self._commit(tenant, tally, hand, began)
                progress(done, length)
        return await self._commit(tenant, tally, hand, began) if hand.readings else (tenant, tally)

    def _is_time_to_commit(self, hand: _Hand) -> bool:
        """With a full slice, and before the wait for a budget or for the rest of a slice gets long."""
        now = self._clock.now()
        began = hand.began_at = hand.began_at or now
        return hand.full or now - began >= IN_HAND_MAX or (hand.answers and self._source.room(now) == 0)

    async def _commit(
        self, tenant: TenantRecord, tally: Tally, hand: _Hand, began: datetime
    ) -> tuple[TenantRecord, Tally]:
        tenant, counted = await self._rounds.commit(self.watched, tenant, hand.empty(), self._clock.now(), began=began)
        return tenant, tally + counted

    async def _paced(
        self, line: Sequence[Turn], pace: Pace, now: datetime, deadline: datetime, known: Known
    ) -> Readings:
        """Give a reading for each in line: NotAsked for those whose turn it is not, and for whom the budget has no room."""
        held, failing, answering = witness(line), False, False
        for start in range(0, len(line), PLANNED_AT_ONCE):
            turns = line[start : start + PLANNED_AT_ONCE]
            due = await self._due(turns, pace, now)
            held = None if held in due else held
            failing = failing or any(not turn.answered for turn in due)
            answering = answering or any(turn.answered for turn in due)
            chosen = dict.fromkeys(turn.principal_id for turn in due)
            if rest := _not_asked(turn for turn in turns if turn.principal_id not in chosen and turn != held):
                yield rest
            async for some in self._ask(list(chosen), deadline, known):
                yield some
        if held is not None and failing and not answering:
            async for some in self._ask([held.principal_id], deadline, known):
                yield some
        elif held is not None:
            yield _not_asked([held])

    async def _ask(self, principal_ids: Sequence[str], deadline: datetime, known: Known) -> Readings:
        async with aclosing(self._source.readings(principal_ids, deadline, known)) as stream:
            async for some in stream:
                self._left_out += sum(isinstance(reading, NotAsked) for reading in some.values())
                yield some

    def _count(self, tally: Tally, seconds: float) -> None:
        """Count the round, and say when the budget begins or ceases to be too small for the tenant."""
        name, left_out = self.watched.name, self._left_out
        self._metrics.round_closed(ok=tally.ok, kinds=tally.kinds, seconds=seconds)
        self._metrics.left_out(name, left_out, tally.not_asked - left_out)
        if left_out and not self._short:
            log.warning("poll.budget_short", tenant=name, asked=tally.asked, left_out=left_out, cure=BUDGET_CURE)
        elif self._short and not left_out:
            log.info("poll.budget_enough", tenant=name, asked=tally.asked)
        self._short = left_out > 0


def _not_asked(turns: Iterable[Turn]) -> dict[str, Reading]:
    return {turn.principal_id: NotAsked() for turn in turns}


class _Hand:
    """Readings that wait to be committed together."""

    def __init__(self) -> None:
        self.readings: dict[str, Reading] = {}
        self._jobs = 0
        self.answers = False  # somebody was asked
        self.began_at: datetime | None = None  # when the first of them came

    def take(self, readings: Mapping[str, Reading]) -> None:
        """Take some more; a service principal without jobs costs as much as one job."""
        self.readings |= readings
        for one in readings.values():
            self._jobs += max(1, len(one.jobs)) if isinstance(one, Ok) else 1
            self.answers = self.answers or not isinstance(one, NotAsked)

    @property
    def full(self) -> bool:
        """Whether it is time to commit."""
        return self._jobs >= JOBS_PER_SLICE

    def empty(self) -> Mapping[str, Reading]:
        """Give all of it, and begin anew."""
        readings, self.readings, self._jobs = self.readings, {}, 0
        self.answers, self.began_at = False, None
        return readings


def _report(name: str, tenant: TenantRecord, tally: Tally) -> None:
    """Log change, count the rest: a new failure is a warning, recovery is news, success is routine."""
    bad = tally.asked > 0 and tally.ok == 0
    figures = {"tenant": name, "asked": tally.asked, "ok": tally.ok, "not_asked": tally.not_asked, "jobs": tally.jobs}
    if bad and not tenant.consecutivePollFailures:
        log.warning("poll.failed", kind=tally.worst, **figures)
    elif not bad and tenant.consecutivePollFailures:
        log.info("poll.recovered", failed_rounds=tenant.consecutivePollFailures, **figures)
    else:
        log.debug("poll.done", kind=tally.worst, **figures)


def _warn(name: str, event: str, failure: Failed) -> None:
    log.warning(event, tenant=name, kind=failure.kind.value, reason=failure.message, cure=failure.cure)
