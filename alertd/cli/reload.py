"""`alertd reload`: the running daemon reads its configuration anew."""

from __future__ import annotations

import asyncio
from pathlib import Path

import click

from alertd.cli.options import ENVIRONMENT, Command, config_option
from alertd.cli.program import EXIT_FINDING, EXIT_FINE


@click.command(cls=Command, epilog=f"\b\nExamples:\n  alertd check && alertd reload\n\n{ENVIRONMENT}")
@config_option
def reload(config_path: Path) -> int:
    """Have the running daemon take over its configuration, rules and templates as they are now.

    Prints what is wrong and exits 1 if they were refused; the old configuration stays in force then. Timers, alerts and what was told are kept.
    """
    from alertd.cli.reading import require_file
    from alertd.config import Secrets, examine_config
    from alertd.errors import ConfigError, Problem, StoreError
    from alertd.store.control import call
    from alertd.store.lock import read_lock

    require_file(config_path)
    config, problems = examine_config(config_path, secrets=Secrets.IGNORE)  # wrong or not, the daemon is the judge
    if config is None:
        raise ConfigError(problems)
    info = read_lock(config.store.path)
    if info is None:
        raise StoreError(f"no daemon runs on {config.store.path}: `alertd run` starts one")
    answer = asyncio.run(call(info, "reload", wait_seconds=60.0))
    for problem in answer["problems"]:
        click.echo(Problem(**problem), err=True)
    click.echo("taken over" if answer["taken_over"] else "refused: the old configuration stays in force", err=True)
    return EXIT_FINE if answer["taken_over"] else EXIT_FINDING
