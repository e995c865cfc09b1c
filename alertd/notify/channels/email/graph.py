"""Mail through Microsoft Graph: sendMail with the whole mail in MIME, since its JSON form can carry no threading headers.

202 means accepted, not delivered, and there is nothing to deduplicate by.
https://learn.microsoft.com/graph/api/user-sendmail
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from datetime import datetime
from urllib.parse import quote, urlsplit

from alertd.graph.clouds import CLOUDS
from alertd.model.notification import Rendered
from alertd.notify.channels.answers import Answer, refusal
from alertd.notify.channels.authorization import authorized
from alertd.notify.channels.email.mail import Mail, mime
from alertd.notify.channels.http import ReceiverHttp, demand_https
from alertd.notify.channels.port import Accepted, TokenSource
from alertd.notify.channels.settings import GraphMailSettings

_FORBIDDEN, _NOT_FOUND = 403, 404


class GraphDriver:
    """One mailbox that sends."""

    content_type = "message/rfc822"
    deduplicates = False

    def __init__(self, settings: GraphMailSettings, *, http: ReceiverHttp, tokens: TokenSource, who: str) -> None:
        base = settings.graph_url or CLOUDS[settings.cloud].graph
        parts = urlsplit(base)
        self._url = f"{base.rstrip('/')}/v1.0/users/{quote(settings.sender, safe='@')}/sendMail"
        self._scope = (
            f"{CLOUDS[settings.cloud].graph}/.default"
            if settings.graph_url is None
            else f"{parts.scheme}://{parts.netloc}/.default"
        )
        self._settings = settings
        self._http = http
        self._tokens = tokens
        self._who = who

    def body(self, content: Mail) -> bytes:
        """Give the mail in MIME; Graph is sent its base64."""
        return mime(content)

    async def send(
        self,
        rendered: Rendered,
        recipients: tuple[str, ...],  # noqa: ARG002 - Graph takes a mail for all or none
        *,
        key: str,  # noqa: ARG002 - it stands in the mail's Message-ID
        now: datetime,
    ) -> Accepted:
        """POST the mail."""
        demand_https(self._url, allow_http=self._settings.allow_http, who=self._who)
        encoded = base64.b64encode(rendered.body)

        async def post(authorization: Mapping[str, str]) -> Answer:
            return await self._http.post(
                self._url, encoded, {"Content-Type": "text/plain", **authorization}, who=self._who
            )

        answer = await authorized(self._tokens, self._settings.tenant, self._scope, post)
        if not answer.accepted:
            raise refusal(answer, self._who, now=now, hint=_hint(answer))
        request = answer.headers.get("request-id", "")
        return Accepted(f"{answer.status}, request-id {request}" if request else str(answer.status))

    async def check(self) -> Accepted:
        """See that there is a token and that Graph answers; permission to send shows only in sending."""
        demand_https(self._url, allow_http=self._settings.allow_http, who=self._who)
        await self._tokens.header(self._settings.tenant, self._scope)
        answer = await self._http.reach(self._url, who=self._who)
        return Accepted(f"a token was given and the host answers ({answer.status})")


def _hint(answer: Answer) -> str:
    if answer.status == _FORBIDDEN:
        return "the application needs Mail.Send for this mailbox, or the Exchange role `Application Mail.Send` over it"
    if answer.status == _NOT_FOUND or _code(answer) in {"ErrorInvalidUser", "MailboxNotEnabledForRESTAPI"}:
        return "`sender` has to be a mailbox of this tenant"
    return ""


def _code(answer: Answer) -> str:
    try:
        return str(json.loads(answer.text)["error"]["code"])
    except (ValueError, KeyError, TypeError):
        return ""
