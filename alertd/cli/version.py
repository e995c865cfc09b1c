"""`alertd version`."""

from __future__ import annotations

import platform

import click

from alertd import __version__
from alertd.cli.options import Command


@click.command(cls=Command, epilog="\b\nExample:\n  alertd version")
def version() -> None:
    """Print the version, and what it runs on."""
    click.echo(f"alertd {__version__} (Python {platform.python_version()}, {platform.system()} {platform.machine()})")
