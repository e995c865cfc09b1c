"""Commands that look: they open the store read-only, beside a running daemon or without one, and print rows."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import click

from alertd.cli.reading import read_config
from alertd.config import Config, Secrets
from alertd.store.opening import open_store_read_only
from alertd.store.port import Reader

Given = TypeVar("Given")

_PIPE_WIDTH = 240  # a pipe has no width: hardly anything is folded there, so that grep finds whole lines
Row = Mapping[str, Any]


def look(config_path: Path, ask: Callable[[Reader, Config], Awaitable[Given]]) -> Given:
    """Ask the store of this configuration; raises StoreError where there is none yet."""
    config = read_config(config_path, Secrets.IGNORE)

    async def asked() -> Given:
        store = await open_store_read_only(config.store.url, Path.cwd())
        try:
            async with store.reading() as reader:
                return await ask(reader, config)
        finally:
            await store.close()

    return asyncio.run(asked())


def show(rows: Sequence[Row], *, as_json: bool, empty: str) -> None:
    """Print rows as JSON for programs, or as a table for people; `empty` is said where there are none."""
    if as_json:
        click.echo(
            json.dumps(
                [{key: _plain(value) for key, value in row.items()} for row in rows], ensure_ascii=False, indent=2
            )
        )
    elif rows:
        _table(rows)
    else:
        click.echo(empty, err=True)


def _table(rows: Sequence[Row]) -> None:
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=SIMPLE_HEAD, pad_edge=False, header_style="bold")
    for name in rows[0]:
        table.add_column(name.replace("_", " "), overflow="fold")
    for row in rows:
        table.add_row(*(Text(_words(value)) for value in row.values()))
    width = None if Console().is_terminal else _PIPE_WIDTH
    Console(width=width).print(table)


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    return value.total_seconds() if isinstance(value, timedelta) else value


def _words(value: object) -> str:
    if value is None:
        return "-"
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%SZ")
    if isinstance(value, Mapping):
        return " ".join(f"{key}={entry}" for key, entry in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value))
    return str(value)


def since(text: str) -> datetime:
    """Read ``2h`` (ago) or an instant such as ``2026-01-05T09:00:00Z``; raises click.BadParameter."""
    from alertd.model.duration import parse_duration

    try:
        return datetime.now(UTC) - parse_duration(text)
    except ValueError:
        pass
    try:
        instant = datetime.fromisoformat(text)
    except ValueError as error:
        raise click.BadParameter(
            f"{text!r} is neither a duration such as 2h nor an instant such as 2026-01-05T09:00Z"
        ) from error
    return instant if instant.tzinfo else instant.replace(tzinfo=UTC)


class Since(click.ParamType[datetime]):
    """A duration ago, or an instant."""

    name = "since"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:  # noqa: ANN401, ARG002
        """Give the instant."""
        return value if isinstance(value, datetime) else since(str(value))
