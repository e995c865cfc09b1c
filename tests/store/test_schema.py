"""Migrations: what they make is what the code expects, each wholly or not at all, and never backwards."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, create_engine

from alertd.errors import StoreError
from alertd.store import schema
from alertd.store.encoding import encode
from alertd.store.sql import SqlStore
from alertd.store.tables import metadata

pytestmark = pytest.mark.anyio


def run(database: Path, *statements: str) -> list[Any]:
    with closing(sqlite3.connect(database)) as connection, connection:
        return [connection.execute(statement).fetchall() for statement in statements]


def test_the_version_is_that_of_the_latest_migration() -> None:
    script = ScriptDirectory.from_config(schema.configuration())

    assert script.get_current_head() == schema.VERSION
    assert [revision.revision for revision in script.walk_revisions()] == ["0004", "0003", "0002", "0001"]


async def test_migrations_make_the_tables_that_the_code_expects(sql_store: SqlStore) -> None:
    def differences(connection: Connection) -> list[Any]:
        return list(compare_metadata(MigrationContext.configure(connection, opts={"compare_type": False}), metadata))

    with sql_store._readers.connect() as connection:
        assert differences(connection) == []


async def test_partial_indexes_and_foreign_keys_are_made_too(database: Path) -> None:
    """What a comparison of metadata does not look at."""
    indexes, rounds = run(
        database,
        "SELECT name FROM sqlite_master WHERE sql LIKE '% WHERE %' ORDER BY name",
        "SELECT sql FROM sqlite_master WHERE sql LIKE '%CASCADE%'",
    )

    assert indexes == [("deliveries_due",), ("deliveries_sending",)]
    assert len(rounds) == 3


async def test_a_migration_that_fails_leaves_nothing(tmp_path: Path, monkeypatch: Any) -> None:
    """DDL is part of its transaction; the next start begins anew."""
    from alembic.operations import Operations

    database, made = tmp_path / "alertd.db", Operations.create_index
    count = iter(range(1000))

    def fail_once(self: Operations, *arguments: Any, **given: Any) -> Any:
        if next(count) == 9:
            raise sqlite3.OperationalError("database or disk is full")
        return made(self, *arguments, **given)

    monkeypatch.setattr(Operations, "create_index", fail_once)
    with pytest.raises(StoreError, match="free some space"):
        await SqlStore.open(database)
    assert run(database, "SELECT name FROM sqlite_master WHERE name NOT LIKE 'alembic%'") == [[]]

    store = await SqlStore.open(database)
    async with store.reading() as reader:
        assert await reader.tenants() == ()
    await store.close()


@pytest.mark.parametrize("opened", [SqlStore.open, SqlStore.open_read_only])
async def test_a_newer_schema_is_refused(database: Path, opened: Any) -> None:
    run(database, "UPDATE alembic_version SET version_num = '0999'")

    with pytest.raises(StoreError, match=r"0999.*knows up to"):
        await opened(database)


async def test_an_older_schema_is_not_read_but_brought_up(database: Path, monkeypatch: Any) -> None:
    monkeypatch.setattr(schema, "VERSION", "0999")

    with pytest.raises(StoreError, match="once to bring it up"):
        await SqlStore.open_read_only(database)


async def test_a_store_of_the_first_schema_keeps_what_it_holds(tmp_path: Path, make: Any) -> None:
    database = tmp_path / "alertd.db"
    engine = create_engine(f"sqlite:///{database}")
    with engine.connect() as connection:
        command.upgrade(schema.configuration(connection), "0001")
    engine.dispose()
    content = encode(make.tenant()).hex()
    run(database, f"INSERT INTO tenants VALUES ('{make.tenant().key}', 1, X'{content}')")  # noqa: S608 - our own bytes

    store = await SqlStore.open(database)
    async with store.transaction() as transaction:
        await transaction.save_silence(make.silence())
        assert await transaction.tenants() == (make.tenant(),)
    await store.close()


async def test_an_empty_file_is_made_a_store_and_not_read(tmp_path: Path) -> None:
    database = tmp_path / "alertd.db"
    database.touch()

    with pytest.raises(StoreError, match="empty"):
        await SqlStore.open_read_only(database)
    store = await SqlStore.open(database)
    await store.close()

    assert run(database, "SELECT version_num FROM alembic_version") == [[(schema.VERSION,)]]


@pytest.mark.parametrize("opened", [SqlStore.open, SqlStore.open_read_only])
async def test_somebody_elses_database_is_left_alone(tmp_path: Path, opened: Any) -> None:
    database = tmp_path / "grafana.db"
    run(database, "CREATE TABLE dashboards (id INTEGER)")

    with pytest.raises(StoreError, match=r"other tables \(dashboards\)"):
        await opened(database)

    assert run(database, "SELECT name FROM sqlite_master") == [[("dashboards",)]]


def test_a_store_that_is_up_to_date_opens_without_alembic(database: Path) -> None:
    """It takes a third of a second to import, at every command that reads the store."""
    code = (
        "import asyncio, sys; from pathlib import Path; from alertd.store.sql import SqlStore\n"
        "async def main(): await (await SqlStore.open(Path(sys.argv[1]))).close()\n"
        "asyncio.run(main()); sys.exit('alembic' in sys.modules)"
    )

    assert subprocess.run([sys.executable, "-c", code, str(database)], check=False).returncode == 0
