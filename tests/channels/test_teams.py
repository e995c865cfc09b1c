"""Teams: one card in each request, to a flow that answers before it runs."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from alertd.errors import DeliveryError, DeliveryFailureReason, PollError, PollErrorKind
from alertd.model.secret import Secret
from alertd.notify.channels.http import ReceiverHttp
from alertd.notify.channels.settings import EntraAuth, TeamsSettings
from alertd.notify.channels.teams import TeamsChannel, url_refusal
from alertd.render.environment import Templates
from alertd.render.samples import notification

NOW = datetime(2026, 1, 5, 10, 41, tzinfo=UTC)
SIGNED = "/workflows/x/triggers/manual/paths/invoke?api-version=1&sp=%2Ftriggers%2Fmanual%2Frun&sv=1.0&sig=S3CR3T"


@pytest.fixture
def make(receiver: Any, templates: Templates, http: ReceiverHttp, tokens: Any) -> Any:
    def channel(path: str = SIGNED, **settings: Any) -> TeamsChannel:
        return TeamsChannel(
            "oncall",
            TeamsSettings(url=Secret(f"{receiver.url}{path}"), **settings),
            templates=templates,
            http=http,
            tokens=tokens,
        )

    return channel


@pytest.fixture
def channel(templates: Templates, make_http: Any, tokens: Any) -> TeamsChannel:
    """One that is never asked to send."""
    settings = TeamsSettings(url=Secret(f"https://localhost{SIGNED}"))
    return TeamsChannel("oncall", settings, templates=templates, http=make_http(), tokens=tokens)


async def send(channel: TeamsChannel) -> str:
    return (await channel.send(channel.render(notification()), key="c1-1", attempt=1, now=NOW)).detail


@pytest.mark.anyio
async def test_one_card_in_an_envelope_and_the_run_s_id_is_kept(receiver: Any, make: Any) -> None:
    receiver.headers = {"x-ms-workflow-run-id": "0858"}

    detail = await send(make())

    request = receiver.requests[0]
    envelope = json.loads(request.body)
    assert detail == "202, run 0858"
    assert request.target == SIGNED
    assert request.headers["content-type"] == "application/json"
    assert request.headers["x-ms-client-tracking-id"] == "c1-1"
    assert "authorization" not in request.headers
    assert (envelope["type"], len(envelope["attachments"])) == ("message", 1)
    attachment = envelope["attachments"][0]
    assert (attachment["contentType"], attachment["contentUrl"]) == ("application/vnd.microsoft.card.adaptive", None)
    assert (attachment["content"]["version"], attachment["content"]["msteams"]) == ("1.4", {"width": "Full"})


@pytest.mark.anyio
async def test_a_flow_that_wants_a_token_gets_one(receiver: Any, make: Any, tokens: Any) -> None:
    await send(make("/invoke?api-version=1", auth=EntraAuth(tenant="contoso")))

    assert receiver.requests[0].headers["authorization"] == "Bearer token-1"
    assert tokens.asked == [("contoso", "https://service.flow.microsoft.com//.default")]


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("cloud", "host"),
    [
        ("usgov", "high.service.flow.microsoft.us"),
        ("usgov-dod", "service.flow.appsplatform.us"),
        ("china", "service.powerautomate.cn"),
    ],
)
async def test_the_token_is_for_the_tenant_s_own_cloud(make: Any, tokens: Any, cloud: str, host: str) -> None:
    await send(make("/invoke?api-version=1", auth=EntraAuth(tenant="contoso", cloud=cloud)))

    assert tokens.asked[0][1] == f"https://{host}//.default"


@pytest.mark.anyio
async def test_a_refused_token_is_replaced_once(receiver: Any, make: Any) -> None:
    receiver.status = 401

    with pytest.raises(DeliveryError) as failure:
        await send(make("/invoke?api-version=1", auth=EntraAuth(tenant="contoso")))

    assert [request.headers["authorization"] for request in receiver.requests] == ["Bearer token-1", "Bearer token-2"]
    assert failure.value.reason is DeliveryFailureReason.AUTH


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("kind", "retriable"), [(PollErrorKind.AUTH, False), (PollErrorKind.NETWORK, True), (PollErrorKind.THROTTLED, True)]
)
async def test_without_a_token_nothing_is_sent(
    receiver: Any, make: Any, tokens: Any, kind: PollErrorKind, retriable: bool
) -> None:
    tokens.fault = PollError(kind, "no token", cure="renew the secret", retry_after=7.0)

    with pytest.raises(DeliveryError) as failure:
        await send(make("/invoke?api-version=1", auth=EntraAuth(tenant="contoso")))

    assert receiver.requests == []
    assert (failure.value.reason, failure.value.retriable, failure.value.ambiguous) == (
        DeliveryFailureReason.AUTH,
        retriable,
        False,
    )
    assert failure.value.retry_after == timedelta(seconds=7)
    assert "renew the secret" in str(failure.value)


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("status", "path", "hint"),
    [
        (401, "/invoke?api-version=1", "no `sig=`"),
        (404, SIGNED, "deleted or switched off"),
        (400, SIGNED, "answered 400"),
    ],
)
async def test_answers_come_with_what_to_do(receiver: Any, make: Any, status: int, path: str, hint: str) -> None:
    receiver.status = status

    with pytest.raises(DeliveryError, match=hint):
        await send(make(path))


@pytest.mark.parametrize(
    "url",
    [
        "https://contoso.webhook.office.com/webhookb2/x",
        "https://webhook.office.com/x",
        "https://outlook.office.com/webhook/x",
    ],
)
def test_retired_connectors_are_refused_with_the_reason(url: str) -> None:
    assert "switched Office 365 connectors off" in url_refusal(url)


@pytest.mark.anyio
async def test_a_retired_url_in_a_file_is_refused_when_it_is_read(
    templates: Templates, http: ReceiverHttp, tokens: Any
) -> None:
    channel = TeamsChannel(
        "oncall",
        TeamsSettings(url=Secret("https://x.webhook.office.com/S3CR3T")),
        templates=templates,
        http=http,
        tokens=tokens,
    )

    with pytest.raises(DeliveryError, match="connectors off") as failure:
        await send(channel)

    assert not failure.value.retriable
    assert "S3CR3T" not in str(failure.value)


@pytest.mark.anyio
async def test_a_signed_url_and_a_token_exclude_each_other(receiver: Any, make: Any) -> None:
    with pytest.raises(DeliveryError, match="refused together with a token"):
        await send(make(auth=EntraAuth(tenant="contoso")))

    assert receiver.requests == []


def test_what_chat_is_like(channel: TeamsChannel) -> None:
    integration = channel.integration

    assert integration.id == "oncall/teams/default"
    assert (integration.closes_silently, integration.deduplicates, integration.limits.body_bytes_max) == (
        True,
        False,
        20_000,
    )


@pytest.mark.anyio
async def test_check_posts_no_card(receiver: Any, make: Any) -> None:
    await make().check()

    assert [(request.method, request.target) for request in receiver.requests] == [("HEAD", "/")]


def test_the_first_text_is_the_whole_summary_in_one_line(channel: TeamsChannel) -> None:
    """Teams shows it in the activity feed; `fallbackText` is for those that show no cards."""
    card = json.loads(channel.render(notification()).body)["attachments"][0]["content"]

    assert "Salesforce is in quarantine" in card["body"][0]["items"][0]["text"]
    assert card["fallbackText"] == "CRITICAL: Salesforce is in quarantine: EncounteredQuarantineException"


def test_a_message_that_may_be_a_repeat_says_so(channel: TeamsChannel) -> None:
    assert b"may be a repeat" in channel.render(notification(repeated=True)).body
    assert b"may be a repeat" not in channel.render(notification()).body
