"""Being told to stop: Ctrl-C, or SIGTERM from whoever started the process, as something to wait for.

The first one is a request; a second one ends the process the hard way.
"""

from __future__ import annotations

import asyncio
import signal
from types import FrameType, TracebackType
from typing import Any, Self

_NAMES = ("SIGINT", "SIGTERM", "SIGBREAK")  # the last is Ctrl-Break, on Windows alone


class Interruption:
    """Listens to signals for the length of a block, entered in the main thread and inside a running loop."""

    def __init__(self) -> None:
        self._came = asyncio.Event()
        self._before: dict[int, Any] = {}  # handlers as `signal` gives them

    @property
    def happened(self) -> bool:
        """Whether somebody has asked to stop."""
        return self._came.is_set()

    async def wait(self) -> None:
        """Wait until somebody asks to stop."""
        await self._came.wait()

    def __enter__(self) -> Self:
        loop = asyncio.get_running_loop()

        def come(number: int, frame: FrameType | None) -> None:  # noqa: ARG001 - Python's signature
            self._restore()
            loop.call_soon_threadsafe(self._came.set)

        for number in _numbers():
            self._before[number] = signal.signal(number, come)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._restore()

    def _restore(self) -> None:
        while self._before:
            signal.signal(*self._before.popitem())


def _numbers() -> list[int]:
    return [getattr(signal, name) for name in _NAMES if hasattr(signal, name)]
