"""One round for cron: poll every tenant, tell what there is to tell, make the first attempts, and be done.

What does not succeed stands in the store with its time, and the next call takes it up.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from datetime import timedelta

import attrs

from alertd.clock import Clock
from alertd.engine.delivering import Delivering
from alertd.engine.digesting import Digesting
from alertd.engine.flushing import Flushing
from alertd.engine.health import judge_alertd
from alertd.engine.polling import Polling
from alertd.engine.rounds import Rounds
from alertd.notify.outcome import Outcome
from alertd.store.port import Store
from alertd.store.values import Due

TENANTS_AT_ONCE = 8

Progress = Callable[[str, int, int], None]  # tenant, principals done, principals asked


@attrs.frozen(kw_only=True)
class Polled:
    """What one call came to. failed: tenants whose round failed, with the kind. undelivered: attempts that were not accepted."""

    failed: Mapping[str, str]
    attempts: int = 0
    undelivered: int = 0


class Once:
    """Polls, flushes and delivers one time."""

    def __init__(
        self,
        *,
        store: Store,
        rounds: Rounds,
        flushing: Flushing,
        delivering: Delivering,
        digesting: Digesting,
        clock: Clock,
    ) -> None:
        self._store = store
        self._rounds = rounds
        self._flushing = flushing
        self._delivering = delivering
        self._digesting = digesting
        self._clock = clock

    async def run(
        self,
        pollings: Iterable[Polling],
        *,
        longest_wait: timedelta | None,
        progress: Progress = lambda _tenant, _done, _asked: None,
    ) -> Polled:
        """Do everything once. longest_wait: how long to wait for groups that have just opened; None flushes them at once."""
        await self._delivering.recover(self._clock.now() + timedelta(days=1))
        failed = await self._poll(pollings, progress)
        await judge_alertd(self._store, self._rounds, self._clock.now())
        if longest_wait is not None:
            await self._wait_for_groups(longest_wait)
        await self._flushing.flush_due(self._clock.now(), opened_too=longest_wait is None)
        await self._digesting.send_due(self._clock.now())
        outcomes = await self._deliver()
        undelivered = sum(not outcome.accepted for outcome in outcomes)
        return Polled(failed=failed, attempts=len(outcomes), undelivered=undelivered)

    async def _poll(self, pollings: Iterable[Polling], progress: Progress) -> Mapping[str, str]:
        room = asyncio.Semaphore(TENANTS_AT_ONCE)
        failed: dict[str, str] = {}

        async def one(polling: Polling) -> None:
            name = polling.watched.name
            async with room:
                tally = await polling.round(lambda done, asked: progress(name, done, asked))
            if tally.asked and not tally.ok:
                failed[name] = tally.worst or ""

        async with asyncio.TaskGroup() as group:
            for polling in pollings:
                group.create_task(one(polling))
        return dict(sorted(failed.items()))

    async def _wait_for_groups(self, longest: timedelta) -> None:
        """Wait for the first flush of groups that have not had theirs; ticks of others are not waited for."""
        async with self._store.reading() as reader:
            opened = [group.due_at for group in await reader.groups() if group.flushed_at is None]
        if opened:
            seconds = (max(opened) - self._clock.now()).total_seconds()
            await self._clock.sleep(min(seconds, longest.total_seconds()))

    async def _deliver(self) -> list[Outcome]:
        """Attempt what is due, and what an attempt's end has made due, but nothing twice."""
        outcomes: list[Outcome] = []
        tried: set[str] = set()
        while True:
            due = [one for one in await self._delivering.due(self._clock.now(), 1000) if one.delivery_id not in tried]
            if not due:
                return outcomes
            tried.update(one.delivery_id for one in due)
            outcomes += await self._attempt_all(due)

    async def _attempt_all(self, due: list[Due]) -> list[Outcome]:
        """Attempt them, those of one integration one after the other and not faster than it takes them."""
        waiting: dict[str, list[str]] = {}
        for one in due:
            waiting.setdefault(one.integration_id, []).append(one.delivery_id)
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(self._speak(*to_one)) for to_one in waiting.items()]
        return [outcome for task in tasks for outcome in task.result()]

    async def _speak(self, integration_id: str, delivery_ids: list[str]) -> list[Outcome]:
        apart = self._delivering.apart(integration_id)
        outcomes: list[Outcome] = []
        for delivery_id in delivery_ids:
            began = self._clock.now()
            outcome = await self._attempt(delivery_id)
            outcomes += [] if outcome is None else [outcome]
            if delivery_id is not delivery_ids[-1]:
                await self._clock.sleep((began + apart - self._clock.now()).total_seconds())
        return outcomes

    async def _attempt(self, delivery_id: str) -> Outcome | None:
        delivery = await self._delivering.claim(delivery_id, self._clock.now())
        if delivery is None:
            return None
        result = await self._delivering.send(delivery, self._clock.now())
        return await self._delivering.finish(delivery_id, result, self._clock.now())
