"""What goes wrong with a database, as StoreError with what to do about it: the one place where foreign exceptions become ours."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from alertd.errors import StoreError

# What SQLite says, by its beginning or a part of it, and what the person has to do. https://www.sqlite.org/rescode.html
_CURES = (
    ("database or disk is full", "free some space, or lower history.retain; nothing was written"),
    ("readonly database", "let the user that alertd runs as write to the file and to its folder"),
    ("unable to open database file", "see that the folder exists and that the user alertd runs as may write there"),
    ("is not a database", "the file is no alertd store: name another one, or restore a backup"),
    ("malformed", "the file is damaged: restore a backup, or move it away to begin anew"),
    ("database is locked", "another process holds the store: end it, or use a store of its own"),
    ("disk I/O error", "look at the disk and the system's log; nothing was written"),
)


def translated(error: BaseException) -> StoreError:
    """Give what a database's exception means."""
    cause = (error.orig if isinstance(error, DBAPIError) else None) or error
    said = " ".join(str(cause).split())
    cure = next((cure for sign, cure in _CURES if sign in said), "")
    return StoreError(f"the store failed: {said}: {cure}" if cure else f"the store failed: {said}")


@contextmanager
def own_errors() -> Iterator[None]:
    """Raise StoreError for whatever the database raises."""
    try:
        yield
    except (SQLAlchemyError, sqlite3.Error, OSError) as exc:
        raise translated(exc) from exc
