"""Receivers: who is told, and through which integrations.

The settings themselves are the channels' (`alertd.notify.channels.settings`); here stands how they are written in YAML. A new
integration is a new table in `INTEGRATIONS`.
"""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar
from urllib.parse import urlsplit

import attrs

from alertd.config.context import Context
from alertd.config.kinds import Address, Boolean, Choice, Declared, Integer, Kind, Schema, Text
from alertd.config.places import place_of
from alertd.config.secrets import SecretText, SecretUrl, Url
from alertd.config.shape import ListOf, Section, Shape
from alertd.model.document import Node
from alertd.notify.channels.settings import (
    AlertmanagerSettings,
    AppriseSettings,
    DiscordSettings,
    EmailSettings,
    EntraAuth,
    GoogleChatSettings,
    GraphMailSettings,
    HttpMailSettings,
    MailPreset,
    PagerDutySettings,
    ReceiverSettings,
    SlackSettings,
    SmtpSettings,
    TeamsSettings,
    Tls,
    WebhookFormat,
    WebhookSettings,
)

_WORKFLOW_HOSTS = (".api.powerplatform.com", ".logic.azure.com")
_NAME = Text(
    "Tells a second integration of a kind from the first; part of its identity, so a new name is a new conversation.",
    pattern=r"[^\s/](?:[^/\r\n]*[^\s/])?",
    says="a name without a slash",
)
_SEND_RESOLVED = Boolean("Whether the end of an alert is told.")
_ALLOW_HTTP = Boolean("Plain http:// is meant.")


@attrs.frozen
class TokenAuth(Kind):
    """``{entra: {tenant: NAME}}``: a token of that tenant's application."""

    expected: ClassVar[str] = "{entra: {tenant: NAME}}"

    def read(self, node: Node, context: Context) -> EntraAuth | None:
        """Give the tenant whose application asks for the token."""
        entra = node.mapping("entra")["entra"]
        if entra.null:
            entra.problem("nothing", expected=self.expected, cure="name the tenant")
            return None
        return _ENTRA.read(entra, context)

    def schema(self) -> Schema:
        """Say its one key."""
        return {
            "type": "object",
            "properties": {"entra": _ENTRA.schema()},
            "required": ["entra"],
            "additionalProperties": False,
        }

    def below(self, path: str) -> Iterator[Declared]:
        """Give the keys of the tenant."""
        yield from _ENTRA.declared(f"{path}.entra")


@attrs.frozen
class TeamsAuth(TokenAuth):
    """``sas``: the URL carries its own signature. ``{entra: {tenant: NAME}}``: a token of that tenant's application."""

    expected: ClassVar[str] = "`sas`, or {entra: {tenant: NAME}}"

    def read(self, node: Node, context: Context) -> EntraAuth | None:
        """Give the tenant whose application asks for the token; None for a signed URL."""
        if node.scalar:
            node.choice(("sas",))
            return None
        return super().read(node, context)

    def schema(self) -> Schema:
        """Allow both forms."""
        return {"anyOf": [{"const": "sas"}, super().schema()]}


_ENTRA = Shape(EntraAuth, {"tenant": Text("The configured tenant whose application asks for tokens.")})


@attrs.frozen
class TeamsKind(Section[TeamsSettings]):
    """A Teams integration, whose URL and `auth` have to fit each other."""

    def read(self, node: Node, context: Context) -> TeamsSettings:
        """Read it and see whether they do."""
        before = len(node.document.errors)
        settings = super().read(node, context)
        if len(node.document.errors) == before and settings.url.path is None:
            _check_signature(settings, node, context)
        return settings


def _check_signature(settings: TeamsSettings, node: Node, context: Context) -> None:
    """Note what the flow would refuse: a signed URL with a token, or its own URL without either."""
    url = settings.url.reveal()
    if context.unresolved(url):
        return
    host, signed = urlsplit(url).hostname or "", "sig=" in url
    if signed and settings.auth is not None:
        cure = "remove `auth`, or make the flow's trigger accept people of the tenant only and copy its new URL"
        node.problem("a signed URL (`sig=`) and `auth`", expected="one of the two", cure=cure)
    elif not signed and settings.auth is None and host.endswith(_WORKFLOW_HOSTS):
        cure = "copy the whole URL, or write auth: {entra: {tenant: NAME}} if the trigger asks for a token"
        node.problem("a Workflows URL without `sig=`", expected="a signed URL, or `auth`", cure=cure)
    if host.endswith(".logic.azure.com"):
        cure = "open the flow in Power Automate and copy its present URL; an own Azure Logic App may stay as it is"
        node.problem("a logic.azure.com URL: those of Teams Workflows ended in November 2025", cure=cure, warning=True)


