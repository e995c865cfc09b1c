"""`alertd simulate`: only the simulated Graph tenant, on a port."""

from __future__ import annotations

import asyncio

import click

from alertd.cli.options import Command

_EPILOG = """\b
Examples:
  alertd simulate --list
  alertd simulate                                    every shipped scenario at once
  alertd simulate credential-expires --speed 60      a minute of the scenario in a second
  alertd simulate drill.yaml --port 9096             a scenario of your own

\b
Environment:
  none: it needs no configuration and no account"""


@click.command(cls=Command, epilog=_EPILOG)
@click.argument("scenario", required=False)
@click.option("--list", "as_list", is_flag=True, help="List the shipped scenarios.")
@click.option("--port", type=click.IntRange(0, 65_535), default=0, help="Where to listen; by default any free port.")
@click.option(
    "--speed",
    type=click.FloatRange(0.01, 10_000),
    default=1.0,
    help="How much faster than in reality it plays.",
    show_default=True,
)
def simulate(scenario: str | None, as_list: bool, port: int, speed: float) -> None:
    """Serve a simulated Microsoft Graph tenant, for drills and development, until Ctrl-C.

    SCENARIO is the name of a shipped one or a YAML file (a name with a suffix); without it all shipped ones play at once. How to point
    alertd at it is printed on stdout, as YAML for its configuration.
    """
    from alertd.demo.simulation import listing, serve

    if as_list:
        click.echo(listing())
        return
    asyncio.run(serve(scenario, port=port, speed=speed))
