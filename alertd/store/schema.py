"""The schema's version, and its way up to the one that this code knows."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, inspect, text

from alertd.errors import StoreError

if TYPE_CHECKING:
    from alembic.config import Config

VERSION = "0004"  # the latest under migrations/versions; a test compares them


def bring_up(connection: Connection) -> None:
    """Give the database the schema this code knows; every migration is one transaction.

    Raises StoreError if a newer alertd wrote the database, or if it is somebody else's.
    """
    if _found(connection) != VERSION:
        _migrate(connection)


def check(connection: Connection) -> None:
    """Raise StoreError unless the database has the schema this code knows."""
    found = _found(connection)
    if found is None:
        raise StoreError("the store is empty: run `alertd run` or `alertd poll` first")
    if found != VERSION:
        raise StoreError(
            f"the store has schema {found}, this version of alertd knows {VERSION}: run `alertd run` or `alertd poll` once to bring it up"
        )


def _found(connection: Connection) -> str | None:
    found = _version(connection)
    connection.rollback()  # it was a transaction of its own, and migrations begin theirs
    if found is not None and found > VERSION:
        raise StoreError(
            f"the store has schema {found}, this version of alertd knows up to {VERSION}: run the newer version, or restore a backup"
        )
    return found


def _version(connection: Connection) -> str | None:
    tables = set(inspect(connection).get_table_names())
    if not tables:
        return None
    if "alembic_version" not in tables:
        raise StoreError(
            f"the database holds other tables ({', '.join(sorted(tables)[:3])}): give alertd one of its own"
        )
    found: str | None = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    return found


def _migrate(connection: Connection) -> None:
    from alembic import command  # a third of a second, which a store that is up to date need not pay

    command.upgrade(configuration(connection), "head")


def configuration(connection: Connection | None = None) -> Config:
    """Give Alembic's configuration; migrations run on this connection."""
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", (Path(__file__).parent / "migrations").as_posix().replace("%", "%%"))
    config.attributes["connection"] = connection
    return config
