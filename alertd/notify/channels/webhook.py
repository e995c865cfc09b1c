"""A POST to any URL: our own body, the same as a CloudEvent, or Alertmanager's, with the headers of Standard Webhooks.

CloudEvents 1.0 in structured mode: https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/bindings/http-protocol-binding.md
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from alertd.model.notification import Notification, Rendered
from alertd.notify.channels.answers import Answer
from alertd.notify.channels.http import ReceiverHttp
from alertd.notify.channels.port import Limits
from alertd.notify.channels.post import PostChannel, integration_of
from alertd.notify.channels.settings import WebhookFormat, WebhookSettings
from alertd.notify.channels.signature import webhook_headers
from alertd.render import cards
from alertd.render.environment import Templates
from alertd.render.message import Form
from alertd.render.parts import ALERTD, ALERTMANAGER

LIMITS = Limits(body_bytes_max=1_000_000, blocks_max=0)
_PARTS = {WebhookFormat.ALERTD: ALERTD, WebhookFormat.ALERTMANAGER: ALERTMANAGER, WebhookFormat.CLOUDEVENTS: ALERTD}
_GONE = 410


class WebhookChannel(PostChannel[WebhookSettings]):
    """One webhook. A receiver tells repeats by `webhook-id`, which stays the same over all attempts."""

    def __init__(self, receiver: str, settings: WebhookSettings, *, templates: Templates, http: ReceiverHttp) -> None:
        integration = integration_of(
            receiver,
            "webhook",
            settings,
            LIMITS,
            closes_silently=False,
            deduplicates=True,
            keeps_alerts=settings.format is WebhookFormat.ALERTMANAGER,
        )
        super().__init__(integration, _form(settings.format), settings, templates=templates, http=http)

    def headers(self, rendered: Rendered, key: str, now: datetime) -> Mapping[str, str]:
        """Sign this attempt."""
        secret = self.settings.signing_secret
        return webhook_headers(key, rendered.body, now, secret.reveal() if secret is not None else None)

    def hint(self, answer: Answer) -> str:
        """Say what 410 means."""
        return "the receiver says it is gone for good" if answer.status == _GONE else ""


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
