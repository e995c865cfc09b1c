"""Prometheus Alertmanager, by its API v2: our alerts become its alerts, labels and annotations as they are.

It keeps no alert over a restart and holds one for resolved when its `endsAt` is past, so what fires is sent again every few minutes
(`Integration.refresh_interval`), each time with an end a day ahead: an alertd that is down for hours must not look like an all-clear.
What has ended is sent with its end. An event fires for a day under a label `event` of its own, else two of them would be one alert.
A drill ends by itself after five minutes. https://github.com/prometheus/alertmanager/blob/main/api/v2/openapi.yaml
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import attrs

from alertd.model.notification import Notification, Reason, Rendered
from alertd.notify.channels.answers import Answer
from alertd.notify.channels.guard import delivery_errors
from alertd.notify.channels.http import ReceiverHttp
from alertd.notify.channels.port import Accepted, Limits
from alertd.notify.channels.post import HttpChannel, integration_of
from alertd.notify.channels.settings import AlertmanagerSettings
from alertd.render import cards, context
from alertd.render.context import Entry
from alertd.render.filters import json_text

REFRESH = timedelta(minutes=5)
HOLD = timedelta(days=1)
_DRILL = timedelta(minutes=5)
LIMITS = Limits(body_bytes_max=100_000_000, blocks_max=0)  # it takes any number of alerts; none may be missing
_NOT_FOUND = 404
_NEVER = datetime.min.replace(tzinfo=UTC)


class AlertmanagerChannel(HttpChannel[AlertmanagerSettings]):
    """One Alertmanager."""

    def __init__(self, receiver: str, settings: AlertmanagerSettings, *, http: ReceiverHttp) -> None:
        integration = integration_of(
            receiver, "alertmanager", settings, LIMITS, closes_silently=False, deduplicates=True, keeps_alerts=True
        )
        super().__init__(attrs.evolve(integration, refresh_interval=REFRESH), settings, http=http)

    def render(self, notification: Notification) -> Rendered:
        """Give the list of alerts; those that fire have no end yet, for it counts from the attempt."""
        return Rendered(body=json_text(list(_alerts(notification))).encode(), content_type="application/json")

    async def send(
        self,
        rendered: Rendered,
        *,
        key: str,  # noqa: ARG002 - it knows alerts by their labels
        attempt: int,  # noqa: ARG002 - every attempt says the same
        now: datetime,
        recipients: tuple[str, ...] = (),  # noqa: ARG002 - it has one
    ) -> Accepted:
        """POST the alerts."""
        alerts = [{"endsAt": (now + HOLD).isoformat(), **alert} for alert in json.loads(rendered.body)]
        accepted = self.judge(await self._post(alerts), now)
        return Accepted(f"{accepted.detail}, {len(alerts)} alerts")

    async def check(self) -> Accepted:
        """Send a list without any alert, which the API answers as it would one with some."""
        answer = attrs.evolve(await self._post([]), headers={})  # nobody waits for another look
        return Accepted(f"{self.judge(answer, _NEVER).detail}, the API answers")

    async def _post(self, alerts: list[dict[str, Any]]) -> Answer:
        with delivery_errors(self.integration.id):
            target = f"{self.url().rstrip('/')}/api/v2/alerts"
            return await self.post(target, cards.compact(alerts), {"Content-Type": "application/json"})

    def hint(self, answer: Answer) -> str:
        """Say what to do."""
        return "`url` is that of the Alertmanager itself, without /api" if answer.status == _NOT_FOUND else ""


def _alerts(notification: Notification) -> Iterable[dict[str, Any]]:
    message = context.message(notification)
    drill = {"endsAt": notification.at + _DRILL} if notification.reason is Reason.DRILL else {}
    for entry in message.alerts.firing:
        yield _alert(entry) | drill
    for entry in message.alerts.resolved:
        yield _alert(entry) | {"endsAt": entry.endsAt or entry.at}
    for entry, event in zip(message.alerts.events, notification.events, strict=True):
        yield _alert(entry, {"event": str(event.sequence)})


def _alert(entry: Entry, extra: Mapping[str, str] | None = None) -> dict[str, Any]:
    """Give one alert; an annotation of the rule's own stands before ours of the same name."""
    ours = {"note": entry.note, "ended": entry.ended_words, "runbook_url": entry.links.documentation}
    kept = {name: text for name, text in ours.items() if text}
    generator = entry.links.job or entry.links.alertd
    return {
        "labels": {**entry.labels, **(extra or {})},
        "annotations": {**kept, **entry.annotations},
        "startsAt": entry.startsAt or entry.at,
    } | ({"generatorURL": generator} if generator else {})
