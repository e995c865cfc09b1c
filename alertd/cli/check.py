"""`alertd check`: everything that can be wrong without a network."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from alertd.cli.options import ENVIRONMENT, Command, config_option, json_option
from alertd.cli.program import EXIT_FINDING, EXIT_FINE, EXIT_WRONG

if TYPE_CHECKING:
    from alertd.cli.examination import Findings

_EPILOG = f"""\b
Examples:
  alertd check
  alertd check --strict --no-secrets        in CI, where the secrets are not
  alertd check -c /etc/alertd/alertd.yaml --json

{ENVIRONMENT}
  and whatever the configuration names as ${{NAME}}

Exit codes: 0 nothing wrong, 1 warnings with --strict, 2 errors."""


@click.command(cls=Command, epilog=_EPILOG)
@click.option("--strict", is_flag=True, help="Warnings are errors.")
@click.option("--no-secrets", is_flag=True, help="Do without secrets: variables may be unset, secret files missing.")
@json_option
@config_option
def check(config_path: Path, strict: bool, no_secrets: bool, as_json: bool) -> int:
    """Check the configuration, the rules and the templates.

    Every key and reference, every secret file, every expression against the types of Microsoft Graph's resources, every template
    rendered with samples. All problems are told at once; nothing is sent, and nothing is asked of the network.
    """
    from alertd.cli.examination import examine
    from alertd.cli.reading import require_file
    from alertd.config import Secrets

    require_file(config_path)
    findings = examine(config_path, Secrets.IGNORE if no_secrets else Secrets.READ)
    click.echo(json.dumps(findings.report(), ensure_ascii=False, indent=2) if as_json else "\n".join(findings.lines()))
    return _exit_code(findings, strict=strict)


def _exit_code(findings: Findings, *, strict: bool) -> int:
    if findings.errors:
        return EXIT_WRONG
    return EXIT_FINDING if strict and findings.warnings else EXIT_FINE
