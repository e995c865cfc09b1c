"""The engine of one machine: what wakes when."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterable, Mapping
from datetime import datetime, timedelta

import pytest

from alertd.alerts.book import RuleBook
from alertd.alerts.sighting import Watched
from alertd.clock import SystemClock
from alertd.engine.delivering import Delivering
from alertd.engine.digesting import Digesting, DigestPlan
from alertd.engine.flushing import Flushing
from alertd.engine.local import LocalEngine, Upkeep
from alertd.engine.polling import JOBS_PER_SLICE, Polling
from alertd.engine.rounds import Rounds
from alertd.graph.discovery import Discovery
from alertd.metrics import Metrics
from alertd.model.reading import Ok, Reading
from alertd.model.requests import Requests
from alertd.model.resources import ServicePrincipal, SynchronizationJob, SynchronizationStatus
from alertd.notify.outcome import DeliveryPolicy
from alertd.notify.pace import Pace
from alertd.notify.routes import Route
from alertd.notify.routing import Routing
from alertd.store.memory import MemoryStore

from ..core.tenant import annotate, rules

pytestmark = pytest.mark.anyio

WAIT_SECONDS = 20.0  # only a broken build waits so long
_AT_ONCE = Pace(group_wait=timedelta(0), group_interval=timedelta(minutes=5), repeat_interval=timedelta(0))
_RULES = """
groups:
  - name: tests
    rules: [{alert: Quarantined, when: status.code == "Quarantine"}]
"""


class Watching(Metrics):
    """Lets wait for what is counted."""

    def __init__(self) -> None:
        super().__init__(process=False)
        self.a_flush, self.rounds = asyncio.Event(), asyncio.Semaphore(0)

    def flushed(self, groups: int) -> None:
        """Note it."""
        super().flushed(groups)
        self.a_flush.set()

    def round_closed(self, *, ok: int, kinds: Mapping[str, int], seconds: float) -> None:
        """Note it."""
        super().round_closed(ok=ok, kinds=kinds, seconds=seconds)
        self.rounds.release()


class SlowDirectory:
    """One service principal answers at once, with a whole slice of jobs in quarantine; the other when it is let."""

    credential_expires_at: datetime | None = None
    requests = Requests()

    def __init__(self) -> None:
        self.rounds = 0
        self.may_answer = asyncio.Event()

    async def listing(self, deadline: datetime) -> AsyncGenerator[Discovery, None]:
        """List both."""
        yield Discovery(principals=(ServicePrincipal(id="quick"), ServicePrincipal(id="slow")))

    async def readings(
        self, principal_ids: Iterable[str], deadline: datetime, *_known: object
    ) -> AsyncGenerator[Mapping[str, Reading], None]:
        """Answer one after the other."""
        self.rounds += 1
        status = SynchronizationStatus(code="Quarantine")
        yield {"quick": Ok(jobs=tuple(SynchronizationJob(id=f"J.{n}", status=status) for n in range(JOBS_PER_SLICE)))}
        await self.may_answer.wait()
        yield {"slow": Ok()}

    def room(self, now: datetime) -> int | None:
        """No budget."""
        return None


class Site:
    """An engine that polls one tenant."""

    def __init__(self) -> None:
        self.directory, self.metrics, clock = SlowDirectory(), Watching(), SystemClock()
        store = MemoryStore()
        routing = Routing(root=Route(id="{}", receiver="", group_by=(), pace=_AT_ONCE), receivers={})
        rounds = Rounds(store, RuleBook(rules(_RULES), annotate=annotate), routing, on_news=self._flush_soon)
        flushing = Flushing(store, routing, {}, DeliveryPolicy())
        self.engine = LocalEngine(
            store=store,
            rounds=rounds,
            flushing=flushing,
            delivering=Delivering(store, flushing, {}, DeliveryPolicy(), chance=lambda: 0.0),
            digesting=Digesting(store, DigestPlan()),
            clock=clock,
            upkeep=Upkeep(poll_interval=timedelta(hours=1), retain=timedelta(days=1), max_bytes=10**9),
            metrics=self.metrics,
        )
        polling = Polling(
            Watched(key="global/t-1", name="contoso", tenant_id="t-1"),
            self.directory,
            rounds,
            clock,
            interval=timedelta(hours=1),
            discovery_interval=timedelta(hours=6),
            metrics=self.metrics,
        )
        self.engine.watch({"global/t-1": polling})

    def _flush_soon(self) -> None:
        self.engine.flush_soon()


async def test_what_a_slice_committed_is_flushed_while_the_round_goes_on() -> None:
    """A round of a large tenant takes minutes; an alert of its first second must not wait for its last."""
    site = Site()
    running = asyncio.create_task(site.engine.run())

    async with asyncio.timeout(WAIT_SECONDS):
        await site.metrics.a_flush.wait()

    assert not site.directory.may_answer.is_set()
    site.directory.may_answer.set()
    site.engine.stop()
    await running


async def test_a_round_that_outlasts_its_interval_is_followed_at_once() -> None:
    """Its tick came while it was at work; lost, every second round would be left out."""
    site = Site()
    running = asyncio.create_task(site.engine.run())
    async with asyncio.timeout(WAIT_SECONDS):
        await site.metrics.a_flush.wait()
        await site.engine._tick("global/t-1")

        site.directory.may_answer.set()
        await site.metrics.rounds.acquire()
        await site.metrics.rounds.acquire()

    site.engine.stop()
    await running
    assert site.directory.rounds >= 2
