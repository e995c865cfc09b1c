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
from alertd.notify.channels.answers import Answer
from alertd.notify.channels.authorization import authorized
from alertd.notify.channels.http import ReceiverHttp, unusable_url
from alertd.notify.channels.port import Limits, TokenSource
from alertd.notify.channels.post import PostChannel, integration_of
from alertd.notify.channels.settings import TeamsSettings
from alertd.render import cards
from alertd.render.environment import Templates
from alertd.render.message import Form
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


class TeamsChannel(PostChannel[TeamsSettings]):
    """One Teams channel. Accepted means that the flow was started, not that the card was shown."""

    def __init__(
        self, receiver: str, settings: TeamsSettings, *, templates: Templates, http: ReceiverHttp, tokens: TokenSource
    ) -> None:
        integration = integration_of(receiver, "teams", settings, LIMITS, closes_silently=True, deduplicates=False)
        super().__init__(integration, FORM, settings, templates=templates, http=http)
        self._tokens = tokens

    def headers(self, rendered: Rendered, key: str, now: datetime) -> Mapping[str, str]:  # noqa: ARG002 - the frame's
        """Name the message in the flow's history."""
        return {"x-ms-client-tracking-id": key}

    async def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        """Make the request, with a token where the flow asks for one."""

        async def request(authorization: Mapping[str, str]) -> Answer:
            return await self.http.post(url, body, {**headers, **authorization}, who=self.integration.id)

        auth = self.settings.auth
        if auth is None:
            return await request({})
        return await authorized(self._tokens, auth.tenant, _SCOPES.get(auth.cloud, _SCOPES["global"]), request)

    def receipt(self, answer: Answer) -> str:
        """Name the flow's run."""
        run = answer.headers.get("x-ms-workflow-run-id", "")
        return f"{answer.status}, run {run}" if run else str(answer.status)

    def hint(self, answer: Answer) -> str:
        """Say what to do."""
        if answer.status == _UNAUTHORIZED and "sig=" not in self.settings.url.reveal():
            return "the URL has no `sig=`: copy it whole, or set `auth: {entra: {tenant: NAME}}`"
        if answer.status == _NOT_FOUND:
            return "the flow was deleted or switched off; see its owner's flows in Power Automate"
        return ""

    def url(self) -> str:
        """Give the URL, if it is that of a flow."""
        url = super().url()
        why = url_refusal(url, signed_in=self.settings.auth is not None)
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
