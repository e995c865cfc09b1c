"""`alertd render`: a message as it would go out, not sent."""

from __future__ import annotations

import asyncio
from pathlib import Path

import click

from alertd.cli.options import ENVIRONMENT, Command, config_option

_EPILOG = f"""\b
Examples:
  alertd render JobQuarantined --receiver identity-oncall
  alertd render 6f1d2c3b4a5e6f70 --receiver identity-oncall --integration teams > card.json

{ENVIRONMENT}"""


@click.command(cls=Command, epilog=_EPILOG)
@click.argument("alert")
@click.option("--receiver", required=True, metavar="NAME", help="For whom.")
@click.option("--integration", "kind", metavar="KIND", help="Only integrations of this kind: teams, email, webhook.")
@config_option
def render(alert: str, receiver: str, kind: str | None, config_path: Path) -> None:
    """Print the message about ALERT, a rule's name or a fingerprint, as each integration of a receiver would get it.

    What fires now is shown if something does; otherwise a sample of the rule. Nothing is sent, and no secret is needed.
    """
    from alertd.cli.reading import read_config
    from alertd.config import Secrets
    from alertd.preview import previews

    config = read_config(config_path, Secrets.IGNORE)
    for integration, body in asyncio.run(previews(config, alert, receiver, kind)):
        click.echo(f"--- {integration}", err=True)
        click.echo(body)
