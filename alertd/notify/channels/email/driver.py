"""What the channel asks of a driver."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from alertd.model.notification import Rendered
from alertd.notify.channels.email.mail import Mail
from alertd.notify.channels.port import Accepted


class Driver(Protocol):
    """A way of sending mail. Raises DeliveryError."""

    @property
    def content_type(self) -> str:
        """Say what `body` gives."""
        ...

    @property
    def deduplicates(self) -> bool:
        """Say whether a repeat with the same key is shown once."""
        ...

    def body(self, content: Mail) -> bytes:
        """Give the bytes that every attempt sends; pure."""
        ...

    async def send(self, rendered: Rendered, recipients: tuple[str, ...], *, key: str, now: datetime) -> Accepted:
        """Make one attempt to these recipients."""
        ...

    async def check(self) -> Accepted:
        """See whether mail could be handed over, without any."""
        ...
