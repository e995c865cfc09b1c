"""Webhooks: bodies that machines read, headers they can trust."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import standardwebhooks
import time_machine

from alertd.model.alert import Ended
from alertd.model.notification import Reason
from alertd.model.secret import Secret
from alertd.notify.channels.http import ReceiverHttp
from alertd.notify.channels.settings import WebhookFormat, WebhookSettings
from alertd.notify.channels.signature import webhook_headers, webhook_id
from alertd.notify.channels.webhook import WebhookChannel
from alertd.render.environment import Templates
from alertd.render.samples import alert, ended, event, notification

NOW = datetime(2026, 1, 5, 10, 41, tzinfo=UTC)
SECRET = f"whsec_{base64.b64encode(b'k' * 32).decode()}"


def channel(receiver: Any, templates: Templates, http: ReceiverHttp, **settings: Any) -> WebhookChannel:
    return WebhookChannel(
        "audit", WebhookSettings(url=Secret(f"{receiver.url}/x"), **settings), templates=templates, http=http
    )


@pytest.fixture
def offline(templates: Templates, make_http: Callable[..., ReceiverHttp]) -> Callable[..., WebhookChannel]:
    """Channels that are never asked to send."""

    def make(**settings: Any) -> WebhookChannel:
        url = Secret("https://localhost/x")
        return WebhookChannel("audit", WebhookSettings(url=url, **settings), templates=templates, http=make_http())

    return make


@pytest.mark.anyio
async def test_every_attempt_is_signed_anew_with_the_same_id(
    receiver: Any, templates: Templates, http: ReceiverHttp
) -> None:
    told = channel(receiver, templates, http, signing_secret=Secret(SECRET))
    rendered = told.render(notification())

    for attempt in (1, 2):
        await told.send(rendered, key="c1-1", attempt=attempt, now=NOW + timedelta(minutes=attempt))

    first, second = receiver.requests
    assert first.headers["webhook-id"] == second.headers["webhook-id"] == "c1-1"
    assert int(second.headers["webhook-timestamp"]) - int(first.headers["webhook-timestamp"]) == 60
    for request in receiver.requests:
        with time_machine.travel(NOW + timedelta(minutes=2), tick=False):
            assert (
                standardwebhooks.Webhook(SECRET).verify(request.body, dict(request.headers))["type"]
                == "alertd.first_notification"
            )


@pytest.mark.anyio
async def test_without_a_secret_id_and_time_are_sent_all_the_same(
    receiver: Any, templates: Templates, http: ReceiverHttp
) -> None:
    told = channel(receiver, templates, http)

    await told.send(told.render(notification()), key="c1-1", attempt=1, now=NOW)

    headers = receiver.requests[0].headers
    assert headers["webhook-id"] == "c1-1"
    assert headers["webhook-timestamp"] == str(int(NOW.timestamp()))
    assert "webhook-signature" not in headers
    assert headers["content-type"] == "application/json"


def test_the_specification_s_own_example() -> None:
    headers = webhook_headers(
        "msg_p5jXN8AQM9LWM0D4loKWxJek",
        b'{"test": 2432232314}',
        datetime.fromtimestamp(1614265330, UTC),
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
    )

    assert headers["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


@pytest.mark.parametrize("secret", [SECRET, SECRET.removeprefix("whsec_")])
def test_libraries_verify_a_secret_with_and_without_its_prefix(secret: str) -> None:
    headers = webhook_headers("c1-1", b"{}", NOW, secret)

    with time_machine.travel(NOW, tick=False):
        standardwebhooks.Webhook(secret).verify(b"{}", headers)


def test_two_secrets_sign_while_one_replaces_the_other() -> None:
    headers = webhook_headers("c1-1", b"{}", NOW, f"{SECRET}\n{SECRET[::1]}")

    assert len(headers["webhook-signature"].split(" ")) == 2


def test_any_other_text_is_the_key_itself() -> None:
    """A receiver of one's own may know no base64."""
    import hashlib
    import hmac

    headers = webhook_headers("c1-1", b"{}", NOW, "not-base64!")

    expected = hmac.new(
        b"not-base64!", f"c1-1.{headers['webhook-timestamp']}.".encode() + b"{}", hashlib.sha256
    ).digest()
    assert headers["webhook-signature"] == f"v1,{base64.b64encode(expected).decode()}"


@pytest.mark.parametrize("key", ["a.b", "ü", "x" * 100, "a b", ""])
def test_an_id_has_no_dot_and_stays_the_same(key: str) -> None:
    assert "." not in webhook_id(key)
    assert webhook_id(key) == webhook_id(key)
    assert webhook_id(key).isascii()


