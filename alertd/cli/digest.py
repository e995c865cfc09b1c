"""`alertd digest`: the digest as it would be now, not sent."""

from __future__ import annotations

import asyncio
from pathlib import Path

import click

from alertd.cli.options import ENVIRONMENT, Command, config_option, json_option

_EPILOG = f"""\b
Examples:
  alertd digest
  alertd digest --receiver identity-oncall
  alertd digest --json | jq .quarantined

{ENVIRONMENT}"""


@click.command(cls=Command, epilog=_EPILOG)
@click.option("--receiver", metavar="NAME", help="Whose digest; by default the first of the configuration.")
@json_option
@config_option
def digest(receiver: str | None, as_json: bool, config_path: Path) -> None:
    """Print the digest as it would be now: every job's health, what is unresolved, what could not be delivered.

    It compares with the receiver's latest digest, or with how things stood a week ago where there is none. Nothing is sent, and the next one
    comes when it would have come.
    """
    from alertd.cli.reading import read_config
    from alertd.config import Secrets
    from alertd.digest_preview import digest_json, digest_text, look

    config = read_config(config_path, Secrets.IGNORE)
    found = asyncio.run(look(config, receiver))
    click.echo(digest_json(found) if as_json else digest_text(found, config), nl=as_json)
