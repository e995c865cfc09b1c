"""A Teams channel, by the webhook of a Workflows (Power Automate) flow: one Adaptive Card in each request.

The flow answers 202 before it runs: "accepted" is all that anybody can know. Its run id finds the run in the flow's
history. There is nothing to deduplicate by, so a repeat shows twice. Office 365 connectors (webhook.office.com) ended
in 2026 and are refused. https://learn.microsoft.com/power-automate/oauth-authentication; sizes as seen in 2025: Teams takes
28,672 bytes and adds some 4,400 to ours (MicrosoftDocs/msteams-docs#11274).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from alertd.model.notification import Notification, Rendered
from alertd.notify.channels.answers import Answer, refusal
from alertd.notify.channels.authorization import authorized
from alertd.notify.channels.guard import delivery_errors
from alertd.notify.channels.http import ReceiverHttp, demand_https, unusable_url
from alertd.notify.channels.port import Accepted, Integration, Limits, TokenSource
from alertd.notify.channels.settings import TeamsSettings
from alertd.render import cards
from alertd.render.environment import Templates
from alertd.render.message import Form, render
from alertd.render.parts import CARD

# Four messages a second is what Teams takes of one sender: https://learn.microsoft.com/microsoftteams/platform/bots/how-to/rate-limit
LIMITS = Limits(body_bytes_max=20_000, blocks_max=5, apart=timedelta(milliseconds=250))
_RETIRED = ("webhook.office.com", "outlook.office.com", "outlook.office365.com")
# The double slash belongs there: the audience ends in one. GCC tenants sign in at the global cloud and are not told apart.
_SCOPES: Mapping[str, str] = {
    "global": "https://service.flow.microsoft.com//.default",
    "usgov": "https://high.service.flow.microsoft.us//.default",
    "usgov-dod": "https://service.flow.appsplatform.us//.default",
    "china": "https://service.powerautomate.cn//.default",
}
_UNAUTHORIZED, _NOT_FOUND = 401, 404


class TeamsChannel:
    """One Teams channel."""

    def __init__(
        self, receiver: str, settings: TeamsSettings, *, templates: Templates, http: ReceiverHttp, tokens: TokenSource
    ) -> None:
        self.integration = Integration(
            receiver=receiver,
            kind="teams",
            name=settings.name,
            send_resolved=settings.send_resolved,
            closes_silently=True,
            deduplicates=False,
            limits=LIMITS,
        )
        self._settings = settings
        self._templates = templates
        self._http = http
        self._tokens = tokens

    def render(self, notification: Notification) -> Rendered:
        """Give the request's body: an envelope with one card."""
        return render(notification, FORM, self._templates)

    async def send(
        self,
        rendered: Rendered,
        *,
        key: str,
        attempt: int,  # noqa: ARG002 - a flow knows nothing of attempts
        now: datetime,
        recipients: tuple[str, ...] = (),  # noqa: ARG002 - it has one
    ) -> Accepted:
        """POST the card. Accepted means that the flow was started, not that the card was shown."""
        with delivery_errors(self.integration.id):
            url = self._url()
            answer = await self._posted(url, rendered, {"x-ms-client-tracking-id": key})
        if not answer.accepted:
            raise refusal(answer, self.integration.id, now=now, hint=_hint(answer, signed="sig=" in url))
        run = answer.headers.get("x-ms-workflow-run-id", "")
        return Accepted(f"{answer.status}, run {run}" if run else str(answer.status))

    async def _posted(self, url: str, rendered: Rendered, tracking: Mapping[str, str]) -> Answer:
        headers = {"Content-Type": rendered.content_type, **tracking}

        async def post(authorization: Mapping[str, str]) -> Answer:
            return await self._http.post(url, rendered.body, {**headers, **authorization}, who=self.integration.id)

        auth = self._settings.auth
        if auth is None:
            return await post({})
        return await authorized(self._tokens, auth.tenant, _SCOPES.get(auth.cloud, _SCOPES["global"]), post)

    async def check(self) -> Accepted:
        """See whether the flow's host answers; no card is posted."""
        with delivery_errors(self.integration.id):
            answer = await self._http.reach(self._url(), who=self.integration.id)
        return Accepted(f"the host answers ({answer.status})")

    async def close(self) -> None:
        """Do nothing: the HTTP client is shared."""

    def _url(self) -> str:
        url = self._settings.url.reveal()
        demand_https(url, allow_http=self._settings.allow_http, who=self.integration.id)
        why = url_refusal(url, signed_in=self._settings.auth is not None)
        if why:
            raise unusable_url(self.integration.id, why)
        return url


def url_refusal(url: str, *, signed_in: bool = False) -> str:
    """Say why a URL cannot be a Workflows webhook; empty if it can. signed_in: we would send a token along."""
    host = urlsplit(url).hostname or ""
    if any(host == name or host.endswith(f".{name}") for name in _RETIRED):
        return (
            "Microsoft has switched Office 365 connectors off; make a Workflows webhook for the channel and use its URL"
        )
    if signed_in and "sig=" in url:
        return "a signed URL (`sig=`) is refused together with a token; remove `auth`, or take the URL of a flow that asks for one"
    return ""


def _hint(answer: Answer, *, signed: bool) -> str:
    if answer.status == _UNAUTHORIZED and not signed:
        return "the URL has no `sig=`: copy it whole, or set `auth: {entra: {tenant: NAME}}`"
    if answer.status == _NOT_FOUND:
        return "the flow was deleted or switched off; see its owner's flows in Power Automate"
    return ""


def _envelope(values: Mapping[str, Any], _: Notification) -> bytes:
    attachment = {
        "contentType": "application/vnd.microsoft.card.adaptive",
        "contentUrl": None,
        "content": values[CARD.name],
    }
    return cards.compact({"type": "message", "attachments": [attachment]})


FORM = Form(
    kind="teams",
    parts=(CARD,),
    assemble=_envelope,
    content_type="application/json",
    body_bytes_max=LIMITS.body_bytes_max,
    blocks_max=LIMITS.blocks_max,
)
