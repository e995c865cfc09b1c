"""The stage: everything the demo needs, started in order and stopped in reverse, in one process and over real sockets.

async with Stage(plan, directory) as stage:
    await stage.play(until)          # until a future is done, or for good
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from contextlib import AsyncExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

from alertd.app import App
from alertd.clock import Clock, SystemClock
from alertd.config.sections import Listen
from alertd.demo.expectations import Expectations, expected_of
from alertd.demo.plan import Plan
from alertd.demo.setting import config_for
from alertd.demo.story import Part, chapters, parts_of
from alertd.errors import UsageError
from alertd.simulator.inbox import Medium
from alertd.simulator.receivers import Mode, Receivers
from alertd.simulator.simulator import Simulator
from alertd.web.inbox import Chapter, InboxPage
from alertd.web.server import WebServer


class Stage:
    """Simulated tenants and receivers, the inbox page, and alertd.

    directory: where alertd keeps its store. port: of the inbox page, 0 for any free one.
    receivers, page, app, web and expectations stand while the stage is entered. met: everything expected has arrived everywhere.
    """

    app: App
    web: WebServer
    expectations: Expectations
    parts: tuple[Part, ...]

    def __init__(self, plan: Plan, directory: Path, *, port: int = 0, clock: Clock | None = None) -> None:
        self.plan = plan
        self._directory = directory
        self._clock = clock or SystemClock()
        self._stack = AsyncExitStack()
        self.simulator = Simulator(clock=self._clock)
        self.receivers = Receivers(clock=self._clock)
        self.page = InboxPage(self.receivers, port=port, story=self.story)
        self.began_at = self._clock.now()
        self.met = asyncio.Event()

    def story(self) -> tuple[Chapter, ...]:
        """Say what plays now."""
        return chapters(self.parts, self.expectations, self._clock.now())

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as stack:
            await self._set(stack)
            self._stack = stack.pop_all()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stack.aclose()

    async def play(self, until: Awaitable[object]) -> None:
        """Run alertd and the story until something is over. Raises what broke, if something did."""
        try:
            await self._play(until)
        except ExceptionGroup as group:
            raise group.exceptions[0] from group

    async def _play(self, until: Awaitable[object]) -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(self.app.run())
            helping = [group.create_task(self._trouble_receivers()), group.create_task(self._tick_off())]
            await until
            self.app.stop()
            for task in helping:
                task.cancel()

    async def _set(self, stack: AsyncExitStack) -> None:
        self.began_at = self._clock.now()
        self.parts = parts_of(self.plan, self.began_at)
        for part in self.parts:
            self.simulator.play(part.scenario, start=part.starts_at)
        tenants = self.simulator.tenants
        self.expectations = Expectations(one for part in self.parts for one in expected_of(part.scenario, tenants))
        graph = await stack.enter_async_context(self.simulator.serving())
        await self._open_page(stack)
        config = config_for(self.plan, tenants.values(), graph.origin, self.receivers, self._directory)
        self.app = App(config, clock=self._clock)
        await self.app.open()
        stack.push_async_callback(self.app.close)
        await self._open_web(stack)

    async def _open_page(self, stack: AsyncExitStack) -> None:
        await stack.enter_async_context(self.receivers)
        stack.push_async_callback(self.page.stop)
        stack.callback(self.receivers.inbox.close)  # whoever watches the page is let go before the page stops
        try:
            await self.page.start()
        except OSError as exc:
            raise UsageError(
                f"{self.page.origin} cannot be listened on ({exc.strerror}); choose another --port"
            ) from exc

    async def _open_web(self, stack: AsyncExitStack) -> None:
        self.web = WebServer(
            Listen("127.0.0.1", 0),
            self.app.store,
            self.app,
            self.app.reload,
            clock=self._clock,
            metrics=self.app.metrics,
        )
        await self.web.start()
        stack.push_async_callback(self.web.stop)
        self.page.status_url = self.app.flushing.external_url = f"{self.web.origin}/"

    async def _trouble_receivers(self) -> None:
        """Take receivers down and up again as the story says."""
        outages = sorted(outage for part in self.parts for outage in part.outages())
        for starts_at, ends_at, medium in outages:
            behaviour = self.receivers.behaviour(Medium(medium))
            await self._clock.sleep((starts_at - self._clock.now()).total_seconds())
            behaviour.fail(Mode.DOWN)
            await self._clock.sleep((ends_at - self._clock.now()).total_seconds())
            behaviour.recover()

    async def _tick_off(self) -> None:
        """Compare what arrives with what is expected."""
        seen = 0
        while await self.receivers.inbox.more(seen):
            arrivals = self.receivers.inbox.arrivals(after=seen)
            seen = arrivals[0].number
            async with self.app.store.reading() as reader:
                self.expectations.note(arrivals, await reader.deliveries())
            if self.expectations.met:
                self.met.set()
