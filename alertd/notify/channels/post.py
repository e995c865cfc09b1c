"""What channels have in common that speak HTTP to one URL: its frame, into which each puts its form, its headers and what its answers mean.

HttpChannel      the URL, whether its host answers, and what an answer means
+- PostChannel   one document of templates in one POST: what most services take
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Generic, Protocol, TypeVar

from alertd.model.notification import Notification, Rendered
from alertd.model.secret import Secret
from alertd.notify.channels.answers import Answer, refusal
from alertd.notify.channels.guard import delivery_errors
from alertd.notify.channels.http import ReceiverHttp, demand_https
from alertd.notify.channels.port import Accepted, Integration, Limits
from alertd.render.environment import Templates
from alertd.render.message import Form, render


class HttpSettings(Protocol):
    """What the settings of all of them say."""

    @property
    def name(self) -> str:
        """The integration's."""
        ...

    @property
    def url(self) -> Secret | str:
        """Where it is; a Secret where the URL lets somebody in."""
        ...

    @property
    def send_resolved(self) -> bool:
        """Whether ends are told."""
        ...

    @property
    def allow_http(self) -> bool:
        """Whether plain http:// is meant."""
        ...


Settings = TypeVar("Settings", bound=HttpSettings)


def integration_of(
    receiver: str,
    kind: str,
    settings: HttpSettings,
    limits: Limits,
    *,
    closes_silently: bool,
    deduplicates: bool,
    keeps_alerts: bool = False,
) -> Integration:
    """Say what an integration is, as its settings and its kind have it."""
    return Integration(
        receiver=receiver,
        kind=kind,
        name=settings.name,
        send_resolved=settings.send_resolved,
        closes_silently=closes_silently,
        deduplicates=deduplicates,
        keeps_alerts=keeps_alerts,
        limits=limits,
    )


class HttpChannel(Generic[Settings]):
    """One integration at one URL. It keeps no connection: the HTTP client is shared."""

    def __init__(self, integration: Integration, settings: Settings, *, http: ReceiverHttp) -> None:
        self.integration = integration
        self.settings = settings
        self.http = http

    async def check(self) -> Accepted:
        """See whether the host answers; nothing is posted, and path and query of the URL stay here."""
        with delivery_errors(self.integration.id):
            answer = await self.http.reach(self.url(), who=self.integration.id)
        return Accepted(f"the host answers ({answer.status})")

    async def close(self) -> None:
        """Do nothing: the HTTP client is shared."""

    def url(self) -> str:
        """Give the URL; raises DeliveryError for one that shows the message to everybody."""
        known = self.settings.url
        url = known.reveal() if isinstance(known, Secret) else known
        demand_https(url, allow_http=self.settings.allow_http, who=self.integration.id)
        return url

    async def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        """Make one request."""
        return await self.http.post(url, body, headers, who=self.integration.id)

    def judge(self, answer: Answer, now: datetime) -> Accepted:
        """Take an answer for acceptance, or raise what it is."""
        if not answer.accepted:
            raise refusal(answer, self.integration.id, now=now, hint=self.hint(answer))
        return Accepted(self.receipt(answer))

    def receipt(self, answer: Answer) -> str:
        """Say what helps to find the message again."""
        return str(answer.status)

    def hint(self, answer: Answer) -> str:  # noqa: ARG002 - for those that know one
        """Say what to do about an answer that is no yes."""
        return ""


class PostChannel(HttpChannel[Settings]):
    """One document in one POST."""

    def __init__(
        self, integration: Integration, form: Form, settings: Settings, *, templates: Templates, http: ReceiverHttp
    ) -> None:
        super().__init__(integration, settings, http=http)
        self.form = form
        self.templates = templates

    def render(self, notification: Notification) -> Rendered:
        """Give the request's body."""
        return render(notification, self.form, self.templates)

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
            headers = {"Content-Type": rendered.content_type, **self.headers(rendered, key, now)}
            answer = await self.post(self.target(self.url(), key), rendered.body, headers)
        return self.judge(answer, now)

    def headers(self, rendered: Rendered, key: str, now: datetime) -> Mapping[str, str]:  # noqa: ARG002 - the same
        """Give the headers of one attempt beside Content-Type."""
        return {}

    def target(self, url: str, key: str) -> str:  # noqa: ARG002 - for those that add to it
        """Give the URL of one message."""
        return url
