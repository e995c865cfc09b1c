"""`alertd ack`: somebody has taken it on, so nobody need be reminded."""

from __future__ import annotations

from pathlib import Path

import click

from alertd.cli.options import ENVIRONMENT, Command, config_option, json_option

_EPILOG = f"""\b
Examples:
  alertd ack 3f2a9c0d1e5b7a64 --comment "waiting for the vendor"
  alertd ack JobQuarantined --comment "credential is being renewed" --author ada

{ENVIRONMENT}"""


@click.command(cls=Command, epilog=_EPILOG)
@click.argument("alert", metavar="FINGERPRINT|ALERTNAME")
@click.option("--comment", required=True, metavar="C", help="What is being done about it.")
@click.option("--author", metavar="NAME", help="Who does it; who is logged in, if not given.")
@json_option
@config_option
def ack(alert: str, comment: str, author: str | None, as_json: bool, config_path: Path) -> None:
    """Take on alerts that fire: no reminders until the alerts of their conversations change, and no escalation.

    A further alert, or the end of one, is told as ever, and reminders begin again with it. It works beside a running daemon, and without one.
    """
    import json

    from alertd.cli import writing

    request = {"alert": alert, "comment": comment, "created_by": writing.author(author)}
    taken = writing.act(config_path, "acknowledge", request)
    if as_json:
        click.echo(json.dumps(taken, ensure_ascii=False, indent=2))
    else:
        click.echo("\n".join(taken["alerts"]))
        click.echo(f"no reminders at {', '.join(taken['integrations'])} until that changes", err=True)
