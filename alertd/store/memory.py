"""A store in memory: what `alertd test` runs weeks on in milliseconds. Nothing outlives the process."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from alertd.errors import StoreError
from alertd.store.memory_reader import MemoryReader
from alertd.store.memory_state import MemoryState
from alertd.store.memory_transaction import MemoryTransaction
from alertd.store.port import Reader, Transaction
from alertd.store.turns import Turns


class MemoryStore:
    """A store that keeps the same promises as one on disk, but for outliving the process."""

    def __init__(self) -> None:
        self._state = MemoryState()
        self._turns = Turns()
        self._views = 0  # that read the present state
        self._writing = False
        self._closed = False

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Transaction]:
        """Open the one write transaction; waits for the one before to end."""
        async with self._turns.turn():
            self._check_open()
            self._leave_to_views()
            transaction = MemoryTransaction(self._state)
            self._writing = True
            try:
                yield transaction
            except BaseException:
                self._state.undo()
                raise
            finally:
                self._state.journal.clear()
                self._writing = False
                transaction.end()

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[Reader]:
        """Open a consistent read-only view: the store as the latest commit left it."""
        self._check_open()
        state = self._state.committed() if self._writing else self._state
        self._views += not self._writing
        reader = MemoryReader(state)
        try:
            yield reader
        finally:
            reader.end()
            self._views -= state is self._state

    def _leave_to_views(self) -> None:
        """Write to a copy while views read the present state, so that it stays as they opened it."""
        if self._views:
            self._state, self._views = self._state.copy(), 0

    async def size_bytes(self) -> int:
        """Give zero: nothing is kept on any disk."""
        self._check_open()
        return 0

    async def close(self) -> None:
        """Forget everything; idempotent. Waits for the transaction under way."""
        if not self._closed:
            async with self._turns.turn():
                self._closed = True
                self._state, self._views = MemoryState(), 0

    def _check_open(self) -> None:
        if self._closed:
            raise StoreError("the store is closed")
