"""The store in a SQL database; SQLite is built, and what PostgreSQL would need to differ stands in `dialect` and `sqlite`.

Transactions run one after the other on the one connection that writes; views read beside them on connections of their own.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from alertd.errors import StoreError
from alertd.store import schema
from alertd.store.executor import Executor
from alertd.store.failures import own_errors
from alertd.store.port import Reader, Transaction
from alertd.store.sql_reader import SqlReader
from alertd.store.sql_transaction import SqlTransaction
from alertd.store.sqlite import reading_engine, writing_engine
from alertd.store.turns import Turns, uninterrupted

# Pages that hold something: deleting gives room back at once, whatever the file's size.
_SIZE = text(
    "SELECT (c.page_count - f.freelist_count) * s.page_size"
    " FROM pragma_page_count() AS c, pragma_freelist_count() AS f, pragma_page_size() AS s"
)


class SqlStore:
    """A store in one SQLite file."""

    def __init__(self, readers: AsyncEngine, writer: AsyncEngine | None, connection: AsyncConnection | None) -> None:
        self._readers = readers
        self._writer = writer
        self._connection = connection
        self._turns = Turns()
        self._closed = False

    @classmethod
    async def open(cls, path: Path) -> SqlStore:
        """Open a file to read and write, making or upgrading it as needed; raises StoreError with what to do."""
        writer, readers = writing_engine(path), reading_engine(path)
        async with AsyncExitStack() as stack:
            stack.push_async_callback(_disposed, writer)
            with own_errors():
                connection = await uninterrupted(_connected(writer))
            stack.push_async_callback(connection.close)
            await uninterrupted(schema.bring_up(connection))
            stack.pop_all()
        return cls(readers, writer, connection)

    @classmethod
    async def open_read_only(cls, path: Path) -> SqlStore:
        """Open a file that another process may be writing; raises StoreError if it is missing or of another version."""
        _require(path)
        store = cls(reading_engine(path), None, None)
        try:
            with own_errors():
                async with store._readers.connect() as connection:
                    await schema.check(connection)
        except BaseException:
            await store.close()
            raise
        return store

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Transaction]:
        """Open the one write transaction; waits for the one before to end."""
        async with self._turns.turn():
            connection = self._writable()
            executor = Executor(connection)
            try:
                await uninterrupted(_begin(connection))
                yield SqlTransaction(executor)
                await executor.close()
                if executor.broken:
                    raise StoreError("a statement of the transaction failed: all of it was rolled back")
                await uninterrupted(_commit(connection))
            finally:
                await executor.close()
                await uninterrupted(_roll_back(connection))

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[Reader]:
        """Open a consistent read-only view; it sees what was committed when it asked first."""
        self._check_open()
        with own_errors():
            connection = await uninterrupted(_connected(self._readers))
        executor = Executor(connection)
        try:
            yield SqlReader(executor)
        finally:
            await executor.close()
            await uninterrupted(connection.close())

    async def size_bytes(self) -> int:
        """Give what the store occupies, without room it could use anew."""
        self._check_open()
        with own_errors():
            async with self._readers.connect() as connection:
                return int((await connection.execute(_SIZE)).scalar_one())

    async def close(self) -> None:
        """Release everything; idempotent. Waits for the transaction under way."""
        if self._closed:
            return
        async with self._turns.turn():
            self._closed = True
            await uninterrupted(self._release())

    async def _release(self) -> None:
        """Close readers first: the last connection to close folds the log into the file, and that has to be the writer."""
        await self._readers.dispose()
        if self._connection is not None and self._writer is not None:
            await self._connection.close()
            await self._writer.dispose()

    def _writable(self) -> AsyncConnection:
        self._check_open()
        if self._connection is None:
            raise StoreError("the store was opened to read: it cannot be written here")
        return self._connection

    def _check_open(self) -> None:
        if self._closed:
            raise StoreError("the store is closed")


def _require(path: Path) -> None:
    if not path.is_file():
        raise StoreError(
            f"there is no store at {path}: run `alertd run` or `alertd poll` first, or name the right file"
        )


async def _connected(engine: AsyncEngine) -> AsyncConnection:
    return await engine.connect()


async def _disposed(engine: AsyncEngine) -> None:
    """Close an engine's connections, come what may."""
    await uninterrupted(engine.dispose())


async def _begin(connection: AsyncConnection) -> None:
    with own_errors():
        await connection.begin()


async def _commit(connection: AsyncConnection) -> None:
    with own_errors():
        await connection.commit()


async def _roll_back(connection: AsyncConnection) -> None:
    """Undo what was not committed; after a commit there is nothing to undo."""
    with own_errors():
        await connection.rollback()
