"""Mail without a mail server: Microsoft Graph, and services with an HTTP interface."""

from __future__ import annotations

import base64
import email
import email.policy
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from alertd.errors import DeliveryError, DeliveryFailureReason
from alertd.model.notification import Reason
from alertd.model.secret import Secret
from alertd.notify.channels.email import EmailChannel
from alertd.notify.channels.settings import EmailSettings, GraphMailSettings, HttpMailSettings
from alertd.render.environment import Templates
from alertd.render.samples import notification

NOW = datetime(2026, 1, 5, 10, 41, tzinfo=UTC)
TO = ("oncall@example.com", "lead@example.com")


@pytest.fixture
def graph(receiver: Any, templates: Templates, http: Any, tokens: Any) -> EmailChannel:
    settings = GraphMailSettings(tenant="contoso", sender="alerts@contoso.com", graph_url=receiver.url)
    return EmailChannel("oncall", EmailSettings(to=TO, graph=settings), templates=templates, http=http, tokens=tokens)


@pytest.fixture
def resend(receiver: Any, templates: Templates, http: Any, tokens: Any) -> EmailChannel:
    receiver.status, receiver.body = 200, b'{"id": "49a3999c"}'
    settings = HttpMailSettings(api_key=Secret("re_S3CR3T"), url=f"{receiver.url}/emails")
    mail = EmailSettings(to=TO, from_address="alertd <alertd@example.com>", http=settings)
    return EmailChannel("oncall", mail, templates=templates, http=http, tokens=tokens)


async def send(channel: EmailChannel, key: str = "c1-1") -> str:
    return (await channel.send(channel.render(notification()), key=key, attempt=1, now=NOW, recipients=TO)).detail


async def failed(channel: EmailChannel) -> DeliveryError:
    with pytest.raises(DeliveryError) as failure:
        await send(channel)
    assert "S3CR3T" not in str(failure.value)
    return failure.value


@pytest.mark.anyio
async def test_graph_gets_the_whole_mail_in_mime(receiver: Any, graph: EmailChannel, tokens: Any) -> None:
    receiver.headers = {"request-id": "3f6e"}

    detail = await send(graph)

    request = receiver.requests[0]
    mail = email.message_from_bytes(base64.b64decode(request.body, validate=True), policy=email.policy.default)
    assert detail == "202, request-id 3f6e"
    assert request.target == "/v1.0/users/alerts@contoso.com/sendMail"
    assert (request.headers["content-type"], request.headers["authorization"]) == ("text/plain", "Bearer token-1")
    assert tokens.asked == [("contoso", f"{receiver.url}/.default")]
    assert (mail["From"], mail["To"], mail["Auto-Submitted"]) == ("alerts@contoso.com", ", ".join(TO), "auto-generated")
    assert mail["References"]


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("status", "code", "reason", "hint"),
    [
        (403, "ErrorAccessDenied", DeliveryFailureReason.AUTH, "Mail.Send"),
        (404, "ErrorInvalidUser", DeliveryFailureReason.CLIENT_ERROR, "a mailbox of this tenant"),
        (400, "ErrorMimeContentInvalidBase64String", DeliveryFailureReason.CLIENT_ERROR, "ErrorMimeContent"),
    ],
)
async def test_graph_s_refusals_come_with_what_to_do(
    receiver: Any, graph: EmailChannel, status: int, code: str, reason: DeliveryFailureReason, hint: str
) -> None:
    receiver.status, receiver.body = status, json.dumps({"error": {"code": code, "message": "no"}}).encode()

    error = await failed(graph)

    assert (error.reason, error.retriable) == (reason, False)
    assert hint in str(error)


@pytest.mark.anyio
async def test_graph_asks_for_patience(receiver: Any, graph: EmailChannel) -> None:
    receiver.status, receiver.headers = 429, {"Retry-After": "2.128"}

    error = await failed(graph)

    assert (error.retriable, error.retry_after) == (True, timedelta(seconds=2.128))


