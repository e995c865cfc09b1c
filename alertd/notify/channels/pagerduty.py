"""PagerDuty, by its Events API v2: a conversation is one incident, an event is one of its own.

    something fires                 trigger, with the conversation's dedup_key: opens the incident, later updates it
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
from alertd.notify.channels.answers import Answer, refusal
from alertd.notify.channels.guard import delivery_errors
from alertd.notify.channels.http import ReceiverHttp, demand_https
from alertd.notify.channels.port import Accepted, Integration, Limits
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


class PagerDutyChannel:
    """One service of PagerDuty."""

    def __init__(self, receiver: str, settings: PagerDutySettings, *, templates: Templates, http: ReceiverHttp) -> None:
        self.integration = Integration(
            receiver=receiver,
            kind="pagerduty",
            name=settings.name,
            send_resolved=settings.send_resolved,
            closes_silently=False,
            deduplicates=True,
            keeps_alerts=True,
            limits=LIMITS,
        )
        self._settings = settings
        self._templates = templates
        self._http = http

    def render(self, notification: Notification) -> Rendered:
        """Give a list of requests, each without the routing key."""
        made = [(frame, render(part, FORM, self._templates)) for frame, part in _requests(notification)]
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
        who = self.integration.id
        with delivery_errors(who):
            secret = self._settings.routing_key.reveal().strip()
            body = cards.compact({"routing_key": secret, **request})
            answer = await self._http.post(self._url(), body, {"Content-Type": "application/json"}, who=who)
        if not answer.accepted:
            raise _refused(attrs.evolve(answer, text=answer.text.replace(secret, HIDDEN)), who, now)
        return f"{request['event_action']} {request['dedup_key']}"

    async def check(self) -> Accepted:
        """See that the key has a key's form and that the host answers; nothing is posted."""
        with delivery_errors(self.integration.id):
            if not is_routing_key(self._settings.routing_key.reveal()):
                told = f"{self.integration.id}: {WRONG_KEY}"
                raise DeliveryError(DeliveryFailureReason.AUTH, told, retriable=False)
            answer = await self._http.reach(self._url(), who=self.integration.id)
        return Accepted(f"the host answers ({answer.status})")

    async def close(self) -> None:
        """Do nothing: the HTTP client is shared."""

    def _url(self) -> str:
        demand_https(self._settings.url, allow_http=self._settings.allow_http, who=self.integration.id)
        return self._settings.url


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


def _refused(answer: Answer, who: str, now: datetime) -> DeliveryError:
    hint = "is the routing key that of an Events API v2 integration?" if answer.status == _BAD_REQUEST else ""
    error = refusal(answer, who, now=now, hint=hint)
    if answer.status == _TOO_MANY and error.retry_after is None:
        error.retry_after = _BUSY
    return error


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
