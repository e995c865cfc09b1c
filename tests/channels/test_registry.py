"""From settings to channels, and nothing touched on the way."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from alertd.model.notification import Reason
from alertd.model.secret import Secret
from alertd.notify.channels.port import Channel
from alertd.notify.channels.registry import Services, channels_of
from alertd.notify.channels.settings import (
    AlertmanagerSettings,
    AppriseSettings,
    DiscordSettings,
    EmailSettings,
    GoogleChatSettings,
    PagerDutySettings,
    ReceiverSettings,
    SlackSettings,
    SmtpSettings,
    TeamsSettings,
    WebhookSettings,
)
from alertd.render.environment import Templates
from alertd.render.samples import notification


@pytest.fixture
def channels(templates: Templates, make_http: Any, tokens: Any, tmp_path: Path) -> tuple[Channel, ...]:
    nowhere = Secret.from_file(tmp_path / "not-there")
    settings = ReceiverSettings(
        name="oncall",
        teams=(TeamsSettings(url=nowhere), TeamsSettings(url=nowhere, name="second")),
        email=(
            EmailSettings(
                to=("a@example.com",), from_address="b@example.com", smtp=SmtpSettings(host="mail", password=nowhere)
            ),
        ),
        webhook=(WebhookSettings(url=nowhere, signing_secret=nowhere, send_resolved=False),),
        pagerduty=(PagerDutySettings(routing_key=nowhere),),
        slack=(SlackSettings(url=nowhere),),
        google_chat=(GoogleChatSettings(url=nowhere),),
        discord=(DiscordSettings(url=nowhere),),
        alertmanager=(AlertmanagerSettings(url=nowhere),),
        apprise=(AppriseSettings(url=nowhere),),
    )
    return channels_of(settings, Services(templates=templates, http=make_http(), tokens=tokens))


def test_every_integration_becomes_a_channel_with_its_own_id(channels: tuple[Channel, ...]) -> None:
    assert [channel.integration.id for channel in channels] == [
        "oncall/teams/default",
        "oncall/teams/second",
        "oncall/email/default",
        "oncall/webhook/default",
        "oncall/pagerduty/default",
        "oncall/slack/default",
        "oncall/google_chat/default",
        "oncall/discord/default",
        "oncall/alertmanager/default",
        "oncall/apprise/default",
    ]
    assert [channel.integration.send_resolved for channel in channels] == [True] * 3 + [False] + [True] * 6


@pytest.mark.parametrize("reason", Reason)
def test_every_channel_renders_every_reason_without_reading_a_secret(
    channels: tuple[Channel, ...], reason: Reason
) -> None:
    for channel in channels:
        rendered = channel.render(notification(reason))
        assert rendered.body
        own_words = (
            channel.integration.kind == "alertmanager" or reason is Reason.ACKNOWLEDGED
        )  # PagerDuty: `acknowledge`
        assert reason.value in rendered.body.decode() or own_words
        assert rendered.fallback == ""


@pytest.mark.anyio
async def test_closing_twice_does_no_harm(channels: tuple[Channel, ...]) -> None:
    for channel in (*channels, *channels):
        await channel.close()
