"""Receivers for demo, drills and tests: a Teams channel, a mail server and a webhook, over real sockets on loopback, with one inbox.

async with Receivers() as receivers:
    receivers.teams_url, receivers.webhook_url, receivers.mail.port
    receivers.behaviour(Medium.TEAMS).fail(Mode.DOWN)
    await receivers.inbox.more(0)
"""

from __future__ import annotations

import asyncio
from types import TracebackType
from typing import Self

from starlette.applications import Starlette
from starlette.routing import Route

from alertd.clock import Clock, SystemClock
from alertd.simulator import receivers_teams, receivers_webhook
from alertd.simulator.inbox import Inbox, Medium
from alertd.simulator.receivers_behaviour import Behaviour, Mode
from alertd.simulator.receivers_mail import MailReceiver
from alertd.simulator.receivers_teams import TeamsReceiver
from alertd.simulator.receivers_webhook import WebhookReceiver
from alertd.web.listening import Listening

__all__ = ["Behaviour", "Inbox", "Medium", "Mode", "Receivers"]


class Receivers:
    """All three together. Whoever starts it stops it."""

    def __init__(self, *, clock: Clock | None = None, signing_secret: str | None = None) -> None:
        self._stopping = asyncio.Event()
        self.inbox = Inbox(clock=clock)
        self.teams = TeamsReceiver(self.inbox, self._stopping)
        self.webhook = WebhookReceiver(
            self.inbox, self._stopping, clock or SystemClock(), signing_secret=signing_secret
        )
        self.mail = MailReceiver(self.inbox, self._stopping)
        self._http = Listening(self._app())

    @property
    def teams_url(self) -> str:
        """The signed URL of the flow: a secret, as every one of its kind."""
        return f"{self._http.origin}{self.teams.target}"

    @property
    def webhook_url(self) -> str:
        """Where the webhook listens."""
        return f"{self._http.origin}{receivers_webhook.PATH}"

    def behaviour(self, medium: Medium) -> Behaviour:
        """Give how a receiver behaves, to change it."""
        return {
            Medium.TEAMS: self.teams.behaviour,
            Medium.EMAIL: self.mail.behaviour,
            Medium.WEBHOOK: self.webhook.behaviour,
        }[medium]

    async def start(self) -> None:
        """Listen on three ports; raises OSError if one cannot be had."""
        await self._http.start()
        await self.mail.start()

    async def stop(self) -> None:
        """Hang up on everybody. Idempotent."""
        self._stopping.set()
        self.inbox.close()
        await self.mail.stop()
        await self._http.stop()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    def _app(self) -> Starlette:
        return Starlette(
            routes=[
                Route(receivers_teams.PATH, self.teams.__call__, methods=["POST"]),
                Route(receivers_webhook.PATH, self.webhook.__call__, methods=["POST"]),
            ]
        )
