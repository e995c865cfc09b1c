"""Slack, Google Chat and Discord, by the webhook of a channel or space: one message in each request.

Google Chat knows a repeat by its request id and keeps a conversation in one thread; Slack and Discord know neither.
https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks,
https://developers.google.com/workspace/chat/api/reference/rest/v1/spaces.messages/create,
https://discord.com/developers/docs/resources/webhook#execute-webhook
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from alertd.errors import DeliveryError, DeliveryFailureReason
from alertd.model.notification import Notification
from alertd.notify.channels.answers import Answer
from alertd.notify.channels.http import ReceiverHttp
from alertd.notify.channels.port import Accepted, Integration, Limits
from alertd.notify.channels.post import PostChannel, integration_of
from alertd.notify.channels.settings import DiscordSettings, GoogleChatSettings, SlackSettings, UrlSettings
from alertd.notify.channels.signature import webhook_id
from alertd.redaction import redact
from alertd.render import cards
from alertd.render.chats import DISCORD, GOOGLE_CHAT, SLACK
from alertd.render.environment import Templates
from alertd.render.hostile import plain
from alertd.render.message import Form
from alertd.render.parts import Part

# Slack names no limit for a whole message, but refuses one of some 13,200 characters (slackapi/bolt-js#2509). It takes one a second:
# https://docs.slack.dev/apis/web-api/rate-limits
SLACK_LIMITS = Limits(body_bytes_max=12_000, blocks_max=5, apart=timedelta(seconds=1))
# 32,000 bytes is Google's limit, and one message a second for a space: https://developers.google.com/workspace/chat/limits
GOOGLE_CHAT_LIMITS = Limits(body_bytes_max=31_000, blocks_max=5, apart=timedelta(seconds=1))
# Discord counts 6,000 characters of text over all embeds of a message; so many bytes of JSON hold no more. Its webhooks are told to take
# five messages in two seconds; what it really allows stands in the headers of its answers, and a 429 is heeded besides.
DISCORD_LIMITS = Limits(body_bytes_max=6_000, blocks_max=3, apart=timedelta(milliseconds=400))
_OK, _NOT_FOUND, _GONE = 200, 404, 410
_SHOWN_MAX = 200

_SLACK_HINTS: Mapping[str, str] = {
    "no_service": "the webhook was removed or switched off; make a new one for the channel",
    "no_team": "the workspace is not there any more",
    "channel_is_archived": "unarchive the channel, or make a webhook for another one",
    "channel_not_found": "the channel was deleted; make a webhook for another one",
    "action_prohibited": "an administrator of the workspace forbids it",
    "invalid_token": "the URL is not, or no longer, the webhook's; copy it anew",
    "user_not_found": "whoever made the webhook has left; make a new one",
}


class SlackChannel(PostChannel[SlackSettings]):
    """A Slack channel. Accepted is only the answer ``ok``: whatever else Slack says is why it did not take the message."""

    def __init__(self, receiver: str, settings: SlackSettings, *, templates: Templates, http: ReceiverHttp) -> None:
        integration = _integration(receiver, "slack", settings, SLACK_LIMITS)
        super().__init__(integration, SLACK_FORM, settings, templates=templates, http=http)

    def judge(self, answer: Answer, now: datetime) -> Accepted:
        """Take nothing but ``ok`` for acceptance."""
        if answer.status != _OK or answer.text.strip() == "ok":
            return super().judge(answer, now)
        told = f"{self.integration.id} answered 200, but not `ok`: {plain(redact(answer.text), _SHOWN_MAX)}"
        hint = self.hint(answer)
        raise DeliveryError(
            DeliveryFailureReason.CLIENT_ERROR, f"{told}: {hint}" if hint else told, retriable=False, status=_OK
        )

    def hint(self, answer: Answer) -> str:
        """Say what to do about Slack's word for it."""
        return next((hint for word, hint in _SLACK_HINTS.items() if answer.text.strip() == word), "")


class GoogleChatChannel(PostChannel[GoogleChatSettings]):
    """A space of Google Chat."""

    def __init__(
        self, receiver: str, settings: GoogleChatSettings, *, templates: Templates, http: ReceiverHttp
    ) -> None:
        integration = _integration(receiver, "google_chat", settings, GOOGLE_CHAT_LIMITS, deduplicates=True)
        super().__init__(integration, GOOGLE_CHAT_FORM, settings, templates=templates, http=http)

    def target(self, url: str, key: str) -> str:
        """Name the request, so that a repeat is known, and ask for a reply in the conversation's thread."""
        return _with_query(url, f"requestId={webhook_id(key)}&messageReplyOption=REPLY_MESSAGE_FALLBACK_TO_NEW_THREAD")

    def hint(self, answer: Answer) -> str:
        """Say what to do."""
        gone = answer.status in {_NOT_FOUND, _GONE}
        return "the webhook or its space was deleted; make a new one and copy its URL" if gone else ""


class DiscordChannel(PostChannel[DiscordSettings]):
    """A Discord channel. Nobody is ever mentioned."""

    def __init__(self, receiver: str, settings: DiscordSettings, *, templates: Templates, http: ReceiverHttp) -> None:
        integration = _integration(receiver, "discord", settings, DISCORD_LIMITS)
        super().__init__(integration, DISCORD_FORM, settings, templates=templates, http=http)

    def target(self, url: str, key: str) -> str:  # noqa: ARG002 - the frame's
        """Ask for an answer that comes when the message is posted, not before."""
        return _with_query(url, "wait=true")

    def hint(self, answer: Answer) -> str:
        """Say what to do."""
        return "the webhook was deleted; make a new one and copy its URL" if answer.status == _NOT_FOUND else ""


def _integration(
    receiver: str, kind: str, settings: UrlSettings, limits: Limits, *, deduplicates: bool = False
) -> Integration:
    return integration_of(receiver, kind, settings, limits, closes_silently=True, deduplicates=deduplicates)


def _with_query(url: str, query: str) -> str:
    """Add to a URL's query; what stands there stays as it is spelt."""
    before, _, fragment = url.partition("#")
    joint = "&" if urlsplit(before).query else "?"
    return f"{before.rstrip('?&')}{joint}{query}{'#' + fragment if fragment else ''}"


def _form(kind: str, part: Part, limits: Limits, extra: Mapping[str, Any]) -> Form:
    def assemble(values: Mapping[str, Any], _: Notification) -> bytes:
        return cards.compact({**values[part.name], **extra})

    return Form(
        kind=kind,
        parts=(part,),
        assemble=assemble,
        content_type="application/json; charset=utf-8",
        body_bytes_max=limits.body_bytes_max,
        blocks_max=limits.blocks_max,
    )


def _google_message(values: Mapping[str, Any], notification: Notification) -> bytes:
    message = values[GOOGLE_CHAT.name]
    thread = {"threadKey": notification.conversation}
    card = {"cardId": "alertd", "card": message["card"]}
    return cards.compact({"text": message.get("text", ""), "cardsV2": [card], "thread": thread})


SLACK_FORM = _form("slack", SLACK, SLACK_LIMITS, {})
DISCORD_FORM = _form("discord", DISCORD, DISCORD_LIMITS, {"allowed_mentions": {"parse": []}})
GOOGLE_CHAT_FORM = Form(
    kind="google_chat",
    parts=(GOOGLE_CHAT,),
    assemble=_google_message,
    content_type="application/json; charset=utf-8",
    body_bytes_max=GOOGLE_CHAT_LIMITS.body_bytes_max,
    blocks_max=GOOGLE_CHAT_LIMITS.blocks_max,
)