TEAMS = Shape(
    TeamsSettings,
    {
        "url": SecretUrl("The URL of the Workflows webhook, used exactly as it is written."),
        "auth": TeamsAuth(
            "`sas` (the URL is signed), or {entra: {tenant: NAME}} where the flow's trigger asks for a token."
        ),
        "name": _NAME,
        "send_resolved": _SEND_RESOLVED,
        "allow_http": _ALLOW_HTTP,
    },
)


@attrs.frozen
class Enumerated(Choice):
    """A choice whose members are those of an enum."""

    enum: Any = attrs.field(default=None, kw_only=True)

    def read(self, node: Node, context: Context) -> Any:
        """Give the member."""
        return self.enum(super().read(node, context))


SMTP = Shape(
    SmtpSettings,
    {
        "host": Text("The mail server."),
        "port": Integer("Its port; by default 587, 465 or 25, as `tls` says.", least=1, most=65_535),
        "tls": Enumerated("How the connection is protected; never only if possible.", tuple(Tls), enum=Tls),
        "username": Text("Who logs in; none: no log-in."),
        "password": SecretText("The password."),
        "auth": TokenAuth("Instead of a password: {entra: {tenant: NAME}}, a token of that tenant's application."),
    },
)
GRAPH_MAIL = Shape(
    GraphMailSettings,
    {
        "tenant": Text("The configured tenant whose application sends; it needs Mail.Send for the mailbox."),
        "sender": Address("The mailbox."),
        "graph_url": Url("Another Graph than the cloud's own."),
        "allow_http": _ALLOW_HTTP,
    },
)
HTTP_MAIL = Shape(
    HttpMailSettings,
    {
        "preset": Enumerated("The mail service.", tuple(MailPreset), enum=MailPreset),
        "api_key": SecretText("Its key; with `acs` the resource's access key."),
        "url": Url("Another address than the service's own; with `acs` the resource's endpoint."),
        "allow_http": _ALLOW_HTTP,
    },
)
EMAIL = Shape(
    EmailSettings,
    {
        "to": ListOf("Who gets the mail.", kind=Address(), least=1),
        "from": Address("The sender; with `graph` by default its mailbox."),
        "smtp": Section("Through a mail server.", build=SMTP),
        "graph": Section("Through Microsoft Graph.", build=GRAPH_MAIL),
        "http": Section("Through a mail service's HTTP interface.", build=HTTP_MAIL),
        "name": _NAME,
        "send_resolved": _SEND_RESOLVED,
    },
    {"from": "from_address"},
)


@attrs.frozen
class EmailKind(Section[EmailSettings]):
    """A mail integration: exactly one driver, a sender, and no password in clear text."""

    def read(self, node: Node, context: Context) -> EmailSettings:
        """Read it and see to that."""
        settings = super().read(node, context)
        drivers = [name for name in ("smtp", "graph", "http") if getattr(settings, name) is not None]
        if len(drivers) != 1:
            found = " and ".join(f"`{name}`" for name in drivers) or "no way to send"
            node.problem(found, expected="exactly one of smtp, graph, http")
        elif settings.from_address is None and settings.graph is None:
            node.problem("no `from`", expected="the sender's address", cure="add `from`")
        if settings.smtp is not None:
            _check_smtp(settings.smtp, place_of(node, "smtp"))
        if settings.http is not None and settings.http.preset is MailPreset.ACS and not settings.http.url:
            cure = "add the resource's endpoint, such as https://NAME.communication.azure.com"
            place_of(node, "http").problem("`acs` without `url`", expected="a url", cure=cure)
        return settings


def _check_smtp(smtp: SmtpSettings, node: Node) -> None:
    if smtp.auth is not None:
        _check_token(smtp, node)
    elif smtp.tls is Tls.NONE and (smtp.password is not None or smtp.username):
        node.problem("a password and `tls: none`", expected="a protected connection", cure="use starttls or implicit")
    elif bool(smtp.username) != (smtp.password is not None):
        node.problem("only one of username and password", expected="both, or none")


def _check_token(smtp: SmtpSettings, node: Node) -> None:
    if smtp.password is not None:
        node.problem("a password and `auth`", expected="one of the two")
    elif not smtp.username:
        node.problem("`auth` without `username`", expected="the mailbox that the token is for", cure="add `username`")
    elif smtp.tls is Tls.NONE:
        node.problem("a token and `tls: none`", expected="a protected connection", cure="use starttls or implicit")


WEBHOOK = Shape(
    WebhookSettings,
    {
        "url": SecretUrl("Where to POST, used exactly as it is written."),
        "format": Enumerated(
            "The body: our own in the shape of Standard Webhooks, Alertmanager's, or our own as a CloudEvent.",
            tuple(WebhookFormat),
            enum=WebhookFormat,
        ),
        "signing_secret": SecretText("Signs every request (Standard Webhooks): `whsec_` and base64, or any text."),
        "name": _NAME,
        "send_resolved": _SEND_RESOLVED,
        "allow_http": _ALLOW_HTTP,
    },
)


