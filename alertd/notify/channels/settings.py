"""What an operator says about each integration: plain values, built by the configuration's loader.

`name` tells a second integration of a kind from the first; it is ``default`` where none is given. A `url` is a Secret
where its path or query authorises whoever knows it.
"""

from __future__ import annotations

import enum

import attrs

from alertd.model.secret import Secret


class Tls(enum.StrEnum):
    """How a mail connection is protected; never opportunistically."""

    STARTTLS = "starttls"  # refuses a server that does not offer it
    IMPLICIT = "implicit"
    NONE = "none"  # refused together with a password


class WebhookFormat(enum.StrEnum):
    """What a webhook's body looks like."""

    ALERTD = "alertd"  # our own, in the shape of Standard Webhooks: type, timestamp, data
    ALERTMANAGER = "alertmanager"  # Alertmanager's JSON, version 4: all its receivers understand it
    CLOUDEVENTS = "cloudevents"  # CloudEvents 1.0, structured: `data` is that of our own body


class MailPreset(enum.StrEnum):
    """Mail services with an HTTP interface that we know how to speak to."""

    RESEND = "resend"
    POSTMARK = "postmark"
    SENDGRID = "sendgrid"
    MAILGUN = "mailgun"
    ACS = "acs"  # Azure Communication Services


@attrs.frozen(kw_only=True)
class EntraAuth:
    """The flow's trigger wants a bearer token: of this configured tenant's application, in this tenant's cloud."""

    tenant: str
    cloud: str = "global"


@attrs.frozen(kw_only=True)
class TeamsSettings:
    """A Teams channel behind a Workflows webhook. auth: null where the URL carries its own signature (``sig=``)."""

    url: Secret
    auth: EntraAuth | None = None
    name: str = "default"
    send_resolved: bool = True
    allow_http: bool = False


@attrs.frozen(kw_only=True)
class SmtpSettings:
    """A mail server. port: null means 587, 465 or 25, as `tls` says.

    username: who logs in, with either a password or a token of a configured tenant's application (XOAUTH2).
    """

    host: str
    port: int | None = None
    tls: Tls = Tls.STARTTLS
    username: str = ""
    password: Secret | None = None
    auth: EntraAuth | None = None


@attrs.frozen(kw_only=True)
class GraphMailSettings:
    """Microsoft Graph's sendMail: the tenant's application needs Mail.Send for the sender's mailbox.

    graph_url: null means the cloud's own.
    """

    tenant: str
    sender: str
    cloud: str = "global"
    graph_url: str | None = None
    allow_http: bool = False


@attrs.frozen(kw_only=True)
class HttpMailSettings:
    """A mail service's HTTP interface. url: null means the preset's own; Azure's is that of the resource."""

    preset: MailPreset = MailPreset.RESEND
    api_key: Secret
    url: str | None = None
    allow_http: bool = False


@attrs.frozen(kw_only=True)
class EmailSettings:
    """Mail to these addresses, by exactly one of the three drivers.

    from_address: null means the Graph driver's sender.
    """

    to: tuple[str, ...]
    from_address: str | None = None
    smtp: SmtpSettings | None = None
    graph: GraphMailSettings | None = None
    http: HttpMailSettings | None = None
    name: str = "default"
    send_resolved: bool = True


@attrs.frozen(kw_only=True)
class WebhookSettings:
    """A POST to any URL. signing_secret: ``whsec_`` and base64, or any text; null leaves the signature out."""

    url: Secret
    format: WebhookFormat = WebhookFormat.ALERTD
    signing_secret: Secret | None = None
    name: str = "default"
    send_resolved: bool = True
    allow_http: bool = False


@attrs.frozen(kw_only=True)
class UrlSettings:
    """A service that takes messages at one secret URL and asks for nothing else."""

    url: Secret
    name: str = "default"
    send_resolved: bool = True
    allow_http: bool = False


@attrs.frozen(kw_only=True)
class SlackSettings(UrlSettings):
    """A Slack channel, by an incoming webhook."""


@attrs.frozen(kw_only=True)
class GoogleChatSettings(UrlSettings):
    """A space of Google Chat, by its webhook."""


@attrs.frozen(kw_only=True)
class DiscordSettings(UrlSettings):
    """A Discord channel, by its webhook."""


@attrs.frozen(kw_only=True)
class AlertmanagerSettings(UrlSettings):
    """An Alertmanager. url: its own, below which the API is; it may hold user and password."""


@attrs.frozen(kw_only=True)
class AppriseSettings:
    """Any service that the library Apprise knows. url: of its own kind, such as ``tgram://...``."""

    url: Secret
    name: str = "default"
    send_resolved: bool = True


@attrs.frozen(kw_only=True)
class PagerDutySettings:
    """A service of PagerDuty, by the key of its Events API v2 integration. url: that of the service region."""

    routing_key: Secret
    url: str = "https://events.pagerduty.com/v2/enqueue"
    name: str = "default"
    send_resolved: bool = True
    allow_http: bool = False


IntegrationSettings = (
    TeamsSettings
    | EmailSettings
    | WebhookSettings
    | PagerDutySettings
    | SlackSettings
    | GoogleChatSettings
    | DiscordSettings
    | AlertmanagerSettings
    | AppriseSettings
)


@attrs.frozen(kw_only=True)
class ReceiverSettings:
    """A receiver and all its integrations. fallback: the receiver told when one of them has failed."""

    name: str
    teams: tuple[TeamsSettings, ...] = ()
    email: tuple[EmailSettings, ...] = ()
    webhook: tuple[WebhookSettings, ...] = ()
    pagerduty: tuple[PagerDutySettings, ...] = ()
    slack: tuple[SlackSettings, ...] = ()
    google_chat: tuple[GoogleChatSettings, ...] = ()
    discord: tuple[DiscordSettings, ...] = ()
    alertmanager: tuple[AlertmanagerSettings, ...] = ()
    apprise: tuple[AppriseSettings, ...] = ()
    fallback: str | None = None

    @property
    def integrations(self) -> tuple[IntegrationSettings, ...]:
        """All of them, in the order of their kinds."""
        chats: tuple[IntegrationSettings, ...] = (*self.slack, *self.google_chat, *self.discord)
        return (*self.teams, *self.email, *self.webhook, *self.pagerduty, *chats, *self.alertmanager, *self.apprise)

    @property
    def kinds(self) -> tuple[str, ...]:
        """The kinds of its integrations, each once, as the configuration calls them."""
        lists = (name for name in attrs.fields_dict(type(self)) if isinstance(getattr(self, name), tuple))
        return tuple(name for name in lists if getattr(self, name))
