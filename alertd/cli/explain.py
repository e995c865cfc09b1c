"""`alertd explain`: why a rule says what it says about a job, and who was told."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from alertd.cli.looking import Since, look
from alertd.cli.options import ENVIRONMENT, Command, config_option, json_option

_EPILOG = f"""\b
Examples:
  alertd explain contoso/Salesforce/SF.1
  alertd explain contoso/Salesforce/SF.1 JobStale
  alertd explain contoso/Salesforce/SF.1 JobQuarantined --at 2026-01-05T09:20Z --json

{ENVIRONMENT}"""


@click.command(cls=Command, epilog=_EPILOG)
@click.argument("job")
@click.argument("rule", required=False)
@click.option("--at", "moment", type=Since(), help="A moment of the past: a duration ago, or an instant.")
@json_option
@config_option
def explain(job: str, rule: str | None, moment: datetime | None, as_json: bool, config_path: Path) -> None:
    """Print each rule's expressions with every value they saw, where its alert stands since when, what holds it back, who was told.

    JOB is tenant/displayName/job id, split at the first and the last `/`. RULE: one rule alone, also one of scope tenant.
    """

    async def ask(reader: Any, config: Any) -> Any:  # noqa: ANN401 - a Reader and a Config, imported late
        from alertd.backtest.candidate import current_setting
        from alertd.explanation.explaining import explain as run

        return await run(reader, config, current_setting(config), job, rule, at=moment, now=datetime.now(UTC))

    found = look(config_path, ask)
    if as_json:
        import json

        from alertd.explanation.plain import plain

        click.echo(json.dumps(plain(found), ensure_ascii=False, indent=2))
    else:
        from alertd.explanation.words import lines

        for line in lines(found):
            click.echo(line)
