"""`alertd deliveries`: what was sent, what is on its way, what was given up."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from alertd.cli.options import ENVIRONMENT, Command, config_option, json_option

_EPILOG = f"""\b
Examples:
  alertd deliveries
  alertd deliveries --state failed --state unknown
  alertd deliveries --integration oncall/teams/default --json

{ENVIRONMENT}"""
_STATES = ("pending", "sending", "delivered", "unknown", "failed", "skipped", "superseded")


@click.command(cls=Command, epilog=_EPILOG)
@click.option("--state", "states", multiple=True, type=click.Choice(_STATES), help="Only these states; repeatable.")
@click.option("--integration", metavar="ID", help="Only this integration: receiver/kind/name.")
@click.option("--limit", default=50, show_default=True, type=click.IntRange(1, 10_000), help="How many at most.")
@json_option
@config_option
def deliveries(states: tuple[str, ...], integration: str | None, limit: int, as_json: bool, config_path: Path) -> None:
    """List messages, the latest first, with what the receiver said."""
    from alertd.cli.looking import look, show
    from alertd.model.notification import DeliveryState

    wanted = [DeliveryState(state) for state in states] or None

    async def ask(reader: Any, _config: Any) -> Any:  # noqa: ANN401
        return await reader.deliveries(states=wanted, integration_id=integration, limit=limit)

    show([_row(delivery) for delivery in look(config_path, ask)], as_json=as_json, empty="no deliveries")


def _row(delivery: Any) -> dict[str, Any]:  # noqa: ANN401 - a Delivery, imported late
    return {
        "decided_at": delivery.decided_at,
        "integration": delivery.integration_id,
        "reason": str(delivery.reason),
        "state": str(delivery.state),
        "attempts": delivery.attempts,
        "next_attempt": delivery.due_at if delivery.ended_at is None else None,
        "ended_at": delivery.ended_at,
        "error": delivery.error,
        "detail": delivery.detail,
        "id": delivery.id,
    }
