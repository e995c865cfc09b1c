"""From settings to channels. A new integration is a module of its own, a class of settings, and one line here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import attrs

from alertd.notify.channels.alertmanager import AlertmanagerChannel
from alertd.notify.channels.apprise import AppriseChannel
from alertd.notify.channels.chats import DiscordChannel, GoogleChatChannel, SlackChannel
from alertd.notify.channels.email import EmailChannel
from alertd.notify.channels.http import ReceiverHttp
from alertd.notify.channels.pagerduty import PagerDutyChannel
from alertd.notify.channels.port import Channel, TokenSource
from alertd.notify.channels.settings import (
    AlertmanagerSettings,
    AppriseSettings,
    DiscordSettings,
    EmailSettings,
    GoogleChatSettings,
    IntegrationSettings,
    PagerDutySettings,
    ReceiverSettings,
    SlackSettings,
    TeamsSettings,
    WebhookSettings,
)
from alertd.notify.channels.teams import TeamsChannel
from alertd.notify.channels.webhook import WebhookChannel
from alertd.render.environment import Templates


@attrs.frozen(kw_only=True)
class Services:
    """What all channels share."""

    templates: Templates
    http: ReceiverHttp
    tokens: TokenSource


def channels_of(receiver: ReceiverSettings, services: Services) -> tuple[Channel, ...]:
    """Make the channels of a receiver, in the order of its integrations; nothing is opened and no secret read."""
    return tuple(_channel(receiver.name, settings, services) for settings in receiver.integrations)


# Channels that need nothing beyond templates and HTTP.
_PLAIN: Mapping[type[Any], Callable[..., Channel]] = {
    WebhookSettings: WebhookChannel,
    PagerDutySettings: PagerDutyChannel,
    SlackSettings: SlackChannel,
    GoogleChatSettings: GoogleChatChannel,
    DiscordSettings: DiscordChannel,
}


def _channel(receiver: str, settings: IntegrationSettings, services: Services) -> Channel:
    templates, http, tokens = services.templates, services.http, services.tokens
    match settings:
        case TeamsSettings():
            return TeamsChannel(receiver, settings, templates=templates, http=http, tokens=tokens)
        case EmailSettings():
            return EmailChannel(receiver, settings, templates=templates, http=http, tokens=tokens)
        case AlertmanagerSettings():
            return AlertmanagerChannel(receiver, settings, http=http)
        case AppriseSettings():
            return AppriseChannel(receiver, settings, templates=templates)
        case _:
            return _PLAIN[type(settings)](receiver, settings, templates=templates, http=http)
