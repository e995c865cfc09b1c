"""Work on one connection, in one transaction or one read-only view, done in a thread.

Everything below it is plain blocking code; a question costs one hop to the thread and back (some 50 us), however many statements it takes.
Through SQLAlchemy's asyncio extension and aiosqlite each statement took five: 235 us where this takes 65.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Concatenate, ParamSpec, TypeVar

from sqlalchemy import Connection, CursorResult, Executable

from alertd.errors import FencedError, StoreError
from alertd.store.failures import own_errors
from alertd.store.statements import ROWS_AT_ONCE, Parameters, Rows
from alertd.store.turns import uninterrupted

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")


class Worker:
    """Threads in which a database is waited for."""

    def __init__(self, threads: int) -> None:
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="alertd-store")

    async def run(
        self, work: Callable[Arguments, Result], *arguments: Arguments.args, **given: Arguments.kwargs
    ) -> Result:
        """Do work to its end, even if whoever waits for it is cancelled; the database's errors become StoreError."""

        def guarded() -> Result:
            with own_errors():
                return work(*arguments, **given)

        return await uninterrupted(asyncio.get_running_loop().run_in_executor(self._pool, guarded))

    def close(self) -> None:
        """Let the threads end."""
        self._pool.shutdown(wait=False)


class Executor:
    """Does work on a connection until it is closed.

    After work failed the transaction is `broken`: what it had done by then may be half of it, so nothing of it may be kept. Whoever is fenced
    off is so before anything is written.
    """

    def __init__(self, connect: Callable[[], Connection], worker: Worker) -> None:
        """Take a connection from `connect` with the first work, so that this costs no hop of its own."""
        self.broken = False
        self.connection: Connection | None = None
        self._connect = connect
        self._worker = worker
        self._closed = False
        self._turn = (
            asyncio.Lock()
        )  # tasks that share a view ask one after the other: a connection answers one at a time
        self._streams: set[CursorResult[Any]] = set()

    async def run(
        self,
        work: Callable[Concatenate[Connection, Arguments], Result],
        *arguments: Arguments.args,
        **given: Arguments.kwargs,
    ) -> Result:
        """Do work on the connection."""
        if self._closed:
            raise StoreError("a transaction or view was used after its end: open a new one")
        try:
            async with self._turn:
                return await self._worker.run(lambda: work(self._taken(), *arguments, **given))
        except FencedError:
            raise
        except BaseException:
            self.broken = True
            raise

    async def stream(self, statement: Executable, parameters: Parameters) -> AsyncIterator[Rows]:
        """Give what a statement finds in batches, without holding all of it."""
        result = await self.run(self._begin, statement, parameters)
        try:
            while rows := await self.run(_fetch, result):
                yield rows
        finally:
            await self._end(result)

    async def close(self) -> None:
        """End what is still being streamed; every later use is refused."""
        self._closed = True
        for result in tuple(self._streams):
            await self._end(result)

    def _taken(self) -> Connection:
        if self.connection is None:
            self.connection = self._connect()
        return self.connection

    def _begin(self, connection: Connection, statement: Executable, parameters: Parameters) -> CursorResult[Any]:
        result = connection.execute(statement, parameters, execution_options={"stream_results": True})
        self._streams.add(result)
        return result

    async def _end(self, result: CursorResult[Any]) -> None:
        if result in self._streams:
            self._streams.discard(result)
            async with self._turn:
                await self._worker.run(result.close)


def _fetch(_connection: Connection, result: CursorResult[Any]) -> Rows:
    return result.fetchmany(ROWS_AT_ONCE)
