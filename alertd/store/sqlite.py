"""SQLite as alertd uses it: one connection that writes, others that only read.

Until SQLite 3.51.3 two connections that reset the write-ahead log at one time could damage the file, and most systems ship an older one: only one
connection in the process can write or checkpoint, and the lock file keeps other processes away. Readers are opened with ``mode=ro`` and
``query_only``. See https://www.sqlite.org/wal.html, "The WAL-Reset Bug".
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from pathlib import Path
from urllib.parse import quote

from sqlalchemy import URL, Connection, Engine, create_engine, event
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.pool import QueuePool

from alertd.errors import StoreError

# Upserts came with 3.24, RETURNING with 3.35.
_OLDEST = (3, 35, 0)
_WAIT_SECONDS = 5

_WRITER = (
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",  # NORMAL may lose the latest commits at a power cut: a delivery would be forgotten
    "PRAGMA foreign_keys = ON",
    "PRAGMA journal_size_limit = 67108864",  # a log that one long read made big is cut back
    "PRAGMA cache_size = -16384",  # KiB
)
_READER = ("PRAGMA query_only = ON", "PRAGMA cache_size = -8192")


def writing_engine(path: Path) -> Engine:
    """Give an engine whose one connection writes; its transactions hold the file from their beginning."""
    return _engine(path, "rwc", _WRITER, begin="BEGIN IMMEDIATE", pool_size=1, max_overflow=0)


def reading_engine(path: Path) -> Engine:
    """Give an engine whose connections only read; a view sees the file as it was at its first question."""
    return _engine(path, "ro", _READER, begin="BEGIN", pool_size=2, max_overflow=-1)


def _engine(path: Path, mode: str, settings: Iterable[str], *, begin: str, pool_size: int, max_overflow: int) -> Engine:
    if sqlite3.sqlite_version_info < _OLDEST:
        raise StoreError(
            f"SQLite {sqlite3.sqlite_version} is too old: alertd needs {'.'.join(map(str, _OLDEST))} or later"
        )
    engine = create_engine(
        URL.create("sqlite", database=f"file:{quote(path.as_posix())}", query={"mode": mode, "uri": "true"}),
        # None: transactions begin where we say so. Threads take turns on a connection, each question waiting for its answer.
        connect_args={"isolation_level": None, "timeout": _WAIT_SECONDS, "check_same_thread": False},
        poolclass=QueuePool,
        pool_size=pool_size,
        max_overflow=max_overflow,
    )

    @event.listens_for(engine, "connect")
    def prepare(connection: DBAPIConnection, _record: object) -> None:
        cursor = connection.cursor()
        for setting in settings:
            cursor.execute(setting)
        cursor.close()

    @event.listens_for(engine, "begin")
    def start(connection: Connection) -> None:
        connection.exec_driver_sql(begin)

    return engine
