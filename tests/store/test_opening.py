"""From a URL to a store, or to an error that says what to do."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from alertd.errors import StoreError
from alertd.store.memory import MemoryStore
from alertd.store.opening import open_store, open_store_read_only, store_path
from alertd.store.sql import SqlStore

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        pytest.param("sqlite:///alertd.db", Path("/etc/alertd/alertd.db"), id="relative to the file that names it"),
        pytest.param("sqlite:///data/a b%20.db", Path("/etc/alertd/data/a b%20.db"), id="characters are themselves"),
        pytest.param("sqlite:////var/lib/alertd.db", Path("/var/lib/alertd.db"), id="absolute"),
        pytest.param("sqlite:///:memory:", None, id="SQLAlchemy's spelling of memory"),
        pytest.param("memory:", None, id="memory"),
    ],
)
def test_a_url_names_a_file_or_memory(url: str, expected: Path | None) -> None:
    assert store_path(url, Path("/etc/alertd")) == expected


@pytest.mark.parametrize(
    ("url", "message"),
    [
        pytest.param("postgresql://alertd:hunter2@db/alertd", "PostgreSQL is not in this version", id="PostgreSQL"),
        pytest.param("postgresql+psycopg://alertd:hunter2@db/alertd", "not in this version", id="with a driver"),
        pytest.param("mysql://alertd:hunter2@db/alertd", "begins with 'mysql'", id="another database"),
        pytest.param("sqlite://alertd.db", "names no file", id="a slash too few"),
        pytest.param("sqlite:///", "names no file", id="no file"),
        pytest.param("sqlite:///data/", "names no file", id="a folder"),
        pytest.param("alertd.db", "expected sqlite:///", id="no URL"),
        pytest.param("", "expected sqlite:///", id="nothing"),
        pytest.param("sqlite:///alertd.db?mode=ro", "no options", id="an option"),
    ],
)
def test_what_is_no_store_is_refused_without_repeating_a_password(url: str, message: str) -> None:
    with pytest.raises(StoreError, match=message) as raised:
        store_path(url, Path("/etc/alertd"))

    assert "hunter2" not in str(raised.value)


async def test_a_file_is_made_where_there_is_none(tmp_path: Path, make: Any) -> None:
    """Also where its name holds what URLs and SQLite give a meaning."""
    url = "sqlite:///störe 100%25_1.db"
    store = await open_store(url, tmp_path)
    async with store.transaction() as transaction:
        await transaction.save_tenant(make.tenant())
    await store.close()

    assert isinstance(store, SqlStore)
    assert _names(tmp_path) == ["störe 100%25_1.db"]
    again = await open_store_read_only(url, tmp_path)
    async with again.reading() as reader:
        assert await reader.tenants() == (make.tenant(),)
    await again.close()


async def test_memory_is_a_store_of_its_own() -> None:
    store = await open_store("memory:", Path())

    assert isinstance(store, MemoryStore)
    with pytest.raises(StoreError, match="its own process"):
        await open_store_read_only("memory:", Path())


@pytest.mark.parametrize("opened", [open_store, open_store_read_only])
async def test_a_folder_that_is_not_there_is_named(tmp_path: Path, opened: Any) -> None:
    with pytest.raises(StoreError, match=r"folder .*missing does not exist: create it"):
        await opened("sqlite:///missing/alertd.db", tmp_path)


@pytest.mark.parametrize("opened", [open_store, open_store_read_only])
async def test_a_folder_is_no_store(tmp_path: Path, opened: Any) -> None:
    (tmp_path / "alertd.db").mkdir()

    with pytest.raises(StoreError, match="is a folder"):
        await opened("sqlite:///alertd.db", tmp_path)


async def test_reading_what_is_not_there_makes_nothing(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="no store at"):
        await open_store_read_only("sqlite:///alertd.db", tmp_path)

    assert _names(tmp_path) == []


@pytest.mark.parametrize("opened", [open_store, open_store_read_only])
async def test_what_is_no_database_is_left_alone(tmp_path: Path, opened: Any) -> None:
    (tmp_path / "alertd.db").write_text("tenants:\n" * 1000)

    with pytest.raises(StoreError, match="no alertd store"):
        await opened("sqlite:///alertd.db", tmp_path)

    assert (tmp_path / "alertd.db").read_text() == "tenants:\n" * 1000


async def test_a_damaged_file_is_an_error_with_a_cure(database: Path, make: Any) -> None:
    _damage(database)

    with pytest.raises(StoreError, match="restore a backup"):
        await _tenants(database)


def _names(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


def _damage(database: Path) -> None:
    content = database.read_bytes()
    database.write_bytes(content[:4096] + b"\xff" * (len(content) - 4096))


async def _tenants(database: Path) -> Any:
    store = await open_store(f"sqlite:///{database.name}", database.parent)
    try:
        async with store.reading() as reader:
            return await reader.tenants()
    finally:
        await store.close()


def test_looking_at_a_url_imports_no_database() -> None:
    """`alertd check` looks at it, and has half a second in all."""
    code = "import sys, alertd.store.opening; sys.exit('sqlalchemy' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
