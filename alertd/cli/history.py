"""`alertd history`: what happened to a job, to alerts, and what was told."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import click

from alertd.cli.looking import Since, look, show
from alertd.cli.options import ENVIRONMENT, Command, config_option, json_option

_EPILOG = f"""\b
Examples:
  alertd history --since 2d
  alertd history contoso/Salesforce/SF.1 --since 2026-01-05T09:00Z
  alertd history --json

{ENVIRONMENT}"""


@click.command(cls=Command, epilog=_EPILOG)
@click.argument("job", required=False)
@click.option("--since", type=Since(), default="24h", show_default=True, help="A duration ago, or an instant.")
@json_option
@config_option
def history(job: str | None, since: datetime, as_json: bool, config_path: Path) -> None:
    """List changed snapshots, alert transitions and messages in order of time, of all jobs or of one.

    JOB is tenant/displayName/job id.
    """
    from alertd.chronicle import chronicle

    async def ask(reader: Any, config: Any) -> Any:  # noqa: ANN401
        return await chronicle(reader, config, job, since)

    show(look(config_path, ask), as_json=as_json, empty="nothing has happened since then")
