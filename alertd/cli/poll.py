"""`alertd poll`: one round, for cron."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click

from alertd.cli.options import ENVIRONMENT, Command, config_option
from alertd.cli.program import EXIT_FINDING, EXIT_FINE

if TYPE_CHECKING:
    from alertd.config import Config
    from alertd.engine.once import Polled

_EPILOG = f"""\b
Examples:
  alertd poll
  alertd poll --no-wait
  */5 * * * *  alertd poll -c /etc/alertd/alertd.yaml      in a crontab

{ENVIRONMENT}

Exit codes: 0 done, or another `alertd poll` is at it; 1 a tenant's round failed, or a daemon runs; 2 bad configuration."""


@click.command(cls=Command, epilog=_EPILOG)
@click.option("--no-wait", is_flag=True, help="Tell at once, without waiting for more alerts of a new group.")
@config_option
def poll(config_path: Path, no_wait: bool) -> int:
    """Poll all tenants once, evaluate the rules, tell what there is to tell, and stop.

    Waits for groups that have just opened, at most group_wait, then makes the first attempts; what fails is tried by the next call.
    """
    from alertd import log
    from alertd.cli.reading import read_config
    from alertd.errors import StoreError
    from alertd.store.lock import StoreLock

    config = read_config(config_path)
    log.configure("warning", config.log.format)
    try:
        lock = StoreLock.hold(config.store.path)
    except StoreError:
        return _occupied(by_daemon=_is_daemon(config.store.path))
    with lock:
        polled = asyncio.run(_poll(config, wait=not no_wait))
    return _told(polled)


def _is_daemon(database: Path) -> bool:
    """A daemon listens for commands; a poll does not."""
    from alertd.store.lock import read_lock

    info = read_lock(database)
    return info is not None and info.port > 0


def _occupied(*, by_daemon: bool) -> int:
    if by_daemon:
        click.echo("a daemon runs on this store and polls by itself: `alertd status` shows how it goes", err=True)
        return EXIT_FINDING
    click.echo("another `alertd poll` is at it: nothing to do", err=True)
    return EXIT_FINE


async def _poll(config: Config, *, wait: bool) -> Polled:
    from alertd.app import App
    from alertd.cli.progress import tenants_progress

    app = App(config)
    await app.open()
    try:
        with tenants_progress() as progress:
            return await app.poll(wait=wait, progress=progress)
    finally:
        await app.close()


def _told(polled: Polled) -> int:
    for line in _lines(polled.failed):
        click.echo(line, err=True)
    if polled.undelivered:
        click.echo(
            f"{polled.undelivered} of {polled.attempts} messages were not accepted: the next call tries again", err=True
        )
    return EXIT_FINDING if polled.failed else EXIT_FINE


def _lines(failed: Mapping[str, str]) -> list[str]:
    from alertd.errors import PollErrorKind
    from alertd.graph.cures import CURES

    return [f"tenant {name}: {kind}; {CURES[PollErrorKind(kind)]}" for name, kind in failed.items()]
