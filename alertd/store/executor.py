"""Statements on one connection, in one transaction or one read-only view."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import Executable, Row
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncResult

from alertd.errors import StoreError
from alertd.store.failures import own_errors
from alertd.store.turns import uninterrupted

ROWS_AT_ONCE = 1000  # of an insert or a stream: some megabytes at most
KEYS_AT_ONCE = 500  # in one IN list

Parameters = Mapping[str, Any]
Rows = Sequence[Row[Any]]


class Executor:
    """Runs statements until it is closed.

    After a statement failed the transaction is `broken`: what it had done by then may be half of it, so nothing of it may be kept.
    """

    def __init__(self, connection: AsyncConnection) -> None:
        self.broken = False
        self._connection = connection
        self._closed = False
        self._streams: set[AsyncResult[Any]] = set()

    async def rows(self, statement: Executable, parameters: Parameters | None = None) -> Rows:
        """Give all rows that a statement finds."""
        found: Rows = await self._run(statement, parameters, fetch=True)
        return found

    async def row(self, statement: Executable, parameters: Parameters | None = None) -> Row[Any] | None:
        """Give the first row that a statement finds."""
        found = await self.rows(statement, parameters)
        return found[0] if found else None

    async def value(self, statement: Executable, parameters: Parameters | None = None) -> Any:  # noqa: ANN401 - as the column is typed
        """Give the first column of the first row, or None."""
        found = await self.row(statement, parameters)
        return None if found is None else found[0]

    async def change(self, statement: Executable, parameters: Parameters | None = None) -> int:
        """Run a statement that writes; give the rows it touched."""
        touched: int = await self._run(statement, parameters, fetch=False)
        return touched

    async def change_all(self, statement: Executable, parameters: Collection[Parameters]) -> int:
        """Run a statement that writes for each of these; give the rows it touched."""
        touched = 0
        for batch in batches(parameters, ROWS_AT_ONCE):
            touched += await self._run(statement, batch, fetch=False)
        return touched

    async def insert_all(self, statement: Executable, parameters: Collection[Parameters]) -> list[Any]:
        """Run an insert that returns one column for each of these, in their order; give what it returns."""
        returned: list[Any] = []
        for batch in batches(parameters, ROWS_AT_ONCE):
            returned += [row[0] for row in await self._run(statement, batch, fetch=True)]
        return returned

    async def stream(self, statement: Executable, parameters: Parameters | None = None) -> AsyncIterator[Rows]:
        """Give what a statement finds in batches, without holding all of it."""
        self._check_open()
        result = await uninterrupted(self._begin(statement, parameters))
        try:
            while rows := await self._fetch(result):
                yield rows
        finally:
            await self._end(result)

    async def close(self) -> None:
        """End what is still being streamed; every later use is refused."""
        self._closed = True
        for result in tuple(self._streams):
            await self._end(result)

    async def _run(self, statement: Executable, parameters: Any, *, fetch: bool) -> Any:  # noqa: ANN401 - rows or their number
        self._check_open()
        try:
            with own_errors():
                result = await uninterrupted(self._connection.execute(statement, parameters))
                return result.all() if fetch else result.rowcount
        except BaseException:
            self.broken = True
            raise

    async def _begin(self, statement: Executable, parameters: Parameters | None) -> AsyncResult[Any]:
        with own_errors():
            result = await self._connection.stream(statement, parameters)
        self._streams.add(result)
        return result

    async def _fetch(self, result: AsyncResult[Any]) -> Rows:
        self._check_open()
        with own_errors():
            return await uninterrupted(result.fetchmany(ROWS_AT_ONCE))

    async def _end(self, result: AsyncResult[Any]) -> None:
        if result in self._streams:
            self._streams.discard(result)
            await uninterrupted(result.close())

    def _check_open(self) -> None:
        if self._closed:
            raise StoreError("a transaction or view was used after its end: open a new one")


def batches(items: Collection[Any], size: int) -> Iterator[Sequence[Any]]:
    """Give items in their order, at most `size` at a time."""
    ordered = tuple(items)
    for start in range(0, len(ordered), size):
        yield ordered[start : start + size]