@attrs.frozen
class RoutingKey(SecretText):
    """A key of PagerDuty's Events API v2."""

    def check(self, text: str, node: Node, context: Context) -> None:
        """Warn of what does not look like one, such as the key of another kind of integration."""
        super().check(text, node, context)
        if text.strip() and re.fullmatch(r"[0-9A-Za-z]{32}", text.strip()) is None:
            cure = "copy the integration key of an `Events API V2` integration of the service"
            node.problem("a routing key that is not 32 letters and digits", cure=cure, warning=True)


PAGERDUTY = Shape(
    PagerDutySettings,
    {
        "routing_key": RoutingKey("The integration key of the service's Events API v2 integration."),
        "url": Url("The Events API; another one in the EU service region."),
        "name": _NAME,
        "send_resolved": Boolean("Whether the end of an alert resolves the incident."),
        "allow_http": _ALLOW_HTTP,
    },
)


def _by_url(build: type[Any], url: str) -> Section[Any]:
    """Give the section of a service that is reached by one secret URL."""
    kinds = {"url": SecretUrl(url), "name": _NAME, "send_resolved": _SEND_RESOLVED, "allow_http": _ALLOW_HTTP}
    return Section("", build=Shape(build, kinds))


@attrs.frozen
class ServiceUrl(SecretUrl):
    """The URL of a service of one's own: a credential only where it holds one."""

    def opens_doors(self, text: str) -> bool:
        """Where it holds user and password, or a query."""
        return super().opens_doors(text) and bool(re.search(r"@|\?", text))


ALERTMANAGER = Shape(
    AlertmanagerSettings,
    {
        "url": ServiceUrl("The Alertmanager's own URL, without /api; name every one of a cluster as an integration."),
        "name": _NAME,
        "allow_http": _ALLOW_HTTP,
    },
)


APPRISE = Shape(
    AppriseSettings,
    {
        "url": SecretText("A URL of Apprise's kind, such as tgram://TOKEN/CHAT."),
        "name": _NAME,
        "send_resolved": _SEND_RESOLVED,
    },
)


@attrs.frozen
class AppriseKind(Section[AppriseSettings]):
    """An integration that needs a library which not everybody installs."""

    def read(self, node: Node, context: Context) -> AppriseSettings:
        """Read it and see whether the library is there."""
        if importlib.util.find_spec("apprise") is None:
            node.problem("the library Apprise is not installed", cure="pip install 'alertd[apprise]', or use webhook")
        return super().read(node, context)


INTEGRATIONS: Mapping[str, Section[Any]] = {
    "teams": TeamsKind("", build=TEAMS),
    "email": EmailKind("", build=EMAIL),
    "webhook": Section("", build=WEBHOOK),
    "pagerduty": Section("", build=PAGERDUTY),
    "slack": _by_url(SlackSettings, "The URL of an incoming webhook of the channel."),
    "google_chat": _by_url(GoogleChatSettings, "The URL of a webhook of the space."),
    "discord": _by_url(DiscordSettings, "The URL of a webhook of the channel."),
    "alertmanager": Section("", build=ALERTMANAGER),
    "apprise": AppriseKind("", build=APPRISE),
}

_DOCS = {
    "teams": "Teams channels, by the URL of a Workflows webhook.",
    "email": "Mail.",
    "webhook": "Any service that takes a POST.",
    "pagerduty": "PagerDuty services, by the Events API v2.",
    "slack": "Slack channels, by incoming webhooks.",
    "google_chat": "Spaces of Google Chat, by their webhooks.",
    "discord": "Discord channels, by their webhooks.",
    "alertmanager": "Prometheus Alertmanagers, by their API v2.",
    "apprise": "More than a hundred other services, by the library Apprise.",
}

RECEIVER = Shape(
    ReceiverSettings,
    {
        "name": Text("What routes call it; unique."),
        **{kind: ListOf(_DOCS[kind], kind=section) for kind, section in INTEGRATIONS.items()},
        "fallback": Text("The receiver told when an integration of this one has failed."),
    },
)


@attrs.frozen
class ReceiverKind(Section[ReceiverSettings]):
    """A receiver, whose integrations of a kind need different names."""

    def read(self, node: Node, context: Context) -> ReceiverSettings:
        """Read it; one without integrations tells nobody, which may be meant."""
        settings = super().read(node, context)
        for kind in INTEGRATIONS:
            _check_names(kind, getattr(settings, kind), node)
        if not settings.integrations and not node.null and len(node.document.errors) == 0:
            node.problem("no integration: it tells nobody", cure="add teams, email or webhook", warning=True)
        return settings


def _check_names(kind: str, integrations: tuple[Any, ...], node: Node) -> None:
    seen: set[str] = set()
    for index, integration in enumerate(integrations):
        if integration.name in seen:
            cure = "give each integration of a kind a `name` of its own; it is part of its identity"
            place = place_of(node, kind, index, "name")
            place.problem(f"a second {kind} integration named `{integration.name}`", expected="another name", cure=cure)
        seen.add(integration.name)