@pytest.mark.parametrize(
    ("cloud", "url"),
    [
        ("global", "https://graph.microsoft.com"),
        ("usgov", "https://graph.microsoft.us"),
        ("china", "https://microsoftgraph.chinacloudapi.cn"),
    ],
)
def test_graph_is_that_of_the_tenant_s_cloud(
    templates: Templates, make_http: Any, tokens: Any, cloud: str, url: str
) -> None:
    settings = EmailSettings(to=TO, graph=GraphMailSettings(tenant="contoso", sender="a@contoso.com", cloud=cloud))

    channel = EmailChannel("oncall", settings, templates=templates, http=make_http(), tokens=tokens)

    assert channel._driver._url == f"{url}/v1.0/users/a@contoso.com/sendMail"
    assert channel._driver._scope == f"{url}/.default"


@pytest.mark.anyio
async def test_graph_s_check_wants_a_token_and_an_answer(receiver: Any, graph: EmailChannel, tokens: Any) -> None:
    accepted = await graph.check()

    assert "a token was given" in accepted.detail
    assert [request.method for request in receiver.requests] == ["HEAD"]


@pytest.mark.anyio
async def test_resend_gets_one_mail_with_a_key_that_makes_repeats_harmless(receiver: Any, resend: EmailChannel) -> None:
    detail = await send(resend)
    await send(resend)

    first, second = receiver.requests
    body = json.loads(first.body)
    assert detail == "200, id 49a3999c"
    assert first.headers["authorization"] == "Bearer re_S3CR3T"
    assert first.headers["idempotency-key"] == second.headers["idempotency-key"] == "c1-1"
    assert first.body == second.body
    assert (body["from"], body["to"]) == ("alertd <alertd@example.com>", list(TO))
    assert body["subject"] == "[alertd] contoso: Salesforce - JobQuarantined"
    assert body["text"].startswith("CRITICAL: Salesforce")
    assert body["html"].lstrip().startswith("<!DOCTYPE html>")
    assert body["headers"]["References"]
    assert resend.integration.deduplicates


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("status", "name", "retriable"),
    [
        (409, "concurrent_idempotent_requests", True),
        (409, "invalid_idempotent_request", False),
        (401, "missing_api_key", False),
        (422, "validation_error", False),
        (429, "rate_limit_exceeded", True),
        (500, "application_error", True),
    ],
)
async def test_resend_s_refusals(receiver: Any, resend: EmailChannel, status: int, name: str, retriable: bool) -> None:
    receiver.status, receiver.body = (
        status,
        json.dumps({"name": name, "message": "re_S3CR3T api_key=re_S3CR3T"[10:]}).encode(),
    )

    error = await failed(resend)

    assert (error.retriable, error.status) == (retriable, status)


@pytest.mark.anyio
async def test_plain_http_is_refused(templates: Templates, http: Any, tokens: Any) -> None:
    settings = HttpMailSettings(api_key=Secret("re_S3CR3T"), url="http://mail.example.com/emails")
    mail = EmailSettings(to=TO, from_address="a@example.com", http=settings)

    error = await failed(EmailChannel("oncall", mail, templates=templates, http=http, tokens=tokens))

    assert not error.retriable


@pytest.mark.anyio
async def test_a_service_s_check_sends_no_mail(receiver: Any, resend: EmailChannel) -> None:
    await resend.check()

    assert [request.method for request in receiver.requests] == ["HEAD"]


@pytest.mark.parametrize("reason", [Reason.DRILL, Reason.REPEAT])
def test_a_service_s_mail_carries_the_same_marks(
    templates: Templates, make_http: Any, tokens: Any, reason: Reason
) -> None:
    mail = EmailSettings(to=TO, from_address="a@example.com", http=HttpMailSettings(api_key=Secret("k")))
    channel = EmailChannel("oncall", mail, templates=templates, http=make_http(), tokens=tokens)

    headers = json.loads(channel.render(notification(reason)).body)["headers"]

    assert (headers["X-Alertd-Reason"], headers["Auto-Submitted"]) == (reason.value, "auto-generated")
