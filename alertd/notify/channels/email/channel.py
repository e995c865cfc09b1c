"""The mail channel: renders with the mail templates and leaves the sending to its driver."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from alertd.model.notification import Notification, Rendered
from alertd.notify.channels.email.driver import Driver
from alertd.notify.channels.email.graph import GraphDriver
from alertd.notify.channels.email.mail import mail
from alertd.notify.channels.email.service import ServiceDriver
from alertd.notify.channels.email.smtp import SmtpDriver
from alertd.notify.channels.guard import delivery_errors
from alertd.notify.channels.http import ReceiverHttp
from alertd.notify.channels.port import Accepted, Integration, Limits, TokenSource
from alertd.notify.channels.settings import EmailSettings
from alertd.render.environment import Templates
from alertd.render.message import Form, render
from alertd.render.parts import HTML, SUBJECT, TEXT

# Gmail shows the first 102 kB of a mail and hides the rest behind a link.
LIMITS = Limits(body_bytes_max=100_000, blocks_max=10)


class EmailChannel:
    """Mail to the addresses of one integration."""

    def __init__(
        self, receiver: str, settings: EmailSettings, *, templates: Templates, http: ReceiverHttp, tokens: TokenSource
    ) -> None:
        who = f"{receiver}/email/{settings.name}"
        self._settings = settings
        self._templates = templates
        self._driver = _driver(settings, who=who, http=http, tokens=tokens)
        self._form = _form(settings, self._driver)
        self.integration = Integration(
            receiver=receiver,
            kind="email",
            name=settings.name,
            send_resolved=settings.send_resolved,
            closes_silently=True,
            deduplicates=self._driver.deduplicates,
            limits=LIMITS,
        )

    def render(self, notification: Notification) -> Rendered:
        """Give the mail and its recipients."""
        return render(notification, self._form, self._templates, recipients=self._settings.to)

    async def send(
        self,
        rendered: Rendered,
        *,
        key: str,
        attempt: int,  # noqa: ARG002 - every attempt sends the same mail
        now: datetime,
        recipients: tuple[str, ...] = (),
    ) -> Accepted:
        """Hand the mail over to those who have not got it yet."""
        with delivery_errors(self.integration.id):
            return await self._driver.send(rendered, recipients or rendered.recipients, key=key, now=now)

    async def check(self) -> Accepted:
        """See whether mail could be handed over."""
        with delivery_errors(self.integration.id):
            return await self._driver.check()

    async def close(self) -> None:
        """Do nothing: no connection is kept."""


def _driver(settings: EmailSettings, *, who: str, http: ReceiverHttp, tokens: TokenSource) -> Driver:
    sender = _sender(settings)
    if settings.smtp is not None:
        return SmtpDriver(settings.smtp, sender=sender, trust=lambda: http.ssl_context, tokens=tokens, who=who)
    if settings.graph is not None:
        return GraphDriver(settings.graph, http=http, tokens=tokens, who=who)
    if settings.http is not None:
        return ServiceDriver(settings.http, sender=sender, http=http, who=who)
    raise ValueError("mail settings name no driver")


def _sender(settings: EmailSettings) -> str:
    sender = settings.from_address or (settings.graph.sender if settings.graph is not None else None)
    if sender is None:
        raise ValueError("mail settings name no sender")
    return sender


def _form(settings: EmailSettings, driver: Driver) -> Form:
    sender = _sender(settings)

    def assemble(values: Mapping[str, Any], notification: Notification) -> bytes:
        return driver.body(mail(values, notification, sender=sender, to=settings.to))

    return Form(
        kind="email",
        parts=(SUBJECT, TEXT, HTML),
        assemble=assemble,
        content_type=driver.content_type,
        body_bytes_max=LIMITS.body_bytes_max,
        blocks_max=LIMITS.blocks_max,
    )
