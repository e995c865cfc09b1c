"""More than a hundred other services, by the library Apprise (extra ``alertd[apprise]``): title and plain text to one URL of its kind.

Apprise tells success from failure and nothing else: not whether a failure is for good, nor when to come again. So every failure is tried
again for as long as `delivery.retry_for` says. It knows no repeats, and takes neither `http.proxy` nor `http.ca_file`.
Its URLs are credentials, and its log prints them: it is switched off. https://github.com/caronc/apprise
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from alertd.errors import DeliveryError, DeliveryFailureReason
from alertd.model.alert import Ended
from alertd.model.notification import Notification, Rendered
from alertd.notify.channels.guard import delivery_errors
from alertd.notify.channels.http import TIMEOUT
from alertd.notify.channels.port import Accepted, Integration, Limits
from alertd.notify.channels.settings import AppriseSettings
from alertd.render import cards, wording
from alertd.render.environment import Templates
from alertd.render.message import Form, render
from alertd.render.parts import TEXT, TITLE

# Few services take more than 4,096 characters (Telegram's limit), and Apprise cuts nothing unless its URL says so.
LIMITS = Limits(body_bytes_max=4_000, blocks_max=1)
MISSING = "the library Apprise is not installed; pip install 'alertd[apprise]'"
_TYPES: Mapping[str, str] = {"critical": "failure", "error": "failure", "warning": "warning", "resolved": "success"}


class AppriseChannel:
    """One service. timeout: of an attempt as a whole; a thread of Apprise's may outlive it."""

    def __init__(
        self, receiver: str, settings: AppriseSettings, *, templates: Templates, timeout: timedelta = TIMEOUT
    ) -> None:
        self.integration = Integration(
            receiver=receiver,
            kind="apprise",
            name=settings.name,
            send_resolved=settings.send_resolved,
            closes_silently=True,
            deduplicates=False,
            limits=LIMITS,
        )
        self._settings = settings
        self._templates = templates
        self._timeout = timeout.total_seconds()

    def render(self, notification: Notification) -> Rendered:
        """Give title, text and type."""
        return render(notification, FORM, self._templates)

    async def send(
        self,
        rendered: Rendered,
        *,
        key: str,  # noqa: ARG002 - it knows no repeats
        attempt: int,  # noqa: ARG002 - every attempt sends the same
        now: datetime,  # noqa: ARG002 - nothing here depends on it
        recipients: tuple[str, ...] = (),  # noqa: ARG002 - they stand in the URL
    ) -> Accepted:
        """Hand it to Apprise."""
        message = json.loads(rendered.body)
        try:
            async with asyncio.timeout(self._timeout):
                service = await self._service()
                with delivery_errors(self.integration.id):
                    result = await service.async_notify(
                        title=message["title"], body=message["body"], notify_type=message["type"], body_format="text"
                    )
        except TimeoutError:
            raise self._error(DeliveryFailureReason.TIMEOUT, "no answer in time", ambiguous=True) from None
        if not result:
            raise self._error(DeliveryFailureReason.OTHER, "Apprise says that it was not taken, and not why")
        return Accepted("taken")

    async def check(self) -> Accepted:
        """See that Apprise knows the URL; whether it is right shows only in sending."""
        service = await self._service()
        return Accepted(f"Apprise knows it: {service[0].service_name}")

    async def close(self) -> None:
        """Do nothing: it keeps no connection."""

    async def _service(self) -> Any:  # noqa: ANN401 - Apprise's own
        with delivery_errors(self.integration.id):
            url = self._settings.url.reveal()
            service = await asyncio.to_thread(_known, url)
        if service is None:
            raise self._error(DeliveryFailureReason.OTHER, MISSING, retriable=False)
        if len(service) != 1:
            raise self._error(
                DeliveryFailureReason.CLIENT_ERROR, "its URL is not one that Apprise knows", retriable=False
            )
        return service

    def _error(
        self, reason: DeliveryFailureReason, told: str, *, retriable: bool = True, ambiguous: bool = False
    ) -> DeliveryError:
        return DeliveryError(reason, f"{self.integration.id}: {told}", retriable=retriable, ambiguous=ambiguous)


def _known(url: str) -> Any:  # noqa: ANN401
    """Give what Apprise makes of a URL; null where Apprise is not installed. It looks at a hundred modules, so not in the loop."""
    try:
        import apprise
    except ImportError:
        return None
    logging.getLogger("apprise").disabled = True
    service = apprise.Apprise(asset=apprise.AppriseAsset(app_id="alertd", app_desc="alertd", storage_mode="memory"))
    service.add(url)
    return service


def _message(values: Mapping[str, Any], notification: Notification) -> bytes:
    over = all(entry.ended is Ended.RESOLVED for entry in notification.resolved) and notification.resolved
    severities = [alert.severity for alert in notification.firing] + [event.severity for event in notification.events]
    fires = wording.worst(severities)
    kind = _TYPES.get(fires or ("resolved" if over else ""), "info")
    return cards.compact({"title": values[TITLE.name], "body": values[TEXT.name], "type": kind})


FORM = Form(
    kind="apprise",
    parts=(TITLE, TEXT),
    assemble=_message,
    content_type="application/json",
    body_bytes_max=LIMITS.body_bytes_max,
    blocks_max=LIMITS.blocks_max,
)
