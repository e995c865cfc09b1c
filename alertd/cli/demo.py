"""`alertd demo`: a whole working set with no account."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import click

from alertd.cli.options import Command
from alertd.errors import UsageError

_EPILOG = """\b
Examples:
  alertd demo                             watch it, Ctrl-C ends it
  alertd demo --open                      the same, with the inbox in your browser
  alertd demo --fast --duration 60s       for CI: ends once all has arrived, or fails

\b
Environment:
  none: it needs no configuration, no account and no network"""


@click.command(cls=Command, epilog=_EPILOG)
@click.option("--fast", is_flag=True, help="A shorter story, all at once: some fifteen seconds.")
@click.option(
    "--duration",
    metavar="TIME",
    help="End after this time, such as 30s: exit 0 if all expected messages have arrived on all channels, else 1. "
    "A time too short for the whole story plays the fast one.",
)
@click.option("--port", type=click.IntRange(0, 65_535), default=0, help="Of the inbox page; by default any free one.")
@click.option("--open/--no-browser", "open_browser", default=False, help="Open the inbox in a browser.")
def demo(fast: bool, duration: str | None, port: int, open_browser: bool) -> int:
    """Show alertd at work: simulated tenants get into trouble, and messages arrive at a local inbox.

    Tenants, Teams, mail server and webhook are simulated on this machine, over real HTTP and SMTP; alertd is the real one. Nothing leaves
    the machine, and nothing is left behind.
    """
    from alertd import log
    from alertd.demo.run import run

    log.configure("error", "auto")
    return asyncio.run(run(fast=fast, duration=_time(duration), port=port, open_browser=open_browser))


def _time(text: str | None) -> timedelta | None:
    from alertd.model.duration import parse_duration

    if text is None:
        return None
    try:
        return parse_duration(text)
    except ValueError as exc:
        raise UsageError(f"--duration `{text}` is not {exc}") from None
