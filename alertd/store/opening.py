"""From the configuration's `store` to a store; only what is opened is imported."""

from __future__ import annotations

from pathlib import Path

from alertd.errors import StoreError
from alertd.store.port import Store

MEMORY = frozenset({"memory:", "sqlite:///:memory:"})
_EXPECTED = "expected sqlite:///alertd.db, sqlite:////var/lib/alertd/alertd.db or the like"


def store_path(url: str, directory: Path) -> Path | None:
    """Give the file of a store, or None for one in memory; raises StoreError for what is no store of this version.

    directory: what a relative path counts from.
    """
    if url in MEMORY:
        return None
    scheme = url.partition(":")[0].lower()
    if scheme.partition("+")[0] in {"postgresql", "postgres"}:
        raise StoreError(f"PostgreSQL is not in this version: {_EXPECTED}")
    path = url.removeprefix("sqlite:///")
    if path == url or not path or path.endswith("/"):
        raise StoreError(f"the store's URL begins with {scheme[:20]!r} or names no file: {_EXPECTED}")
    if "?" in path or "#" in path:
        raise StoreError(f"the store's URL holds `?` or `#`, and there are no options: {_EXPECTED}")
    return directory / path


async def open_store(url: str, directory: Path) -> Store:
    """Open a store to read and write, making or upgrading it as needed; whoever calls holds its lock.

    Raises StoreError with what to do.
    """
    path = store_path(url, directory)
    if path is None:
        from alertd.store.memory import MemoryStore

        return MemoryStore()
    _require_folder(path)
    from alertd.store.sql import SqlStore

    return await SqlStore.open(path)


async def open_store_read_only(url: str, directory: Path) -> Store:
    """Open a store that a daemon may be writing to, for commands that only read; raises StoreError with what to do."""
    path = store_path(url, directory)
    if path is None:
        raise StoreError("a store in memory is seen by its own process only: ask the daemon")
    _require_folder(path)
    from alertd.store.sql import SqlStore

    return await SqlStore.open_read_only(path)


def _require_folder(path: Path) -> None:
    if not path.parent.is_dir():
        raise StoreError(f"the folder {path.parent} does not exist: create it, or name another place in `store`")
    if path.is_dir():
        raise StoreError(f"{path} is a folder: name a file in it")
