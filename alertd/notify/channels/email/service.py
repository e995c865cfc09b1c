"""Mail through a service's HTTP interface. What differs between services is a row of a table, not code.

Resend: https://resend.com/docs/api-reference/emails/send-email and .../dashboard/emails/idempotency-keys: the same key and
body within 24 hours are sent once; the same key while the first request is under way is answered 409.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

import attrs

from alertd.errors import DeliveryError, DeliveryFailureReason
from alertd.model.notification import Rendered
from alertd.notify.channels.answers import Answer, refusal
from alertd.notify.channels.email.mail import Mail
from alertd.notify.channels.http import ReceiverHttp, demand_https
from alertd.notify.channels.port import Accepted
from alertd.notify.channels.settings import HttpMailSettings, MailPreset
from alertd.render import cards

_KEY_MAX = 256


@attrs.frozen(kw_only=True)
class Preset:
    """One service.

    authorization: header and its value, with ``{}`` for the key. idempotency: the header that makes a repeat harmless;
    empty if there is none. encode: the mail as the service wants it in JSON. passing: names of errors that pass by
    themselves although their status says otherwise. receipt: the member of the answer that names the mail.
    """

    url: str
    authorization: tuple[str, str]
    idempotency: str = ""
    encode: Callable[[Mail], Mapping[str, Any]]
    passing: frozenset[str] = frozenset()
    receipt: str = "id"


def _resend(content: Mail) -> Mapping[str, Any]:
    return {
        "from": content.sender,
        "to": list(content.to),
        "subject": content.subject,
        "text": content.text,
        "html": content.html,
        "headers": {"Message-ID": content.message_id, **content.headers},
    }


PRESETS: Mapping[MailPreset, Preset] = {
    MailPreset.RESEND: Preset(
        url="https://api.resend.com/emails",
        authorization=("Authorization", "Bearer {}"),
        idempotency="Idempotency-Key",
        encode=_resend,
        passing=frozenset({"concurrent_idempotent_requests"}),
    ),
}


class ServiceDriver:
    """One mail service."""

    content_type = "application/json"

    def __init__(self, settings: HttpMailSettings, *, http: ReceiverHttp, who: str) -> None:
        self._settings = settings
        self._preset = PRESETS[settings.preset]
        self._url = settings.url or self._preset.url
        self._http = http
        self._who = who

    @property
    def deduplicates(self) -> bool:
        """Whether the service knows repeats by a key."""
        return bool(self._preset.idempotency)

    def body(self, content: Mail) -> bytes:
        """Give the mail as the service wants it."""
        return cards.compact(self._preset.encode(content))

    async def send(
        self,
        rendered: Rendered,
        recipients: tuple[str, ...],  # noqa: ARG002 - a service takes a mail for all or none
        *,
        key: str,
        now: datetime,
    ) -> Accepted:
        """POST the mail, with the key that makes a repeat harmless where the service knows one."""
        demand_https(self._url, allow_http=self._settings.allow_http, who=self._who)
        answer = await self._http.post(self._url, rendered.body, self._headers(rendered, key), who=self._who)
        if answer.accepted:
            return Accepted(f"{answer.status}, {self._preset.receipt} {_member(answer, self._preset.receipt)}")
        if _member(answer, "name") in self._preset.passing:
            raise DeliveryError(
                DeliveryFailureReason.RATE_LIMITED,
                f"{self._who} is still busy with the same mail",
                retriable=True,
                ambiguous=True,
                status=answer.status,
            )
        raise refusal(answer, self._who, now=now)

    def _headers(self, rendered: Rendered, key: str) -> dict[str, str]:
        name, form = self._preset.authorization
        headers = {"Content-Type": rendered.content_type, name: form.format(self._settings.api_key.reveal())}
        return headers | ({self._preset.idempotency: key[:_KEY_MAX]} if self._preset.idempotency else {})

    async def check(self) -> Accepted:
        """See whether the service's host answers."""
        demand_https(self._url, allow_http=self._settings.allow_http, who=self._who)
        answer = await self._http.reach(self._url, who=self._who)
        return Accepted(f"the host answers ({answer.status})")


def _member(answer: Answer, name: str) -> str:
    try:
        return str(json.loads(answer.text).get(name, ""))
    except (ValueError, AttributeError):
        return ""
