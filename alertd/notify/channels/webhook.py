"""A POST to any URL: our own body or Alertmanager's, with the headers of Standard Webhooks."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from alertd.model.notification import Notification, Rendered
from alertd.notify.channels.answers import refusal
from alertd.notify.channels.guard import delivery_errors
from alertd.notify.channels.http import ReceiverHttp, demand_https
from alertd.notify.channels.port import Accepted, Integration, Limits
from alertd.notify.channels.settings import WebhookFormat, WebhookSettings
from alertd.notify.channels.signature import webhook_headers
from alertd.render import cards
from alertd.render.environment import Templates
from alertd.render.message import Form, render
from alertd.render.parts import ALERTD, ALERTMANAGER

LIMITS = Limits(body_bytes_max=1_000_000, blocks_max=0)
_PARTS = {WebhookFormat.ALERTD: ALERTD, WebhookFormat.ALERTMANAGER: ALERTMANAGER}
_GONE = 410


class WebhookChannel:
    """One webhook. A receiver tells repeats by `webhook-id`, which stays the same over all attempts."""

    def __init__(self, receiver: str, settings: WebhookSettings, *, templates: Templates, http: ReceiverHttp) -> None:
        self.integration = Integration(
            receiver=receiver,
            kind="webhook",
            name=settings.name,
            send_resolved=settings.send_resolved,
            closes_silently=False,
            deduplicates=True,
            limits=LIMITS,
        )
        self._settings = settings
        self._templates = templates
        self._http = http
        self._form = _form(settings.format)

    def render(self, notification: Notification) -> Rendered:
        """Give the body."""
        return render(notification, self._form, self._templates)

    async def send(
        self,
        rendered: Rendered,
        *,
        key: str,
        attempt: int,  # noqa: ARG002 - the id tells repeats
        now: datetime,
        recipients: tuple[str, ...] = (),  # noqa: ARG002 - it has one
    ) -> Accepted:
        """POST it, signed for this attempt."""
        with delivery_errors(self.integration.id):
            secret = self._settings.signing_secret.reveal() if self._settings.signing_secret is not None else None
            headers = {"Content-Type": rendered.content_type, **webhook_headers(key, rendered.body, now, secret)}
            answer = await self._http.post(self._url(), rendered.body, headers, who=self.integration.id)
        if not answer.accepted:
            hint = "the receiver says it is gone for good" if answer.status == _GONE else ""
            raise refusal(answer, self.integration.id, now=now, hint=hint)
        return Accepted(str(answer.status))

    async def check(self) -> Accepted:
        """See whether the host answers; the webhook itself is not called."""
        with delivery_errors(self.integration.id):
            answer = await self._http.reach(self._url(), who=self.integration.id)
        return Accepted(f"the host answers ({answer.status})")

    async def close(self) -> None:
        """Do nothing: the HTTP client is shared."""

    def _url(self) -> str:
        url = self._settings.url.reveal()
        demand_https(url, allow_http=self._settings.allow_http, who=self.integration.id)
        return url


def _form(body_format: WebhookFormat) -> Form:
    part = _PARTS[body_format]

    def assemble(values: Mapping[str, Any], _: Notification) -> bytes:
        return cards.compact(values[part.name])

    return Form(
        kind="webhook",
        parts=(part,),
        assemble=assemble,
        content_type="application/json",
        body_bytes_max=LIMITS.body_bytes_max,
        blocks_max=LIMITS.blocks_max,
        verbatim=True,
    )
