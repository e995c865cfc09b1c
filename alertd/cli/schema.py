"""`alertd schema`: JSON Schemas for editors."""

from __future__ import annotations

import json
from typing import Any

import click

from alertd.cli.options import Command

_EPILOG = """\b
Examples:
  alertd schema config > alertd.schema.json
  and at the top of alertd.yaml:
  # yaml-language-server: $schema=alertd.schema.json"""


@click.command(cls=Command, epilog=_EPILOG)
@click.argument("kind", type=click.Choice(("config", "rules", "test")))
def schema(kind: str) -> None:
    """Print the JSON Schema of a configuration, of a file of rules, or of a file of tests.

    Editors complete keys and underline what does not fit. What sections and expressions say about each other only `alertd check` knows.
    """
    click.echo(text_of(kind), nl=False)


def text_of(kind: str) -> str:
    """Give the schema as it is printed, and as it is shipped beside the rules."""
    return json.dumps(_schema(kind), ensure_ascii=False, indent=2) + "\n"


def _schema(kind: str) -> dict[str, Any]:
    if kind == "config":
        from alertd.config.schema import config_schema

        return config_schema()
    if kind == "rules":
        from alertd.rules.schema import rules_schema

        return rules_schema()
    from alertd.rehearsal.schema import rehearsal_schema

    return rehearsal_schema()
