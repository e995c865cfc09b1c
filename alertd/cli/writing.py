"""Commands that write: through the running daemon, or alone with the lock where none runs."""

from __future__ import annotations

import asyncio
import getpass
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click


def act(config_path: Path, action: str, arguments: Mapping[str, Any]) -> Mapping[str, Any]:
    """Have one of `alertd.engine.quieting` done; raises UsageError and StoreError."""
    from alertd.cli.reading import read_config
    from alertd.config import Secrets

    config = read_config(config_path, Secrets.IGNORE)
    return asyncio.run(_act(config.store.path, config.store.url, action, arguments))


async def _act(path: Path, url: str, action: str, arguments: Mapping[str, Any]) -> Mapping[str, Any]:
    from alertd.engine.quieting import ACTIONS
    from alertd.store.control import call
    from alertd.store.lock import StoreLock, read_lock
    from alertd.store.opening import open_store

    info = read_lock(path)
    if info is not None:
        return await call(info, action, arguments)
    with StoreLock.hold(path):
        store = await open_store(url, Path.cwd())
        try:
            return await ACTIONS[action](store, arguments, datetime.now(UTC))
        finally:
            await store.close()


def author(given: str | None) -> str:
    """Give who acts: what was said, or else who is logged in; raises click.UsageError where nobody knows."""
    if given:
        return given
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError) as exc:
        raise click.UsageError("nobody is logged in: say who you are with --author") from exc
