"""The engine of one machine: what wakes up when, in one event loop.

APScheduler only wakes: a tick puts a tenant into a queue, from which a fixed number of workers take. Flushes and deliveries are two loops that
sleep until the earliest thing due or a wake-up, and so do digests. One task group owns all of it, so nothing runs that nobody waits for.

A stop takes nothing new, gives what is in hand a bounded time, and leaves the rest to the next start: what is due stands in the store.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from functools import partial
from typing import TypeVar

import attrs
import structlog
from apscheduler.schedulers.asyncio import AsyncIOScheduler

from alertd.clock import Clock
from alertd.engine.delivering import Delivering
from alertd.engine.digesting import Digesting
from alertd.engine.flushing import Flushing
from alertd.engine.health import judge_alertd
from alertd.engine.polling import Polling
from alertd.engine.rounds import Rounds
from alertd.errors import DeliveryError, FencedError, StoreError
from alertd.metrics import Metrics
from alertd.model.notification import DeliveryState
from alertd.notify.outcome import Outcome
from alertd.store.port import Store
from alertd.store.values import Due

log = structlog.get_logger(__name__)

Given = TypeVar("Given")

TENANTS_AT_ONCE = 32  # each holds at most one slice of answers: 32 x ~3 MB
DELIVERIES_AT_ONCE = 32
STOP_SECONDS = 8.0  # below the ten seconds that service managers and container runtimes grant before they kill
SPREAD_ABOVE = 50  # fewer tenants than this may all begin at once
LONGEST_SLEEP = 60.0  # a loop looks again at least this often, so that a lost wake-up costs a minute
HEALTH_INTERVAL = timedelta(seconds=15)
PRUNE_INTERVAL = timedelta(hours=1)
TROUBLE_PAUSE = 5.0


@attrs.frozen(kw_only=True)
class Upkeep:
    """What the engine does beside its work. heartbeat: called every `heartbeat_interval` while the engine is well."""

    poll_interval: timedelta
    retain: timedelta
    max_bytes: int
    heartbeat: Callable[[], Awaitable[None]] | None = None
    heartbeat_interval: timedelta = timedelta(minutes=1)


class LocalEngine:
    """Runs rounds, flushes and deliveries until it is told to stop."""

    def __init__(
        self,
        *,
        store: Store,
        rounds: Rounds,
        flushing: Flushing,
        delivering: Delivering,
        digesting: Digesting,
        clock: Clock,
        upkeep: Upkeep,
        metrics: Metrics,
    ) -> None:
        self._store = store
        self._rounds = rounds
        self._flushing = flushing
        self._delivering = delivering
        self._digesting = digesting
        self._clock = clock
        self._upkeep = upkeep
        self._metrics = metrics
        self._pollings: dict[str, Polling] = {}
        self._queue: asyncio.Queue[str] = asyncio.Queue()
        self._queued: set[str] = set()
        self._flush_wake = asyncio.Event()
        self._delivery_wake = asyncio.Event()
        self._digest_wake = asyncio.Event()
        self._stopping = asyncio.Event()
        self._something_ended = asyncio.Event()
        self._at_work: set[str] = set()  # tenants whose round is under way
        self._again: set[str] = set()  # of those, the ones whose next round is due
        self._in_hand: dict[str, asyncio.Task[None]] = {}  # attempts under way, by integration: one voice at a time
        self._spoken_at: dict[str, datetime] = {}  # by integration, when its latest attempt began
        self._scheduler = AsyncIOScheduler(
            timezone="UTC", job_defaults={"misfire_grace_time": None, "coalesce": True, "max_instances": 1}
        )
        self.reload_failed = False
        self.store_trouble = False
        self._started_at: datetime | None = None

    # Life.

    async def run(self) -> None:
        """Work until `stop`; returns when everything in hand has ended or its time is over."""
        self._started_at = self._clock.now()
        await self._delivering.recover(self._clock.now(), alone=True)
        self._scheduler.start()
        self._schedule_upkeep()
        async with asyncio.TaskGroup() as group:
            loops = [
                group.create_task(self._flush_loop()),
                group.create_task(self._delivery_loop(group)),
                group.create_task(self._digest_loop()),
            ]
            workers = [group.create_task(self._work()) for _ in range(TENANTS_AT_ONCE)]
            await self._stopping.wait()
            self._scheduler.shutdown(wait=False)
            await self._let_go([*loops, *workers])

    def stop(self) -> None:
        """Take nothing new."""
        self._stopping.set()
        self.nudge()

    def watch(self, pollings: Mapping[str, Polling]) -> None:
        """Poll these tenants from now on, by key; one that has not changed keeps its interval."""
        for key in self._pollings.keys() - pollings.keys():
            self._scheduler.remove_job(key)
        fresh = [key for key, polling in pollings.items() if self._pollings.get(key) is not polling]
        self._pollings = dict(pollings)
        for key in fresh:
            self._scheduler.add_job(
                self._tick,
                "interval",
                seconds=self._upkeep.poll_interval.total_seconds(),
                args=[key],
                id=key,
                replace_existing=True,
                next_run_time=self._clock.now() + self._offset(key),
            )

    def maintain(self, upkeep: Upkeep) -> None:
        """Take over what a reload changed in the upkeep."""
        self._upkeep = upkeep
        if self._scheduler.running:
            self._schedule_upkeep()

    def nudge(self) -> None:
        """Look at once at what is due, after something has changed beside the engine."""
        self._flush_wake.set()
        self._delivery_wake.set()
        self._digest_wake.set()

    def flush_soon(self) -> None:
        """Look at once which groups are due: a round goes on for seconds or minutes after it has committed an alert."""
        self._flush_wake.set()

    @property
    def healthy(self) -> bool:
        """Whether the store can be written and every tenant's latest round ended within three intervals."""
        return not self.store_trouble and not self.overdue()

    def overdue(self) -> tuple[str, ...]:
        """Name the tenants whose rounds do not end any more, whatever their answers were."""
        oldest = self._clock.now() - 3 * self._upkeep.poll_interval - timedelta(seconds=30)
        began = self._started_at or self._clock.now()
        return tuple(
            polling.watched.name
            for polling in self._pollings.values()
            if max(polling.closed_at or began, polling.made_at) < oldest
        )

    # Rounds.

    def _offset(self, key: str) -> timedelta:
        """Spread many tenants over the interval, each always at the same place in it."""
        if len(self._pollings) <= SPREAD_ABOVE:
            return timedelta(0)
        share = int.from_bytes(hashlib.sha256(key.encode()).digest()[:4]) / 2**32
        return self._upkeep.poll_interval * share

    async def _tick(self, key: str) -> None:
        """Only queue: a coroutine function, since APScheduler would run a plain one in a thread, beside this loop's queue.

        A round may last as long as its interval, where Microsoft or a budget of requests makes it wait: then the next one begins when it ends.
        """
        if key in self._at_work:
            self._again.add(key)
        elif key not in self._queued:
            self._queued.add(key)
            self._queue.put_nowait(key)

    async def _work(self) -> None:
        while not self._stopping.is_set():
            key = await self._queue.get()
            polling = self._pollings.get(key)
            self._at_work.add(key)
            if polling is not None:
                await self._guarded("round", partial(self._round, polling), tenant=polling.watched.name)
            self._at_work.discard(key)
            self._queued.discard(key)
            if key in self._again:
                self._again.discard(key)
                await self._tick(key)
            self._something_ended.set()

    async def _round(self, polling: Polling) -> None:
        try:
            await polling.round()
        except FencedError:
            log.info("round.fenced", tenant=polling.watched.name)
        self._flush_wake.set()

    # Flushes and deliveries.

    async def _flush_loop(self) -> None:
        while not self._stopping.is_set():
            self._flush_wake.clear()
            due = await self._guarded("flush", self._flush)
            await self._sleep_until(due, self._flush_wake)

    async def _flush(self) -> datetime | None:
        flushed = await self._flushing.flush_due(self._clock.now())
        if flushed:
            self._metrics.flushed(flushed)
            self._delivery_wake.set()
        return await self._flushing.next_due()

    async def _delivery_loop(self, group: asyncio.TaskGroup) -> None:
        while not self._stopping.is_set():
            self._delivery_wake.clear()
            due = await self._guarded("deliver", partial(self._take, group))
            await self._sleep_until(due, self._delivery_wake)

    async def _take(self, group: asyncio.TaskGroup) -> datetime | None:
        """Begin what is due, as far as there is room; give when to look again. An attempt that ends wakes the loop anyway."""
        firsts = [one for one in await self._delivering.firsts() if one.integration_id not in self._in_hand]
        for first in firsts:
            if self._turn(first) > self._clock.now():
                continue
            if len(self._in_hand) >= DELIVERIES_AT_ONCE:
                return None
            task = group.create_task(self._attempt(first), name=first.integration_id)
            self._in_hand[first.integration_id] = task
            task.add_done_callback(self._done)
        return min((self._turn(one) for one in firsts if one.integration_id not in self._in_hand), default=None)

    def _turn(self, first: Due) -> datetime:
        """Give when an integration may be spoken to again; a clock that was set back holds nobody up for longer than that."""
        apart, spoken_at = self._delivering.apart(first.integration_id), self._spoken_at.get(first.integration_id)
        if spoken_at is None or spoken_at > self._clock.now():
            return first.due_at
        return max(first.due_at, spoken_at + apart)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._in_hand.pop(task.get_name(), None)
        self._delivery_wake.set()
        self._something_ended.set()

    async def _attempt(self, first: Due) -> None:
        await self._guarded("attempt", partial(self._deliver, first.delivery_id), delivery=first.delivery_id)

    async def _deliver(self, delivery_id: str) -> None:
        """Make one attempt."""
        delivery = await self._delivering.claim(delivery_id, self._clock.now())
        if delivery is None:
            return
        self._spoken_at[delivery.integration_id] = self._clock.now()
        result = await self._delivering.send(delivery, self._clock.now())
        outcome = await self._delivering.finish(delivery_id, result, self._clock.now())
        if outcome is not None:
            self._metrics.attempted(outcome.delivery)
            _report(outcome, result if isinstance(result, DeliveryError) else None)
            self._flush_wake.set()

    # Digests: when one is due stands in the store, so a clock that was set or a machine that slept costs a minute, not a week.

    async def _digest_loop(self) -> None:
        while not self._stopping.is_set():
            self._digest_wake.clear()
            due = await self._guarded("digest", self._digest)
            await self._sleep_until(due, self._digest_wake)

    async def _digest(self) -> datetime | None:
        if await self._digesting.send_due(self._clock.now()):
            self._delivery_wake.set()
        return await self._digesting.next_due()

    # Upkeep.

    def _schedule_upkeep(self) -> None:
        self._every("alertd.health", HEALTH_INTERVAL, self._judge_alertd)
        self._every("alertd.prune", PRUNE_INTERVAL, self._prune)
        if self._upkeep.heartbeat is not None:
            self._every("alertd.heartbeat", self._upkeep.heartbeat_interval, self._beat)
        elif self._scheduler.get_job("alertd.heartbeat"):
            self._scheduler.remove_job("alertd.heartbeat")

    def _every(self, name: str, interval: timedelta, task: Callable[[], Awaitable[None]]) -> None:
        async def guarded() -> None:
            await self._guarded(name, task)

        self._scheduler.add_job(
            guarded,
            "interval",
            seconds=interval.total_seconds(),
            id=name,
            replace_existing=True,
            next_run_time=self._clock.now() + min(interval, timedelta(seconds=5)),
        )

    async def _judge_alertd(self) -> None:
        now = self._clock.now()
        await judge_alertd(
            self._store, self._rounds, now, reload_failed=self.reload_failed, store_trouble=self.store_trouble
        )
        self._flush_wake.set()

    async def _prune(self) -> None:
        """Forget what is older than the retention, and more if the store is too large all the same."""
        keep = self._upkeep.retain
        while True:
            async with self._store.transaction() as transaction:
                deleted = await transaction.prune(self._clock.now() - keep)
            size = await self._store.size_bytes()
            if size <= self._upkeep.max_bytes or keep < timedelta(hours=1):
                log.debug("history.pruned", rows=deleted, bytes=size)
                return
            log.warning("history.too_large", bytes=size, bytes_max=self._upkeep.max_bytes)
            keep /= 2

    async def _beat(self) -> None:
        if self._upkeep.heartbeat is not None and self.healthy:
            await self._upkeep.heartbeat()

    # The edge of every loop.

    async def _guarded(self, name: str, task: Callable[[], Awaitable[Given]], **context: str) -> Given | None:
        """Keep a loop alive: what broke is logged, the store's trouble is remembered, and the work is taken again later."""
        try:
            given = await task()
        except StoreError as error:
            self._trouble(name, error, context)
            await self._pause()
            return None
        except Exception:
            log.exception("engine.bug", task=name, **context)
            await self._pause()
            return None
        if self.store_trouble:
            self.store_trouble = False
            log.info("store.recovered")
        return given

    def _trouble(self, name: str, error: StoreError, context: Mapping[str, str]) -> None:
        if not self.store_trouble:
            log.error("store.trouble", task=name, reason=str(error), **context)
        self.store_trouble = True

    async def _pause(self) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(TROUBLE_PAUSE):
                await self._stopping.wait()

    async def _sleep_until(self, due: datetime | None, wake: asyncio.Event) -> None:
        seconds = LONGEST_SLEEP if due is None else (due - self._clock.now()).total_seconds()
        if seconds <= 0 or self._stopping.is_set():
            return
        with suppress(TimeoutError):
            async with asyncio.timeout(min(seconds, LONGEST_SLEEP)):
                await wake.wait()

    async def _let_go(self, loops: list[asyncio.Task[None]]) -> None:
        """Give rounds and attempts in hand their bounded time, then end everything."""
        with suppress(TimeoutError):
            async with asyncio.timeout(STOP_SECONDS):
                while self._in_hand or self._at_work:
                    self._something_ended.clear()
                    await self._something_ended.wait()
        for task in (*loops, *self._in_hand.values()):
            task.cancel()


def _report(outcome: Outcome, error: DeliveryError | None) -> None:
    delivery = outcome.delivery
    about = {
        "delivery": delivery.id,
        "integration": delivery.integration_id,
        "reason": delivery.reason.value,
        "attempt": delivery.attempts,
    }
    if delivery.state is DeliveryState.DELIVERED:
        log.info("delivery.delivered", **about)
    elif outcome.ended:
        log.error("delivery.failed", state=delivery.state.value, error=str(error), **about)
    else:
        log.warning(
            "delivery.retry_scheduled", state=delivery.state.value, error=str(error), due_at=delivery.due_at, **about
        )
