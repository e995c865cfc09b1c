"""Slack, Google Chat and Discord: what goes out, within what they take; what their answers mean; and text that means harm."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from alertd.errors import DeliveryError, DeliveryFailureReason
from alertd.model.notification import Notification, Reason
from alertd.model.secret import Secret
from alertd.notify.channels.chats import DiscordChannel, GoogleChatChannel, SlackChannel
from alertd.notify.channels.http import ReceiverHttp
from alertd.notify.channels.post import PostChannel
from alertd.notify.channels.settings import DiscordSettings, GoogleChatSettings, SlackSettings
from alertd.render.environment import Templates
from alertd.render.hostile import chat
from alertd.render.samples import alert, ended, event, notification, samples, silence

NOW = datetime(2026, 1, 5, 10, 41, tzinfo=UTC)
KINDS: dict[str, tuple[type[Any], type[Any]]] = {
    "slack": (SlackChannel, SlackSettings),
    "google_chat": (GoogleChatChannel, GoogleChatSettings),
    "discord": (DiscordChannel, DiscordSettings),
}
PATHS = {
    "slack": "/services/T0/B0/S3CR3T",
    "google_chat": "/v1/spaces/A/messages?key=K&token=S3CR3T%3D",
    "discord": "/api/webhooks/1/S3CR3T",
}
HOSTILE = (
    "<!channel> *x* [a](https://evil.example) </b> <https://evil.example|safe> @everyone &lt;\u202e\n" + "y" * 5_000
)


@pytest.fixture
def make(receiver: Any, templates: Templates, http: ReceiverHttp) -> Callable[..., PostChannel]:
    def channel(kind: str) -> PostChannel:
        build, settings = KINDS[kind]
        receiver.status, receiver.body = 200, b"ok" if kind == "slack" else b"{}"
        url = Secret(f"{receiver.url}{PATHS[kind]}")
        made: PostChannel = build("oncall", settings(url=url), templates=templates, http=http)
        return made

    return channel


@pytest.fixture
def offline(templates: Templates, make_http: Any) -> Callable[..., PostChannel]:
    """Channels that are never asked to send."""

    def channel(kind: str, using: Templates = templates) -> PostChannel:
        build, settings = KINDS[kind]
        url = Secret(f"https://localhost{PATHS[kind]}")
        made: PostChannel = build("oncall", settings(url=url), templates=using, http=make_http())
        return made

    return channel


def body_of(channel: PostChannel, message: Notification | None = None) -> Any:
    return json.loads(channel.render(message or notification()).body)


def strings(value: Any) -> list[str]:
    if isinstance(value, dict | list):
        return [text for item in (value.values() if isinstance(value, dict) else value) for text in strings(item)]
    return [value] if isinstance(value, str) else []


async def send(channel: PostChannel) -> str:
    return (await channel.send(channel.render(notification()), key="c1-1", attempt=1, now=NOW)).detail


# What goes out.


@pytest.mark.anyio
@pytest.mark.parametrize("kind", KINDS)
async def test_one_message_to_the_very_url(receiver: Any, make: Any, kind: str) -> None:
    assert await send(make(kind)) == "200"

    (request,) = receiver.requests
    assert request.method == "POST"
    assert request.target.startswith(PATHS[kind])
    assert request.headers["content-type"].startswith("application/json")
    assert "Salesforce is in quarantine" in request.body.decode()


@pytest.mark.anyio
async def test_google_chat_knows_a_repeat_and_keeps_the_thread(receiver: Any, make: Any) -> None:
    channel = make("google_chat")
    for _ in range(2):
        await send(channel)

    queries = [parse_qs(urlsplit(request.target).query) for request in receiver.requests]
    assert queries[0] == queries[1]
    assert queries[0] == {
        "key": ["K"],
        "token": ["S3CR3T="],
        "requestId": ["c1-1"],
        "messageReplyOption": ["REPLY_MESSAGE_FALLBACK_TO_NEW_THREAD"],
    }
    assert json.loads(receiver.requests[0].body)["thread"] == {"threadKey": "0f3a9b7c"}
    assert channel.integration.deduplicates


@pytest.mark.anyio
async def test_discord_answers_when_the_message_is_posted_and_mentions_nobody(receiver: Any, make: Any) -> None:
    await send(make("discord"))

    assert receiver.requests[0].target == f"{PATHS['discord']}?wait=true"
    assert json.loads(receiver.requests[0].body)["allowed_mentions"] == {"parse": []}


def test_slack_shows_blocks_and_notifies_with_the_text(offline: Any) -> None:
    body = body_of(offline("slack"))

    assert body["text"] == "🔴 CRITICAL: Salesforce is in quarantine: EncounteredQuarantineException"
    assert body["blocks"][0]["type"] == "header"
    told = "\n".join(strings(body["blocks"]))
    assert "*Next attempt*\n2026-01-05 16:21 UTC" in told
    assert "Status: Active → *Quarantine*" in told
    assert "1. In the target system" in told
    assert "|Open in Entra>" in told
    assert "message 1 of incident 0f3a9b7c" in told


@pytest.mark.parametrize("kind", KINDS)
def test_a_comment_makes_neither_link_nor_mention(offline: Any, kind: str) -> None:
    told = notification(Reason.SILENCE_ENDING, silence=silence("<!channel> @everyone [x](https://evil.example)"))

    body = offline(kind).render(told).body.decode()

    assert "Silenced by ada" in body
    assert "<!channel>" not in body
    assert "](https://evil" not in body
    assert "https://evil" not in body


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", samples())
def test_every_sample_is_within_the_limits(offline: Any, kind: str, name: str) -> None:
    channel = offline(kind)

    rendered = channel.render(samples()[name])

    assert rendered.fallback == ""
    assert len(rendered.body) <= channel.integration.limits.body_bytes_max
    _hold_to_limits(kind, json.loads(rendered.body))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("count", [2, 4, 6, 40, 3_000])
def test_many_alerts_are_within_the_limits_and_counted(offline: Any, kind: str, count: int) -> None:
    firing = tuple(alert(name=f"App {number}", number=number) for number in range(count))

    rendered = offline(kind).render(notification(firing=firing, resolved=(ended(alert(number=9)),), events=(event(),)))

    _hold_to_limits(kind, json.loads(rendered.body))
    assert rendered.fallback == ""
    assert f"{count} firing" in rendered.body.decode()
    assert ("more" in rendered.body.decode()) >= (count == 3_000)


def _hold_to_limits(kind: str, body: Any) -> None:
    {"slack": _slack_limits, "google_chat": _google_limits, "discord": _discord_limits}[kind](body)


def _slack_limits(body: Any) -> None:
    assert 0 < len(body["blocks"]) <= 50
    for block in body["blocks"]:
        texts = [block.get("text", {}), *block.get("fields", ())]
        assert all(0 < len(text["text"]) <= 3_000 for text in texts if text)
        assert len(block.get("fields", ())) <= 10
        if block["type"] == "header":
            assert len(block["text"]["text"]) <= 150
        if block["type"] == "section":
            assert block.get("text") or block.get("fields")


def _google_limits(body: Any) -> None:
    sections = body["cardsV2"][0]["card"]["sections"]
    widgets = [widget for section in sections for widget in section["widgets"]]
    assert 0 < len(widgets) <= 100
    assert all(strings(widget) for widget in widgets)
    assert len(json.dumps(body, ensure_ascii=False).encode()) < 32_000


def _discord_limits(body: Any) -> None:
    embeds = body["embeds"]
    fields = [field for embed in embeds for field in embed.get("fields", ())]
    assert len(body["content"]) <= 2_000
    assert len(embeds) <= 10
    assert all(len(embed.get("fields", ())) <= 25 for embed in embeds)
    assert all(0 < len(field["name"]) <= 256 and 0 < len(field["value"]) <= 1_024 for field in fields)
    counted = [embed.get(name, "") for embed in embeds for name in ("title", "description")]
    counted += [field[name] for field in fields for name in ("name", "value")]
    counted += [embed.get("footer", {}).get("text", "") for embed in embeds]
    assert sum(map(len, counted)) <= 6_000


# Text that means harm.


@pytest.mark.parametrize("kind", KINDS)
def test_hostile_text_makes_no_link_no_mention_and_no_tag(offline: Any, kind: str) -> None:
    one = alert(name=HOSTILE, summary=HOSTILE)
    for message in (
        notification(firing=(one,)),
        notification(firing=(one, alert(number=2)), events=(event(summary=HOSTILE),)),
    ):
        for text in strings(body_of(offline(kind), message)):
            assert "<!channel" not in text or kind == "discord"
            assert "<https://evil" not in text
            assert "](https://evil" not in text
            assert "</b> <" not in text
            assert "\u202e" not in text
            assert "https://evil.example" not in text or kind == "discord"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("<!channel>", "&lt;!channel&gt;", id="a mention"),
        pytest.param("a & b &lt;", "a &amp; b &amp;lt;", id="entities stay readable"),
        pytest.param("https://x.example", "https:/\u200b/x.example", id="an address is no link"),
        pytest.param("x\u202ey\nz", "xy z", id="one clean line"),
        pytest.param(None, "", id="nothing"),
    ],
)
def test_chat_escapes_what_slack_and_google_read(text: str | None, expected: str) -> None:
    assert chat(text) == expected


# What answers mean.


@pytest.mark.anyio
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("status", "headers", "reason", "retriable"),
    [
        pytest.param(400, {}, DeliveryFailureReason.CLIENT_ERROR, False, id="400"),
        pytest.param(401, {}, DeliveryFailureReason.AUTH, False, id="401"),
        pytest.param(403, {}, DeliveryFailureReason.AUTH, False, id="403"),
        pytest.param(404, {}, DeliveryFailureReason.CLIENT_ERROR, False, id="404"),
        pytest.param(429, {"Retry-After": "30"}, DeliveryFailureReason.RATE_LIMITED, True, id="429"),
        pytest.param(500, {}, DeliveryFailureReason.SERVER_ERROR, True, id="500"),
        pytest.param(503, {"Retry-After": "30"}, DeliveryFailureReason.SERVER_ERROR, True, id="503"),
        pytest.param(302, {"Location": "https://evil.example"}, DeliveryFailureReason.CLIENT_ERROR, False, id="302"),
    ],
)
async def test_answers(
    receiver: Any,
    make: Any,
    kind: str,
    status: int,
    headers: dict[str, str],
    reason: DeliveryFailureReason,
    retriable: bool,
) -> None:
    channel = make(kind)
    receiver.status, receiver.headers = status, headers
    receiver.body = f"no: https://localhost{PATHS[kind]}".encode()

    with pytest.raises(DeliveryError) as failure:
        await send(channel)

    error = failure.value
    assert (error.reason, error.retriable, error.ambiguous) == (reason, retriable, False)
    assert error.retry_after == (timedelta(seconds=30) if "Retry-After" in headers else None)
    assert "S3CR3T" not in str(error)


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("status", "word", "hint"),
    [
        pytest.param(200, "invalid_payload", "but not `ok`: invalid_payload", id="not ok is no"),
        pytest.param(200, "<html>sign in</html>", "but not `ok`", id="a portal in between"),
        pytest.param(404, "no_service", "make a new one for the channel", id="the webhook is gone"),
        pytest.param(410, "channel_is_archived", "unarchive the channel", id="the channel is archived"),
        pytest.param(403, "action_prohibited", "an administrator", id="forbidden"),
    ],
)
async def test_slack_says_why_in_a_word(receiver: Any, make: Any, status: int, word: str, hint: str) -> None:
    channel = make("slack")
    receiver.status, receiver.body = status, word.encode()

    with pytest.raises(DeliveryError, match=hint) as failure:
        await send(channel)

    assert not failure.value.retriable


@pytest.mark.anyio
@pytest.mark.parametrize("kind", ["google_chat", "discord"])
async def test_a_webhook_that_is_gone_is_said_to_be(receiver: Any, make: Any, kind: str) -> None:
    channel = make(kind)
    receiver.status = 404

    with pytest.raises(DeliveryError, match="was deleted; make a new one"):
        await send(channel)


@pytest.mark.anyio
@pytest.mark.parametrize("kind", KINDS)
async def test_check_posts_nothing(receiver: Any, make: Any, kind: str) -> None:
    await make(kind).check()

    assert [(request.method, request.target) for request in receiver.requests] == [("HEAD", "/")]


@pytest.mark.parametrize("kind", KINDS)
def test_what_chat_is_like(offline: Any, kind: str) -> None:
    integration = offline(kind).integration

    assert integration.id == f"oncall/{kind}/default"
    assert integration.closes_silently
    assert integration.deduplicates == (kind == "google_chat")


@pytest.mark.parametrize("kind", KINDS)
def test_drills_and_repeats_say_so(offline: Any, kind: str) -> None:
    assert "This is a drill" in json.dumps(body_of(offline(kind), notification(Reason.DRILL)))
    assert "may be a repeat" in json.dumps(body_of(offline(kind), notification(repeated=True)))
    assert "may be a repeat" not in json.dumps(body_of(offline(kind)))


# Templates.


@pytest.mark.parametrize(
    ("kind", "name", "text"),
    [
        pytest.param("slack", "slack/message.blocks.json.j2", '{"blocks": []}', id="slack without text"),
        pytest.param(
            "slack", "slack/message.blocks.json.j2", '{"text": "x", "blocks": [{"a": 1, "b": 2}]}', id="no type"
        ),
        pytest.param("slack", "slack/message.blocks.json.j2", '{"text": "x", "blocks": 7}', id="slack without a list"),
        pytest.param("discord", "discord/message.embeds.json.j2", '{"embeds": ["x"]}', id="discord without objects"),
        pytest.param("google_chat", "google_chat/message.card.json.j2", "{}", id="google without a card"),
        pytest.param("slack", "slack/blocks/default.blocks.json.j2", "{{ x.y }}", id="a block"),
        pytest.param("discord", "discord/blocks/default.embeds.json.j2", "[]", id="a block that is no embed"),
        pytest.param("google_chat", "google_chat/blocks/default.card.json.j2", "{}", id="a block that is no list"),
    ],
)
def test_a_template_that_makes_no_message_is_replaced(
    tmp_path: Path, offline: Any, kind: str, name: str, text: str
) -> None:
    own = tmp_path / name
    own.parent.mkdir(parents=True)
    own.write_text(text)

    rendered = offline(kind, Templates.load(tmp_path)).render(notification())

    assert rendered.fallback
    assert "Salesforce is in quarantine" in rendered.body.decode()
    _hold_to_limits(kind, json.loads(rendered.body))


@pytest.mark.parametrize("kind", KINDS)
def test_too_many_pieces_give_way_to_a_word(tmp_path: Path, offline: Any, kind: str) -> None:
    """A template of one's own may be generous; the service is not."""
    frames = {
        "slack": '{"text": "x", "blocks": [{% for n in range(80) %}'
        '{"type": "section", "text": {"type": "mrkdwn", "text": "p{{ n }}"}},{% endfor %}]}',
        "discord": '{"content": "x", "embeds": [{% for n in range(80) %}{"description": "p{{ n }}"},{% endfor %}]}',
        "google_chat": '{"card": {"sections": [{% for n in range(120) %}{"widgets": [{"textParagraph": {"text": "p{{ n }}"}}]},{% endfor %}]}}',
    }
    part = {"slack": "blocks", "discord": "embeds", "google_chat": "card"}[kind]
    own = tmp_path / kind / f"message.{part}.json.j2"
    own.parent.mkdir(parents=True)
    own.write_text(frames[kind])

    rendered = offline(kind, Templates.load(tmp_path)).render(notification())

    assert rendered.fallback == ""
    assert "more parts of this message" in rendered.body.decode()
    _hold_to_limits(kind, json.loads(rendered.body))
