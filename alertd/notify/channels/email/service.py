"""Mail through a service's HTTP interface. What differs between services stands in `presets`."""

from __future__ import annotations

import json
from datetime import datetime

from alertd.errors import DeliveryError, DeliveryFailureReason
from alertd.model.notification import Rendered
from alertd.notify.channels.answers import Answer, refusal
from alertd.notify.channels.email.mail import Mail, address_of
from alertd.notify.channels.email.presets import PRESETS, Request
from alertd.notify.channels.http import ReceiverHttp, demand_https
from alertd.notify.channels.port import Accepted
from alertd.notify.channels.settings import HttpMailSettings

_KEY_MAX = 256


class ServiceDriver:
    """One mail service."""

    def __init__(self, settings: HttpMailSettings, *, sender: str, http: ReceiverHttp, who: str) -> None:
        self._settings = settings
        self._preset = PRESETS[settings.preset]
        domain = address_of(sender).rpartition("@")[2]
        own = settings.url if settings.url and not self._preset.needs_url else self._preset.url
        self._url = own.replace("{domain}", domain).replace("{url}", (settings.url or "").rstrip("/"))
        self._http = http
        self._who = who

    @property
    def content_type(self) -> str:
        """Say how the service wants the mail."""
        return self._preset.content_type

    @property
    def deduplicates(self) -> bool:
        """Whether the service knows repeats by a key."""
        return bool(self._preset.idempotency)

    def body(self, content: Mail) -> bytes:
        """Give the mail as the service wants it."""
        return self._preset.encode(content)

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
        headers = self._headers(rendered, key, now)
        answer = await self._http.post(self._url, rendered.body, headers, who=self._who)
        if answer.accepted:
            return Accepted(_receipt(answer, self._preset.receipt))
        if _member(answer, "name") in self._preset.passing:
            raise DeliveryError(
                DeliveryFailureReason.RATE_LIMITED,
                f"{self._who} is still busy with the same mail",
                retriable=True,
                ambiguous=True,
                status=answer.status,
            )
        raise refusal(answer, self._who, now=now)

    def _headers(self, rendered: Rendered, key: str, now: datetime) -> dict[str, str]:
        request = Request(url=self._url, body=rendered.body, now=now)
        try:
            proof = self._preset.authorize(self._settings.api_key.reveal(), request)
        except ValueError as exc:
            raise DeliveryError(DeliveryFailureReason.AUTH, f"{self._who}: {exc}", retriable=False) from None
        known = {self._preset.idempotency: key[:_KEY_MAX]} if self._preset.idempotency else {}
        return {"Content-Type": rendered.content_type, **proof, **known}

    async def check(self) -> Accepted:
        """See whether the service's host answers."""
        demand_https(self._url, allow_http=self._settings.allow_http, who=self._who)
        answer = await self._http.reach(self._url, who=self._who)
        return Accepted(f"the host answers ({answer.status})")


def _receipt(answer: Answer, name: str) -> str:
    given = _member(answer, name) or answer.headers.get(name, "")
    return f"{answer.status}, id {given}" if given else str(answer.status)


def _member(answer: Answer, name: str) -> str:
    try:
        return str(json.loads(answer.text).get(name, ""))
    except (ValueError, AttributeError):
        return ""
