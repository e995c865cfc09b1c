"""The store in a SQL database; SQLite is built, and what PostgreSQL would need to differ stands in `dialect` and `sqlite`.

Transactions run one after the other on the one connection that writes; views read beside them on connections of their own.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Literal

from sqlalchemy import Connection, Engine, text

from alertd.errors import StoreError
from alertd.store import schema
from alertd.store.executor import Executor, Worker
from alertd.store.port import Reader, Transaction
from alertd.store.sql_reader import SqlReader
from alertd.store.sql_transaction import SqlTransaction
from alertd.store.sqlite import reading_engine, writing_engine
from alertd.store.turns import Turns

_READERS = 4  # threads; views beyond wait for one with each question

# Pages that hold something. A file does not shrink when rows are deleted: what comes next fills it.
_SIZE = text(
    "SELECT (c.page_count - f.freelist_count) * s.page_size"
    " FROM pragma_page_count() AS c, pragma_freelist_count() AS f, pragma_page_size() AS s"
)


class SqlStore:
    """A store in one SQLite file."""

    def __init__(self, path: Path, mode: Literal["write", "read"]) -> None:
        """Name a file; `open` and `open_read_only` make it a store."""
        self._writer: Engine | None = writing_engine(path) if mode == "write" else None
        self._readers = reading_engine(path)
        self._connection: Connection | None = None
        self._writing = Worker(1)
        self._reading = Worker(_READERS)
        self._turns = Turns()
        self._closed = False

    @classmethod
    async def open(cls, path: Path) -> SqlStore:
        """Open a file to read and write, making or upgrading it as needed; raises StoreError with what to do."""
        store = cls(path, "write")
        try:
            await store._writing.run(store._connect)
        except BaseException:
            await store.close()
            raise
        return store

    @classmethod
    async def open_read_only(cls, path: Path) -> SqlStore:
        """Open a file that another process may be writing; raises StoreError if it is missing or of another version."""
        store = cls(path, "read")
        try:
            await store._reading.run(store._require, path)
        except BaseException:
            await store.close()
            raise
        return store

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Transaction]:
        """Open the one write transaction; waits for the one before to end. It holds the file from its first statement on."""
        async with self._turns.turn():
            connection = self._writable()
            executor = Executor(lambda: connection, self._writing)
            try:
                yield SqlTransaction(executor)
                await executor.close()
                await self._writing.run(_commit, connection, executor)
            except BaseException:
                await executor.close()
                await self._writing.run(
                    connection.rollback
                )  # after a commit that was cancelled too late there is nothing to undo
                raise

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[Reader]:
        """Open a consistent read-only view; it sees what was committed when it asked first."""
        self._check_open()
        executor = Executor(self._readers.connect, self._reading)
        try:
            yield SqlReader(executor)
        finally:
            await executor.close()
            if executor.connection is not None:
                await self._reading.run(executor.connection.close)

    async def size_bytes(self) -> int:
        """Give what the store occupies, without room it could use anew."""
        self._check_open()
        return await self._reading.run(self._size)

    async def close(self) -> None:
        """Release everything; idempotent. Waits for the transaction under way."""
        if not self._closed:
            async with self._turns.turn():
                self._closed = True
                await self._writing.run(self._disconnect)
                self._writing.close()
                self._reading.close()

    # In the thread.

    def _connect(self) -> None:
        if self._writer is not None:
            self._connection = self._writer.connect()
            schema.bring_up(self._connection)

    def _require(self, path: Path) -> None:
        if not path.is_file():
            raise StoreError(
                f"there is no store at {path}: run `alertd run` or `alertd poll` first, or name the right file"
            )
        with self._readers.connect() as connection:
            schema.check(connection)

    def _size(self) -> int:
        with self._readers.connect() as connection:
            return int(connection.execute(_SIZE).scalar_one())

    def _disconnect(self) -> None:
        """Close readers first: the last connection to close folds the log into the file, and that has to be the writer."""
        self._readers.dispose()
        if self._connection is not None:
            self._connection.close()
        if self._writer is not None:
            self._writer.dispose()

    def _writable(self) -> Connection:
        self._check_open()
        if self._connection is None:
            raise StoreError("the store was opened to read: it cannot be written here")
        return self._connection

    def _check_open(self) -> None:
        if self._closed:
            raise StoreError("the store is closed")


def _commit(connection: Connection, executor: Executor) -> None:
    if executor.broken:
        raise StoreError("a statement of the transaction failed: all of it was rolled back")
    connection.commit()
