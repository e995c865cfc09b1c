"""`alertd send-test`: a marked drill through the real channel."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from alertd.cli.options import ENVIRONMENT, Command, config_option, json_option
from alertd.cli.program import EXIT_FINDING, EXIT_FINE

if TYPE_CHECKING:
    from alertd.config import Config

_EPILOG = f"""\b
Examples:
  alertd send-test --receiver identity-oncall

{ENVIRONMENT}

Exit codes: 0 every integration accepted it, 1 one did not."""


@click.command("send-test", cls=Command, epilog=_EPILOG)
@click.option(
    "--receiver", required=True, metavar="NAME", help="Whom to send it to: all integrations of this receiver."
)
@json_option
@config_option
def send_test(receiver: str, as_json: bool, config_path: Path) -> int:
    """Send a drill to every integration of a receiver, marked as such, and say what each answered.

    It goes through the outbox of the running daemon, or of this command where none runs, and stays visible in `alertd deliveries`.
    """
    from alertd.cli.looking import show
    from alertd.cli.reading import read_config

    config = read_config(config_path)
    _require(receiver, config)
    rows = asyncio.run(_send(receiver, config))
    show(rows, as_json=as_json, empty="this receiver has no integrations")
    return EXIT_FINE if all(row["state"] == "delivered" for row in rows) else EXIT_FINDING


def _require(receiver: str, config: Config) -> None:
    from alertd.errors import UsageError
    from alertd.model.suggestion import did_you_mean

    names = [one.name for one in config.receivers]
    if receiver not in names:
        raise UsageError(f"no receiver {receiver!r}; {did_you_mean(receiver, names)}")


async def _send(receiver: str, config: Config) -> list[dict[str, Any]]:
    from alertd.app import App
    from alertd.store.control import call
    from alertd.store.lock import StoreLock, read_lock

    info = read_lock(config.store.path)
    if info is not None:
        answer = await call(info, "drill", {"receiver": receiver}, wait_seconds=120.0)
        return list(answer["deliveries"])
    with StoreLock.hold(config.store.path):
        app = App(config)
        await app.open()
        try:
            return await app.drill(receiver)
        finally:
            await app.close()
