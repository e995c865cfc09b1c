"""`alertd doctor`: everything that can be wrong and needs the network to be seen."""

from __future__ import annotations

import asyncio
from pathlib import Path

import click

from alertd.cli.options import ENVIRONMENT, Command, config_option, json_option
from alertd.cli.program import EXIT_FINDING, EXIT_FINE

_EPILOG = f"""\b
Examples:
  alertd doctor
  alertd doctor --json

{ENVIRONMENT}

Exit codes: 0 nothing wrong, 1 something is."""
_MARKS = {"ok": "ok     ", "warning": "WARNING", "error": "ERROR  "}


@click.command(cls=Command, epilog=_EPILOG)
@json_option
@config_option
def doctor(as_json: bool, config_path: Path) -> int:
    """Try what alertd lives on: tokens, permissions, Graph, clocks, and the way to every receiver.

    Nothing is changed and no message is sent; `alertd send-test` sends one.
    """
    import json

    from alertd.app import App
    from alertd.cli.progress import tenants_progress
    from alertd.cli.reading import read_config
    from alertd.diagnosis import Finding, diagnose

    config = read_config(config_path)

    async def examined() -> list[Finding]:
        app = App(config)
        await app.connect()
        try:
            with tenants_progress() as progress:
                return await diagnose(app, progress)
        finally:
            await app.close()

    findings = asyncio.run(examined())
    if as_json:
        click.echo(json.dumps([finding.report() for finding in findings], ensure_ascii=False, indent=2))
    for finding in () if as_json else findings:
        click.echo(f"{_MARKS[finding.level]} {finding.subject}: {finding.text}")
    return EXIT_FINDING if any(finding.level == "error" for finding in findings) else EXIT_FINE
