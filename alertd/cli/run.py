"""`alertd run`: the daemon."""

from __future__ import annotations

from pathlib import Path

import click

from alertd.cli.options import ENVIRONMENT, Command, config_option

_EPILOG = f"""\b
Examples:
  alertd run
  alertd run -c /etc/alertd/alertd.yaml
  kill -HUP PID                            reload, as `alertd reload` does

{ENVIRONMENT}"""


@click.command(cls=Command, epilog=_EPILOG)
@config_option
def run(config_path: Path) -> None:
    """Watch all tenants and tell what happens, until it is stopped.

    SIGTERM: takes nothing new, finishes what is in hand for at most 8 seconds, stops. SIGHUP: reloads the configuration; if it is wrong,
    the one in force stays. Refuses to start with a wrong configuration, rule or template, or beside another process on the same store.
    """
    from alertd import daemon, log
    from alertd.cli.reading import read_config

    config = read_config(config_path)
    log.configure(config.log.level, config.log.format)
    daemon.run(config)
