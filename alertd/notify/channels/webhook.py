"""A POST to any URL: our own body, the same as a CloudEvent, or Alertmanager's, with the headers of Standard Webhooks.

CloudEvents 1.0 in structured mode: https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/bindings/http-protocol-binding.md
"""

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
_PARTS = {WebhookFormat.ALERTD: ALERTD, WebhookFormat.ALERTMANAGER: ALERTMANAGER, WebhookFormat.CLOUDEVENTS: ALERTD}
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
            keeps_alerts=settings.format == "alertmanager",
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

    cloud_event = body_format is WebhookFormat.CLOUDEVENTS

    def assemble(values: Mapping[str, Any], notification: Notification) -> bytes:
        body = values[part.name]
        return cards.compact(_cloud_event(body, notification) if cloud_event else body)

    return Form(
        kind="webhook",
        parts=(part,),
        assemble=assemble,
        content_type="application/cloudevents+json" if cloud_event else "application/json",
        body_bytes_max=LIMITS.body_bytes_max,
        blocks_max=LIMITS.blocks_max,
        verbatim=True,
    )


def _cloud_event(body: Mapping[str, Any], notification: Notification) -> dict[str, Any]:
    """Wrap our own body. `source` and `id` together tell repeats; `subject` is the group."""
    return {
        "specversion": "1.0",
        "id": notification.key,
        "source": notification.external_url or "urn:alertd",
        "type": body.get("type", f"alertd.{notification.reason}"),
        "time": notification.at.isoformat(),
        "subject": notification.group_key,
        "datacontenttype": "application/json",
        "data": body.get("data", body),
    }
