"""`alertd history`: what happened to a job, to alerts, and what was told; and history from one machine to another."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import click

from alertd.cli.looking import Since, look, show
from alertd.cli.options import ENVIRONMENT, Command, config_option, json_option
from alertd.errors import ConfigError, Problem

if TYPE_CHECKING:
    from alertd.backtest.transfer import Imported
    from alertd.config import Config

_DEFAULT = "list"


class _Listing(click.Group):
    """A group whose command `list` need not be said: ``alertd history contoso/Salesforce/SF.1``."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Say it."""
        if not args or (args[0] not in self.commands and args[0] not in ctx.help_option_names):
            args = [_DEFAULT, *args]
        return super().parse_args(ctx, args)


@click.group(cls=_Listing)
def history() -> None:
    """What happened, in order of time. Without a command: `list`."""


@history.command(
    _DEFAULT,
    cls=Command,
    epilog="\b\nExamples:\n  alertd history --since 2d\n  alertd history contoso/Salesforce/SF.1 --since 2026-01-05T09:00Z\n"
    f"  alertd history --json\n\n{ENVIRONMENT}",
)
@click.argument("job", required=False)
@click.option("--since", type=Since(), default="24h", show_default=True, help="A duration ago, or an instant.")
@json_option
@config_option
def listing(job: str | None, since: datetime, as_json: bool, config_path: Path) -> None:
    """List changed snapshots, alert transitions and messages in order of time, of all jobs or of one.

    JOB is tenant/displayName/job id.
    """
    from alertd.chronicle import chronicle

    async def ask(reader: Any, config: Any) -> Any:  # noqa: ANN401
        return await chronicle(reader, config, job, since)

    show(look(config_path, ask), as_json=as_json, empty="nothing has happened since then")


@history.command(
    "export",
    cls=Command,
    epilog="\b\nExamples:\n  alertd history export --since 7d -o history.jsonl.gz\n  alertd history export | gzip > history.jsonl.gz\n\n"
    f"{ENVIRONMENT}",
)
@click.option("--since", type=Since(), help="A duration ago, or an instant; all there is by default.")
@click.option(
    "-o",
    "--output",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Where to; compressed if it ends in .gz. Default: stdout.",
)
@config_option
def export(since: datetime | None, output: Path | None, config_path: Path) -> None:
    """Write the history of all tenants as lines of JSON, so that rules can be tried on another machine.

    It holds names of applications and their settings, no secrets. Alerts and messages are not in it.
    """
    from alertd.backtest.transfer import exported
    from alertd.cli.progress import tenants_progress

    now = datetime.now(UTC)

    async def ask(reader: Any, _config: Any) -> int:  # noqa: ANN401 - a Reader, imported late
        count = 0
        with tenants_progress() as bar, _opened(output) as file:
            report = _share_of_time(bar, since, now)
            async for line in exported(reader, since=since, now=now, report=report):
                file.write(line)
                count += 1
        return count

    click.echo(f"{look(config_path, ask):,} lines written", err=True)


def _share_of_time(bar: Any, since: datetime | None, now: datetime) -> Any:  # noqa: ANN401 - callables
    """History comes in the order of time, so the instant says how much is done."""
    start: list[datetime] = [] if since is None else [since]

    def report(at: datetime) -> None:
        first = start[0] if start else at
        start[:] = [first]
        bar("percent of the time", int(100 * ((at - first) / max(now - first, now.resolution))), 100)

    return report


@contextmanager
def _opened(output: Path | None) -> Iterator[BinaryIO]:
    if output is None:
        yield sys.stdout.buffer
        return
    import gzip

    unfinished = output.with_name(f"{output.name}.part")
    with gzip.open(unfinished, "wb") if output.suffix == ".gz" else unfinished.open("wb") as file:
        yield file  # type: ignore[misc] # gzip's file is a binary one, whatever its stub says
    unfinished.replace(output)


@history.command(
    "import",
    cls=Command,
    epilog=f"\b\nExamples:\n  alertd history import history.jsonl.gz -c laptop.yaml\n\n{ENVIRONMENT}",
)
@click.argument("file", type=click.Path(exists=True, dir_okay=False, allow_dash=True, path_type=Path))
@config_option
def import_(file: Path, config_path: Path) -> None:
    """Take an exported history into the store of a configuration; all of FILE, or nothing. `-`: from stdin.

    The store must not know its tenants yet, and no daemon may be running on it.
    """
    import asyncio

    from alertd.cli.reading import read_config
    from alertd.config import Secrets

    found = asyncio.run(_import(read_config(config_path, Secrets.IGNORE), file))
    said = f"{found.tenants:,} tenants, {found.jobs:,} jobs, {found.rounds:,} rounds, {found.snapshots:,} snapshots"
    click.echo(f"{said} imported", err=True)


async def _import(config: Config, file: Path) -> Imported:
    from alertd.backtest.transfer import import_lines
    from alertd.cli.progress import tenants_progress
    from alertd.store.lock import StoreLock
    from alertd.store.opening import open_store

    with StoreLock.hold(config.store.path), tenants_progress() as bar, _lines(file) as (lines, position, size):
        store = await open_store(config.store.url, Path.cwd())
        try:
            return await import_lines(store, lines, str(file), report=lambda _: bar("bytes", position(), size))
        finally:
            await store.close()


@contextmanager
def _lines(file: Path) -> Iterator[tuple[Iterator[bytes], Callable[[], int], int]]:
    """Open a file of lines; give it, what tells how far it has been read, and how long it is (0: nobody knows)."""
    if str(file) == "-":
        yield iter(sys.stdin.buffer), lambda: 0, 0
        return
    with file.open("rb") as raw, _unpacked(raw, file) as lines:
        yield _readable(lines, file), raw.tell, file.stat().st_size


def _unpacked(raw: BinaryIO, file: Path) -> AbstractContextManager[Iterable[bytes]]:
    import gzip

    return gzip.open(raw, "rb") if file.suffix == ".gz" else nullcontext(raw)


def _readable(lines: Iterable[bytes], file: Path) -> Iterator[bytes]:
    """Give the lines; raises ConfigError where they are not what the file's name says."""
    import zlib

    try:
        yield from lines
    except (OSError, EOFError, zlib.error) as exc:
        cure = "export it anew: it is cut off or damaged"
        raise ConfigError([Problem(file=str(file), found=f"a file that cannot be read ({exc})", cure=cure)]) from exc