def test_our_own_body(offline: Callable[..., WebhookChannel]) -> None:
    """Names and values that receivers build on."""
    message = notification(
        Reason.SOME_RESOLVED,
        resolved=(ended(alert(number=2), Ended.GONE),),
        events=(event(),),
        sequence=3,
        key="0f3a9b7c-3",
    )

    body = json.loads(offline().render(message).body)

    data = body["data"]
    assert (body["type"], body["timestamp"]) == ("alertd.some_resolved", "2026-01-05T10:41:00Z")
    assert (data["key"], data["conversation"], data["sequence"], data["reason"]) == (
        "0f3a9b7c-3",
        "0f3a9b7c",
        3,
        "some_resolved",
    )
    assert data["group"] == {
        "key": "route0/contoso/JobQuarantined",
        "labels": {"tenant": "contoso", "alertname": "JobQuarantined"},
    }
    assert data["observed_between"] == {"start": "2026-01-05T10:05:00Z", "end": "2026-01-05T10:40:00Z"}
    firing, resolved, happened = data["firing"][0], data["resolved"][0], data["events"][0]
    assert (firing["name"], firing["severity"], firing["state"], firing["endsAt"]) == (
        "JobQuarantined",
        "critical",
        "firing",
        None,
    )
    assert firing["labels"]["job_id"].startswith("Salesforce.")
    assert firing["status"]["quarantine"]["reason"] == "EncounteredQuarantineException"
    assert firing["status"]["synchronizedEntryCountByType"] == {"user to User": 1204, "group to Group": 33}
    assert {"path": "status.code", "before": "Active", "after": "Quarantine"} in firing["changes"]
    assert firing["remedy"]["steps"]
    assert (resolved["ended"], resolved["endsAt"]) == ("gone", "2026-01-05T10:41:00Z")
    assert (happened["state"], happened["name"]) == ("event", "EscrowsPruned")


def test_text_for_machines_stays_as_it_is(offline: Callable[..., WebhookChannel]) -> None:
    """Labels are identities; only people need protection from them."""
    name = "Sales\u202eforce\n" * 60

    body = json.loads(offline().render(notification(firing=(alert(name=name),))).body)

    assert body["data"]["firing"][0]["labels"]["service_principal"] == name


def test_alertmanager_s_body(offline: Callable[..., WebhookChannel]) -> None:
    message = notification(
        Reason.NEW_ALERTS, firing=(alert(), alert(name="Box", number=2)), resolved=(ended(alert(number=3)),)
    )

    body = json.loads(offline(format=WebhookFormat.ALERTMANAGER).render(message).body)

    assert set(body) >= {
        "version", "groupKey", "truncatedAlerts", "status", "receiver", "groupLabels", "commonLabels", "commonAnnotations", "externalURL", "alerts"
    }  # fmt: skip
    assert (body["version"], body["status"], body["notification_reason"]) == ("4", "firing", "new alerts added")
    assert body["commonLabels"]["tenant"] == "contoso"
    assert "job_id" not in body["commonLabels"]
    assert [one["status"] for one in body["alerts"]] == ["firing", "firing", "resolved"]
    assert body["alerts"][0]["endsAt"] == "0001-01-01T00:00:00Z"
    assert body["alerts"][2]["endsAt"] == "2026-01-05T10:41:00Z"
    assert all(len(one["fingerprint"]) == 16 for one in body["alerts"])


def test_alertmanager_s_body_when_all_is_over(offline: Callable[..., WebhookChannel]) -> None:
    message = notification(Reason.ALL_RESOLVED, firing=(), resolved=(ended(alert()),))

    body = json.loads(offline(format=WebhookFormat.ALERTMANAGER).render(message).body)

    assert (body["status"], body["notification_reason"]) == ("resolved", "all alerts resolved")


def test_a_machine_is_told_of_every_end(offline: Callable[..., WebhookChannel]) -> None:
    integration = offline(name="audit", send_resolved=False).integration

    assert integration.id == "audit/webhook/audit"
    assert (integration.closes_silently, integration.deduplicates, integration.send_resolved) == (False, True, False)


def test_a_flood_is_cut_with_a_count(offline: Callable[..., WebhookChannel]) -> None:
    message = notification(firing=tuple(alert(name=f"App {number}", number=number) for number in range(600)))

    rendered = offline().render(message)

    data = json.loads(rendered.body)["data"]
    assert len(rendered.body) <= 1_000_000
    assert data["truncated"] == 600 - len(data["firing"]) > 0
    assert rendered.shortened


@pytest.mark.anyio
async def test_a_cloud_event(receiver: Any, templates: Templates, http: ReceiverHttp) -> None:
    """Structured mode; `source` and `id` are the same over all attempts, and what CloudEvents calls data is our own body's."""
    told = channel(receiver, templates, http, format=WebhookFormat.CLOUDEVENTS)
    ours = channel(receiver, templates, http)
    rendered = told.render(notification())

    for attempt in (1, 2):
        await told.send(rendered, key="c1-1", attempt=attempt, now=NOW + timedelta(minutes=attempt))

    first, second = receiver.requests
    body = json.loads(first.body)
    assert first.body == second.body
    assert first.headers["content-type"] == "application/cloudevents+json"
    assert {name: text for name, text in body.items() if name != "data"} == {
        "specversion": "1.0",
        "id": "0f3a9b7c.1",
        "source": "https://alertd.example.com",
        "type": "alertd.first_notification",
        "time": "2026-01-05T10:41:00+00:00",
        "subject": "route0/contoso/JobQuarantined",
        "datacontenttype": "application/json",
    }
    assert body["data"] == json.loads(ours.render(notification()).body)["data"]


def test_a_cloud_event_needs_a_source_even_without_pages(offline: Callable[..., WebhookChannel]) -> None:
    body = json.loads(offline(format=WebhookFormat.CLOUDEVENTS).render(notification(external_url=None)).body)

    assert body["source"] == "urn:alertd"
