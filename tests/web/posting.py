"""Real messages to simulated receivers, by the channels themselves."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import yaml

from alertd.building import templates_of
from alertd.config import parse_config
from alertd.model.notification import Notification
from alertd.notify.channels.http import ReceiverHttp
from alertd.notify.channels.registry import Services
from alertd.parts import channels_of
from alertd.simulator.receivers import Receivers


class NoTokens:
    """Nobody here needs a token."""

    async def header(self, tenant: str, scope: str, *, rejected: str | None = None) -> str:
        raise AssertionError("no token is needed")


@asynccontextmanager
async def posting(receivers: Receivers) -> AsyncIterator[Callable[[Notification], Awaitable[None]]]:
    """Give a function that sends a message to all three receivers."""
    config = parse_config(yaml.safe_dump(_plain(receivers)), directory=Path.cwd())
    http = ReceiverHttp(trust=ssl.create_default_context)
    channels = channels_of(config, Services(templates=templates_of(config), http=http, tokens=NoTokens()))

    async def send(notification: Notification) -> None:
        for channel in channels.values():
            rendered = channel.render(notification)
            await channel.send(
                rendered, key=notification.key, attempt=1, now=datetime.now(UTC), recipients=rendered.recipients
            )

    try:
        yield send
    finally:
        await http.close()


def _plain(receivers: Receivers) -> dict[str, object]:
    smtp = {"host": receivers.mail.host, "port": receivers.mail.port, "tls": "none"}
    receiver = {
        "name": "default",
        "teams": [{"url": receivers.teams_url}],
        "email": [{"to": ["oncall@example.com"], "from": "alertd@example.com", "smtp": smtp}],
        "webhook": [{"url": receivers.webhook_url, "signing_secret": receivers.webhook.signing_secret}],
    }
    return {"receivers": [receiver], "route": {"receiver": "default"}}
