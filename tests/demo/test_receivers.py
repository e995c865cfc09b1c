"""The simulated receivers, spoken to over real sockets by clients that know nothing of them."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from email.message import EmailMessage
from typing import Any

import aiosmtplib
import httpx
import pytest
from standardwebhooks import Webhook

from alertd.simulator.inbox import Inbox, Medium, Message
from alertd.simulator.receivers import Mode, Receivers
from alertd.simulator.receivers_teams import run_flow

pytestmark = pytest.mark.anyio


@asynccontextmanager
async def http() -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(trust_env=False, timeout=10) as client:
        yield client


def envelope(**changes: Any) -> dict[str, Any]:
    card = {"type": "AdaptiveCard", "version": "1.4", "body": [], "fallbackText": "ERROR: it is broken"}
    attachment = {"contentType": "application/vnd.microsoft.card.adaptive", "contentUrl": None, "content": card}
    return {"type": "message", "attachments": [attachment]} | changes


def mail(subject: str = "it is broken") -> EmailMessage:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "alertd@example.com", "oncall@example.com", subject
    message.set_content("Why you get this: first_notification, the first message about this.")
    return message


async def post_signed(client: httpx.AsyncClient, receivers: Receivers, body: bytes, secret: str) -> int:
    now = datetime.now(UTC)
    headers = {
        "webhook-id": "m-1",
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": Webhook(secret).sign("m-1", now, body.decode()),
        "content-type": "application/json",
    }
    return (await client.post(receivers.webhook_url, content=body, headers=headers)).status_code


async def test_a_card_is_accepted_at_once_and_named_by_its_run() -> None:
    async with Receivers() as receivers, http() as client:
        answer = await client.post(receivers.teams_url, json=envelope())

        (arrival,) = receivers.inbox.arrivals()
        assert answer.status_code == 202
        assert answer.headers["x-ms-workflow-run-id"]
        assert (arrival.medium, arrival.message.title, arrival.shown) == (Medium.TEAMS, "ERROR: it is broken", True)


@pytest.mark.parametrize(
    ("sent", "fault"),
    [
        pytest.param({"text": "hello"}, "'foreach' expression", id="no attachments"),
        pytest.param(envelope(type="card"), "type is 'card'", id="not a message"),
        pytest.param(envelope(attachments=[]), "0 cards", id="no card"),
        pytest.param(envelope(attachments=[{"contentType": "text/plain"}]), "contentType", id="no card by its type"),
        pytest.param(envelope(filler="x" * 28_000), "MessageSizeExceeded", id="larger than Teams takes"),
        pytest.param(
            envelope(
                attachments=[envelope()["attachments"][0] | {"content": {"type": "AdaptiveCard", "version": "1.5"}}]
            ),
            "version '1.5'",
            id="a card of a version that Teams does not show",
        ),
    ],
)
async def test_what_makes_the_flow_fail_is_accepted_all_the_same(sent: dict[str, Any], fault: str) -> None:
    """As in reality, nobody tells the sender: the run fails after the 202."""
    async with Receivers() as receivers, http() as client:
        answer = await client.post(receivers.teams_url, json=sent)

        (arrival,) = receivers.inbox.arrivals()
        assert answer.status_code == 202
        assert fault in arrival.message.faults[0]
        assert not arrival.shown


async def test_a_signed_url_with_a_token_is_refused() -> None:
    async with Receivers() as receivers, http() as client:
        answer = await client.post(receivers.teams_url, json=envelope(), headers={"Authorization": "Bearer x"})

        assert answer.status_code == 401
        assert answer.json()["error"]["code"] == "DirectApiAuthorizationRequired"
        assert receivers.inbox.shown() == ()


async def test_a_url_without_its_signature_opens_nothing() -> None:
    async with Receivers() as receivers, http() as client:
        answer = await client.post(receivers.teams_url.partition("&sig=")[0], json=envelope())

        assert answer.status_code == 401


@pytest.mark.parametrize(("mode", "status"), [(Mode.DOWN, 503), (Mode.THROTTLED, 429), (Mode.REFUSING, 404)])
@pytest.mark.parametrize("medium", [Medium.TEAMS, Medium.WEBHOOK])
async def test_moods_over_http(medium: Medium, mode: Mode, status: int) -> None:
    async with Receivers(signing_secret="") as receivers, http() as client:
        receivers.behaviour(medium).fail(mode, times=1)
        url = receivers.teams_url if medium is Medium.TEAMS else receivers.webhook_url

        bad = await client.post(url, json=envelope())
        good = await client.post(url, json=envelope())

        assert (bad.status_code, bad.headers.get("retry-after")) == (status, "1" if status == 429 else None)
        assert good.is_success
        assert [arrival.accepted for arrival in receivers.inbox.arrivals()] == [True, False]


@pytest.mark.parametrize("medium", [Medium.TEAMS, Medium.WEBHOOK])
async def test_a_receiver_that_hangs_has_the_message(medium: Medium) -> None:
    """The case that nobody can tell from the outside: taken, and no answer."""
    async with Receivers() as receivers, http() as client:
        receivers.behaviour(medium).fail(Mode.HANGING)
        url = receivers.teams_url if medium is Medium.TEAMS else receivers.webhook_url
        request = asyncio.create_task(client.post(url, json=envelope()))
        await receivers.inbox.more(0)

        request.cancel()

        (arrival,) = receivers.inbox.arrivals()
        assert (arrival.answer, arrival.accepted) == (0, False)


async def test_a_request_that_hangs_does_not_keep_the_receiver_from_stopping() -> None:
    async with http() as client:
        async with Receivers() as receivers:
            receivers.behaviour(Medium.TEAMS).fail(Mode.HANGING)
            request = asyncio.create_task(client.post(receivers.teams_url, json=envelope()))
            await receivers.inbox.more(0)

        assert (await request).status_code == 503


async def test_a_signature_that_holds_is_said_to_hold() -> None:
    async with Receivers() as receivers, http() as client:
        body = json.dumps({"type": "alertd.event", "data": {"headline": "it is broken", "reason": "event"}}).encode()

        status = await post_signed(client, receivers, body, receivers.webhook.signing_secret)

        (arrival,) = receivers.inbox.arrivals()
        assert status == 204
        assert (arrival.message.title, arrival.message.reason) == ("it is broken", "event")
        assert arrival.message.notes == ("signature verified",)


async def test_a_signature_by_another_secret_is_refused() -> None:
    async with Receivers() as receivers, http() as client:
        other = f"whsec_{base64.b64encode(b'another secret, long enough').decode()}"

        assert await post_signed(client, receivers, b"{}", other) == 401


async def test_an_unsigned_request_is_refused() -> None:
    async with Receivers() as receivers, http() as client:
        answer = await client.post(receivers.webhook_url, json={})

        assert (answer.status_code, receivers.inbox.shown()) == (401, ())


async def test_mail_is_taken_as_it_was_sent() -> None:
    async with Receivers() as receivers:
        await aiosmtplib.send(mail("it is broken"), hostname="127.0.0.1", port=receivers.mail.port, start_tls=False)

        (arrival,) = receivers.inbox.shown()
        assert (arrival.medium, arrival.message.title) == (Medium.EMAIL, "it is broken")
        assert (arrival.message.reason, arrival.message.recipients) == ("first_notification", ("oncall@example.com",))


@pytest.mark.parametrize(("mode", "code"), [(Mode.DOWN, 451), (Mode.THROTTLED, 452), (Mode.REFUSING, 550)])
async def test_moods_of_the_mail_server(mode: Mode, code: int) -> None:
    async with Receivers() as receivers:
        receivers.behaviour(Medium.EMAIL).fail(mode, times=1)

        with pytest.raises(aiosmtplib.SMTPDataError) as refused:
            await aiosmtplib.send(mail(), hostname="127.0.0.1", port=receivers.mail.port, start_tls=False)

        assert refused.value.code == code


async def test_the_inbox_keeps_the_newest_and_forgets_the_oldest() -> None:
    inbox = Inbox(keep=2)

    for number in range(3):
        inbox.add(Medium.WEBHOOK, Message(body=b"", content_type="", title=f"{number}"), answer=204)

    assert [arrival.message.title for arrival in inbox.arrivals()] == ["2", "1"]
    assert [arrival.number for arrival in inbox.arrivals(after=2)] == [3]
    assert inbox.find(1) is None


async def test_a_closed_inbox_lets_go_of_who_waits() -> None:
    inbox = Inbox()
    waiting = asyncio.create_task(inbox.more(0))
    await asyncio.sleep(0)

    inbox.close()

    assert await waiting is False


def test_a_body_that_is_no_json_fails_the_run() -> None:
    assert run_flow(b"no")[1][0].startswith("the body is no JSON")
