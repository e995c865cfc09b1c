"""`alertd routes test`: where an alert with these labels goes."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from alertd.cli.options import ENVIRONMENT, Command, config_option, json_option
from alertd.cli.program import EXIT_FINDING, EXIT_FINE
from alertd.cli.reading import read_config
from alertd.errors import UsageError
from alertd.model.notification import Reason
from alertd.notify.fallback import chain_of
from alertd.notify.routes import Route


@click.group()
def routes() -> None:
    """Which receivers hear of an alert."""


@routes.command(
    cls=Command,
    epilog="\b\nExamples:\n  alertd routes test severity=critical tenant=contoso\n"
    f"  alertd routes test alertname=JobStale --expect identity-oncall\n\n{ENVIRONMENT}",
)
@click.argument("labels", nargs=-1, metavar="LABEL=VALUE...")
@click.option(
    "--expect", multiple=True, metavar="RECEIVER", help="Fail unless exactly these receivers hear of it; repeatable."
)
@json_option
@config_option
def test(labels: Sequence[str], expect: Sequence[str], as_json: bool, config_path: Path) -> int:
    """Print the receivers that hear of an alert with these labels, and its groups; below each, who hears of it later.

    Nothing is sent, and no secret is needed. --expect is about those that hear of it at once.
    """
    from alertd.config import Secrets
    from alertd.config.route_tree import route_tree

    config = read_config(config_path, Secrets.IGNORE)
    taken = route_tree(config.route, config.time_intervals).matching(_labels(labels))
    found = [_row(route, _labels(labels), config.fallbacks) for route in taken]
    if as_json:
        click.echo(json.dumps(found, ensure_ascii=False, indent=2))
    else:
        click.echo("\n".join(line for row in found for line in _lines(row)))
    receivers = [row["receiver"] for row in found]
    if expect and sorted(receivers) != sorted(expect):
        click.echo(f"expected {', '.join(sorted(expect))}; found {', '.join(sorted(receivers))}", err=True)
        return EXIT_FINDING
    return EXIT_FINE


def _row(route: Route, labels: dict[str, str], fallbacks: Mapping[str, str]) -> dict[str, Any]:
    row: dict[str, Any] = {"receiver": route.receiver, "route": route.id, "group": route.group_key(labels)}
    later = [{"receiver": step.receiver, "reason": step.reason.value, "when": step.words} for step in route.steps]
    later += [
        {"receiver": fallback, "reason": Reason.FALLBACK.value, "when": f"if an integration of {receiver} has failed"}
        for receiver, fallback in chain_of(route.receivers, fallbacks)
    ]
    return row | ({"later": later} if later else {})


def _lines(row: dict[str, Any]) -> Iterator[str]:
    yield f"{row['receiver']}\t{row['group']}"
    for step in row.get("later", ()):
        yield f"  {step['receiver']}\t{step['reason']} {step['when']}"


def _labels(texts: Sequence[str]) -> dict[str, str]:
    """Read ``name=value`` words; raises UsageError for any other."""
    pairs = {}
    for text in texts:
        name, sign, value = text.partition("=")
        if not sign or not name:
            raise UsageError(f"`{text}` is no label: write NAME=VALUE, such as severity=critical")
        pairs[name] = value
    return pairs
