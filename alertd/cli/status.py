"""`alertd status`: how it goes, on one page."""

from __future__ import annotations

from pathlib import Path

import click

from alertd.cli.options import ENVIRONMENT, Command, config_option, json_option


@click.command(cls=Command, epilog=f"\b\nExamples:\n  alertd status\n  alertd status --json\n\n{ENVIRONMENT}")
@json_option
@config_option
def status(as_json: bool, config_path: Path) -> None:
    """Show each tenant's latest round, what fires, and what waits to be delivered."""
    import json

    from alertd.cli.looking import look, show
    from alertd.cli.standing import lines, rows, standing

    found = look(config_path, standing)
    if as_json:
        click.echo(json.dumps(found, ensure_ascii=False, indent=2, default=str))
        return
    show(rows(found), as_json=False, empty="no tenant has been polled yet")
    for line in lines(found):
        click.echo(line)
