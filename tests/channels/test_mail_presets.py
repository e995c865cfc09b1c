"""Mail services: each gets the mail as its documentation has it, and its key where nobody else sees it."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs

import pytest

from alertd.errors import DeliveryError, DeliveryFailureReason
from alertd.model.secret import Secret
from alertd.notify.channels.email import EmailChannel
from alertd.notify.channels.email.presets import PRESETS
from alertd.notify.channels.email.service import ServiceDriver
from alertd.notify.channels.settings import EmailSettings, HttpMailSettings, MailPreset
from alertd.render.environment import Templates
from alertd.render.samples import notification

NOW = datetime(2026, 1, 5, 10, 41, tzinfo=UTC)
TO = ("oncall@example.com", "Lead <lead@example.com>")
KEY = base64.b64encode(b"S3CR3T-access-key").decode()
OTHERS = [preset for preset in MailPreset if preset is not MailPreset.RESEND]


@pytest.fixture
def make(receiver: Any, templates: Templates, http: Any, tokens: Any) -> Callable[..., EmailChannel]:
    def channel(preset: MailPreset, key: str = KEY) -> EmailChannel:
        service = HttpMailSettings(preset=preset, api_key=Secret(key), url=receiver.url)
        mail = EmailSettings(to=TO, from_address="alertd <alertd@example.com>", http=service)
        return EmailChannel("oncall", mail, templates=templates, http=http, tokens=tokens)

    return channel


async def send(channel: EmailChannel) -> str:
    rendered = channel.render(notification())
    return (await channel.send(rendered, key="c1-1", attempt=1, now=NOW)).detail


async def sent(receiver: Any, channel: EmailChannel) -> tuple[Any, Mapping[str, str], str]:
    """Send a mail; give body, headers and what is kept of the answer."""
    detail = await send(channel)
    (request,) = receiver.requests
    form = request.headers["content-type"] == "application/x-www-form-urlencoded"
    body = parse_qs(request.body.decode(), strict_parsing=True) if form else json.loads(request.body)
    return body, request.headers, detail


@pytest.mark.anyio
async def test_postmark(receiver: Any, make: Any) -> None:
    receiver.status, receiver.body = 200, b'{"ErrorCode": 0, "MessageID": "b7bc2f4a"}'

    body, headers, detail = await sent(receiver, make(MailPreset.POSTMARK))

    named = {one["Name"]: one["Value"] for one in body["Headers"]}
    assert (headers["x-postmark-server-token"], detail) == (KEY, "200, id b7bc2f4a")
    assert (body["From"], body["To"]) == ("alertd <alertd@example.com>", ", ".join(TO))
    assert body["Subject"] == "[alertd] contoso: Salesforce - JobQuarantined"
    assert (body["MessageStream"], named["X-PM-KeepID"]) == ("outbound", "true")
    assert named["Message-ID"].endswith("@example.com>")
    assert body["TextBody"].startswith("CRITICAL")
    assert body["HtmlBody"].startswith("<!DOCTYPE html>")


@pytest.mark.anyio
async def test_sendgrid(receiver: Any, make: Any) -> None:
    receiver.headers = {"X-Message-Id": "14c5d75ce93"}

    body, headers, detail = await sent(receiver, make(MailPreset.SENDGRID))

    assert (headers["authorization"], detail) == (f"Bearer {KEY}", "202, id 14c5d75ce93")
    assert body["from"] == {"email": "alertd@example.com", "name": "alertd"}
    assert body["personalizations"] == [
        {"to": [{"email": "oncall@example.com"}, {"email": "lead@example.com", "name": "Lead"}]}
    ]
    assert [part["type"] for part in body["content"]] == ["text/plain", "text/html"], "the order that it takes"
    assert body["headers"]["References"]


@pytest.mark.anyio
async def test_mailgun(receiver: Any, make: Any) -> None:
    receiver.status, receiver.body = 200, b'{"id": "<2026@example.com>", "message": "Queued. Thank you."}'

    body, headers, detail = await sent(receiver, make(MailPreset.MAILGUN))

    assert base64.b64decode(headers["authorization"].removeprefix("Basic ")) == f"api:{KEY}".encode()
    assert (body["to"], body["from"]) == (list(TO), ["alertd <alertd@example.com>"])
    assert body["h:Message-ID"][0].endswith("@example.com>")
    assert body["html"][0].startswith("<!DOCTYPE html>")
    assert detail == "200, id <2026@example.com>"


@pytest.mark.anyio
async def test_azure_communication_services(receiver: Any, make: Any) -> None:
    """The signature is reckoned anew here, from what arrived."""
    receiver.body = b'{"id": "8540c0de", "status": "Running"}'

    body, headers, detail = await sent(receiver, make(MailPreset.ACS))

    (request,) = receiver.requests
    digest = base64.b64encode(hashlib.sha256(request.body).digest()).decode()
    signed = f"POST\n{request.target}\n{headers['x-ms-date']};{headers['host']};{digest}"
    expected = base64.b64encode(hmac.new(b"S3CR3T-access-key", signed.encode(), hashlib.sha256).digest()).decode()
    assert request.target == "/emails:send?api-version=2025-09-01"
    assert headers["x-ms-date"] == "Mon, 05 Jan 2026 10:41:00 GMT"
    assert headers["x-ms-content-sha256"] == digest
    assert headers["authorization"] == (
        f"HMAC-SHA256 SignedHeaders=x-ms-date;host;x-ms-content-sha256&Signature={expected}"
    )
    assert body["senderAddress"] == "alertd@example.com"
    assert body["recipients"]["to"][1] == {"address": "lead@example.com", "displayName": "Lead"}
    assert set(body["content"]) == {"subject", "plainText", "html"}
    assert detail == "202, id 8540c0de"


@pytest.mark.anyio
async def test_a_connection_string_is_no_access_key(receiver: Any, make: Any) -> None:
    with pytest.raises(DeliveryError, match="copy `Primary key`") as failure:
        await send(make(MailPreset.ACS, "endpoint=https://x/;accesskey=S3CR3T"))

    assert (failure.value.reason, failure.value.retriable) == (DeliveryFailureReason.AUTH, False)
    assert "S3CR3T" not in str(failure.value)
    assert receiver.requests == []


@pytest.mark.anyio
@pytest.mark.parametrize("preset", OTHERS)
@pytest.mark.parametrize(
    ("status", "reason", "retriable"),
    [
        (400, DeliveryFailureReason.CLIENT_ERROR, False),
        (401, DeliveryFailureReason.AUTH, False),
        (403, DeliveryFailureReason.AUTH, False),
        (422, DeliveryFailureReason.CLIENT_ERROR, False),
        (429, DeliveryFailureReason.RATE_LIMITED, True),
        (500, DeliveryFailureReason.SERVER_ERROR, True),
    ],
)
async def test_answers(
    receiver: Any, make: Any, preset: MailPreset, status: int, reason: DeliveryFailureReason, retriable: bool
) -> None:
    receiver.status, receiver.body = status, f'{{"ErrorCode": 300, "Message": "api_key={KEY}"}}'.encode()

    with pytest.raises(DeliveryError) as failure:
        await send(make(preset))

    assert (failure.value.reason, failure.value.retriable) == (reason, retriable)
    assert KEY not in str(failure.value)


@pytest.mark.parametrize(
    ("preset", "given", "expected"),
    [
        (MailPreset.MAILGUN, None, "https://api.mailgun.net/v3/example.com/messages"),
        (MailPreset.MAILGUN, "https://api.eu.mailgun.net/v3/x/messages", "https://api.eu.mailgun.net/v3/x/messages"),
        (MailPreset.ACS, "https://x.example/", "https://x.example/emails:send?api-version=2025-09-01"),
        (MailPreset.POSTMARK, None, "https://api.postmarkapp.com/email"),
        (MailPreset.SENDGRID, None, "https://api.sendgrid.com/v3/mail/send"),
    ],
)
def test_where_it_goes(make_http: Any, preset: MailPreset, given: str | None, expected: str) -> None:
    settings = HttpMailSettings(preset=preset, api_key=Secret(KEY), url=given)

    assert ServiceDriver(settings, sender="alertd <a@example.com>", http=make_http(), who="x")._url == expected


def test_every_service_is_known_and_only_resend_knows_repeats() -> None:
    assert set(PRESETS) == set(MailPreset)
    assert [preset for preset in PRESETS if PRESETS[preset].idempotency] == [MailPreset.RESEND]
