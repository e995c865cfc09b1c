"""Attempts side by side: an integration is spoken to by one voice, as fast as it takes it, and holds no other one up."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from alertd.alerts.book import RuleBook
from alertd.clock import SystemClock
from alertd.engine.delivering import Delivering
from alertd.engine.digesting import Digesting, DigestPlan
from alertd.engine.flushing import Flushing
from alertd.engine.local import DELIVERIES_AT_ONCE, LocalEngine, Upkeep
from alertd.engine.once import Once
from alertd.engine.rounds import Rounds
from alertd.metrics import Metrics
from alertd.model.notification import Notification, Reason, Rendered
from alertd.notify.channels.port import Accepted, Integration, Limits
from alertd.notify.outcome import DeliveryPolicy
from alertd.notify.pace import Pace
from alertd.notify.routes import Route
from alertd.notify.routing import Routing
from alertd.store.memory import MemoryStore
from alertd.store.values import Delivery

pytestmark = pytest.mark.anyio

NOW = datetime(2026, 1, 5, 9, tzinfo=UTC)
WAIT_SECONDS = 20.0  # only a broken build waits so long


class SetClock:
    """A clock that jumps over every wait."""

    def __init__(self) -> None:
        self.at = NOW

    def now(self) -> datetime:
        return self.at

    async def sleep(self, seconds: float) -> None:
        self.at += timedelta(seconds=max(0.0, seconds))
        await asyncio.sleep(0)


class Ear:
    """A receiver that may be slow to answer, and remembers when it was spoken to and by how many at once."""

    def __init__(
        self, receiver: str, now: Callable[[], datetime], *, answers: bool = True, apart: timedelta = timedelta(0)
    ) -> None:
        limits = Limits(body_bytes_max=1_000, blocks_max=1, apart=apart)
        self.integration = Integration(
            receiver=receiver, kind="ear", closes_silently=True, deduplicates=True, limits=limits
        )
        self.heard: list[str] = []
        self.began: list[datetime] = []
        self.at_once = self.most_at_once = 0
        self.called = asyncio.Event()
        self.may_answer = asyncio.Event()
        self._now = now
        if answers:
            self.may_answer.set()

    def render(self, _notification: Notification) -> Rendered:
        raise AssertionError("nothing is rendered here")

    async def send(
        self, rendered: Rendered, *, key: str, attempt: int, now: datetime, recipients: tuple[str, ...] = ()
    ) -> Accepted:
        self.began.append(self._now())
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        self.called.set()
        await self.may_answer.wait()
        self.at_once -= 1
        self.heard.append(key)
        return Accepted()

    async def check(self) -> Accepted:
        return Accepted()

    async def close(self) -> None:
        """Nothing is open."""


def waiting(ear: Ear, number: int, at: datetime) -> Delivery:
    return Delivery(
        id=f"{ear.integration.receiver}-{number}",
        conversation_id=f"{ear.integration.receiver}-{number}",
        group_key="g",
        integration_id=ear.integration.id,
        receiver=ear.integration.receiver,
        sequence=1,
        reason=Reason.FIRST_NOTIFICATION,
        rendered=Rendered(body=b"x", content_type="text/plain"),
        decided_at=at,
        due_at=at + timedelta(microseconds=number),
        retry_until=at + timedelta(days=1),
    )


class Site:
    """The delivering half of alertd before some ears."""

    def __init__(self, clock: SystemClock | SetClock, *ears: Ear) -> None:
        self.store = MemoryStore()
        self.clock = clock
        channels = {ear.integration.id: ear for ear in ears}
        routing = Routing(root=Route(id="{}", receiver="", group_by=(), pace=Pace()), receivers={})
        book = RuleBook((), (), annotate=lambda _rule, _subject, _labels: {})
        self.rounds = Rounds(self.store, book, routing)
        self.flushing = Flushing(self.store, routing, channels, DeliveryPolicy())
        self.delivering = Delivering(self.store, self.flushing, channels, DeliveryPolicy(), chance=lambda: 0.0)

    async def post(self, *deliveries: Delivery) -> None:
        async with self.store.transaction() as transaction:
            for delivery in deliveries:
                await transaction.save_delivery(delivery)

    def engine(self) -> LocalEngine:
        return LocalEngine(
            store=self.store,
            rounds=self.rounds,
            flushing=self.flushing,
            delivering=self.delivering,
            digesting=Digesting(self.store, DigestPlan()),
            clock=self.clock,
            upkeep=Upkeep(poll_interval=timedelta(minutes=5), retain=timedelta(days=1), max_bytes=10**9),
            metrics=Metrics(),
        )

    def once(self) -> Once:
        return Once(
            store=self.store,
            rounds=self.rounds,
            flushing=self.flushing,
            delivering=self.delivering,
            digesting=Digesting(self.store, DigestPlan()),
            clock=self.clock,
        )


async def test_a_flood_for_a_slow_receiver_holds_no_other_one_up() -> None:
    """More messages than there are attempts at once wait for a receiver that does not answer; another one is told all the same."""
    clock = SystemClock()
    slow, quick = Ear("slow", clock.now, answers=False), Ear("quick", clock.now)
    site, began = Site(clock, slow, quick), clock.now() - timedelta(minutes=1)
    await site.post(*(waiting(slow, number, began) for number in range(2 * DELIVERIES_AT_ONCE)))
    await site.post(waiting(quick, 0, began + timedelta(seconds=1)))
    engine = site.engine()

    running = asyncio.create_task(engine.run())
    async with asyncio.timeout(WAIT_SECONDS):
        await quick.called.wait()
        await slow.called.wait()
    assert not slow.heard
    slow.may_answer.set()
    engine.stop()
    await running

    assert quick.heard == ["quick-0"]
    assert slow.most_at_once == 1


async def test_one_round_keeps_the_pace_of_each_receiver_and_the_order() -> None:
    clock = SetClock()
    paced, free = Ear("paced", clock.now, apart=timedelta(seconds=1)), Ear("free", clock.now)
    site = Site(clock, paced, free)
    await site.post(*(waiting(ear, number, NOW - timedelta(minutes=1)) for ear in (paced, free) for number in range(3)))

    polled = await site.once().run((), longest_wait=None)

    assert (polled.attempts, polled.undelivered) == (6, 0)
    assert paced.heard == ["paced-0", "paced-1", "paced-2"]
    gaps = [later - earlier for earlier, later in zip(paced.began, paced.began[1:], strict=False)]
    assert all(gap >= timedelta(seconds=1) for gap in gaps)
    assert free.heard == ["free-0", "free-1", "free-2"]


async def test_the_daemon_keeps_the_pace_of_a_receiver() -> None:
    clock = SystemClock()
    apart = timedelta(milliseconds=50)
    paced = Ear("paced", clock.now, apart=apart)
    site = Site(clock, paced)
    await site.post(*(waiting(paced, number, clock.now() - timedelta(minutes=1)) for number in range(3)))
    engine = site.engine()

    running = asyncio.create_task(engine.run())
    async with asyncio.timeout(WAIT_SECONDS):
        while len(paced.heard) < 3:
            paced.called.clear()
            await paced.called.wait()
            await asyncio.sleep(0)
    engine.stop()
    await running

    assert paced.heard == ["paced-0", "paced-1", "paced-2"]
    # A turn begins with the claim, shortly before the message goes out: what lies in between is not the receiver's.
    assert paced.began[2] - paced.began[0] >= apart
