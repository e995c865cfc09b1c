"""A directory that is polled every five minutes, over a real store."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

import attrs

from alertd.alerts.book import RuleBook
from alertd.alerts.sighting import Watched
from alertd.engine.polling import Polling
from alertd.engine.rounds import Rounds
from alertd.errors import PollErrorKind
from alertd.graph.budget import Budget
from alertd.graph.discovery import Discovery
from alertd.metrics import Metrics
from alertd.model.reading import Failed, Known, NotAsked, Ok, Reading
from alertd.model.requests import Requests
from alertd.model.resources import (
    ServicePrincipal,
    SynchronizationJob,
    SynchronizationSchedule,
    SynchronizationStatus,
    SynchronizationTaskExecution,
)
from alertd.notify.pace import Pace
from alertd.notify.routes import Route
from alertd.notify.routing import Routing
from alertd.store.memory import MemoryStore

from ..core.tenant import annotate, rules

START = datetime.fromisoformat("2026-01-05T09:00:00Z")
INTERVAL = timedelta(minutes=5)
KEY = "global/t-1"
FAILS = Failed(kind=PollErrorKind.SERVER)
_RULES = """
groups:
  - name: tests
    rules:
      - {alert: Quarantined, when: status.code == "Quarantine", clear_when: status.code == "Active"}
      - {alert: PausedLong, when: status.code == "Paused", for: 15m}
  - name: tenants
    scope: tenant
    rules:
      - {alert: Unreachable, when: tenant.consecutivePollFailures >= 3}
      - {alert: Partial, when: tenant.pollCoverage < 1 and tenant.consecutivePollFailures == 0}
"""


ROUTING = Routing(
    root=Route(
        id="",
        receiver="nobody",
        group_by=("tenant",),
        pace=Pace(group_wait=INTERVAL, group_interval=INTERVAL, repeat_interval=INTERVAL),
    ),
    receivers={},
)


@attrs.define
class ManualClock:
    """It stands still until it is moved."""

    at: datetime = START

    def now(self) -> datetime:
        return self.at

    async def sleep(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)
        await asyncio.sleep(0)


@attrs.define
class Directory:
    """A tenant's service principals, each with its jobs or the failure it answers with. budget: requests a minute."""

    clock: ManualClock
    answers: dict[str, Reading] = attrs.field(factory=dict)
    budget: Budget | None = None
    seconds: float = 0  # that an answer takes
    breaks_after: int | None = None
    asked: list[list[str]] = attrs.field(factory=list)  # of each round
    requests: Requests = attrs.field(factory=Requests)
    credential_expires_at: datetime | None = None

    async def listing(self, deadline: datetime) -> AsyncGenerator[Discovery, None]:
        """List all, one in a part; `breaks_after` so many."""
        for number, key in enumerate(self.answers):
            if number == self.breaks_after:
                yield Discovery(complete=False, error=FAILS)
                return
            yield Discovery(principals=(ServicePrincipal(id=key, displayName=key),))

    async def readings(
        self, principal_ids: Iterable[str], deadline: datetime, known: Known
    ) -> AsyncGenerator[Mapping[str, Reading], None]:
        """Give the answers one by one, as far as the budget goes."""
        for key in principal_ids:
            now = self.clock.now()
            if self.budget is not None and self.budget.room(now) < 1:
                yield {key: NotAsked()}
                continue
            if self.budget is not None:
                self.budget.spend(1, now)
            self.asked[-1].append(key)
            self.requests += Requests(http=1, counted=1)
            self.clock.at += timedelta(seconds=self.seconds)
            yield {key: self.answers[key]}

    def room(self, now: datetime) -> int | None:
        """Give what is left of the budget."""
        return None if self.budget is None else self.budget.room(now)


class Site:
    """A directory that is polled every five minutes."""

    def __init__(self, *, budget: int | None = None, added: timedelta = timedelta(0)) -> None:
        self.clock = ManualClock()
        self.store = MemoryStore()
        self.metrics = Metrics(process=False)
        self.directory = Directory(self.clock, budget=None if budget is None else Budget(budget))
        self._added = added
        self.polling = self._made()

    def restart(self) -> None:
        """Make everything but the store anew."""
        self.polling = self._made()

    def _made(self) -> Polling:
        book = RuleBook(rules(_RULES), annotate=annotate)
        return Polling(
            Watched(key=KEY, name="contoso", tenant_id="t-1"),
            self.directory,
            Rounds(self.store, book, ROUTING),
            self.clock,
            interval=INTERVAL,
            discovery_interval=timedelta(hours=6),
            metrics=self.metrics,
            max_added_delay=self._added,
        )

    async def round(self) -> list[str]:
        """Poll, and let five minutes pass; gives who was asked."""
        self.directory.asked.append([])
        began = self.clock.at
        self.tally = await self.polling.round()
        self.clock.at = began + INTERVAL
        return self.directory.asked[-1]

    async def rounds(self, number: int) -> Counter[str]:
        """Poll so many times; gives how often each was asked."""
        return Counter([key for _ in range(number) for key in await self.round()])

    async def alerts(self) -> dict[str, str]:
        async with self.store.reading() as reader:
            return {one.name: one.state.value for one in await reader.alerts()}

    async def evidence(self) -> list[Any]:
        async with self.store.reading() as reader:
            return [one.evidence for one in await reader.alerts()]

    async def tenant(self) -> Any:
        async with self.store.reading() as reader:
            return await reader.tenant(KEY)


def job(code: str, identifier: str = "J.1", *, every: timedelta | None = None, ended: datetime | None = None) -> Ok:
    run = None if ended is None else SynchronizationTaskExecution(state="Succeeded", timeEnded=ended)
    return Ok(
        jobs=(
            SynchronizationJob(
                id=identifier,
                schedule=SynchronizationSchedule(interval=every, state="Active"),
                status=SynchronizationStatus(code=code, lastExecution=run),
            ),
        )
    )
