"""PagerDuty, by its Events API v2: a conversation is one incident, an event is one of its own.

    something fires                 trigger, with the conversation's dedup_key: opens the incident, later updates it
    somebody has taken it on        acknowledge, with the same key: PagerDuty escalates no further
    nothing of it fires any more    resolve, with the same key
    an event                        trigger, with a key of its own: nothing follows it, so a person closes it
    a drill                         trigger and resolve, so that it leaves nothing open

PagerDuty drops a resolve of what is not open, so a message about something that began and ended unheard wakes nobody. It opens
a new incident for a trigger that comes after the resolve; messages of a conversation go out in order and a pending trigger is
replaced by its end, so none does. The routing key is put in at the last moment: neither store nor preview ever holds it.
https://developer.pagerduty.com/docs/events-api-v2-overview
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

import attrs

from alertd.errors import DeliveryError, DeliveryFailureReason
from alertd.model.notification import Notification, Reason, Rendered
from alertd.notify.channels.answers import Answer
from alertd.notify.channels.guard import delivery_errors
from alertd.notify.channels.http import ReceiverHttp
from alertd.notify.channels.port import Accepted, Limits
from alertd.notify.channels.post import PostChannel, integration_of
from alertd.notify.channels.settings import PagerDutySettings
from alertd.redaction import HIDDEN
from alertd.render import cards
from alertd.render.environment import Templates
from alertd.render.message import Form, render
from alertd.render.oncall import PAGERDUTY

# 512 KB is PagerDuty's limit for one request; the rest is room for action, keys and a margin.
LIMITS = Limits(body_bytes_max=500_000, blocks_max=50)
KEY_LENGTH = 32
_BUSY = timedelta(minutes=2)  # PagerDuty asks for "a few minutes" between attempts and sends no Retry-After
_BAD_REQUEST, _TOO_MANY = 400, 429


class PagerDutyChannel(PostChannel[PagerDutySettings]):
    """One service of PagerDuty."""

    def __init__(self, receiver: str, settings: PagerDutySettings, *, templates: Templates, http: ReceiverHttp) -> None:
        integration = integration_of(
            receiver, "pagerduty", settings, LIMITS, closes_silently=False, deduplicates=True, keeps_alerts=True
        )
        super().__init__(attrs.evolve(integration, acknowledges=True), FORM, settings, templates=templates, http=http)

    def render(self, notification: Notification) -> Rendered:
        """Give a list of requests, each without the routing key."""
        if notification.reason is Reason.ACKNOWLEDGED:
            request = {"event_action": "acknowledge", "dedup_key": dedup_key(notification.conversation)}
            return Rendered(body=cards.compact([request]), content_type=FORM.content_type)
        made = [(frame, render(part, FORM, self.templates)) for frame, part in _requests(notification)]
        return attrs.evolve(
            made[0][1],
            body=cards.compact([{**frame, **json.loads(rendered.body)} for frame, rendered in made]),
            fallback="; ".join(dict.fromkeys(rendered.fallback for _, rendered in made if rendered.fallback)),
            shortened=tuple(dict.fromkeys(note for _, rendered in made for note in rendered.shortened)),
        )

    async def send(
        self,
        rendered: Rendered,
        *,
        key: str,  # noqa: ARG002 - the dedup_key stands in the body
        attempt: int,  # noqa: ARG002 - every attempt sends the same
        now: datetime,
        recipients: tuple[str, ...] = (),  # noqa: ARG002 - it has one
    ) -> Accepted:
        """POST the requests in order; those of an attempt that failed halfway are repeated, which updates what they opened."""
        answers = [await self._posted(request, now) for request in json.loads(rendered.body)]
        return Accepted(", ".join(answers))

    async def _posted(self, request: Mapping[str, Any], now: datetime) -> str:
        with delivery_errors(self.integration.id):
            secret = self.settings.routing_key.reveal().strip()
            body = cards.compact({"routing_key": secret, **request})
            answer = await self.post(self.url(), body, {"Content-Type": "application/json"})
        self.judge(attrs.evolve(answer, text=answer.text.replace(secret, HIDDEN)), now)
        return f"{request['event_action']} {request['dedup_key']}"

    def judge(self, answer: Answer, now: datetime) -> Accepted:
        """Wait as long as PagerDuty asks for where it does not say how long."""
        try:
            return super().judge(answer, now)
        except DeliveryError as error:
            if answer.status == _TOO_MANY and error.retry_after is None:
                error.retry_after = _BUSY
            raise

    def hint(self, answer: Answer) -> str:
        """Say what to do."""
        return "is the routing key that of an Events API v2 integration?" if answer.status == _BAD_REQUEST else ""

    async def check(self) -> Accepted:
        """See that the key has a key's form and that the host answers; nothing is posted."""
        with delivery_errors(self.integration.id):
            if not is_routing_key(self.settings.routing_key.reveal()):
                told = f"{self.integration.id}: {WRONG_KEY}"
                raise DeliveryError(DeliveryFailureReason.AUTH, told, retriable=False)
        return await super().check()


WRONG_KEY = (
    f"the routing key is no text of {KEY_LENGTH} letters and digits; copy the service's Events API v2 integration key"
)


def is_routing_key(text: str) -> bool:
    """Whether it looks like an integration key of the Events API v2."""
    key = text.strip()
    return len(key) == KEY_LENGTH and key.isascii() and key.isalnum()


def dedup_key(seed: str) -> str:
    """Give the key under which PagerDuty knows an incident: 64 hex digits, of 255 characters allowed."""
    return hashlib.sha256(seed.encode(errors="replace")).hexdigest()


def _requests(notification: Notification) -> Iterator[tuple[dict[str, str], Notification]]:
    """Split a message into its requests: action and key, and the part of the message that each tells."""
    incident = attrs.evolve(notification, events=())
    if incident.firing or incident.resolved or not notification.events:
        key = dedup_key(notification.conversation)
        if incident.firing or notification.reason is Reason.DRILL:
            yield {"event_action": "trigger", "dedup_key": key}, incident
        if not incident.firing or notification.reason is Reason.DRILL:
            yield {"event_action": "resolve", "dedup_key": key}, incident
    for event in notification.events:
        alone = attrs.evolve(notification, firing=(), resolved=(), events=(event,), reason=Reason.EVENT)
        yield {"event_action": "trigger", "dedup_key": dedup_key(f"{notification.receiver}\0{event.key}")}, alone


def _assemble(values: Mapping[str, Any], _: Notification) -> bytes:
    return cards.compact(values[PAGERDUTY.name])


FORM = Form(
    kind="pagerduty",
    parts=(PAGERDUTY,),
    assemble=_assemble,
    content_type="application/json",
    body_bytes_max=LIMITS.body_bytes_max,
    blocks_max=LIMITS.blocks_max,
)
