"""What channels have in common that POST one document to one URL; each adds its form, its URL and what its answers mean."""

from __future__ import annotations

from datetime import datetime

from alertd.model.notification import Notification, Rendered
from alertd.notify.channels.answers import Answer, refusal
from alertd.notify.channels.guard import delivery_errors
from alertd.notify.channels.http import ReceiverHttp, demand_https
from alertd.notify.channels.port import Accepted, Integration
from alertd.notify.channels.settings import UrlSettings
from alertd.render.environment import Templates
from alertd.render.message import Form, render


class PostChannel:
    """One integration behind one secret URL."""

    def __init__(
        self, integration: Integration, form: Form, settings: UrlSettings, *, templates: Templates, http: ReceiverHttp
    ) -> None:
        self.integration = integration
        self._form = form
        self._settings = settings
        self._templates = templates
        self._http = http

    def render(self, notification: Notification) -> Rendered:
        """Give the request's body."""
        return render(notification, self._form, self._templates)

    async def send(
        self,
        rendered: Rendered,
        *,
        key: str,
        attempt: int,  # noqa: ARG002 - every attempt sends the same
        now: datetime,
        recipients: tuple[str, ...] = (),  # noqa: ARG002 - it has one
    ) -> Accepted:
        """POST it."""
        with delivery_errors(self.integration.id):
            url = self.target(self._url(), rendered, key)
            headers = {"Content-Type": rendered.content_type}
            answer = await self._http.post(url, rendered.body, headers, who=self.integration.id)
        return self.judge(answer, now)

    async def check(self) -> Accepted:
        """See whether the host answers; nothing is posted."""
        with delivery_errors(self.integration.id):
            answer = await self._http.reach(self._url(), who=self.integration.id)
        return Accepted(f"the host answers ({answer.status})")

    async def close(self) -> None:
        """Do nothing: the HTTP client is shared."""

    def target(self, url: str, rendered: Rendered, key: str) -> str:  # noqa: ARG002 - for those that add to it
        """Give the URL of one message."""
        return url

    def judge(self, answer: Answer, now: datetime) -> Accepted:
        """Take an answer for acceptance, or raise what it is."""
        if not answer.accepted:
            raise refusal(answer, self.integration.id, now=now, hint=self.hint(answer))
        return Accepted(str(answer.status))

    def hint(self, answer: Answer) -> str:  # noqa: ARG002 - for those that know one
        """Say what to do about an answer that is no yes."""
        return ""

    def _url(self) -> str:
        url = self._settings.url.reveal()
        demand_https(url, allow_http=self._settings.allow_http, who=self.integration.id)
        return url
