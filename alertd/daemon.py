"""The daemon's process: its lock, its control listener, its pages, its signals, around one `App`.

SIGTERM and SIGINT: take nothing new, finish what is in hand, stop. SIGHUP: reload; where there is no SIGHUP, `alertd reload` does the same.
"""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, suppress
from functools import partial
from typing import Any

import attrs
import structlog

from alertd.app import App
from alertd.config import Config
from alertd.engine.quieting import ACTIONS, Action, acknowledge
from alertd.errors import ConfigError, Problem
from alertd.store.control import HOST, ControlServer
from alertd.store.lock import StoreLock

log = structlog.get_logger(__name__)


class Daemon:
    """One daemon over one store; `run` returns when it has stopped."""

    def __init__(self, config: Config) -> None:
        self._app = App(config)
        self._reloading = asyncio.Lock()
        self._reloads: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Work until a signal says to stop; raises StoreError if another process has the store."""
        async with AsyncExitStack() as stack:
            lock = stack.enter_context(StoreLock.hold(self._app.config.store.path))
            control = await stack.enter_async_context(ControlServer(self._commands()))
            lock.publish(HOST, control.port, control.token)
            await self._app.open()
            stack.push_async_callback(self._app.close)
            await self._serve(stack)
            self._listen_to_signals()
            await self._app.run()

    async def _serve(self, stack: AsyncExitStack) -> None:
        config = self._app.config
        if config.web is not None:
            from alertd.web.server import WebServer

            server = WebServer(
                config.web.listen,
                self._app.store,
                self._app,
                self.reload,
                metrics=self._app.metrics,
                external_url=config.external_url,
            )
            await server.start()
            stack.push_async_callback(server.stop)

    async def reload(self) -> tuple[Problem, ...]:
        """Take over the configuration file as it is now, or raise ConfigError; one reload at a time."""
        async with self._reloading:
            return await self._app.reload()

    def _commands(self) -> Mapping[str, Callable[[Mapping[str, Any]], Awaitable[Mapping[str, Any]]]]:
        own = {"ping": self._ping, "reload": self._reload, "stop": self._stop, "drill": self._drill}
        return own | {name: partial(self._quiet, action) for name, action in ACTIONS.items()}

    async def _quiet(self, action: Action, arguments: Mapping[str, Any]) -> Mapping[str, Any]:
        answer = await action(self._app.store, arguments, self._app.now())
        if action is acknowledge:
            await self._app.tell_acknowledgements()
        return answer

    async def _ping(self, _arguments: Mapping[str, Any]) -> Mapping[str, Any]:
        return {"config": str(self._app.config.file or "")}

    async def _reload(self, _arguments: Mapping[str, Any]) -> Mapping[str, Any]:
        try:
            warnings = await self.reload()
        except ConfigError as error:
            return {"problems": [attrs.asdict(problem) for problem in error.problems], "taken_over": False}
        return {"problems": [attrs.asdict(problem) for problem in warnings], "taken_over": True}

    async def _drill(self, arguments: Mapping[str, Any]) -> Mapping[str, Any]:
        return {"deliveries": await self._app.drill(str(arguments.get("receiver", "")))}

    async def _stop(self, _arguments: Mapping[str, Any]) -> Mapping[str, Any]:
        self._app.stop()
        return {}

    def _listen_to_signals(self) -> None:
        for name, act in (("SIGTERM", self._app.stop), ("SIGINT", self._app.stop), ("SIGHUP", self._begin_reload)):
            number = getattr(signal, name, None)
            if number is not None:
                _on(number, act)

    def _begin_reload(self) -> None:
        task = asyncio.get_running_loop().create_task(self._reload_quietly())
        self._reloads.add(task)
        task.add_done_callback(self._reloads.discard)

    async def _reload_quietly(self) -> None:
        with suppress(ConfigError):  # it has been logged, and shows as metric, alert and on the status page
            await self.reload()


def _on(number: int, act: Callable[[], None]) -> None:
    loop = asyncio.get_running_loop()
    try:
        loop.add_signal_handler(number, act)
    except NotImplementedError:  # Windows: the handler runs between two byte codes of the main thread
        signal.signal(number, lambda *_: loop.call_soon_threadsafe(act))


def run(config: Config) -> None:
    """Run a daemon to its end."""
    asyncio.run(_run(config))


async def _run(config: Config) -> None:
    await Daemon(config).run()
