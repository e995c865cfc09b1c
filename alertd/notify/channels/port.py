"""The port between deciding what to tell and telling it: what every integration is, and what it does.

A channel renders (pure, no I/O) and sends (one attempt, no retry of its own). Whether to try again, when, and to
whom is decided by the delivery loop from what the attempt's DeliveryError says. Nothing but DeliveryError leaves
`send` and `check`.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Protocol

import attrs

from alertd.model.notification import Notification, Rendered


@attrs.frozen(kw_only=True)
class Limits:
    """What a channel can carry.

    body_bytes_max: the body as it goes on the wire, envelope included.
    blocks_max: alerts shown with a block of their own; when there are more, all of them are shown as one line each.
    apart: what has to lie between the beginnings of two messages, so that a flood is paced here rather than refused there.
    """

    body_bytes_max: int
    blocks_max: int
    apart: timedelta = timedelta(0)


@attrs.frozen(kw_only=True)
class Integration:
    """One way of telling one receiver.

    id: ``receiver/kind/name``, unique and stable over reloads. kind: ``teams``, ``email``, ``webhook`` and so on.
    send_resolved: ends are told.
    closes_silently: the end of an alert whose rule was removed is not told; it would puzzle people in chat and mail,
    while a machine that keeps incidents open needs it.
    deduplicates: sending the same key twice shows once, so a repeat is harmless.
    keeps_alerts: what it is told becomes alerts or incidents of its own, so it is told of alerts alone, each in its group's conversation.
    acknowledges: its incidents can be taken on, so it is told of an acknowledgement.
    refresh_interval: for a receiver that forgets what it is not told again: what fires is repeated so often, at the group's
    ticks, whatever the route's `repeat_interval`; null for everybody else.
    """

    receiver: str
    kind: str
    name: str = "default"
    send_resolved: bool = True
    closes_silently: bool
    deduplicates: bool
    keeps_alerts: bool = False
    acknowledges: bool = False
    refresh_interval: timedelta | None = None
    limits: Limits

    @property
    def id(self) -> str:
        """``receiver/kind/name``."""
        return f"{self.receiver}/{self.kind}/{self.name}"


@attrs.frozen
class Accepted:
    """The receiver took the message.

    detail: what it answered that helps to find the message again, such as a run id; never a secret.
    """

    detail: str = ""


class Channel(Protocol):
    """One integration at work."""

    @property
    def integration(self) -> Integration:
        """Say what it is."""
        ...

    def render(self, notification: Notification) -> Rendered:
        """Give the very bytes that every attempt will send.

        Pure and total: a broken template gives the built-in message.
        """
        ...

    async def send(
        self, rendered: Rendered, *, key: str, attempt: int, now: datetime, recipients: tuple[str, ...] = ()
    ) -> Accepted:
        """Make one attempt.

        key: the notification's key, the same over all attempts. attempt: counted from one.
        recipients: those still open, for mail; empty means all of `rendered.recipients`.
        Raises DeliveryError.
        """
        ...

    async def check(self) -> Accepted:
        """Find out whether the receiver can be reached, without sending a message. Raises DeliveryError."""
        ...

    async def close(self) -> None:
        """Let go of connections."""
        ...


class TokenSource(Protocol):
    """Where channels that speak to Microsoft get their authorization."""

    async def header(self, tenant: str, scope: str, *, rejected: str | None = None) -> str:
        """Give the value of an Authorization header of the configured tenant's application, for this scope.

        rejected: the value that was refused; it is not given again. Raises PollError.
        """
        ...
