"""One write transaction after the other, and the work of each undisturbed by cancellation."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from contextvars import ContextVar
from typing import TypeVar

from alertd.errors import StoreError

Value = TypeVar("Value")


class _Turn:
    """The time in which one task may write to one store."""

    def __init__(self, turns: Turns) -> None:
        self.turns = turns
        self.over = False


# Tasks inherit it from the one that started them: a child that writes while its parent's transaction waits for it would wait for ever.
_taken: ContextVar[tuple[_Turn, ...]] = ContextVar("alertd_store_turns", default=())


class Turns:
    """Lets one task write at a time, in order of asking."""

    def __init__(self) -> None:
        self._lock = asyncio.Lock()

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Wait for the turn and have it; raises StoreError inside another turn of the same store."""
        taken = tuple(turn for turn in _taken.get() if not turn.over)
        if any(turn.turns is self for turn in taken):
            raise StoreError("a transaction was opened inside another one: use the one that is open")
        async with self._lock:
            turn = _Turn(self)
            _taken.set((*taken, turn))
            try:
                yield
            finally:
                turn.over = True


async def uninterrupted(work: asyncio.Future[Value]) -> Value:
    """Await work that must come to its end: a cancellation is taken up when it has.

    A statement given up half-way would go on behind the back of the next one, and of a commit nobody would know the outcome.
    """
    try:
        return await asyncio.shield(work)
    except asyncio.CancelledError:
        while not work.done():
            try:
                await asyncio.wait({work})
            except asyncio.CancelledError:
                continue  # asked again, and answered all the same
        if not work.cancelled():
            work.exception()  # what it was is nobody's business any more: the caller is being cancelled
        raise
